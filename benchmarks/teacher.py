"""What the Ollama teacher costs beside the model: .venv/bin/python benchmarks/teacher.py --json FILE

Against a scripted server in a process of its own that makes 16 replies at a time, each in 100 ms, as stage 04 asks it:
- the wall time against the least that such a server needs;
- the client's CPU against the bare client of the library ollama, 16 calls at a time, each reply validated once;
- the same requests again, from the cache;
- memory after 10,000 replies against that after 1,000, and the time of the later ones.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import ollama
import typer
from languages import Question, questions
from measure import MEGABYTE, Case, line, machine, write
from settings import ROOT

from astudent.config import load_config
from astudent.in_order import in_order
from astudent.language.serialise import dumps, parse_ast
from astudent.language.validation import validator_for
from astudent.settings import Config
from astudent.stages.answers import AnswerBook
from astudent.teacher.factory import ollama_teacher
from astudent.teacher.model_id import ModelId
from astudent.teacher.prompting import as_data, filled
from astudent.teacher.protocol import Teacher

SLOTS, QUICK_REPLY_SECONDS = 16, 0.005
FEW, MANY = 1_000, 10_000
"""Replies before the two looks at the memory."""


@dataclass(frozen=True)
class Took:
    """Seconds on the clock and of this process's CPU, and what came."""

    wall: float
    cpu: float
    result: Sequence[object]


@contextmanager
def scripted_server(reply_seconds: float) -> Iterator[str]:
    """The address of a server that runs while the block does."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--log", f"{folder}/log", "--slots", str(SLOTS), "--reply-ms", str(1000 * reply_seconds)]
        command = [sys.executable, str(ROOT / "tests/teacher/scripted_server.py"), *options]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                yield f"http://127.0.0.1:{server.stdout.readline().split()[-1]}"
            finally:
                server.kill()


def configured(folder: Path, url: str) -> Config:
    """The default configuration with its files in `folder`."""
    changes = {"teacher.hosts": [url], "teacher.think": None, "teacher.cache_path": str(folder / "cache.sqlite")}
    return load_config(ROOT / "config/defaults.json", changes | {"run.outputs_root": str(folder)})


async def with_teacher[R](
    folder: Path, url: str, asked: Sequence[Question], work: Callable[[Teacher], Awaitable[R]]
) -> R:
    """What `work` gives with a teacher that has been told the schemas."""
    async with ollama_teacher(configured(folder, url), ModelId("tiny", "--model"), "04") as teacher:
        teacher.prepare({schema.schema_id: schema.schema_json for schema, _ in asked}.values())
        return await work(teacher)


def ours(folder: Path, url: str, asked: Sequence[Question], journal: str) -> Took:
    """As stage 04 asks: in order, every answer in a journal; the costs are counted and all replies kept."""

    async def work(teacher: Teacher) -> Took:
        wall, cpu = time.perf_counter(), time.process_time()
        with AnswerBook(folder / journal, teacher) as book:
            await book.ask("04", asked)
            rows = [book.known(query.query_id) for _, query in asked]
        return Took(time.perf_counter() - wall, time.process_time() - cpu, [row and row.ast_json for row in rows])

    return asyncio.run(with_teacher(folder, url, asked, work))


def bare(url: str, asked: Sequence[Question]) -> Took:
    """As a script would: the library's client behind a semaphore, each reply parsed and validated; nothing is kept."""

    async def work() -> list[object]:
        client, free = ollama.AsyncClient(host=url), asyncio.Semaphore(SLOTS)

        async def one(number: int, schema: dict[str, Any], query: str) -> object:
            text = filled("answer", schema=dumps(schema), request=as_data(query))
            options = {"seed": number, "temperature": 0.0, "num_ctx": 16384, "num_predict": 8192}
            async with free:
                said = await client.chat(
                    "tiny", [{"role": "user", "content": text}], format=schema, options=options, keep_alive="10m"
                )
            ast, _ = parse_ast(said.message.content or "")
            assert not validator_for(schema).problems(ast)
            return ast

        found = await asyncio.gather(*(one(n, s.schema_json, q.query) for n, (s, q) in enumerate(asked)))
        await client.close()
        return found

    wall, cpu = time.perf_counter(), time.process_time()
    found = asyncio.run(work())
    return Took(time.perf_counter() - wall, time.process_time() - cpu, found)


def compared(text: str, kind: str, mine: Sequence[float], other: Sequence[float], **more: Any) -> Case:
    """The line of a case, each round's ratio taken by itself."""
    ratios = [there / here for here, there in zip(mine, other, strict=True)]
    figures: dict[str, Any] = {"memory_ours": None, "memory_other": None, "exact": None, "headline": False} | more
    return Case(
        case=text,
        ours_s=statistics.median(mine),
        other=kind,
        other_s=statistics.median(other),
        ratio=statistics.median(ratios),
        ratio_range=(min(ratios), max(ratios)),
        **figures,
    )


def speed(calls: int, rounds: int, reply_seconds: float) -> list[Case]:
    """Wall time, CPU, and the second pass from the cache."""
    asked = list(islice(questions(calls), calls))
    for schema in {schema.schema_id: schema for schema, _ in asked}.values():
        validator_for(schema.schema_json)  # made once for all ways and rounds
    first, again, other = [], [], []
    with scripted_server(reply_seconds) as url:
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                first.append(ours(Path(folder), url, asked, "one.jsonl"))
                again.append(ours(Path(folder), url, asked, "two.jsonl"))
            other.append(bare(url, asked))
    differ = sum(a != b for a, b in zip(first[0].result, again[0].result, strict=True)) / calls
    ideal = calls / SLOTS * reply_seconds
    more = [1000 * (here.cpu - there.cpu) / calls for here, there in zip(first, other, strict=True)]
    rate = calls / statistics.median(took.wall for took in again)
    mine = [took.wall for took in first]
    cpu = f"CPU of {calls} answers, {statistics.median(more):.2f} ms ({min(more):.2f} to {max(more):.2f}) more a call"
    return [
        compared(
            f"{calls} answers, wall; {SLOTS} slots of {1000 * reply_seconds:.0f} ms never idle",
            "ideal",
            mine,
            [ideal] * rounds,
            headline=True,
        ),
        compared(f"{calls} answers, wall; ollama.AsyncClient", "ordinary", mine, [took.wall for took in other]),
        compared(f"{cpu}; ollama.AsyncClient", "ordinary", [took.cpu for took in first], [took.cpu for took in other]),
        compared(
            f"{calls} answers from the cache, {rate:.0f} a second; asked of the server",
            "ordinary",
            [took.wall for took in again],
            mine,
            exact=differ,
        ),
    ]


def memory() -> Case:
    """This process's resident memory, what the caller keeps of the answers left aside."""
    found: dict[int, tuple[float, float]] = {}

    async def work(teacher: Teacher) -> None:
        number, started = 0, time.perf_counter()
        asks = in_order(lambda each: teacher.answer(each[0].schema_json, each[1]), questions_again(), teacher.ahead)
        async for _ in asks:
            number += 1
            if number in (FEW, MANY):
                found[number] = resident(), time.perf_counter() - started

    few = list(questions(FEW))

    def questions_again() -> Iterator[Question]:
        """The same requests under other ids and with other texts, made as they are asked for."""
        for number in range(MANY):
            schema, query = few[number % FEW]
            changes = {"query_id": f"{query.query_id}-{number}", "query": f"{query.query} {number}"}
            yield schema, query.model_copy(update=changes)

    with scripted_server(QUICK_REPLY_SECONDS) as url, tempfile.TemporaryDirectory() as folder:
        asyncio.run(with_teacher(Path(folder), url, few, work))
    (before, early), (after, whole) = found[FEW], found[MANY]
    text = f"{FEW} answers, replies of {1000 * QUICK_REPLY_SECONDS:.0f} ms: the later of {MANY} (MB held then); the first {FEW}"
    later = (whole - early) * FEW / (MANY - FEW)
    return compared(text, "ordinary", [later], [early], memory_ours=after, memory_other=before)


def resident() -> float:
    """Megabytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / MEGABYTE


def main(
    json_file: Annotated[Path | None, typer.Option("--json", help="Where the figures go.")] = None,
    calls: Annotated[int, typer.Option(min=1, help="Requests of a round.")] = 2_000,
    rounds: Annotated[int, typer.Option(min=1, help="How often each way is run, in turn.")] = 3,
    reply_ms: Annotated[float, typer.Option(help="How long the server makes a reply; longer on a busy machine.")] = 100,
) -> None:
    """Measure and print. Above 1 ours is faster; nothing is faster than the ideal."""
    cases = [*speed(calls, rounds, reply_ms / 1000), memory()]
    for found in cases:
        print(line(found))
    write(json_file, "teacher", machine(), cases)


if __name__ == "__main__":
    typer.run(main)
