"""What this machine has: a CUDA GPU, an Ollama server and its models, a base model, disk space. Never imports torch."""

import ctypes
import importlib.util
import json
import os
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astudent.errors import UsageError

_COMPUTE_CAPABILITY_MAJOR = 75  # CUdevice_attribute
_PROBE_SECONDS = 5.0
_PLACE = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s/:\[\]]+)(:[0-9]+)?(/\S*)?")  # host or [IPv6], port, path

OFFLINE_HINT = "Set base_model to a local folder, or go online."


@dataclass(frozen=True)
class Gpu:
    """CUDA devices that a process may use. `major` is the first one's compute capability."""

    count: int
    major: int

    @property
    def has_bf16(self) -> bool:
        """bfloat16 in hardware: Ampere (8.0) and later."""
        return self.major >= 8


def find_gpu() -> Gpu | None:
    """The CUDA GPU, asked of the driver itself (CUDA_VISIBLE_DEVICES holds); None without driver or device."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    count, major = ctypes.c_int(0), ctypes.c_int(0)
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)) or not count.value:
        return None
    driver.cuDeviceGetAttribute(ctypes.byref(major), _COMPUTE_CAPABILITY_MAJOR, 0)
    return Gpu(count.value, major.value)


def missing_gpu_packages() -> list[str]:
    """Packages of the extra `gpu` that are not installed."""
    return [name for name in ("unsloth", "bitsandbytes") if importlib.util.find_spec(name) is None]


def ollama_hosts(hosts: Sequence[str], told_by: str = "teacher.hosts") -> list[str]:
    """Addresses of the servers: those that `told_by` names, else OLLAMA_HOST, else the client's own default.

    UsageError for what can be no server's address.
    """
    if hosts:
        return [_address(host, told_by) for host in hosts]
    return [_address(os.environ.get("OLLAMA_HOST", "").strip() or "127.0.0.1:11434", "OLLAMA_HOST")]


def _address(host: str, told_by: str) -> str:
    """With scheme and port."""
    address = host if "://" in host else f"http://{host}"
    scheme, _, rest = address.partition("://")
    if scheme not in ("http", "https") or not _PLACE.fullmatch(rest):
        raise UsageError(f"{told_by}: {host!r} is no address of a server", "Write one such as http://gpu-box:11434.")
    has_port = ":" in address.split("://", 1)[1].split("/", 1)[0]
    return address.rstrip("/") if has_port or "://" in host else f"{address}:11434"


def ollama_models(host: str) -> list[str] | None:
    """Names of the models on the server; None when no Ollama server answers there."""
    reply = _ask(f"{host}/api/tags")
    if not isinstance(reply, dict) or not isinstance(reply.get("models"), list):
        return None
    return [str(model.get("name", "")) for model in reply["models"] if isinstance(model, dict)]


def holds_model(models: Sequence[str], model: str) -> bool:
    """Whether a server that lists `models` can serve `model`; no tag means `latest`."""
    return model in models or f"{model}:latest" in models


def free_gb(folder: Path) -> float:
    """Free space (GB) where the folder is, or will be."""
    while not folder.exists():
        folder = folder.absolute().parent
    return shutil.disk_usage(folder).free / 1e9


def base_model_problem(base: str, revision: str | None) -> tuple[str, str] | None:
    """Why the base model cannot be loaded, and what to do; None when its configuration is at hand."""
    if Path(base).is_dir():
        return _folder_problem(Path(base))
    if base.count("/") != 1 or base.startswith((".", "/", "~")):
        return f"{base}: no such folder", "Name a model folder, or an id such as unsloth/gemma-3-270m-it."
    return _hub_problem(base, revision)


def _folder_problem(folder: Path) -> tuple[str, str] | None:
    wanted = ("config.json", "tokenizer_config.json", "*.safetensors")
    lacking = [pattern for pattern in wanted if not any(folder.glob(pattern))]
    if lacking:
        return f"{folder}: no model folder, {', '.join(lacking)} lacking", "Name another base_model."
    return None


def _hub_problem(base: str, revision: str | None) -> tuple[str, str] | None:
    """Asks the hub once, by hand: its own client tries for a minute, with a warning each time."""
    from huggingface_hub import constants, get_token, try_to_load_from_cache

    if isinstance(try_to_load_from_cache(base, "config.json", revision=revision), str):
        return None
    if constants.HF_HUB_OFFLINE:
        return f"{base} is not in the local cache and the hub is off (HF_HUB_OFFLINE)", OFFLINE_HINT
    request = urllib.request.Request(hub_address(base, revision), method="HEAD")
    if token := get_token():
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    try:
        urllib.request.urlopen(request, timeout=_PROBE_SECONDS).close()
    except urllib.error.HTTPError as error:
        return hub_refusal(base, revision, error.headers.get("X-Error-Code", ""), error.code)
    except OSError as error:
        return f"{base} is not in the local cache and the model hub does not answer ({error})", OFFLINE_HINT
    return None


def hub_address(base: str, revision: str | None) -> str:
    """Where the hub keeps a model's configuration."""
    from huggingface_hub import hf_hub_url

    return hf_hub_url(base, "config.json", revision=revision)


def hub_refusal(base: str, revision: str | None, reason: str, status: int) -> tuple[str, str]:
    """What the hub's answer means: its own `reason` (X-Error-Code), else the HTTP status."""
    if reason == "GatedRepo" or status == 403:
        return f"{base} is gated on the model hub", "Accept its licence there, then run `hf auth login`."
    if reason == "RevisionNotFound":
        return f"{base} has no revision {revision} on the model hub", "Mend base_revision."
    if reason == "RepoNotFound" or status in (401, 404):
        return f"{base}: neither a folder here nor a model on the hub", "Mend base_model, or run `hf auth login`."
    return f"{base}: the model hub answers {status}", "Try again later, or set base_model to a local folder."


def _ask(address: str) -> Any:
    """The JSON reply of a server; None when there is none."""
    try:
        with urllib.request.urlopen(address, timeout=_PROBE_SECONDS) as reply:
            return json.load(reply)
    except (OSError, ValueError):
        return None
