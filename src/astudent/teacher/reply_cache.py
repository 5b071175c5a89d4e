"""What a model teacher has been paid for: its replies, and the sums of what they cost, in one SQLite file.

A reply and its cost are written in one transaction as soon as they are there, so a kill loses only calls in flight and
the sums never disagree with the replies. The key is the model's digest and the whole request but `keep_alive`.
"""

import hashlib
import json
import sqlite3
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from astudent.errors import RunError

WAIT_SECONDS = 30.0
"""How long another process may hold the file."""
KEPT_AFTER_PRUNING = 0.8
"""Share of the greatest size that stays when the oldest replies go."""
CHECK_EVERY = 500
"""Replies between two looks at the size."""

COUNTS = ("calls", "hits", "prompt_tokens", "reply_tokens", "seconds", "retries", "failures", "unbound")

_TABLES = f"""
CREATE TABLE IF NOT EXISTS replies (
    key BLOB PRIMARY KEY, model TEXT, text BLOB, done_reason TEXT, prompt_tokens INTEGER, reply_tokens INTEGER,
    seconds REAL, made_at REAL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS replies_by_age ON replies (made_at);
CREATE TABLE IF NOT EXISTS usage (
    run TEXT, stage TEXT, {", ".join(f"{name} REAL DEFAULT 0" for name in COUNTS)}, PRIMARY KEY (run, stage));
"""


@dataclass(frozen=True)
class StoredReply:
    """A finished reply. `seconds` is what the server said that it took, tokens are its counts."""

    text: str
    done_reason: str
    prompt_tokens: int
    reply_tokens: int
    seconds: float


def key_of(digest: str, request: Mapping[str, Any]) -> bytes:
    """The name of a request to one version of a model; where and how long the model stays loaded does not count."""
    counted = {name: value for name, value in request.items() if name != "keep_alive"}
    text = json.dumps([digest, counted], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


class ReplyCache:
    """Replies by key, and counts by run and stage. RunError when the file cannot be opened, read or written."""

    def __init__(self, path: Path, max_mb: float) -> None:
        self.path, self._max_bytes = path, max_mb * 1e6
        self._stored = 0
        with self._said():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
            self._file.execute("PRAGMA auto_vacuum = INCREMENTAL")  # counts before the first table only
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = NORMAL")  # a kill loses nothing; a power cut the last moments
            self._file.executescript(_TABLES)
        self.prune(max_mb)

    def get(self, key: bytes) -> StoredReply | None:
        """The reply that was stored under the key."""
        columns = "text, done_reason, prompt_tokens, reply_tokens, seconds"
        with self._said():
            row = self._file.execute(f"SELECT {columns} FROM replies WHERE key = ?", (key,)).fetchone()
            return None if row is None else StoredReply(zlib.decompress(row[0]).decode(), *row[1:])

    def put(self, key: bytes, model: str, reply: StoredReply, run: str, stage: str) -> None:
        """Stores a reply and adds its cost to the run's stage, both or neither."""
        text = zlib.compress(reply.text.encode(), 1)
        row = (key, model, text, reply.done_reason, reply.prompt_tokens, reply.reply_tokens, reply.seconds, time.time())
        cost = {"calls": 1, "prompt_tokens": reply.prompt_tokens, "reply_tokens": reply.reply_tokens}
        with self._said(), self._transaction():
            self._file.execute("INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            self._add(run, stage, cost | {"seconds": reply.seconds})
        self._stored += 1
        if self._stored % CHECK_EVERY == 0:
            self.prune(self._max_bytes / 1e6)

    def count(self, run: str, stage: str, **more: float) -> None:
        """Adds to the counts (of `COUNTS`) of a run's stage."""
        with self._said():
            self._add(run, stage, more)

    def counts(self, run: str) -> dict[str, dict[str, float]]:
        """stage -> count -> sum."""
        with self._said():
            rows = self._file.execute(
                f"SELECT stage, {', '.join(COUNTS)} FROM usage WHERE run = ? ORDER BY stage", (run,)
            ).fetchall()
        return {row[0]: dict(zip(COUNTS, row[1:], strict=True)) for row in rows}

    def prune(self, max_mb: float) -> int:
        """Drops the oldest replies where the file is larger than `max_mb`; how many went."""
        with self._said():
            page, pages, free = (self._pragma(name) for name in ("page_size", "page_count", "freelist_count"))
            used = page * (pages - free)
            if used <= max_mb * 1e6:
                return 0
            replies = self._file.execute("SELECT count(*) FROM replies").fetchone()[0]
            going = max(1, round(replies * (1 - KEPT_AFTER_PRUNING * max_mb * 1e6 / used))) if replies else 0
            oldest = "SELECT key FROM replies ORDER BY made_at LIMIT ?"
            self._file.execute(f"DELETE FROM replies WHERE key IN ({oldest})", (going,))
            self._file.execute("PRAGMA incremental_vacuum").fetchall()
            self._file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return going

    def close(self) -> None:
        """Closes the file; harmless when closed already."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _add(self, run: str, stage: str, more: Mapping[str, float]) -> None:
        if unknown := more.keys() - set(COUNTS):
            raise KeyError(*unknown)
        names = ", ".join(more)
        added = ", ".join(f"{name} = {name} + excluded.{name}" for name in more)
        places = ", ".join("?" * (2 + len(more)))
        self._file.execute(
            f"INSERT INTO usage (run, stage, {names}) VALUES ({places}) ON CONFLICT DO UPDATE SET {added}",
            (run, stage, *more.values()),
        )

    def _pragma(self, name: str) -> int:
        return int(self._file.execute(f"PRAGMA {name}").fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    @contextmanager
    def _said(self) -> Iterator[None]:
        """What SQLite or the disk refuses, in one line."""
        try:
            yield
        except sqlite3.OperationalError as error:
            hint = "Free some space, then run again." if "full" in str(error) else "Look at teacher.cache_path."
            raise RunError(f"{self.path}: the replies' cache: {error}", hint) from error
        except OSError as error:
            raise RunError(f"{self.path}: the replies' cache: {error}", "Look at teacher.cache_path.") from error
        except (sqlite3.DatabaseError, zlib.error) as error:
            raise RunError(f"{self.path}: no cache of replies: {error}", "Delete it, or name another.") from error
