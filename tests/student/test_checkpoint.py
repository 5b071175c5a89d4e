"""A folder gets its name whole: a kill at any moment leaves the former one, or the new one."""

import os
from pathlib import Path

import pytest

from astudent.student.checkpoint import sweep, written_whole

KILLED = ("rename aside", "rename in", "delete")


class Killed(BaseException):
    pass


def write(folder: Path, text: str) -> None:
    with written_whole(folder) as place:
        (place / "a").write_text(text)


def killed_at(moment: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `kill -9` leaves it: nothing of the program runs any more."""
    from astudent.student import checkpoint

    rename, remove, done = os.rename, checkpoint.shutil.rmtree, []

    def stop(*given: object, **options: object) -> None:
        raise Killed

    def renamed(source: Path, target: Path) -> None:
        if moment == KILLED[len(done)]:
            done.append("")
            monkeypatch.setattr(checkpoint.os, "rename", stop)
            monkeypatch.setattr(checkpoint.shutil, "rmtree", stop)
            raise Killed
        rename(source, target)
        done.append("")
        if len(done) == 2:
            monkeypatch.setattr(checkpoint.shutil, "rmtree", stop)

    monkeypatch.setattr(checkpoint.os, "rename", renamed)
    with pytest.raises(Killed):
        write(folder, "new")
    monkeypatch.setattr(checkpoint.os, "rename", rename)
    monkeypatch.setattr(checkpoint.shutil, "rmtree", remove)


@pytest.mark.parametrize("moment", KILLED)
def test_after_a_kill_one_of_both_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str):
    folder = tmp_path / "checkpoint-4"
    write(folder, "old")
    killed_at(moment, folder, monkeypatch)
    sweep(tmp_path)
    assert (folder / "a").read_text() == ("new" if moment == "delete" else "old")
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-4"]
    write(folder, "newer")
    assert (folder / "a").read_text() == "newer" and len(list(tmp_path.iterdir())) == 1


def test_a_break_between_the_names_gives_the_former_one_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from astudent.student import checkpoint

    folder, rename = tmp_path / "out", os.rename
    write(folder, "old")

    def broken(source: Path, target: Path) -> None:
        if source.name.startswith(".unfinished"):
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(checkpoint.os, "rename", broken)
    with pytest.raises(KeyboardInterrupt):
        write(folder, "new")
    assert (folder / "a").read_text() == "old" and len(list(tmp_path.iterdir())) == 1
