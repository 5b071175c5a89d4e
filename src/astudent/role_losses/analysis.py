"""Rows -> the losses of a base model and of its checkpoint by grammar role. torch is loaded when `analyze` runs."""

from pathlib import Path

from astudent.errors import UsageError
from astudent.role_losses.examples import Data, Reading, Schema, name_of, read_examples
from astudent.role_losses.report import RoleReport
from astudent.roles.regression import THRESHOLD

WORST = 5
"""Tokens shown for each role."""


def analyze(
    *,
    model_name: str | Path,
    data: Data,
    checkpoint: str | Path | None = None,
    schema: str | Path | Schema | None = None,
    device: str | None = None,
    max_examples: int | None = None,
    batch_tokens: int | None = None,
    chat: bool | None = None,
    lenient: bool = False,
    threshold: float = THRESHOLD,
    worst: int = WORST,
    quiet: bool = False,
) -> RoleReport:
    """Measures -log p of each token of the targets, given the prompt and the target so far, and sums it by grammar role.

    Args:
        model_name: a hub id, or a folder, of a causal language model in safetensors.
        data: a JSONL file, or dicts: `prompt`, and `target_json` (a text or a JSON value) or `completion`.
        checkpoint: a folder with an adapter for that model, or with a whole model of the same vocabulary.
        schema: of all targets: a file or the schema. None: each row has its own in `schema_json`.
        device: such as "cpu" or "cuda:1"; None: the GPU where there is one. Weights are float32 on a CPU, else as they are.
        max_examples: rows measured, the first ones. batch_tokens: tokens computed at once, None: by the device.
        chat: whether prompts are rendered by the model's chat template and the end of the answer is scored; None: for
            rows with `completion` only. Other prompts are raw text, behind the tokenizer's own BOS.
        lenient: score targets that are not JSON; they are UNKNOWN from the fault on.
        threshold: share by which a role's loss must change to have improved or regressed.
        worst: tokens shown for each role. quiet: no progress.

    Raises UsageError for what cannot be loaded or found, RunError for rows (by file, line and field) that cannot be
    measured.
    """
    if threshold < 0 or worst < 0 or any(given is not None and given < 1 for given in (max_examples, batch_tokens)):
        raise UsageError("threshold and worst are at least 0, max_examples and batch_tokens at least 1", "Mend them.")
    examples = read_examples(data, Reading(schema, chat, lenient, max_examples))
    from astudent.student.analysis import Request, measure

    asked = Request(str(model_name), None if checkpoint is None else Path(checkpoint), device, batch_tokens, quiet)
    measured = measure(examples, asked)
    roles, total = measured.losses.compare(threshold)
    tokens = {role: list(map(measured.shown, found)) for role, found in measured.losses.worst(worst).items()}
    return RoleReport(roles, total, tokens, measured.setup(name_of(data)))
