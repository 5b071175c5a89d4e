"""Stage 10: pairs -> an aligned adapter, from the SFT adapter. The torch side is imported here and no sooner."""

from astudent.cli import Options
from astudent.config import Config


def run(config: Config, options: Options) -> None:
    """Trains the aligned adapter and, with `alignment.control`, the SFT-only control beside it."""
    from astudent.preflight import check

    check(config, {"alignment"})
    from astudent.student.dpo import train_dpo

    train_dpo(config, options)
