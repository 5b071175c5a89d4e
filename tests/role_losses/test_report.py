"""Role reports without a model: what counts as a regression, what is shown, what a bad row is told."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from astudent.errors import RunError, UsageError
from astudent.evaluation.statistics import Interval, ratio_bootstrap
from astudent.role_losses.comparison import RoleComparison
from astudent.role_losses.examples import Example, Reading, read_examples
from astudent.role_losses.measured import Setup, WorstToken
from astudent.role_losses.token_losses import TokenLosses
from astudent.roles import GrammarRole, RoleReport
from astudent.roles.regression import LEAST_CHANGE
from astudent.roles.role import ROLES

SCHEMA = {"properties": {"s": {"enum": ["x", "y"]}}}
SETUP = Setup("base", "adapter", "d.jsonl", 2, "cpu", "float32", "raw", "packs: equal", "packs: equal")


def comparison(before: float, after: float | None, threshold: float = 0.1) -> RoleComparison:
    """100 tokens of KEY with these losses."""
    return RoleComparison(GrammarRole.KEY, 100, 100 * before, after and 100 * after, None, threshold)


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        (1.0, 1.11, "regressed"),
        (1.0, 1.09, "unchanged"),
        (1.0, 0.91, "unchanged"),
        (1.0, 0.89, "improved"),
        (1e-7, 2e-7, "unchanged"),  # twice as much of nothing
        (2e-7, 1e-7, "unchanged"),
        (1e-3, 1e-3 + 1.1 * LEAST_CHANGE, "regressed"),
        (0.0, 0.5, "regressed"),
        (0.5, 0.0, "improved"),
        (0.5, None, "baseline"),
    ],
)
def test_a_status_needs_a_relative_and_an_absolute_change(before: float, after: float | None, status: str) -> None:
    assert (
        RoleComparison(GrammarRole.KEY, 2, 2 * before, None if after is None else 2 * after, None, 0.1).status == status
    )


def test_the_change_is_in_percent_and_unknown_from_nothing() -> None:
    assert comparison(0.5, 0.75).change_pct == pytest.approx(50)
    assert comparison(0.0, 0.75).change_pct is None
    assert "from 0 to 0.75" in str(report([comparison(0.0, 0.75)]))
    assert comparison(1.0, 1.4, threshold=0.5).status == "unchanged"


def losses(finetuned: list[float] | None) -> TokenLosses:
    """Two examples: KEY NUMBER KEY, and NUMBER."""
    roles = [ROLES.index(GrammarRole[name]) for name in ("KEY", "NUMBER", "KEY", "NUMBER")]
    return TokenLosses(
        examples=np.array([0, 0, 0, 1]),
        places=np.array([0, 1, 2, 0]),
        roles=np.array(roles, dtype=np.int8),
        baseline=np.array([1.0, 2.0, 3.0, 4.0]),
        finetuned=None if finetuned is None else np.array(finetuned),
    )


def test_sums_by_role_and_the_tokens_that_got_worst() -> None:
    found = losses([1.5, 2.0, 5.0, 9.0])
    roles, total = found.compare(0.1)
    assert [(each.role, each.tokens, each.baseline_sum, each.finetuned_sum) for each in roles] == [
        ("NUMBER", 2, 6.0, 11.0),
        ("KEY", 2, 4.0, 6.5),
    ]
    assert (total.role, total.tokens, total.baseline_loss, total.finetuned_loss) == ("TOTAL", 4, 2.5, 4.375)
    # one of an example, and none that did not rise
    assert list(found.worst(5).items()) == [(GrammarRole.NUMBER, [3]), (GrammarRole.KEY, [2])]
    assert roles[1].interval_pct is None  # one example alone has keys
    alone, total = losses(None).compare(0.1)
    assert {each.status for each in [*alone, total]} == {"baseline"}
    assert losses(None).worst(1)[GrammarRole.NUMBER] == [3]


def test_ratio_bootstrap_holds_the_ratio_and_pairs_the_samples() -> None:
    draw = np.random.default_rng(1)
    before = draw.gamma(2.0, size=(200, 2))
    before[:, 1] = 0
    after = 1.2 * before + draw.normal(scale=0.01, size=before.shape) * before
    interval, nothing = ratio_bootstrap(before, after)
    assert interval is not None and interval.low < 1.2 < interval.high and interval.high - interval.low < 0.01
    assert nothing is None and ratio_bootstrap(before, after) == [interval, None]


def report(comparisons: list[RoleComparison], worst: dict[GrammarRole, list[WorstToken]] | None = None) -> RoleReport:
    total = RoleComparison("TOTAL", 200, 20.0, 30.0, Interval(40.0, 60.0), 0.1)
    return RoleReport(comparisons, total, worst or {}, SETUP)


def test_the_table_ends_with_the_total_and_names_regressions() -> None:
    found = report([comparison(0.5, 0.75)])
    lines = str(found).splitlines()
    assert lines[0].split() == ["role", "tokens", "baseline", "fine-tuned", "change", "95%", "interval", "status"]
    assert lines[2].split() == ["TOTAL", "200", "0.1", "0.15", "+50.0%", "+40.0", "to", "+60.0%", "regressed"]
    assert lines[-1] == "WARNING: regressed by more than 10%: KEY (+50.0%)"
    assert [each.role for each in found.regressions] == ["KEY"]
    assert "No role regressed by more than 10%." in str(report([comparison(0.5, 0.4)]))
    shown: Any = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert shown["regressions"] == ["KEY"] and shown["total"]["interval_pct"] == [40.0, 60.0]
    assert shown["comparisons"][0] == {
        "role": "KEY", "tokens": 100, "baseline_loss": 0.5, "finetuned_loss": 0.75, "change_pct": 50.0,
        "interval_pct": None, "status": "regressed", "baseline_sum": 50.0, "finetuned_sum": 75.0,
    }  # fmt: skip


def test_a_hostile_text_stays_text_in_the_page() -> None:
    evil = "<script>alert(1)</script>"
    token = WorstToken(evil, evil, f"{evil}\u202e", evil, 0.1, math.pi)
    html = report([comparison(0.5, 0.75)], {GrammarRole.KEY: [token]}).as_html()
    assert "<script" not in html and html.count("&lt;script&gt;") == 4 and "U+202E" in html
    assert "data:image/svg+xml;base64," in html and "http" not in html.replace("http-equiv", "")


ROW = {"prompt": "p", "target_json": '{"s":"x"}'}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"prompt": None}, "f.jsonl:2:prompt: expected a text"),
        ({"prompt": ""}, "f.jsonl:2:prompt: expected a text"),
        ({"target_json": None}, "f.jsonl:2: neither target_json nor completion"),
        ({"target_json": '{"s":'}, r"f.jsonl:2:target_json: not JSON: .*\(line 1, column 6, character 5\)"),
        ({"target_json": math.nan}, "f.jsonl:2:target_json: no JSON value"),
        ({"target_json": "\ud800"}, "f.jsonl:2:target_json: half of a surrogate pair"),
        ({"target_json": None, "completion": "no"}, "f.jsonl:2:completion: not JSON"),
        ({"schema_json": "{"}, "f.jsonl:2:schema_json: not JSON"),
        ({"schema_json": 3}, "f.jsonl:2:target_json: a schema must be an object"),
        ({"schema_json": None}, "f.jsonl:2: no schema"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], told: str) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [ROW | {"schema_json": SCHEMA}, ROW | {"schema_json": SCHEMA} | change]
    Path("f.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(RunError, match=told):
        read_examples("f.jsonl", Reading())


def test_rows_of_both_kinds() -> None:
    rows = [
        {"prompt": "p", "target_json": {"s": "x", "n": 5.0}, "schema_json": json.dumps(SCHEMA)},
        {"prompt": "p", "completion": "[1]", "schema_json": SCHEMA, "query": "ignored"},
        {"prompt": "p", "target_json": "broken", "schema_json": True},
    ]
    first, second = read_examples(rows, Reading(limit=2))
    assert first == Example("row 1", "p", '{"s":"x","n":5}', "0", SCHEMA, False)
    assert second.is_chat and (second.target, second.schema_id) == ("[1]", "0")
    *_, third = read_examples(rows, Reading(lenient=True, chat=True))
    assert third.target == "broken" and third.schema is True and third.is_chat
    assert read_examples(rows[:1], Reading(schema={"type": "object"}))[0].schema == {"type": "object"}


def test_data_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read_examples(tmp_path / "none.jsonl", Reading())
    with pytest.raises(RunError, match="no row to measure"):
        read_examples([], Reading())
    with pytest.raises(UsageError, match=r"none\.json: No such file"):
        read_examples([ROW], Reading(schema=tmp_path / "none.json"))


def test_importing_it_loads_no_torch() -> None:
    code = "import sys; from astudent import analyze; from astudent.roles import analyze as a, RoleReport; assert a is analyze"
    subprocess.run([sys.executable, "-c", f"{code}; assert 'torch' not in sys.modules"], check=True)
