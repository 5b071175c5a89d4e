"""The data of the page's filter."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from astudent.evaluation.results import ResultRow
from astudent.report.document import Explorer
from astudent.report.explorer import explorer
from astudent.report.runs import EvaluatedRun

Make = Callable[..., ResultRow]


def explored(runs: list[EvaluatedRun]) -> dict[str, Any]:
    (found,) = [block for block in explorer(runs, runs[-1]) if isinstance(block, Explorer)]
    return json.loads(json.dumps(found.data))


def values(data: dict[str, Any], number: int) -> dict[str, list[str]]:
    """facet -> values of an answer, in words."""
    facets = zip(data["facets"], data["answers"][number]["facets"], strict=True)
    return {facet["name"]: [facet["values"][place] for place in places] for facet, places in facets}


def test_answers_name_their_request_and_their_facets(make_result: Make):
    base = EvaluatedRun("base", Path(), [make_result(n, False) for n in range(4)], {"run": {}})
    tuned = EvaluatedRun("SFT", Path(), [make_result(n, n < 3) for n in range(4)], {"run": {}})
    nearest = EvaluatedRun("nearest neighbour", Path(), [make_result(0, True)], {})
    data = explored([nearest, base, tuned])
    assert len(data["requests"]) == 4 and len(data["answers"]) == 8, "a baseline is nobody's answer"
    assert values(data, 0) == {
        "student": ["SFT"],
        "result": ["right"],
        "judge": ["accept"],
        "what went wrong": [],
        "language": ["en"],
        "names": ["new"],
        "other students": ["base wrong"],
    }
    assert values(data, 3)["result"] == ["another meaning"] and data["answers"][3]["title"] == "operator wrong"
    assert values(data, 4)["student"] == ["base"] and values(data, 4)["other students"] == ["SFT right"]
    wrong, right = data["answers"][3], data["answers"][0]
    assert wrong["differences"] == [["where.operator", '"gt"', '"lt"']]
    assert wrong["known"][1::2] == ['"operator": "gt"'] and wrong["answer"][1::2] == ['"operator": "lt"']
    assert "answer" not in right and data["requests"][wrong["request"]]["id"] == "q3"


def test_repair_rows_are_no_answers_to_requests(make_result: Make):
    run = EvaluatedRun("SFT", Path(), [make_result(0, True), make_result(1, True, kind="repair")], {"run": {}})
    assert len(explored([run])["answers"]) == 1


def test_long_texts_are_cut(make_result: Make):
    long = "x" * 1_000_000
    row = make_result(0, False, query=long, text=long, parsed=False, parse_error=long, schema_id=long, trap=long)
    data = explored([EvaluatedRun("SFT", Path(), [row], {"run": {}})])
    assert len(json.dumps(data)) < 20_000
    assert "1,000,000 characters" in data["requests"][0]["text"]
