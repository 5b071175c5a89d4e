"""The Modelfile: a TEMPLATE that renders the very prompt of training, and the parameters that answers need."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SMALL = 30_000_000
"""Below so many parameters several threads only wait for each other: a server then takes one."""


@dataclass(frozen=True)
class Turn:
    """What stands before a request (without the BOS, where the runtime puts it), after it, and after an answer; `end` is the
    token that ends it."""

    before: str
    after: str
    closing: str
    end: str

    def prompt(self, content: str) -> str:
        """The text of a prompt, for a runtime that applies no template."""
        return self.before + content + self.after

    def template(self) -> str:
        """Ollama's TEMPLATE. Several turns follow one another as in training's chat template; a system message stands at
        the head of the first request, since students are trained without one."""
        before, after, closing = map(_literal, (self.before, self.after, self.closing))
        return (
            f'{{{{ range $place, $message := .Messages }}}}{{{{ if eq .Role "user" }}}}{before}'
            "{{ if and $.System (le $place 1) }}{{ $.System }}\n{{ end }}"
            f'{{{{ .Content }}}}{after}{{{{ else if eq .Role "assistant" }}}}{{{{ .Content }}}}{closing}{{{{ end }}}}{{{{ end }}}}'
        )


def _literal(text: str) -> str:
    """The text so that Go's templates give it back as it is, and a Modelfile does not end the template in it."""
    return _SPELLED.sub(lambda found: f'{{{{ "{_escaped(found[0])}" }}}}', text)


def _escaped(text: str) -> str:
    """As it stands in a string of Go, with no three quotation marks in a row."""
    return text.replace('"', '\\"').replace("\r", "\\r")


def why_not(turn: Turn) -> str | None:
    """Why this turn cannot be told to Ollama; None where it can."""
    if json.dumps(turn.end, ensure_ascii=False) != f'"{turn.end}"':
        return f"its end of turn {turn.end!r} holds a quotation mark, a backslash or a control character, which PARAMETER stop cannot spell"
    return None


_SPELLED = re.compile(r'\{+|"{3,}|\r+')
"""What a template says by an action: braces begin one, three quotation marks end TEMPLATE, a line's end may change."""


def parameters(turn: Turn, context: int, weights: int) -> dict[str, Any]:
    """What the model is served with: greedy, without the penalty on repeated tokens that llama.cpp would apply, its
    context in tokens. `weights` is the number of its parameters."""
    found: dict[str, Any] = {"num_ctx": context, "temperature": 0, "repeat_penalty": 1, "stop": [turn.end]}
    return found | ({"num_thread": 1} if weights < SMALL else {})


def modelfile(source: str, turn: Turn, parameters: Mapping[str, Any]) -> str:
    """The file that `ollama create -f` takes; `source` is the GGUF's path from its folder."""
    lines = [f"FROM {source}", f'TEMPLATE """{turn.template()}"""']
    for name, value in parameters.items():
        lines += [f"PARAMETER {name} {_written(one)}" for one in (value if isinstance(value, list) else [value])]
    return "\n".join(lines) + "\n"


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
