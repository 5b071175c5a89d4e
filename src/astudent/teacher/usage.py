"""What the teacher cost a run, by stage: `teacher_usage.json` in the folder of its outputs.

The sums themselves stand in the cache's file, written with each reply; the JSON file is their copy for people and says
which run's they are. Where the cache was deleted the JSON file's sums are carried on.
"""

import json
import time
import uuid
from pathlib import Path
from typing import Any

from astudent.errors import RunError
from astudent.jsonl import write_atomic
from astudent.teacher.reply_cache import COUNTS, ReplyCache

FILE_NAME = "teacher_usage.json"
SECONDS_BETWEEN_COPIES = 2.0


class Usage:
    """The counts of one stage of one run, cumulated over all its resumes."""

    def __init__(self, cache: ReplyCache, folder: Path, stage: str) -> None:
        """RunError when the folder's teacher_usage.json cannot be read."""
        self.path, self.stage = folder / FILE_NAME, stage
        self._cache = cache
        said = _read(self.path)
        self.run = said.get("run") or uuid.uuid4().hex
        self.num_ctx: int | None = said.get("num_ctx")
        if not cache.counts(self.run):
            for name, counts in said.get("stages", {}).items():
                cache.count(self.run, name, **{key: counts.get(key, 0) for key in COUNTS})
        self._before = self.counts()
        self._copied = time.monotonic()
        if "run" not in said:
            self.copy()  # a run that is killed before its first copy keeps its name, and so its costs

    def add(self, **more: float) -> None:
        """Adds to the counts of this stage."""
        self._cache.count(self.run, self.stage, **more)
        self.copy_now_and_then()

    def counts(self) -> dict[str, float]:
        """This stage's sums."""
        return self._cache.counts(self.run).get(self.stage, dict.fromkeys(COUNTS, 0.0))

    def copy_now_and_then(self) -> None:
        """Brings the JSON file up to date where it has not been for some seconds."""
        if time.monotonic() - self._copied > SECONDS_BETWEEN_COPIES:
            self.copy()

    def copy(self) -> None:
        """Brings the JSON file up to date."""
        stages = {name: _plain(counts) for name, counts in self._cache.counts(self.run).items()}
        total = {name: sum(counts[name] for counts in stages.values()) for name in COUNTS}
        content = {"run": self.run, "num_ctx": self.num_ctx, "stages": stages, "total": _plain(total)}
        write_atomic(self.path, json.dumps(content, indent=2) + "\n")
        self._copied = time.monotonic()

    def line(self) -> str | None:
        """What this call of the stage cost, in one line; None where nobody was asked."""
        now = self.counts()
        n = {name: now[name] - self._before[name] for name in COUNTS}
        if not any(n.values()):
            return None
        parts = [f"{n['calls']:.0f} calls", f"{n['hits']:.0f} from the cache"]
        parts.append(f"{n['prompt_tokens']:.0f} + {n['reply_tokens']:.0f} tokens in {n['seconds']:.0f} s of the server")
        parts += [f"{n[name]:.0f} {what}" for name, what in _TROUBLES.items() if n[name]]
        return f"teacher: {', '.join(parts)}"


_TROUBLES = {
    "retries": "tries repeated",
    "unbound": "replies outside their format",
    "failures": "requests failed",
}


def paid_so_far(folder: Path, stage: str) -> dict[str, float] | None:
    """A stage's counts in the folder's teacher_usage.json; None where it has none."""
    return _read(folder / FILE_NAME).get("stages", {}).get(stage)


def _read(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise RunError(f"{path}: not JSON: {error}", "Delete it: the costs are counted anew.") from error
    if not isinstance(said, dict):
        raise RunError(f"{path}: no record of the teacher's costs", "Delete it: they are counted anew.")
    return said


def _plain(counts: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) if name == "seconds" else int(value) for name, value in counts.items()}
