"""An adapter becomes a folder that others can use: merged model, GGUF, Modelfile, card."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from astudent.errors import UsageError
from astudent.export import gguf_families, gguf_vocabulary, modelfile
from astudent.export.card import card
from astudent.export.gguf_file import Kind, contents_of, write
from astudent.export.modelfile import Turn, parameters
from astudent.export.origin import Origin
from astudent.export.package import CARD, WRITER, Package, Record
from astudent.export.served import Server
from astudent.jsonl import sha256_of, write_atomic
from astudent.prompt import keys_of_prompt
from astudent.report.markdown import visible
from astudent.report.runs import read_json

if TYPE_CHECKING:
    from astudent.student.load import Student

MOST_CONTEXT = 32768
"""Tokens of context that a served model gets where nobody asks for more: its memory grows with them."""
WINDOW_SHIFT = -1
"""Ollama's Gemma 3 sees one position more than the window that its file names."""

DECOMPOSED = "Its tokenizer composes letters (NFC), which llama.cpp and Ollama do not do: send them requests in NFC."


@dataclass(frozen=True)
class Wish:
    """What is to be exported, and how. `quantize` is what Ollama serves; an F16 file is written in any case. `keeps_changed`:
    files that somebody changed stay, so that a proof can name them."""

    origin: Origin
    out: Path
    quantize: Kind = "f16"
    num_ctx: int | None = None
    fresh: bool = False
    keeps_changed: bool = False

    @property
    def kinds(self) -> list[Kind]:
        """The GGUFs to write."""
        return ["f16"] if self.quantize == "f16" else ["f16", self.quantize]


def export(wish: Wish) -> Record:
    """Writes the folder, or leaves it where the same export stands there already.

    UsageError where the base is not the adapter's, or the folder holds something else.
    """
    from astudent.student.merging import load_unmerged

    package = Package(wish.out)
    package.refuse_foreign()
    student = load_unmerged(wish.origin.base, wish.origin.revision, wish.origin.adapter)
    refuse_other_base(wish.origin, student)
    record = _record(wish, student)
    before = None if wish.fresh else package.read_record()
    if before is not None and before.is_of(record) and _stands(wish, package, before):
        print(f"export: {wish.out} is complete, nothing to do", flush=True)
        return before
    return _write(wish, student, record)


def _stands(wish: Wish, package: Package, record: Record) -> bool:
    if wish.keeps_changed and all((wish.out / file).is_file() for file in record.files):
        return True
    changed = package.changed(record)
    for what in changed:
        print(f"export: {wish.out}: {visible(what)}", flush=True)
    return not changed


def refuse_other_base(origin: Origin, student: "Student") -> None:
    """UsageError for another base than the adapter was trained on, wherever it lies."""
    from astudent.student.merging import identity_as

    names = {origin.base, origin.trained_base or origin.base}
    if origin.why_base_unchecked is None and origin.base_sha256 not in {identity_as(student, name) for name in names}:
        message = f"{origin.base} is not the base that {origin.adapter} was trained on"
        raise UsageError(message, "Name that one with --base-model.")


def _record(wish: Wish, student: "Student") -> Record:
    """What will be written, before any file is there."""
    from astudent.student.export_truth import config_of
    from astudent.student.loss import base_of
    from astudent.student.merging import turn_of

    origin, turn = wish.origin, turn_of(student.tokenizer)
    config = config_of(student)
    weights = sum(p.numel() for name, p in base_of(student.model).named_parameters() if "lora_" not in name)
    num_ctx = min(gguf_families.context_of(config), wish.num_ctx or MOST_CONTEXT)
    return Record(
        base_model=origin.base_name,
        base_sha256=student.base_sha256,
        **origin.adapter_hashes(),
        trained_in_4bit=origin.trained_in_4bit,
        gate=origin.gate,
        quantize=wish.quantize,
        num_ctx=num_ctx,
        turn=turn,
        parameters=parameters(turn, num_ctx, weights),
        prompt=origin.prompt.model_dump(),
        weights=weights,
        notes=list(_notes(origin)),
        files={},
        writer=WRITER,
    )


def _notes(origin: Origin) -> Iterator[str]:
    if origin.trained_in_4bit:
        yield "The adapter was trained on a base in 4 bits and is merged into the base in full precision: answers may differ from those in training."
    if origin.trained_in_4bit is None:
        yield "No record tells whether the adapter was trained in 4 bits."
    if (why := origin.why_base_unchecked) is not None:
        yield f"Whether this is the base of the training could not be checked: {why}."


def _write(wish: Wish, student: "Student", record: Record) -> Record:
    from astudent.student.checkpoint import written_whole
    from astudent.student.merging import marks_of, may_lack_pieces, merge, save_merged

    with written_whole(wish.out) as folder:
        package = Package(folder)
        merged = merge(student)
        for precision in ("fp32", "bf16"):
            save_merged(merged, package.merged(precision), precision, wish.origin.revision)
        why = why_no_gguf(package, record.turn)
        notes = (
            [f"No GGUF and no Modelfile: {why}."]
            if why
            else _write_ggufs(wish, package, record, marks_of(student.tokenizer))
        )
        if may_lack_pieces(wish.origin.base, wish.origin.revision):
            notes.append("The hub did not say whether the base has a tokenizer.model, so there is none.")
        record = replace(record, notes=[*record.notes, *notes])
        (folder / CARD).write_text(card(record, [] if why else [*wish.kinds]), encoding="utf-8")
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        record = replace(record, files={str(path.relative_to(folder)): sha256_of(path) for path in files})
        write_atomic(package.record, _json(record))
    return record


def why_no_gguf(package: Package, turn: Turn) -> str | None:
    """Why the merged model gets no GGUF; None where it does."""
    folder = package.merged("fp32")
    config, tokenizer = read_json(folder / "config.json"), read_json(folder / "tokenizer.json")
    return gguf_families.why_not(config) or gguf_vocabulary.why_not(tokenizer) or modelfile.why_not(turn)


def _write_ggufs(wish: Wish, package: Package, record: Record, marks: gguf_vocabulary.Marks) -> list[str]:
    """The GGUFs and the Modelfile; notes on them."""
    folder, notes = package.merged("fp32"), []
    shifts = gguf_families.shifts_window(read_json(folder / "config.json"))
    about = {"general.name": record.base_model, **keys_of_prompt(wish.origin.prompt)}
    contents = contents_of(folder, marks, about)
    for kind in wish.kinds:
        left = write(package.gguf(kind), contents, kind)
        if left:
            notes.append(f"{len(left)} of the Q8_0 file's matrices stay F16, as their rows are no multiple of 32.")
    if shifts:
        notes.append(
            "Ollama sees one position more than a window says, so ollama/ has a GGUF of its own, with one less."
        )
        served = contents_of(folder, marks, about, WINDOW_SHIFT)
        write(package.served(wish.quantize, shifts), served, wish.quantize)
    package.modelfile.parent.mkdir(exist_ok=True)
    package.modelfile.write_text(modelfile_of(record, record.turn, shifts), encoding="utf-8")
    if gguf_vocabulary.composes(read_json(folder / "tokenizer.json")):
        notes.append(DECOMPOSED)
    return notes


def modelfile_of(record: Record, turn: Turn, shifts: bool) -> str:
    """The Modelfile's text, for a model whose prompts are rendered by `turn`."""
    source = f"./model-{record.quantize}.gguf" if shifts else f"../gguf/model-{record.quantize}.gguf"
    return modelfile.modelfile(source, turn, parameters(turn, record.num_ctx, record.weights))


def _json(record: Record) -> str:
    return json.dumps(record.as_json(), indent=2, ensure_ascii=False) + "\n"


def create(package: Package, record: Record, name: str) -> Server:
    """The model `name` on the Ollama server. UsageError where the export has no GGUF, or no server answers."""
    if (why := why_no_gguf(package, record.turn)) is not None:
        raise UsageError(f"no Ollama model can be made: {why}", "Use the safetensors.")
    shifts = gguf_families.shifts_window(read_json(package.merged("fp32") / "config.json"))
    server = Server(name)
    server.create(package.served(record.quantize, shifts), record.turn, record.parameters)
    print(f"export: {name} stands on {server.address}", flush=True)
    return server
