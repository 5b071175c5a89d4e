"""Stage 06: d_05 -> an adapter. The torch side is imported when there is something to train, and no sooner."""

from pathlib import Path

from astudent.cli import Options
from astudent.config import Config
from astudent.preflight import check
from astudent.roles.selective import TokenWeights
from astudent.stage import StageRun, base_folder, settings_of
from astudent.student.best import refuse_unsupported

NAME = "06"


def run(config: Config, options: Options) -> None:
    """Trains the student; returns when `output_dir/checkpoint-final` is there, or after a preview."""
    settings = config.training
    TokenWeights.of(settings)  # an unknown role or a pattern that cannot be read ends the stage here
    refuse_unsupported(settings)
    if options.preview_masks:
        from astudent.student.preview import preview

        preview(settings, options.preview_masks)
        return
    check(config, {"training"})
    inputs = [Path(settings.training_corpus), *base_folder(settings.base_model)]
    own = settings_of(config, "training")
    stage = StageRun.begin(NAME, [settings.output_dir], own, inputs, root=config.run.outputs_root, fresh=options.fresh)
    if stage.status == "complete":
        return
    if settings.modality == "vision":
        from astudent.student.vision_sft import train_vision

        train_vision(config, stage)
        return
    from astudent.student.sft import train_sft

    train_sft(config, stage)
