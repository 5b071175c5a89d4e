"""A trained adapter leaves the house: merged safetensors, GGUF, an Ollama model, and the proof that all answer alike.

What needs torch stands in `astudent.student` (`merging`, `gguf_model`, `token_scores`); here are files, names and figures.
"""
