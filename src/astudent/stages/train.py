"""Stage 06: d_05 -> an adapter. The torch side is imported here and no sooner."""

from astudent.cli import Options
from astudent.config import Config


def run(config: Config, options: Options) -> None:
    """Trains the student; returns when `output_dir/checkpoint-final` is there."""
    from astudent.preflight import check

    check(config, {"training"})
    from astudent.student.sft import train_sft

    train_sft(config, options)
