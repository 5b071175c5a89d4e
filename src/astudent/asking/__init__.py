"""One request answered by a trained student: in this process, or on an Ollama server."""
