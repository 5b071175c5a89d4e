"""Stage 10: pairs -> an aligned adapter, from the SFT adapter. The torch side is imported when there is something to train."""

from pathlib import Path

from astudent.cli import Options
from astudent.config import Config
from astudent.preflight import check
from astudent.roles.selective import TokenWeights
from astudent.stage import StageRun, base_folder, settings_of
from astudent.student.checkpoint import check_adapter

NAME = "10"
NOT_OURS = tuple(
    f"alignment.{key}"
    for key in (
        "eval_results",
        "more_eval_results",
        "only_rejected",
        "same_shape",
        "max_pairs",
        "control",
        "control_output_dir",
    )
)
"""Keys that shape the pairs, or whether there is a control, but neither adapter."""


def run(config: Config, options: Options) -> None:
    """Trains the aligned adapter and, with `alignment.control`, the SFT-only control beside it."""
    settings = config.alignment
    TokenWeights(role_weights=settings.role_weights)  # an unknown role ends the stage here
    check(config, {"alignment"})
    check_adapter(settings.adapter)
    weights = Path(settings.adapter) / "adapter_model.safetensors"
    inputs = [Path(settings.pairs_out), weights, *base_folder(settings.base_model)]
    own = {key: value for key, value in settings_of(config, "alignment").items() if key not in NOT_OURS}
    jobs = [(settings.output_dir, False), *([(settings.control_output_dir, True)] if settings.control else [])]
    for out, control in jobs:
        stage = StageRun.begin(NAME, [out], own, inputs, root=config.run.outputs_root, fresh=options.fresh)
        if stage.status != "complete":
            from astudent.student.dpo import train_dpo

            train_dpo(config, stage, control=control)
