import sqlite3
from pathlib import Path

import pytest

from astudent.errors import RunError
from astudent.teacher.reply_cache import ReplyCache, StoredReply, key_of

REPLY = StoredReply("{} é\U0001f600", "stop", 10, 5, 0.5)
REQUEST = {"model": "m", "messages": [{"role": "user", "content": "a"}], "options": {"seed": 1}, "keep_alive": "1m"}


def test_a_key_names_the_whole_request_but_keep_alive():
    key = key_of("digest", REQUEST)
    assert key == key_of("digest", REQUEST | {"keep_alive": "9h"})
    assert key == key_of("digest", dict(reversed(REQUEST.items())))
    others = [{"model": "n"}, {"messages": []}, {"options": {"seed": 2}}, {"format": {}}, {"think": True}]
    keys = {key, key_of("another", REQUEST), *(key_of("digest", REQUEST | other) for other in others)}
    assert len(keys) == 7


def test_a_reply_and_its_cost_are_there_for_another_process_at_once(tmp_path: Path):
    with ReplyCache(tmp_path / "a" / "cache.sqlite", 10) as cache:
        cache.put(b"k", "m", REPLY, "run", "04")
        with ReplyCache(cache.path, 10) as other:
            assert other.get(b"k") == REPLY
            other.count("run", "04", hits=1, retries=2)
        assert cache.get(b"other") is None
        counts = cache.counts("run")["04"]
    assert counts == {
        "calls": 1,
        "hits": 1,
        "prompt_tokens": 10,
        "reply_tokens": 5,
        "seconds": 0.5,
        "retries": 2,
        "failures": 0,
        "unbound": 0,
    }
    with pytest.raises(KeyError), ReplyCache(tmp_path / "b.sqlite", 10) as cache:
        cache.count("run", "04", costs=1)


def test_the_oldest_replies_go_where_the_file_is_too_large(tmp_path: Path):
    import random

    letters = random.Random(1)
    path = tmp_path / "cache.sqlite"
    with ReplyCache(path, 10) as cache:
        for number in range(400):
            text = "".join(chr(letters.randrange(32, 50000)) for _ in range(2000))
            cache.put(str(number).encode(), "m", StoredReply(text, "stop", 1, 1, 0.1), "run", "04")
        before = path.stat().st_size
        gone = cache.prune(1)
        assert 0 < gone < 400
        assert cache.get(b"0") is None and cache.get(b"399") is not None
        assert cache.prune(1) == 0
        assert cache.counts("run")["04"]["calls"] == 400, "costs are never forgotten"
    assert path.stat().st_size <= 1_000_000 < before


def test_what_is_no_cache_is_said(tmp_path: Path):
    path = tmp_path / "cache.sqlite"
    path.write_text("something else, and long enough to be looked at as a database" * 20)
    with pytest.raises(RunError, match="no cache of replies") as caught:
        ReplyCache(path, 10)
    assert "Delete it" in caught.value.hint


def test_a_full_disk_is_one_line(tmp_path: Path):
    with ReplyCache(tmp_path / "cache.sqlite", 10) as cache:
        full = sqlite3.OperationalError("database or disk is full")
        with pytest.raises(RunError, match="disk is full"), cache._said():
            raise full
