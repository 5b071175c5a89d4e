"""What the JSON tools print: plain lines, or one JSON object for each text."""

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from astudent.commands.output import for_each, named, note, print_object, safe, short
from astudent.json_texts.extract import Found, extract, one_line
from astudent.json_texts.parts import role_counts, role_spans
from astudent.json_texts.repair import Repair, repair
from astudent.json_texts.schema_file import read_schema
from astudent.json_texts.source import Text
from astudent.json_texts.tables import share, table
from astudent.report.markdown import visible
from astudent.roles import GrammarRole, RoleAssigner
from astudent.roles.anatomy import LETTERS

COLOURS = {
    GrammarRole.STRUCTURAL: "bright_black",
    GrammarRole.QUOTE: "bright_black",
    GrammarRole.KEY: "cyan",
    GrammarRole.ENUM_VALUE: "green",
    GrammarRole.BOOLEAN: "magenta",
    GrammarRole.NUMBER: "yellow",
    GrammarRole.FREE_TEXT: "blue",
    GrammarRole.UNKNOWN: "white on red",
}


def print_extracted(texts: Iterable[Text], pick: str, as_json: bool) -> None:
    """Each sound value on a line; what is unsound on stderr."""

    def show(text: Text) -> bool:
        found = extract(text.text)
        sound = _picked([value for value in found if value.state == "sound"], pick)
        if as_json:
            shown = [value for value in found if value.state != "sound" or value in sound]
            print_object(named(text) | {"values": [asdict(value) for value in shown]})
        else:
            for value in sound:
                print(safe(one_line(value.text)))
            _complain(text, found)
        return bool(sound) and not any(value.state == "cut" for value in found)

    for_each(texts, show, "without a sound value, or cut off within one", as_json)


def _picked(sound: list[Found], pick: str) -> list[Found]:
    if pick == "all" or not sound:
        return sound
    outer = [value for value in sound if not value.inside] or sound
    if pick == "longest":
        return [max(outer, key=lambda value: value.end - value.start)]
    return [outer[0 if pick == "first" else -1]]


def _complain(text: Text, found: list[Found]) -> None:
    for value in found:
        if value.state != "sound":
            what = "the text ends within the value" if value.state == "cut" else "broken value"
            note(f"{text.where}: {what} (characters {value.start} to {value.end}): {value.problem}")
    if not found:
        note(f"{text.where}: no JSON object or array")


def print_verdicts(texts: Iterable[Text], schema: Path | None, as_json: bool) -> None:
    """Each problem on a line, then the counts (with `as_json` on stderr)."""
    from astudent.json_texts.verdict import judge
    from astudent.language.validation import validator_for

    read = read_schema(schema)
    validator = None if read is None else validator_for(read)
    kinds: Counter[str] = Counter()

    def show(text: Text) -> bool:
        verdict = judge(text.text, validator)
        kinds.update({problem.kind for problem in verdict.problems} or {"valid"})
        if as_json:
            problems = [asdict(problem) for problem in verdict.problems]
            print_object(named(text) | {"valid": verdict.is_valid, "problems": problems})
        else:
            for problem in verdict.problems:
                print(safe(f"{text.where}: {problem.path or 'the value'}: {problem.reason}"))
        return verdict.is_valid

    for_each(texts, show, "not valid", as_json, lambda: print_counts(kinds, as_json))


def print_counts(kinds: Counter[str], as_json: bool) -> None:
    """How many texts are valid, and how many have problems of each kind (a text may have several)."""
    counts = ", ".join(f"{kind}: {kinds[kind]}" for kind in ("valid", "syntax", "repeated name", "schema"))
    print(f"texts by what was found: {counts}", file=sys.stderr if as_json else sys.stdout)


def print_repaired(texts: Iterable[Text], schema: Path | None, as_json: bool) -> None:
    """The repaired texts, those of a .jsonl on one line each; the changes on stderr."""
    read = read_schema(schema)

    def show(text: Text) -> bool:
        done = repair(text.text, read)
        if as_json:
            changes = [change.as_json() for change in done.changes]
            print_object(named(text) | {"text": done.text, "changes": changes, "problems": done.problems})
        else:
            _write_repaired(text, done)
        return not done.problems

    for_each(texts, show, "not repaired", as_json)


def _write_repaired(text: Text, done: Repair) -> None:
    written = done.text if text.line is None else one_line(done.text) + "\n"
    if (done.changes or sys.stdout.isatty()) and not written.endswith("\n"):
        written += "\n"
    sys.stdout.write(safe(written, keep="\n\t"))
    for change in done.changes:
        place = f"character {change.position}" if change.path is None else change.path
        note(f"{text.where}: {place}: {change.what}: {short(change.before)} -> {short(change.after)}")
    for problem in done.problems:
        note(f"{text.where}: still wrong: {problem}")


def print_anatomy(texts: Iterable[Text], schema: Path | None, lenient: bool, as_json: bool) -> None:
    """The text by role and the table of roles; with `as_json` spans and counts."""
    read = read_schema(schema)
    assigner = RoleAssigner(True if read is None else read)

    def show(text: Text) -> bool:
        roles = assigner.roles(text.text, lenient)
        counts = role_counts(roles)
        if as_json:
            spans = [asdict(span) for span in role_spans(roles)]
            print_object(named(text) | {"text": text.text, "spans": spans, "characters": counts})
            return True
        _show_roles(text.text, roles)
        rows = [[role, str(count), share(count / len(roles))] for role, count in counts.items()]
        print("\n" + table(["role", "characters", "share"], rows))
        return True

    for_each(texts, show, "not shown: --lenient shows them", as_json)


def _show_roles(text: str, roles: list[GrammarRole]) -> None:
    from rich.console import Console
    from rich.text import Text as Coloured

    console = Console()
    if console.is_terminal:
        spans = role_spans(roles)
        parts = [(safe(text[span.start : span.end], keep="\n"), COLOURS.get(span.role, "")) for span in spans]
        console.print(Coloured.assemble(*parts), soft_wrap=True)
        return
    at = 0
    for line in text.splitlines(keepends=True):
        print("".join(" " if character in "\t\r\n" else _single(character) for character in line).rstrip())
        print("".join(LETTERS[role] for role in roles[at : at + len(line.rstrip("\r\n"))]))
        at += len(line)


def _single(character: str) -> str:
    """The character, or one that stands for what must not reach a terminal: the letters stay below their characters."""
    return character if visible(character) == character else "\N{REPLACEMENT CHARACTER}"
