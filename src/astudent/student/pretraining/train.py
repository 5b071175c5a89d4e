"""Pre-training of the tiny student, from nothing or onwards from its own checkpoint.

    data are drawn on the fly -> WORK/checkpoint.pt (all state), then data/tiny_student (see `publish`)

It begins with short texts, until copying has emerged; on long ones from the first step that took several times as long. The learning rate warms up,
stays, and falls linearly over the last `cooldown` steps. A run without cool-down can be prolonged at any time by one with more steps; the last cools down. Muon moves the matrices, AdamW the rest: with AdamW alone copying emerges several times later.
"""

import json
import os
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from statistics import fmean

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from sentencepiece import SentencePieceProcessor
from torch import Tensor, nn
from transformers import Gemma3ForCausalLM

from astudent.errors import UsageError
from astudent.student.attention import ready_mask
from astudent.student.pretraining.marks import TOLD
from astudent.student.pretraining.model import STEP_KEY, WINDOW, attention_to, new_model, set_window
from astudent.student.pretraining.muon import BatchedMuon
from astudent.student.pretraining.packs import NOTHING, Pack, PackMaker
from astudent.student.pretraining.separation import avoided_words
from astudent.student.pretraining.tokenizer import letter_pieces, read
from astudent.student.pretraining.tokenizer import train as train_tokenizer
from astudent.student.pretraining.words import WordMaker


@dataclass(frozen=True)
class Leg:
    """Packs of `length` tokens, `batch` of them in a step; `shares` weighs the tasks."""

    length: int
    batch: int
    shares: dict[str, float]
    french: float = 0.5  # share of requests in French
    english: float = 0.25  # share of names whose English label is not the name itself
    single: bool = False  # names and labels of one word only


LOOK_UPS = {"pick": 0.4, "values": 0.4, "copy": 0.2}
SINGLE = Leg(256, 12, LOOK_UPS, french=0.85, english=0.0, single=True)
SHORT = Leg(384, 8, LOOK_UPS)
LEAF = Leg(768, 5, {"leaf": 0.85, "values": 0.05, "copy": 0.1})
LEAVES = Leg(896, 4, {"leaf": 0.2, "leaves": 0.8})
QUERIES = Leg(1280, 3, {"query": 0.95, "leaf": 0.05})
COURSE = (
    (500, (SINGLE,)),
    (800, (SHORT,)),
    (1300, (SHORT, LEAF, LEAF)),
    (2200, (LEAF, LEAVES, LEAVES, QUERIES)),
    (10**9, (LEAF, LEAVES, QUERIES, QUERIES, QUERIES, QUERIES)),
)
"""What a run from nothing trains on: until each step, legs that its steps draw from."""
READING_WEIGHT = 0.5
"""Of the middle reader's loss beside that of the answers."""
POINTING_WEIGHT = 0.2
"""Of the loss on where the last global layer looks."""
FIRST_WINDOW, WIDENS_AT, STEPS_A_TOKEN = 8, 800, 5
"""Positions that sliding layers see at first, the step from which they see more, and the steps for each further one."""


@dataclass(frozen=True)
class Plan:
    """One run. `steps` counts from the very beginning."""

    work: Path
    steps: int
    cooldown: int
    course: tuple[tuple[int, tuple[Leg, ...]], ...] = COURSE
    vocabulary: int = 2048
    learning_rate: float = 0.01
    embedding_rate: float = 0.005
    warmup: int = 50
    seed: int = 0
    report_every: int = 100
    instruction: str = "Answer with JSON that fits the schema."
    start: Path | None = None  # a published folder whose weights, and place in the course, a new run begins with

    def rate(self, step: int, first: int = 0) -> float:
        """The factor on both learning rates at `step` of a run that began with step `first`."""
        falling = (self.steps - step) / self.cooldown if self.cooldown else 1.0
        return min(1.0, (step - first + 1) / self.warmup, max(0.02, falling))


@dataclass(frozen=True)
class Losses:
    """Of one pack with N supervised tokens. `reading` is the middle reader's mean loss, 0 where no request tells anything;
    `pointing` that of the last global layer, which should look where the request says what the answer repeats."""

    answers: Tensor  # (N,)
    right: Tensor  # (N,), bool: whether the model's first choice was right
    reading: Tensor
    pointing: Tensor


def window(step: int) -> int:
    """Positions that the sliding layers of a run from nothing see at a step. Copying emerges early with a small window; what comes after it needs the request in sight."""
    return min(WINDOW, FIRST_WINDOW + max(0, step - WIDENS_AT) // STEPS_A_TOKEN)


class Pretraining:
    """Model, optimizers and data of one run; `step` counts the finished optimizer steps, those before `first` in earlier runs."""

    def __init__(self, plan: Plan) -> None:
        plan.work.mkdir(parents=True, exist_ok=True)
        self.plan, self.step, self.first = plan, 0, 0
        tokenizer = load_tokenizer(plan)
        pieces, avoided = letter_pieces(tokenizer), avoided_words()
        self.makers = [
            [
                PackMaker(
                    tokenizer,
                    WordMaker(pieces, leg.english, leg.single, avoided=avoided),
                    plan.instruction,
                    leg.length,
                    leg.shares,
                    leg.french,
                )
                for leg in legs
            ]
            for _, legs in plan.course
        ]
        torch.manual_seed(plan.seed)
        self.model = new_model(plan.vocabulary)
        set_window(self.model, FIRST_WINDOW)
        self.embedding: Tensor = self.model.model.embed_tokens.weight
        self.reader = MiddleReader(self.model)
        self.last_global = global_layers(self.model)[-1]
        self.optimizers = make_optimizers(nn.ModuleList([self.model, self.reader]), self.embedding, plan)
        if self.checkpoint.exists():
            self._resume()
        elif plan.start:
            self._begin_with(plan.start)

    @property
    def checkpoint(self) -> Path:
        return self.plan.work / "checkpoint.pt"

    @property
    def window(self) -> int:
        """Positions that the sliding layers see now."""
        return self.model.config.sliding_window or WINDOW

    def losses(self, pack: Pack) -> Losses:
        hidden = self.model.model(
            input_ids=pack.ids[None],
            attention_mask=ready_mask(),
            position_ids=pack.positions[None],
            use_cache=False,
            layout=pack.layout,
        ).last_hidden_state[0]
        reading = self.reader.loss(pack.told, self.embedding)
        wanted = pack.supervised[1:]
        logits, targets = F.linear(hidden[:-1][wanted], self.embedding), pack.ids[1:][wanted]
        attention = self.model.model.layers[self.last_global].self_attn
        pointing = -attention_to(attention, pack.layout, pack.rows, pack.sources).clamp_min(1e-6).log().mean()
        return Losses(
            F.cross_entropy(logits, targets, reduction="none"), logits.argmax(-1) == targets, reading, pointing
        )

    def run(self) -> None:
        recent: list[dict[str, float]] = []
        started, first = time.monotonic(), self.step
        while self.step < self.plan.steps:
            recent.append(self._train_step())
            if self.step % self.plan.report_every == 0 or self.step == self.plan.steps:
                self.save()
                means = {name: fmean(losses[name] for losses in recent) for name in recent[0]}
                seconds = (time.monotonic() - started) / (self.step - first)
                self._log({"step": self.step} | means | {"seconds_per_step": seconds} | self.evaluate())
                recent.clear()

    @property
    def part(self) -> int:
        """Where in the course the next step is."""
        return next(place for place, (end, _) in enumerate(self.plan.course) if self.step < end)

    def batch(self, rng: Random) -> Pack:
        """What a step trains on: a function of `rng` and the part of the course alone."""
        legs = self.plan.course[self.part][1]
        place = rng.randrange(len(legs))
        return self.makers[self.part][place].batch(rng, legs[place].batch)

    def _train_step(self) -> dict[str, float]:
        set_window(self.model, max(self.window, window(self.step)))  # weights that began with a wider one keep it
        losses = self.losses(self.batch(Random(f"{self.plan.seed}-{self.step}")))
        loss = losses.answers.mean()
        (loss + READING_WEIGHT * losses.reading + POINTING_WEIGHT * losses.pointing).backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * self.plan.rate(self.step, self.first)
            optimizer.step()
            optimizer.zero_grad()
        self.step += 1
        return {"loss": loss.item(), "reading": losses.reading.item(), "pointing": losses.pointing.item()}

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Share of whole answers that are right token for token, with the right past given, by task and language, on dialects never trained on."""
        found = {}
        legs = self.plan.course[self.part][1]
        asked = {task: place for place in reversed(range(len(legs))) for task in legs[place].shares}
        for task, place in asked.items():
            for language in ("en", "fr"):
                rng = Random(f"held out {task} {language}")
                pack = self.makers[self.part][place].batch(rng, legs[place].batch, task, language)
                right = self.losses(pack).right
                answers = pack.rows[1:][pack.supervised[1:]]
                whole = torch.ones(int(answers.max()) + 1).scatter_reduce_(0, answers, right.float(), "amin")
                found[f"{task}_{language}"] = round(whole[1:].mean().item(), 3)
        return found

    def save(self) -> None:
        state = {
            "step": self.step,
            "first": self.first,
            "window": self.window,
            "model": self.model.state_dict(),
            "reader": self.reader.state_dict(),
            "optimizers": [o.state_dict() for o in self.optimizers],
        }
        half_written = self.checkpoint.with_suffix(".tmp")
        torch.save(state, half_written)
        os.replace(half_written, self.checkpoint)

    def _resume(self) -> None:
        state = torch.load(self.checkpoint, weights_only=True)
        self.step, self.first = state["step"], state["first"]
        set_window(self.model, state["window"])
        self.model.load_state_dict(state["model"])
        self.reader.load_state_dict(state["reader"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            rates = [group["initial_lr"] for group in optimizer.param_groups]
            optimizer.load_state_dict(saved)
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["initial_lr"] = rate  # this leg's, not the one that was saved

    def _begin_with(self, folder: Path) -> None:
        path = folder / "config.json"
        config = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        if STEP_KEY not in config:
            what = f"{path}: no {STEP_KEY} there"
            raise UsageError(what, "Name a published folder; weights of before it was written need their steps put in.")
        self.step = self.first = config[STEP_KEY]
        if self.step >= self.plan.steps:
            what = f"{folder}: its weights have had {self.step} steps, {self.plan.steps} are asked for"
            raise UsageError(what, "Give --steps a higher number: it counts from the very beginning.")
        set_window(self.model, config["sliding_window"])
        self.model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)  # the head is the embedding

    def _log(self, facts: dict[str, float]) -> None:
        print(json.dumps(facts), flush=True)
        with (self.plan.work / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(
                json.dumps(facts | {"plan": {key: str(value) for key, value in asdict(self.plan).items()}}) + "\n"
            )


class MiddleReader(nn.Module):
    """Reads off the middle of the network what the schema calls what a request has just told: supervision for pre-training alone.

    A student has two layers that see everything. The first must look a label, a relation or a junction up where it stands in the request, so that
    the second can copy the schema's word for it into the answer; without a loss of its own on the first half, that division of labour did not emerge.
    """

    def __init__(self, model: Gemma3ForCausalLM) -> None:
        super().__init__()
        hidden = model.config.hidden_size
        self.norm = nn.RMSNorm(hidden)
        self.heads = nn.ModuleList(nn.Linear(hidden, hidden, bias=False) for _ in TOLD)
        model.model.layers[global_layers(model)[0]].register_forward_hook(self._keep)

    def _keep(self, layer: nn.Module, inputs: tuple, states: Tensor) -> None:
        self.middle = states[0]

    def loss(self, told: Tensor, embedding: Tensor) -> Tensor:
        """Mean loss over all that is told; `told` is (N, len(TOLD)), as in a pack."""
        losses = [
            F.cross_entropy(F.linear(head(self.norm(self.middle[said])), embedding), words[said], reduction="sum")
            for head, words in zip(self.heads, told.unbind(-1), strict=True)
            for said in [words != NOTHING]
        ]
        return torch.stack(losses).sum() / max(1, int((told != NOTHING).sum()))


def global_layers(model: Gemma3ForCausalLM) -> list[int]:
    return [place for place, kind in enumerate(model.config.layer_types or ()) if kind == "full_attention"]


def load_tokenizer(plan: Plan) -> SentencePieceProcessor:
    """The run's tokenizer: what it began with, else one trained now."""
    path = plan.work / "tokenizer.model"
    if not path.exists() and plan.start:
        shutil.copyfile(plan.start / "tokenizer.model", path)
    elif not path.exists():
        train_tokenizer(path, plan.vocabulary)
    return read(path)


def make_optimizers(model: nn.Module, embedding: Tensor, plan: Plan) -> list[torch.optim.Optimizer]:
    matrices = [p for p in model.parameters() if p.ndim == 2 and p is not embedding]
    rest = [p for p in model.parameters() if p.ndim != 2 or p is embedding]
    muon = BatchedMuon(matrices, lr=plan.learning_rate)
    adam = torch.optim.AdamW(rest, lr=plan.embedding_rate, betas=(0.9, 0.98), weight_decay=0.0)
    for optimizer in (muon, adam):
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
    return [muon, adam]
