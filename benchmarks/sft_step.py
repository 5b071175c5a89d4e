"""One optimizer step's forward and backward with LoRA: .venv/bin/python benchmarks/sft_step.py --json FILE"""

from typing import Any

from command import benchmark
from measure import Case, Rival, Work, compare
from models import make_rows, student, with_adapter
from settings import Arrangement
from ways import ORDINARY, PEER, ordinary_losses, packed_losses, peer_losses, step, supervised


def case(model: Any, name: str, asked: Arrangement) -> list[Case]:
    rows = make_rows(asked, model.config.vocab_size)
    few, some = rows[: asked.ordinary_rows], rows[: asked.peer_rows]

    def work(losses: Any, these: Any) -> Work:
        return Work(lambda: step(model, lambda: losses(model, these), supervised(these)), len(these))

    rivals = [
        Rival("ordinary", ORDINARY, work(ordinary_losses, few)),
        Rival("best_peer", PEER, work(peer_losses, some)),
    ]
    return compare(
        f"SFT step, {name}, {asked}", work(packed_losses, rows), rivals, asked.rounds, headline=asked.headline
    )


if __name__ == "__main__":
    benchmark(
        "sft_step",
        "A supervised step against padded batches with all logits and with logits where supervised.",
        lambda model: student(with_adapter(model)).model.train(),
        case,
    )
