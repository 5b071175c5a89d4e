"""Configurations: the shipped ones, and what a wrong one is told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from astudent.config import load_config
from astudent.errors import Problems, UsageError, one_line
from astudent.settings import SECTIONS, Config

REPOSITORY = Path(__file__).parents[1]
DEFAULTS = REPOSITORY / "config/defaults.json"
MAPPINGS = REPOSITORY / "config" / "mappings"  # of foreign data sets; no configurations of runs
SHIPPED = sorted(path for path in (REPOSITORY / "config").rglob("*.json") if path.parent != MAPPINGS)

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str = "mine.json", text: str | None = None, **sections: Any) -> Path:
        path = tmp_path / name
        path.write_text(json.dumps({"extends": str(DEFAULTS), **sections}) if text is None else text, encoding="utf-8")
        return path

    return write


def told(path: Path, overrides: dict[str, Any] | None = None) -> str:
    with pytest.raises(UsageError) as error:
        load_config(path, overrides)
    return one_line(error.value)


def test_the_defaults_hold_exactly_the_keys_of_the_sections() -> None:
    values = json.loads(DEFAULTS.read_text())
    assert {section: set(keys) for section, keys in values.items()} == {
        name: set(section.annotations()) for name, section in SECTIONS.items()
    }


def test_every_key_says_what_it_means() -> None:
    for name, section in SECTIONS.items():
        for key, annotation in section.annotations().items():
            meanings = [item for item in get_args(annotation) if isinstance(item, str)]
            assert len(meanings) == 1 and meanings[0].endswith("."), f"{name}.{key}"


def test_the_promised_defaults() -> None:
    config = load_config(DEFAULTS)
    data, training, alignment = config.dataset_generation, config.training, config.alignment
    assert (data.examples_per_schema, data.per_schema_queries, data.positives_per_schema) == (60, 60, 250)
    assert (data.min_operators, data.max_operators, data.seed, data.negative_ratio) == (4, 7, 11, 0.6)
    assert (data.include_invalid, data.schemas_per_domain) == (True, 1)
    assert data.training_corpus_out == training.training_corpus == "outputs/d_05_training_corpus.jsonl"
    assert (training.base_model, training.output_dir) == (
        "unsloth/gemma-3-270m-it",
        "outputs/student_runs/gemma3-270m",
    )
    assert (training.learning_rate, training.max_steps, training.num_epochs, training.seed) == (5e-5, 3000, 20.0, 3407)
    assert (training.lora_r, training.lora_alpha, training.lora_dropout) == (64, 128, 0.05)
    assert (training.batch_size, training.grad_accum, training.early_stop_min_delta) == (4, 4, 0.002)
    assert (alignment.batch_size, alignment.grad_accum, alignment.learning_rate, alignment.beta) == (2, 8, 5e-6, 0.1)
    assert (alignment.max_steps, alignment.adapter) == (500, "outputs/student_runs/gemma3-270m/checkpoint-final")
    assert config.teacher.model == "gpt-oss:120b" and config.teacher.cache_path == ".cache/teacher.sqlite"
    assert training.report_to == alignment.report_to == "none"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_shipped_configuration_is_whole(path: Path) -> None:
    assert isinstance(load_config(path), Config)


@pytest.mark.parametrize("path", [path for path in SHIPPED if path != DEFAULTS], ids=lambda path: path.name)
def test_a_trial_never_writes_where_the_real_run_does(path: Path) -> None:
    def places(config: Config) -> set[str]:
        values = [value for keys in config.model_dump().values() for value in keys.values()]
        return {value for value in values if isinstance(value, str) and value.startswith("outputs")}

    assert len(places(load_config(path))) > 10
    assert not places(load_config(path)) & places(load_config(DEFAULTS))
    assert all(place.startswith(load_config(path).run.outputs_root) for place in places(load_config(path)))


@pytest.mark.parametrize("path", [path for path in SHIPPED if path != DEFAULTS], ids=lambda path: path.name)
def test_what_extends_names_only_what_differs(path: Path) -> None:
    own = json.loads(path.read_text())
    extended = json.loads(json.dumps(load_config(path.parent / own.pop("extends")).model_dump()))
    same = [f"{s}.{k}" for s, keys in own.items() for k, v in keys.items() if extended[s][k] == v]
    assert same == []


def test_the_recipes_are_those_promised() -> None:
    recipes = REPOSITORY / "config/recipes"
    mistral = load_config(recipes / "mistral-7b-support.json").training
    assert (mistral.base_model, mistral.load_in_4bit, mistral.lora_r) == (
        "mistralai/Mistral-7B-Instruct-v0.3",
        True,
        16,
    )
    small = load_config(recipes / "smollm2-135m-documents.json").training
    assert (small.lora_r, small.lora_alpha, small.learning_rate, small.num_epochs) == (16, 32, 2e-4, 3.0)
    assert (small.max_steps, small.max_seq_length) == (None, 1024)
    tasks = {name: load_config(recipes / f"{name}.json") for name in ("mistral-7b-support", "smollm2-135m-documents")}
    for name, config in tasks.items():
        data = config.dataset_generation
        assert name.endswith(data.task)
        assert data.task_rows == load_config(REPOSITORY / f"config/{data.task}.json").dataset_generation.task_rows
        assert (config.evaluation.teacher, config.evaluation.splits) == ("embedded", ("test_seen",))
    assert "Qwen2.5-VL-3B" in load_config(recipes / "qwen2.5-vl-3b-forms.json").training.base_model


def test_flags_stand_above_the_file(write: Write) -> None:
    config = load_config(write(training={"seed": 1, "lora_r": 2}), {"training.seed": 5, "training.max_steps": None})
    assert (config.training.seed, config.training.lora_r, config.training.max_steps) == (5, 2, None)


def test_a_configuration_is_frozen(write: Write) -> None:
    with pytest.raises(AttributeError):
        load_config(write()).training.seed = 3  # pyright: ignore[reportAttributeAccessIssue]


def test_extends_is_relative_to_the_file_and_goes_on(write: Write, tmp_path: Path) -> None:
    write("base.json", training={"seed": 1, "lora_r": 8})
    (tmp_path / "deep").mkdir()
    path = write("deep/mine.json", text='{"extends": "../base.json", "training": {"seed": 2}}')
    assert (load_config(path).training.seed, load_config(path).training.lora_r) == (2, 8)


def test_another_root_moves_inherited_outputs_only(write: Write) -> None:
    path = write(run={"outputs_root": "elsewhere"}, report={"out_dir": "outputs/mine"})
    config = load_config(path)
    assert config.dataset_generation.dataset_out == "elsewhere/d_04_dataset.jsonl"
    assert (config.report.out_dir, config.dataset_generation.prompts_path) == (
        "outputs/mine",
        "data/domain_prompts.jsonl",
    )


def test_an_absent_file_is_one_line(tmp_path: Path) -> None:
    assert told(tmp_path / "no.json").endswith("cannot be read: No such file or directory. Name a file with --config.")
    assert "Is a directory" in told(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"training": {"seed": 1,}}', "mine.json:1:25: not JSON"),
        ("", "mine.json:1:1: not JSON"),
        ("[1]", "not a JSON object"),
        ('{"training": 3}', "section training is no object"),
        ('{"extends": 3}', '"extends" is no path: 3'),
        ('{"extends": "absent.json"}', "absent.json: cannot be read (extended by "),
        ('{"training": {"seed": 1, "seed": 2}}', "seed stands twice"),
        ("[" * 10_000, "not a configuration"),
    ],
)
def test_a_broken_file_is_one_line(write: Write, text: str, says: str) -> None:
    line = told(write(text=text))
    assert says in line and "mine.json" in line and "\n" not in line


def test_bytes_that_are_no_text_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_bytes(b'{"training": "\xff"}')
    assert "mine.json: not a configuration" in told(tmp_path / "mine.json")


def test_a_circle_is_named(write: Write) -> None:
    write("a.json", text='{"extends": "b.json"}')
    write("b.json", text='{"extends": "a.json"}')
    line = told(write("c.json", text='{"extends": "a.json"}'))
    assert "in a circle" in line and line.count("a.json") == 2


def test_unknown_keys_come_with_a_suggestion(write: Write) -> None:
    assert "mine.json: unknown key training.learnin_rate; did you mean learning_rate?" in told(
        write(training={"learnin_rate": 1})
    )
    assert "unknown key trainin; did you mean training?" in told(write(trainin={}))
    assert "unknown key training.min_operators; it belongs to dataset_generation" in told(
        write(training={"min_operators": 3})
    )


def test_all_problems_at_once_each_with_its_origin(write: Write) -> None:
    path = write(training={"seed": "1", "val_split": 1.0, "max_stepz": 3}, teacher={"think": 3, "hosts": "x"})
    with pytest.raises(Problems) as error:
        load_config(path, {"evaluation.splits": ["tests"]})
    lines = error.value.problems
    assert len(lines) == 6
    assert [line for line in lines if line.startswith("the flags: evaluation.splits")]
    assert sum(str(path) in line for line in lines) == 5


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("training", "seed", 1.5),
        ("training", "seed", True),
        ("training", "seed", None),
        ("training", "learning_rate", "5e-5"),
        ("training", "learning_rate", 0),
        ("training", "lora_dropout", 1),
        ("training", "target_modules", []),
        ("training", "role_weights", {"KEY": -1}),
        ("training", "backend", "magic"),
        ("dataset_generation", "languages", ["de"]),
        ("dataset_generation", "negative_ratio", -0.1),
        ("evaluation", "splits", "train"),
    ],
)
def test_wrong_values_are_refused_not_bent(write: Write, section: str, key: str, value: Any) -> None:
    assert f"{section}.{key} = " in told(write(**{section: {key: value}}))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_numbers_without_end_are_refused(write: Write, number: str) -> None:
    text = f'{{"extends": "{DEFAULTS}", "training": {{"learning_rate": {number}}}}}'
    assert "training.learning_rate" in told(write(text=text))


def test_values_that_contradict_each_other(write: Write) -> None:
    data = {"min_operators": 8, "align_share": 0.5, "test_seen_share": 0.5}
    line = told(write(dataset_generation=data))
    assert "min_operators (8) is above max_operators (7)" in line and "leave no row to train on" in line


def test_a_task_wants_the_sizes_of_its_splits(write: Write) -> None:
    told_all = told(write(dataset_generation={"task": "support", "task_rows": {"train": 10}}))
    assert "task_rows lacks align, test_seen, and the task is support" in told_all
    assert "dataset_generation.task_rows" in told(write(dataset_generation={"task_rows": {"test_unseen": 1}}))
    assert "dataset_generation.task_rows" in told(write(dataset_generation={"task_rows": {"train": -1}}))
