"""Cards in Hugging Face's form, of a trained model or of a data set, filled from the files that were measured.

What no file tells is named at the end of the card, never invented.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from astudent.evaluation.phases import SUMMARY_NAME
from astudent.report import dataset_card, model_card
from astudent.report.document import Block, Bullets, Heading
from astudent.report.markdown import render_markdown
from astudent.report.measured import measured_run


def card(folders: Sequence[Path], out_folder: Path) -> str:
    """The model card of the first evaluation's adapter (the others stand beside it), or the card of the one data set.

    UsageError for a folder that holds neither.
    """
    if (folders[0] / SUMMARY_NAME).is_file():
        runs = [measured_run(folder) for folder in folders]
        facts, document, lacking = model_card.facts(runs[0]), model_card.document(runs), model_card.lacking(runs[0])
    else:
        found = dataset_card.dataset_in(folders[0])
        facts, document, lacking = dataset_card.facts(found), dataset_card.document(found), dataset_card.lacking(found)
    document.add(*_unknown(["licence", *lacking]))
    return front_matter(facts) + render_markdown(document, out_folder)


def front_matter(facts: Mapping[str, Any]) -> str:
    """The facts as YAML between two lines of dashes; values are written as JSON, which YAML reads."""
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in facts.items()]
    return "\n".join(["---", *lines, "---", "", ""])


def _unknown(lacking: Sequence[str]) -> Iterator[Block]:
    yield Heading("What no file tells")
    yield Bullets(lacking)
