"""GGUF files: the contents that a merged model gives, written and read."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import gguf
import numpy as np
from safetensors import safe_open

from astudent.errors import RunError, UsageError
from astudent.export import gguf_families as families
from astudent.export.gguf_families import Array
from astudent.export.gguf_vocabulary import Marks, vocabulary_keys

Kind = Literal["f16", "q8_0"]
Keys = dict[str, Any]

_TYPES = {"f16": gguf.GGMLQuantizationType.F16, "q8_0": gguf.GGMLQuantizationType.Q8_0}
_FILE_TYPES = {"f16": gguf.LlamaFileType.MOSTLY_F16, "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0}
_LARGEST_F16 = 65504.0


@dataclass(frozen=True)
class Contents:
    """A GGUF before it is written: its keys, and where its tensors come from (a folder with model.safetensors in full precision)."""

    keys: Keys
    tensors: Mapping[str, str]
    folder: Path
    family: families.Family

    def weights(self) -> Iterator[tuple[str, Array]]:
        """Each tensor in float32, as the GGUF holds it."""
        name = self.family.name
        heads, kv_heads = (self.keys[f"{name}.attention.{key}"] for key in ("head_count", "head_count_kv"))
        for file in sorted(self.folder.glob("*.safetensors")):
            with safe_open(file, "np") as weights:
                for theirs in weights.keys():  # noqa: SIM118  # no dictionary
                    ours = self.tensors[theirs]
                    yield ours, families.to_gguf(self.family, ours, weights.get_tensor(theirs), heads, kv_heads)


def contents_of(folder: Path, marks: Marks, about: Mapping[str, str], window_shift: int = 0) -> Contents:
    """The GGUF of a merged model in float32, with what it says `about` itself, by key. UsageError for weights that its family does not have."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    family = families.family_of(config)
    assert family is not None, "why_not comes first"
    keys = families.architecture_keys(config, window_shift) | dict(about)
    keys |= vocabulary_keys(tokenizer, marks, config["vocab_size"])
    try:
        tensors = families.tensor_names(family, config["num_hidden_layers"], list(_names(folder)))
    except KeyError as error:
        raise UsageError(
            f"{folder}: weight {error} has no name in a GGUF of {family.name}", "Use the safetensors."
        ) from error
    return Contents(keys, tensors, folder, family)


def _names(folder: Path) -> Iterator[str]:
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, "np") as weights:
            yield from weights.keys()


def write(path: Path, contents: Contents, kind: Kind) -> list[str]:
    """Writes the file; the tensors of two dimensions that stay F16 in a Q8_0 file, as their rows are no multiple of 32.

    Vectors (norms, biases) are F32. RunError for a weight beyond what F16 can hold.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, contents.family.name)
    for key, value in contents.keys.items():
        if key != "general.architecture":
            _add(writer, key, value)
    writer.add_file_type(_FILE_TYPES[kind])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    left = []
    for name, weight in contents.weights():
        type_ = _type_of(weight, kind)
        left += [name] if kind == "q8_0" and type_ is gguf.GGMLQuantizationType.F16 else []
        writer.add_tensor(name, _packed(name, weight, type_), raw_dtype=type_)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return left


def _type_of(weight: Array, kind: Kind) -> gguf.GGMLQuantizationType:
    if weight.ndim < 2:
        return gguf.GGMLQuantizationType.F32
    block = gguf.GGML_QUANT_SIZES[_TYPES[kind]][0]
    return _TYPES[kind] if weight.shape[-1] % block == 0 else gguf.GGMLQuantizationType.F16


def _packed(name: str, weight: Array, type_: gguf.GGMLQuantizationType) -> Array:
    if type_ is gguf.GGMLQuantizationType.F32:
        return weight.astype(np.float32)
    if float(np.abs(weight).max()) > _LARGEST_F16:
        raise RunError(
            f"{name} holds a weight beyond {_LARGEST_F16:.0f}, which F16 cannot hold", "Use the safetensors."
        )
    return gguf.quants.quantize(weight.astype(np.float32), type_)


def _add(writer: gguf.GGUFWriter, key: str, value: Any) -> None:
    kinds = {bool: gguf.GGUFValueType.BOOL, str: gguf.GGUFValueType.STRING, float: gguf.GGUFValueType.FLOAT32}
    if isinstance(value, list):
        whole = gguf.GGUFValueType.INT32
        writer.add_key_value(key, value, gguf.GGUFValueType.ARRAY, sub_type=kinds.get(type(value[0]), whole))
    else:
        writer.add_key_value(key, value, kinds.get(type(value), gguf.GGUFValueType.UINT32))


@dataclass(frozen=True)
class Read:
    """A GGUF that was read: keys, and each tensor in float32."""

    keys: Keys
    tensors: dict[str, Array]


def differing(where: str, theirs: Path, ours: Path) -> Iterator[str]:
    """What a GGUF for Ollama has otherwise than the one for all, the window aside."""
    if not ours.is_file():
        return
    (keys, tensors), (own_keys, own_tensors) = map(_raw, (theirs, ours))
    for what, one, other in (("keys", keys, own_keys), ("tensors", tensors, own_tensors)):
        names = sorted(one.keys() | other.keys())
        off = [n for n in names if n not in one or n not in other or not np.array_equal(one[n], other[n])]
        if off:
            yield f"{where}: {len(off)} {what} are not those of gguf/{ours.name}, such as {off[0]}"


def _raw(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Keys but the window, and tensors as they are stored."""
    file = gguf.GGUFReader(path)
    fields = {name: field for name, field in file.fields.items() if not name.startswith("GGUF.")}
    keys = {name: field.contents() for name, field in fields.items() if not name.endswith("sliding_window")}
    return keys, {str(tensor.name): tensor.data for tensor in file.tensors}


def read(path: Path) -> Read:
    """RunError for a file that is no GGUF."""
    try:
        reader = gguf.GGUFReader(path)
        keys = {name: field.contents() for name, field in reader.fields.items() if not name.startswith("GGUF.")}
        tensors = {
            str(t.name): gguf.quants.dequantize(t.data, t.tensor_type).astype(np.float32) for t in reader.tensors
        }
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise RunError(f"{path}: no GGUF can be read: {error}", "Make the export again.") from error
    return Read(keys, tensors)
