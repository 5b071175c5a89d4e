"""How far long work is: a bar on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

SECONDS_BETWEEN_LINES = 10.0


class Bar:
    """Work of `total` steps, `done` of which were done before. Shown from the start to `close`."""

    def __init__(self, title: str, total: int, done: int = 0) -> None:
        self._last_line = time.monotonic()
        self._bar: Progress | None = None
        console = Console()
        if console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=console, transient=True)
            self._task = self._bar.add_task(title, total=total, completed=done)
            self._bar.start()

    def show(self, done: int, text: str) -> None:
        """So many steps are done; `text` stands beside the bar, or on a line of its own where one is due."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, description=text)
        elif time.monotonic() - self._last_line > SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            print(text, flush=True)

    def close(self) -> None:
        """Takes the bar away; harmless when that is done."""
        if self._bar is not None:
            self._bar.stop()


class Tally:
    """Counts what is done up to `total`, shown while the context lasts."""

    def __init__(self, title: str, total: int) -> None:
        self._title, self._total, self._done = title, total, 0
        self._started = time.monotonic()

    def counted[T, R](self, ask: Callable[[T], Awaitable[R]]) -> Callable[[T], Awaitable[R]]:
        """`ask`, counting each answer as it comes, which may be before those of earlier questions."""

        async def counting(question: T) -> R:
            answer = await ask(question)
            self.step()
            return answer

        return counting

    def step(self) -> None:
        """One more is done."""
        self._done += 1
        rate = self._done / max(1e-9, time.monotonic() - self._started)
        left = (self._total - self._done) / rate / 60
        text = f"{self._title}: {self._done}/{self._total}, {rate:.2g} a second, {left:.0f} min left"
        self._bar.show(self._done, text)

    def __enter__(self) -> Self:
        self._bar = Bar(self._title, self._total)
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()


def followed[T](title: str, items: Iterable[T], total: int) -> Iterator[T]:
    """The items; each counts as done when the next one is asked for."""
    with Tally(title, total) as count:
        for item in items:
            yield item
            count.step()
