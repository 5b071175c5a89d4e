"""Builds a stage's command line from the configuration's sections: one flag for each key, help from its meaning."""

import inspect
import os
import sys
import time
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any, NoReturn, Union, get_args, get_origin

import typer

from astudent.errors import AstudentError, RunError, UsageError, report
from astudent.launch import is_first, process_count
from astudent.settings import SECTIONS

Spelling = Mapping[str, str]  # "section.key" -> its flag, or "--flag/--opposite"

IN_PROCESSES = ("train", "align")
"""Stages that several processes of one launch (torchrun, accelerate) may share."""
SILENCE = 5.0
"""How long (s) a process of a launch lets the first one speak before it reports an error of its own."""

NULL = object()  # what `none` on a flag means: the key's null, as against a flag that was not given


@dataclass(frozen=True)
class Options:
    """What a stage is told beside its configuration."""

    fresh: bool = False  # make everything again
    model: str | None = None  # the teacher or judge that --model or --teacher-model named
    dry_run: bool = False  # show what a teacher would be asked, and ask nobody
    preview_masks: int = 0  # show so many rows token by token, and train nothing
    config: str | None = None  # the file of the configuration, for records


def stage_app(
    name: str,
    docstring: str | None,
    sections: Sequence[str],
    module: str,
    *,
    spelling: Spelling | None = None,
    offline_fallback: bool = False,
    asks: bool = False,
    previews: bool = False,
) -> typer.Typer:
    """A Typer app whose one command calls `astudent.stages.<module>.run(config, options)`.

    Every key of `sections` (whole ones, or "section.key") is a flag in kebab-case; `spelling` gives some another name. With `offline_fallback` the
    flag of that name puts the embedded teacher in; a stage that `asks` a teacher has --dry-run, one that `previews` its
    rows --preview-masks.
    """
    keys = [key for section in sections for key in _keys(section)]

    def command(**given: Any) -> None:
        with_exit_code(lambda: _run_stage(module, keys, given))

    parameters = _house_flags(offline_fallback, asks, previews) + [
        _flag(key, (spelling or {}).get(key)) for key in keys
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    command.__doc__ = docstring
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(name)(command)
    return app


def _keys(section: str) -> list[str]:
    return [section] if "." in section else [f"{section}.{key}" for key in SECTIONS[section].annotations()]


def with_exit_code(action: Callable[[], None]) -> None:
    """Runs a command's action; what ends it becomes one line on stderr and exit code 1 (run) or 2 (usage)."""
    try:
        action()
    except KeyboardInterrupt:
        _end(RunError("stopped", "Run the same command again to resume."))
    except BrokenPipeError:
        sys.stderr.close()
        raise typer.Exit(1) from None
    except (AstudentError, OSError) as error:
        _end(error)


def _end(error: BaseException) -> NoReturn:
    if not is_first():
        time.sleep(SILENCE)  # an error that all have is the first one's to say; the launcher then stops the others
    report(error)
    raise typer.Exit(error.exit_code if isinstance(error, AstudentError) else 1)


def _run_stage(module: str, keys: Sequence[str], given: Mapping[str, Any]) -> None:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # TRL reports each trainer by default
    from astudent.config import load_config  # here, since pydantic would cost --help as much as all the rest

    overrides = {key: _value(given[_name(key)]) for key in keys if given[_name(key)] is not None}
    if given.get("offline_fallback"):
        overrides |= {"teacher.provider": "embedded", "teacher.model": "embedded"}
    model = overrides.get("teacher.model") or overrides.get("evaluation.teacher_model")
    if given.get("offline_fallback") and given.get(_name("teacher.model")):
        raise UsageError("--offline-fallback is the teacher without a model", "Take --model or it out.")
    if process_count() > 1 and module not in IN_PROCESSES:
        raise UsageError(f"{process_count()} processes were launched, and this stage runs in one", "Call it plainly.")
    config = load_config(given["config"], overrides)
    named = None if given.get("offline_fallback") else model
    shown = {name: given[name] for name in ("dry_run", "preview_masks") if name in given}
    options = Options(fresh=given["fresh"], model=named, config=given["config"], **shown)
    import_module(f"astudent.stages.{module}").run(config, options)


def _house_flags(offline_fallback: bool, asks: bool, previews: bool) -> list[inspect.Parameter]:
    flags = [
        _parameter("config", str, "config/defaults.json", "--config", help="Configuration file."),
        _parameter("fresh", bool, False, "--fresh", help="Make everything again; the old output is kept aside."),
    ]
    if offline_fallback:
        text = "Use the embedded teacher, which needs no model."
        flags.append(_parameter("offline_fallback", bool, False, "--offline-fallback", help=text))
    if asks:
        text = "Show the first prompt, the number of calls and an estimate; ask nobody."
        flags.append(_parameter("dry_run", bool, False, "--dry-run", help=text))
    if previews:
        text = "Show so many rows token by token, with roles and weights in the loss; train nothing."
        flags.append(_parameter("preview_masks", int, 0, "--preview-masks", help=text, min=0, show_default=False))
    return flags


def _flag(key: str, spelled: str | None) -> inspect.Parameter:
    """The flag of "section.key"; not given, it leaves the configuration's value."""
    section, _, field = key.partition(".")
    annotation = SECTIONS[section].annotations()[field]
    kind, nullable = _kind(annotation)
    declaration = spelled or "--" + field.replace("_", "-")
    if kind is bool and "/" not in declaration:
        declaration += f"/--no-{field.replace('_', '-')}"
    meaning = next(item for item in annotation.__metadata__ if isinstance(item, str))
    extra: dict[str, Any] = {}
    if nullable or kind is dict:
        extra = {"parser": _parser(kind), "metavar": _metavar(kind)}
        kind = str
    elif kind is list:
        meaning, kind = f"{meaning} May be repeated.", list[str]
    return _parameter(_name(key), kind | None, None, declaration, help=meaning, show_default=False, **extra)


def _parameter(name: str, kind: Any, default: Any, declaration: str, **option: Any) -> inspect.Parameter:
    annotation = Annotated[kind, typer.Option(declaration, **option)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _name(key: str) -> str:
    return key.replace(".", "__")


def _value(given: Any) -> Any:
    return None if given is NULL else given


def _kind(annotation: Any) -> tuple[Any, bool]:
    """The annotation's plain type (a Literal, `list`, `dict`; several as a tuple), and whether it may be null."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        members = [_kind(member)[0] for member in get_args(annotation) if member is not type(None)]
        nullable = type(None) in get_args(annotation)
        return (members[0], nullable) if len(members) == 1 else (tuple(members), True)
    if get_origin(annotation) is tuple:
        return list, False
    return (dict if get_origin(annotation) is dict else annotation), False


def _metavar(kind: Any) -> str:
    if kind is dict:
        return "NAME=NUMBER,..."
    if isinstance(kind, tuple):
        return "|".join(str(choice) for member in kind for choice in _choices(member)) + "|none"
    return f"{kind.__name__.upper()}|none"


def _choices(kind: Any) -> tuple[str, ...]:
    return ("true", "false") if kind is bool else get_args(kind)


def _parser(kind: Any) -> Callable[[str], Any]:
    """Reads a flag whose key may be null (`none`), a pair list, or one of several kinds. ValueError where it cannot."""

    def parse(text: str) -> Any:
        if kind is dict:
            return {name.strip(): _number(number) for name, number in (pair.split("=") for pair in text.split(","))}
        if text.lower() in ("none", "null"):
            return NULL
        if isinstance(kind, tuple):
            return {"true": True, "false": False}.get(text.lower(), text)
        return kind(text)

    return parse


def _number(text: str) -> int | float:
    return int(text) if text.strip().isdecimal() else float(text)
