"""The proof that an export answers as its adapter does: by adapter, merged model, GGUF, Ollama raw and through its template."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astudent.errors import UsageError
from astudent.export import causes, gguf_families
from astudent.export.gguf_file import Kind, Read, differing, read
from astudent.export.gguf_vocabulary import composes
from astudent.export.held_out import TAILS, HeldOut, held_out
from astudent.export.modelfile import Turn, parameters
from astudent.export.origin import Origin
from astudent.export.package import Package, Record
from astudent.export.proof import Proof, Way
from astudent.export.served import Server
from astudent.export.write import WINDOW_SHIFT, modelfile_of, why_no_gguf
from astudent.report.runs import read_json
from astudent.settings import Config

if TYPE_CHECKING:
    from astudent.student.export_ways import Known
    from astudent.student.load import Student

PROMPTS = 300


@dataclass
class Verification:
    """One export held against its adapter. `most` is the longest answer in tokens; without a `server` Ollama is not asked."""

    package: Package
    record: Record
    origin: Origin
    config: Config
    server: Server | None = None
    count: int = PROMPTS

    def run(self) -> Proof:
        """All ways on all prompts. RunError for a file of the export that cannot be read."""
        from astudent.student.export_truth import config_of
        from astudent.student.export_ways import adapter_way, ask_adapter, merged_way
        from astudent.student.merging import load_unmerged

        student = load_unmerged(self.origin.base, self.origin.revision, self.origin.adapter)
        chosen = self._prompts(student, config_of(student))
        known = ask_adapter(student, chosen.prompts, self.most)
        print(f"verify: {len(known)} prompts, answered by the adapter", flush=True)
        ways = [adapter_way(known), merged_way(self.package.merged("fp32"), known)]
        found = [*self.package.changed(self.record), *self._causes_of_merged(student)]
        if why_no_gguf(self.package, self.record.turn) is None or any(
            self.package.gguf(kind).is_file() for kind in self._kinds
        ):
            more, told = self._of_runtimes(student, known)
            ways, found = ways + more, found + told
        return Proof(ways, found, self._facts(known), chosen.shortage(self.count), chosen.remarks(self.count))

    @property
    def most(self) -> int:
        """The longest answer, in tokens."""
        return self.config.evaluation.max_new_tokens

    @property
    def _kinds(self) -> list[Kind]:
        kinds: list[Kind] = ["f16"]
        return kinds if self.record.quantize == "f16" else [*kinds, self.record.quantize]

    def _prompts(self, student: "Student", shape: dict[str, Any]) -> HeldOut:
        from astudent.student.prompt import encode_prompt, render

        window = shape.get("sliding_window") if gguf_families.shifts_window(shape) else None

        def length(content: str) -> int:
            return len(encode_prompt(student.tokenizer, render(student.tokenizer, content)))

        asked, room = self.config.model_copy({"prompt": self.origin.prompt}), self.record.num_ctx - self.most
        if length("a") > room:
            what = f"a context of {self.record.num_ctx} tokens has no room for a prompt beside an answer of {self.most}"
            raise UsageError(what, "Name a larger --num-ctx, or a --config with a smaller evaluation.max_new_tokens.")
        tails = [kind for kind in TAILS if kind != "decomposed" or not self._composes]
        return held_out(asked, self.count, window, room, length, tails)

    @property
    def _composes(self) -> bool:
        return composes(read_json(self.package.merged("fp32") / "tokenizer.json"))

    def _of_runtimes(self, student: "Student", known: Sequence["Known"]) -> tuple[list[Way], list[str]]:
        from astudent.student.export_truth import config_of, truth_of
        from astudent.student.export_ways import gguf_way
        from astudent.student.merging import turn_of

        truth, turn = truth_of(student), turn_of(student.tokenizer)
        why = gguf_families.why_not(config_of(student))
        ways, found = [], [f"GGUF: {why}"] if why else []
        for kind in self._kinds:
            path = self.package.gguf(kind)
            file = read(path)
            ways.append(gguf_way(f"GGUF {kind.upper()}", file, path, turn, known, kind == "f16", student, self.most))
            found += [*causes.in_keys(path.name, file.keys, truth.keys), *causes.in_tensors(path.name, file, truth)]
        found += self._causes_of_ollama(truth, turn)
        if self.server is not None:
            ways += self._served(self.server, turn, known)
            found += self._causes_of_server(self.server, turn, truth)
            found += causes.in_arithmetic(ways) if not found else []
        return ways, found

    def _served(self, server: Server, turn: Turn, known: Sequence["Known"]) -> list[Way]:
        from astudent.student.export_ways import chat_way, raw_way

        is_precise = self.record.quantize == "f16"
        print(f"verify: asking {server.model} at {server.address}", flush=True)
        return [raw_way(server, turn, known, self.most, is_precise), chat_way(server, known, self.most, is_precise)]

    def _causes_of_ollama(self, truth: causes.Truth, turn: Turn) -> Iterator[str]:
        """Of the files in ollama/: the GGUF where there is one of its own, and the Modelfile."""
        shifts = gguf_families.shifts_window(read_json(self.package.merged("fp32") / "config.json"))
        path = self.package.served(self.record.quantize, shifts)
        if shifts and path.is_file():
            where, file = f"ollama/{path.name}", read(path)
            yield from causes.in_keys(where, file.keys, _shifted(truth.keys))
            yield from causes.in_tensors(where, file, truth)
            yield from differing(where, path, self.package.gguf(self.record.quantize))
        if not self.package.modelfile.is_file():
            return
        text = self.package.modelfile.read_text(encoding="utf-8", errors="replace")
        yield from causes.in_modelfile(text, modelfile_of(self.record, turn, shifts))

    def _causes_of_server(self, server: Server, turn: Turn, truth: causes.Truth) -> Iterator[str]:
        keys, template = server.facts()
        wanted = parameters(turn, self.record.num_ctx, self.record.weights)
        yield from causes.in_keys("Ollama", keys, _shifted(truth.keys))
        yield from causes.in_template("Ollama", template, turn.template())
        yield from causes.in_parameters("Ollama", server.parameters(), wanted)

    def _causes_of_merged(self, student: "Student") -> Iterator[str]:
        from astudent.export.gguf_file import contents_of
        from astudent.student.export_folders import in_halves
        from astudent.student.export_truth import config_of, truth_of
        from astudent.student.load import load_tokenizer
        from astudent.student.merging import marks_of
        from astudent.student.prompt import render

        folder = self.package.merged("fp32")
        tokenizer = load_tokenizer(str(folder))
        yield from in_halves(folder, self.package.merged("bf16"))
        theirs, ours = render(tokenizer, "request"), render(student.tokenizer, "request")
        yield from causes.in_template("merged", theirs, ours)
        if gguf_families.family_of(config_of(student)) is not None:
            truth = truth_of(student)
            weights = contents_of(folder, marks_of(student.tokenizer), {}).weights()
            watched = {name: weight for name, weight in weights if name in truth.merged}
            yield from causes.in_tensors("merged", Read({}, watched), truth)

    def _facts(self, known: Sequence["Known"]) -> dict[str, Any]:
        kinds = [k.kind for k in known]
        return {
            "adapter_sha256": self.record.adapter_sha256,
            "prompts": {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)},
            "longest_prompt": max(len(k.ids) for k in known),
            "quantize": self.record.quantize,
            "num_ctx": self.record.num_ctx,
            "server": None if self.server is None else self.server.model,
        }


def _shifted(keys: causes.Keys) -> dict[str, Any]:
    """As Ollama's own GGUF says the window."""
    window = "gemma3.attention.sliding_window"
    return {key: value + WINDOW_SHIFT if key == window else value for key, value in keys.items()}


def folder_of(out: Path | None, adapter: Path) -> Path:
    """Where an export goes when nobody says: beside the adapter's folder."""
    if out is not None:
        return out.resolve()
    own = adapter.resolve()
    return own.with_name(f"{own.name}-export")
