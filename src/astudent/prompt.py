"""The prompt: instruction, schema, request and, for a repair, the broken AST and the validator's message.

Everything but the schema comes after it, so that all rows of one schema share a prefix. Pure Python, so that the data
stages need no torch; `student/prompt.py` renders the content with the base model's chat template.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from astudent.language.notation import render_compact
from astudent.settings import Prompt

CONTROL_TOKEN = re.compile(
    r"""<(
        /?(?:bos|eos|pad|unk|mask|s|cls|sep)            # <bos>, </s>: Gemma, Llama 2, Mistral, BERT
        | (?:start|end)_of_(?:turn|image)               # <end_of_turn>: Gemma
        | \|[A-Za-z][A-Za-z0-9_]*\|                     # <|im_end|>, <|eot_id|>: Qwen, SmolLM, Llama 3
        | /?(?:image_soft_token|tool_call|tool_response|think)
    )>
    | \[(/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS|TOOL_CALLS))\]   # Mistral
    """,
    re.VERBOSE | re.IGNORECASE,
)

INSTRUCTION, RENDERING = "astudent.prompt.instruction", "astudent.prompt.schema_rendering"
"""Keys of a GGUF that say with which prompt its model was trained."""


def build_prompt(
    schema_json: dict[str, Any], query: str, prompt_config: Prompt, repair: tuple[str, str] | None = None
) -> str:
    """The content of the user's turn. `repair` is (broken AST as text, the validator's message)."""
    parts = [prompt_config.instruction, schema_text(json.dumps(schema_json), prompt_config.schema_rendering), query]
    parts += repair or ()
    return neutralise("\n".join(part.strip() for part in parts))


def neutralise(text: str) -> str:
    """Control tokens of any chat template become harmless look-alikes: `<eos>` turns into `‹eos›`.

    A request that holds `<end_of_turn>` would otherwise end the user's turn.
    """
    return CONTROL_TOKEN.sub(_look_alike, text)


def _look_alike(found: re.Match[str]) -> str:
    angled, squared = found.groups()
    return f"‹{angled}›" if angled else f"⟦{squared}⟧"


@lru_cache(maxsize=256)
def schema_text(schema_json: str, rendering: str) -> str:
    """The schema, given as JSON, as the prompt shows it."""
    schema = json.loads(schema_json)
    if rendering == "compact":
        return render_compact(schema)
    return json.dumps(schema, ensure_ascii=False, separators=(",", ":"))


def keys_of_prompt(prompt: Prompt) -> dict[str, str]:
    """What a GGUF says of the prompt that its model was trained with."""
    return {INSTRUCTION: prompt.instruction, RENDERING: prompt.schema_rendering}


def prompt_of_keys(keys: Mapping[str, Any]) -> Prompt | None:
    """The prompt that a GGUF's keys name; None where they name none that this version knows."""
    instruction, rendering = keys.get(INSTRUCTION), keys.get(RENDERING)
    if not isinstance(instruction, str) or rendering not in ("json", "compact"):
        return None
    return Prompt(instruction=instruction, schema_rendering=rendering)
