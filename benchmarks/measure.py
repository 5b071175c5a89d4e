"""Side by side: ours and what a user would otherwise run, in one process and in turn, with medians, ranges and peak memory."""

import ctypes
import gc
import json
import platform
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import torch

MEGABYTE = 2**20
SAMPLE_EVERY_S = 0.002


@dataclass(frozen=True)
class Work:
    """One way to do a case. `run` does `rows` rows and returns a figure by which ways are compared (a loss, say)."""

    run: Callable[[], float | Sequence[object]]
    rows: int


@dataclass(frozen=True)
class Rival:
    """`kind` is `ordinary` or `best_peer`; its time is scaled up where it does fewer rows than ours."""

    kind: str
    description: str
    work: Work


@dataclass(frozen=True)
class Case:
    """One line of the JSON. Times are seconds for all rows of the case, memory is megabytes above the model at the peak, for each row that was
    computed; `exact` is how much the results differ, relatively, None where they cannot be compared."""

    case: str
    ours_s: float
    other: str
    other_s: float
    ratio: float
    ratio_range: tuple[float, float]
    memory_ours: float | None
    memory_other: float | None
    exact: float | None
    headline: bool


class PeakMemory:
    """Megabytes that a stretch of work takes at its peak above what was taken before."""

    def __enter__(self) -> Self:
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()
            self.before = torch.cuda.memory_allocated() / MEGABYTE
        else:
            ctypes.CDLL(None).malloc_trim(0)
            self.before = self.highest = _resident()
            self.ended = threading.Event()
            self.watcher = threading.Thread(target=self._watch, daemon=True)
            self.watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if torch.cuda.is_available():
            self.highest = torch.cuda.max_memory_allocated() / MEGABYTE
        else:
            self.ended.set()
            self.watcher.join()
        self.megabytes = self.highest - self.before

    def _watch(self) -> None:
        while not self.ended.wait(SAMPLE_EVERY_S):
            self.highest = max(self.highest, _resident())


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / MEGABYTE


@dataclass
class Measured:
    """What one way took: seconds of each round, megabytes at the peak of any, and the first round's result."""

    way: Work
    seconds: list[float]
    megabytes: float = 0.0
    result: float | Sequence[object] | None = None

    def round(self) -> None:
        """Runs the way once more. Memory is sampled beside it, which costs next to nothing."""
        with PeakMemory() as peak:
            _wait()
            started = time.perf_counter()
            result = self.way.run()
            _wait()
            self.seconds.append(time.perf_counter() - started)
        self.megabytes = max(self.megabytes, peak.megabytes)
        self.result = result if self.result is None else self.result

    def scaled(self, rows: int) -> list[float]:
        """The seconds that `rows` rows would have taken in each round."""
        return [seconds * rows / self.way.rows for seconds in self.seconds]


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def compare(case: str, ours: Work, rivals: Sequence[Rival], rounds: int, *, headline: bool = False) -> list[Case]:
    """Runs all `rounds` times in turn; prints a line for each rival."""
    mine, *theirs = [Measured(way, []) for way in (ours, *(rival.work for rival in rivals))]
    for _ in range(rounds):
        for measured in (mine, *theirs):
            measured.round()
    cases = []
    for rival, other in zip(rivals, theirs, strict=True):
        times = other.scaled(ours.rows)
        ratios = [there / here for here, there in zip(mine.seconds, times, strict=True)]
        cases.append(
            Case(
                case=f"{case}; {rival.description}{_share(rival.work.rows, ours.rows)}",
                ours_s=statistics.median(mine.seconds),
                other=rival.kind,
                other_s=statistics.median(times),
                ratio=statistics.median(ratios),
                ratio_range=(min(ratios), max(ratios)),
                memory_ours=mine.megabytes / ours.rows,
                memory_other=other.megabytes / rival.work.rows,
                exact=_difference(mine.result, other.result) if rival.work.rows == ours.rows else None,
                headline=headline,
            )
        )
        print(line(cases[-1]), flush=True)
    return cases


def _share(rows: int, of: int) -> str:
    return "" if rows == of else f", {rows} of the {of} rows measured"


def _difference(ours: object, theirs: object) -> float:
    """Relative for figures; for answers the share of those that differ."""
    if isinstance(ours, Sequence) and isinstance(theirs, Sequence):
        return sum(a != b for a, b in zip(ours, theirs, strict=True)) / len(ours)
    assert isinstance(ours, float) and isinstance(theirs, float)
    return abs(ours - theirs) / max(abs(theirs), 1e-30)


def line(case: Case) -> str:
    low, high = case.ratio_range
    memory = "" if case.memory_ours is None else f"  {case.memory_ours:.0f} against {case.memory_other:.0f} MB a row"
    exact = "" if case.exact is None else f"  differ by {case.exact:.1e}"
    return f"{case.ratio:6.2f}x ({low:.2f}-{high:.2f})  {case.other:9s} {case.case}{memory}{exact}"


def machine(dtype: torch.dtype = torch.float32) -> str:
    """What the figures were measured on."""
    if torch.cuda.is_available():
        place = torch.cuda.get_device_name()
    else:
        info = Path("/proc/cpuinfo")
        names = [row.partition(":")[2].strip() for row in info.read_text().splitlines() if row.startswith("model name")]
        place = f"{names[0] if names else platform.machine()}, {torch.get_num_threads()} threads"
    return f"{place}, {str(dtype).removeprefix('torch.')}, torch {torch.__version__}"


def write(path: Path | None, name: str, where: str, cases: Sequence[Case]) -> None:
    """The figures as JSON, with the machine they were measured on; nothing without a path."""
    if path is not None:
        found = {"name": name, "machine": where, "cases": [asdict(case) for case in cases]}
        path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
