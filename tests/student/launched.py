"""What torchrun starts in a test: stage scripts one after the other, so that the imports are paid once.

`launched.py SCRIPT FLAG... , SCRIPT FLAG...`. With POISON=RANK the losses of that process are NaN.
"""

import os
import runpy
import sys
from itertools import groupby


def poison() -> None:
    from astudent.student import trainer

    right = trainer.token_losses
    trainer.token_losses = lambda model, batch: right(model, batch) * float("nan")


if __name__ == "__main__":
    if os.environ.get("POISON") == os.environ["RANK"]:
        poison()
    for is_comma, words in groupby(sys.argv[1:], lambda word: word == ","):
        if not is_comma:
            sys.argv = list(words)
            try:
                runpy.run_path(sys.argv[0], run_name="__main__")
            except SystemExit as end:
                if end.code:
                    raise
