"""Which of the processes of one launch this is, as torchrun and accelerate tell it. Never imports torch."""

import os


def process_count() -> int:
    """How many processes the launch started; 1 for a plain call."""
    return int(os.environ.get("WORLD_SIZE", "1")) if "LOCAL_RANK" in os.environ else 1


def is_first() -> bool:
    """Whether this process speaks and writes for all."""
    return process_count() == 1 or os.environ.get("RANK", "0") == "0"
