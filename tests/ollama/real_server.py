"""A real Ollama server of the test's own, and a small random model for it."""

import json
import os
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from sentencepiece import SentencePieceProcessor
from transformers import Gemma3ForCausalLM, Gemma3TextConfig

ROOT = Path(__file__).parents[2]
TOKENIZER = ROOT / "data" / "tiny_student"
MODEL = "random"
CONTEXT = 32768
SECONDS_TO_START = 60
LISTENS = re.compile(r"Listening on (127\.0\.0\.1:\d+)")
CHAT = re.compile(r'\[GIN\] .*\| (\d{3}) \|.* POST +"/api/chat"')

# A template as Gemma's; without one the messages would be joined without their roles. Several threads of a model this small
# only wait for each other: on a machine with other work a token then takes half a second instead of a millisecond.
MODELFILE = '''FROM .
TEMPLATE """{{ range .Messages }}<start_of_turn>{{ .Role }}
{{ .Content }}<end_of_turn>
{{ end }}<start_of_turn>model
"""
PARAMETER stop <end_of_turn>
PARAMETER num_thread 1
'''


@dataclass(frozen=True)
class RealServer:
    """Where it listens, its binary, and what it has written."""

    url: str
    binary: str
    log: Path

    def chats(self) -> list[int]:
        """The status of every chat that it has answered."""
        return [int(status) for status in CHAT.findall(self.log.read_text(encoding="utf-8"))]

    def holds(self, model: str) -> bool:
        """Whether the model is in its memory; another test's may be there too."""
        with urllib.request.urlopen(f"{self.url}/api/ps") as answer:
            return f"{model}:latest" in [loaded["name"] for loaded in json.load(answer)["models"]]

    def run(self, *arguments: str, cwd: Path) -> None:
        """`ollama ARGUMENTS` against it."""
        environment = os.environ | {"OLLAMA_HOST": self.url}
        subprocess.run([self.binary, *arguments], check=True, cwd=cwd, env=environment, capture_output=True)


@contextmanager
def real_server(binary: str, folder: Path, **settings: str) -> Iterator[RealServer]:
    """Serves on a free port, with its own models, while the block runs; `settings` are further variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OLLAMA_")}
    own = {"OLLAMA_HOST": "127.0.0.1:0", "OLLAMA_MODELS": str(folder / "models"), "HOME": str(folder)}
    log = folder / "server.log"
    with log.open("w") as written:
        server = subprocess.Popen([binary, "serve"], env=kept | own | settings, stdout=written, stderr=written)
    try:
        yield RealServer(f"http://{_address(server, log)}", binary, log)
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _address(server: subprocess.Popen[bytes], log: Path) -> str:
    """Host and port, as soon as the server has said them."""
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end and server.poll() is None:
        if found := LISTENS.search(log.read_text(encoding="utf-8")):
            return found[1]
        time.sleep(0.05)
    raise AssertionError(f"ollama serve does not listen:\n{log.read_text(encoding='utf-8')}")


def make_model(folder: Path) -> None:
    """A random Gemma 3 for `ollama create`. What ends a text or a list is likelier than the rest, so that replies end."""
    folder.mkdir()
    # without all three Ollama's import succeeds and begins every prompt with <pad>
    for name in ("tokenizer.model", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(TOKENIZER / name, folder)
    (folder / "Modelfile").write_text(MODELFILE)
    pieces = SentencePieceProcessor(str(TOKENIZER / "tokenizer.model"))
    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=pieces.get_piece_size(),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=6,  # Ollama takes every sixth for a global one, and its server breaks down where there is none
        num_attention_heads=1,
        num_key_value_heads=1,
        head_dim=32,
        query_pre_attn_scalar=32,
        max_position_embeddings=CONTEXT,
        bos_token_id=2,
        eos_token_id=[1, 6],
        pad_token_id=0,
    )
    model = Gemma3ForCausalLM(config)
    ends = [number for number in range(config.vocab_size) if pieces.id_to_piece(number)[0] in '"]}']
    with torch.no_grad():
        # one dimension is the same for all tokens, wherever they stand; as output it favours those with more of it
        model.model.embed_tokens.weight[:, 0] = 1.0
        model.model.embed_tokens.weight[ends, 0] = 2.0
        model.model.norm.weight[1:] = 5.0  # the others differ by the text before them
    model.save_pretrained(folder)
