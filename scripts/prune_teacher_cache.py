"""Drops the oldest replies of the teacher's cache (teacher.cache_path) until it is no larger than a size."""

from pathlib import Path
from typing import Annotated

import typer

from astudent.cli import with_exit_code


def main(
    config: Annotated[str, typer.Option(help="Configuration that names the cache.")] = "config/defaults.json",
    max_mb: Annotated[float | None, typer.Option(help="Size in MB (none: teacher.cache_max_mb).")] = None,
) -> None:
    """Drops the oldest replies of the teacher's cache until it is no larger than a size. What they cost stays counted."""

    def action() -> None:
        from astudent.config import load_config
        from astudent.errors import UsageError
        from astudent.teacher.reply_cache import ReplyCache

        teacher = load_config(config).teacher
        path, most = Path(teacher.cache_path), teacher.cache_max_mb if max_mb is None else max_mb
        if not path.is_file():
            raise UsageError(f"{path}: no such cache", "Name the configuration whose teacher.cache_path it is.")
        if most < 0:
            raise UsageError(f"--max-mb {most:g} is less than nothing", "Give a size in MB.")
        with ReplyCache(path, float("inf")) as cache:
            gone = cache.prune(most)
        print(f"{path}: {gone} replies dropped, {path.stat().st_size / 1e6:.2f} MB now")

    with_exit_code(action)


if __name__ == "__main__":
    typer.run(main)
