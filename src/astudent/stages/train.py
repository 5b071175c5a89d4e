"""Stage 06: d_05 -> an adapter. The torch side is imported when there is something to train, and no sooner."""

from pathlib import Path

from astudent.cli import Options
from astudent.config import Config
from astudent.preflight import check
from astudent.stage import StageRun, base_folder, settings_of
from astudent.student.best import refuse_unsupported

NAME = "06"


def run(config: Config, options: Options) -> None:
    """Trains the student; returns when `output_dir/checkpoint-final` is there."""
    check(config, {"training"})
    settings = config.training
    refuse_unsupported(settings)
    inputs = [Path(settings.training_corpus), *base_folder(settings.base_model)]
    own = settings_of(config, "training")
    stage = StageRun.begin(NAME, [settings.output_dir], own, inputs, root=config.run.outputs_root, fresh=options.fresh)
    if stage.status == "complete":
        return
    from astudent.student.sft import train_sft

    train_sft(config, stage)
