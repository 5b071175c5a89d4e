"""The tiny student's pre-training: dialects are sound, keep their distance, and a run that is stopped goes on as if it had not been."""

import itertools
import json
import re
from pathlib import Path
from random import Random

import pytest
import torch
from jsonschema import Draft202012Validator
from sentencepiece import SentencePieceProcessor

from astudent.language.notation import parse_compact, render_compact
from astudent.student.pretraining.marks import FORM, NAME, SPELLED, TOLD, TRUTH
from astudent.student.pretraining.muon import BatchedMuon
from astudent.student.pretraining.packs import NOTHING, PackMaker
from astudent.student.pretraining.queries import TASKS
from astudent.student.pretraining.separation import load, problems
from astudent.student.pretraining.words import WordMaker

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("task", TASKS)
def test_answers_fit_their_dialect_and_schemas_have_a_short_form(task):
    for seed in range(40):
        rng = Random(seed)
        drawn = TASKS[task](rng, WordMaker())
        text = render_compact(drawn.schema)
        assert "`" not in text and parse_compact(text) == drawn.schema
        validator = Draft202012Validator(drawn.schema)
        for language in ("en", "fr"):
            validator.validate(json.loads(drawn.example(language).answer))


def test_what_a_request_has_told_is_all_that_its_answer_looks_up():
    for seed in range(40):
        task = TASKS["query"](Random(seed), WordMaker())
        dialect = task.dialect
        labels = {item: item for item in dialect.fields} | {v: v for field in dialect.fields for v in field.values}
        forms = {*dialect.relations.values(), *dialect.modes.values(), *dialect.ways.values(), dialect.negation}
        for language in ("en", "fr"):
            example = task.example(language)
            told = [(end, kind, word) for end, kinds in example.told.items() for kind, word in kinds.items()]
            for end, kind, word in told:
                said = example.query.encode()[:end].decode()
                assert said and not said[-1].isspace()
                if kind == NAME:
                    (label,) = {item.label(language) for item in labels if item.name == word}
                    assert said.casefold().endswith(label.casefold())
            words = {word for _, _, word in told}
            answered = {item.name for item in labels} | forms | {*dialect.measures.values()}
            assert {word for word in answered if f'"{word}"' in example.answer} <= words | set(dialect.keys.values())
            assert ("true" in example.answer) <= any(word == "true" for _, kind, word in told if kind == TRUTH)


@pytest.mark.parametrize("task", TASKS)
def test_what_an_answer_repeats_has_its_place_in_the_request(task):
    for seed in range(30):
        drawn = TASKS[task](Random(seed), WordMaker())
        for language in ("en", "fr"):
            example = drawn.example(language)
            query, answer = example.query.encode(), example.answer.encode()
            assert example.sources or not example.told
            for place, source in example.sources.items():
                value = re.match(r'[^",\]}:]+', answer[place:].decode())
                assert value, "something is repeated there"
                if source.kind == SPELLED:
                    assert query[source.at :].decode()[0] == value[0][0]
                else:
                    words = example.told.get(source.at, {}).values()
                    assert any(answer[place:].decode().startswith(word) for word in words) or value[0].isdigit()


def test_packs_point_at_what_answers_repeat():
    tokenizer = SentencePieceProcessor()
    tokenizer.Load(str(ROOT / "data/tiny_student/tokenizer.model"))
    pack = PackMaker(tokenizer, WordMaker(), "Answer.", 640, {"copy": 1.0}).batch(Random(2), 2)
    assert len(pack.sources)
    assert pack.sources[:, 0].equal(pack.sources[:, 0].sort().values)
    for before, source in pack.sources.tolist():
        assert pack.supervised[before + 1] and not pack.supervised[source]
        assert pack.rows[before] == pack.rows[source] > 0
        assert pack.ids[before + 1] == pack.ids[source]


def test_packs_hold_whole_requests_after_their_schema():
    tokenizer = SentencePieceProcessor()
    tokenizer.Load(str(ROOT / "data/tiny_student/tokenizer.model"))
    pack = PackMaker(tokenizer, WordMaker(), "Answer.", 512, {"leaf": 1.0}).batch(Random(2), 3)
    assert len(pack.layout.groups) == 3
    end, row = 0, 0
    for group in pack.layout.groups:
        assert group.start == end
        end = group.end
        assert group.prefix + sum(group.lengths) <= 512
        assert (pack.rows[group.start : group.start + group.prefix] == 0).all()
        first = group.start + group.prefix
        for length in group.lengths:
            row += 1
            assert (pack.rows[first : first + length] == row).all()
            assert pack.positions[first : first + length].tolist() == [*range(group.prefix, group.prefix + length)]
            assert pack.supervised[first + length - 1], "a request ends with its answer's end of turn"
            first += length
    assert end == len(pack.ids)


def test_the_window_widens_and_then_stays():
    from astudent.student.pretraining import train
    from astudent.student.pretraining.model import WINDOW

    seen = [train.window(step) for step in range(5000)]
    assert seen[0] == seen[train.WIDENS_AT] == train.FIRST_WINDOW and seen[-1] == WINDOW
    assert all(0 <= later - earlier <= 1 for earlier, later in itertools.pairwise(seen))


def test_attention_is_read_off_as_the_model_had_it(tmp_path):
    from astudent.student.pretraining import train
    from astudent.student.pretraining.model import attention_to

    course = ((10**9, (train.Leg(320, 2, {"pick": 1.0}),)),)
    run = train.Pretraining(train.Plan(tmp_path, 10**6, 0, course=course, start=ROOT / "data/tiny_student"))
    pack = run.batch(Random(1))
    run.losses(pack)
    attention = run.model.model.layers[run.last_global].self_attn
    _, second = pack.layout.groups
    own = int(pack.rows[second.start + second.prefix])
    (source,) = (pack.rows == own).nonzero()[-1].tolist()
    everywhere = torch.tensor([[source, target] for target in range(second.start, second.end)])
    shares = attention_to(attention, pack.layout, pack.rows, everywhere)
    assert shares.sum().item() == pytest.approx(1, abs=1e-4)
    near = torch.arange(second.start, second.end)
    hidden = (pack.rows[near] > own) | (near > source)
    assert shares[hidden].max() < 1e-6, "other requests and what comes later are out of sight"


def test_packs_mark_where_requests_tell_something():
    tokenizer = SentencePieceProcessor()
    tokenizer.Load(str(ROOT / "data/tiny_student/tokenizer.model"))
    pack = PackMaker(tokenizer, WordMaker(english=0.0), "Answer.", 320, {"pick": 1.0}).batch(Random(1), 2, "pick", "en")
    told = pack.told != NOTHING
    names = told[..., TOLD.index(NAME)]
    assert told.any(-1).equal(names) and all(names[g.start : g.end].any() for g in pack.layout.groups)
    assert not (names & (pack.supervised | (pack.rows == 0))).any()
    for place in names.nonzero().flatten().tolist():  # an English label is the name itself here, with spaces
        asked = tokenizer.decode(pack.ids[: place + 1].tolist())
        first = int(pack.told[place, TOLD.index(NAME)])
        label_end, start = (tokenizer.decode([int(token)]) for token in (pack.ids[place], first))
        assert asked.endswith(label_end) and start in asked
    leaves = PackMaker(tokenizer, WordMaker(), "Answer.", 640, {"leaves": 1.0}).batch(Random(1), 2)
    forms = (leaves.told[..., TOLD.index(FORM)] != NOTHING).sum()
    answers = int(leaves.rows.max())
    assert forms >= 2 * answers, "each of an answer's conditions has its relation told"


def test_pretraining_shares_no_language_with_the_pipeline():
    template, catalog = load(ROOT / "data/base_schema_template.json"), load(ROOT / "data/operator_catalog.json")
    assert problems(template, catalog, dialects=200) == []


def test_what_is_shared_is_found():
    template, catalog = load(ROOT / "data/base_schema_template.json"), load(ROOT / "data/operator_catalog.json")
    said = {
        "name": "over",
        "phrasings": {"en": ["the {f} goes beyond {v}", "{f} beyond {v}", "{f} higher than {v}"], "fr": []},
    }
    found = problems(template, [*catalog, said], dialects=1)
    assert any("'over'" in problem for problem in found)
    assert any("'higher than'" in problem for problem in found)


def test_batched_muon_moves_as_torch_does():
    torch.manual_seed(0)
    shapes = [(12, 12), (6, 12), (12, 30), (30, 12), (12, 12)]
    ours = [torch.nn.Parameter(torch.randn(shape) * 0.02) for shape in shapes]
    theirs = [torch.nn.Parameter(matrix.detach().clone()) for matrix in ours]
    start = [matrix.detach().clone() for matrix in ours]
    batched = BatchedMuon(ours, lr=0.01)
    reference = torch.optim.Muon(theirs, lr=0.01, weight_decay=0.01, momentum=0.95, adjust_lr_fn="match_rms_adamw")
    for _ in range(3):
        for mine, other in zip(ours, theirs, strict=True):
            mine.grad = torch.randn_like(mine)
            other.grad = mine.grad.clone()
        batched.step()
        reference.step()
    for mine, other, before in zip(ours, theirs, start, strict=True):
        assert (mine - other).norm() / (other - before).norm() < 0.03  # torch's own works in bfloat16


def test_requests_that_name_nothing_leave_the_reader_without_a_loss(tmp_path):
    """Texts and numbers to copy bear no label: a mean over nothing would have made every weight NaN."""
    from astudent.student.pretraining import train

    course = ((10**9, (train.Leg(320, 1, {"copy": 1.0}),)),)
    run = train.Pretraining(train.Plan(tmp_path, 10**6, 0, course=course, start=ROOT / "data/tiny_student"))
    losses = run.losses(run.batch(Random(1)))
    assert losses.reading.item() == 0.0 and losses.answers.isfinite().all()


@pytest.mark.slow
def test_a_run_that_is_stopped_goes_on_as_if_it_had_not_been(tmp_path):
    from astudent.student.pretraining import train

    course = (
        (3, (train.Leg(320, 1, {"pick": 1.0}, single=True),)),
        (10, (train.Leg(320, 1, {"pick": 1.0}), train.Leg(1024, 1, {"query": 1.0}))),
    )
    runs = {}
    for name, legs in {"whole": (4,), "stopped": (2, 4)}.items():
        for steps in legs:
            run = train.Pretraining(train.Plan(tmp_path / name, steps, 0, course=course, report_every=2))
            run.run()
        runs[name] = run.model.state_dict()
    for key, weights in runs["whole"].items():
        assert torch.equal(weights, runs["stopped"][key]), key


def test_the_window_of_published_weights_is_kept(tmp_path):
    """A small window again would ruin weights that were trained with a wide one."""
    from astudent.student.pretraining import train
    from astudent.student.pretraining.model import set_window
    from astudent.student.pretraining.publish import publish

    course = ((10**9, (train.Leg(320, 1, {"pick": 1.0}),)),)
    first = train.Pretraining(train.Plan(tmp_path / "first", 10**6, 0, course=course, start=ROOT / "data/tiny_student"))
    set_window(first.model, 40)
    first.step = 100  # a step at which a run from nothing sees less
    first.save()
    publish(tmp_path / "first", tmp_path / "published")
    assert load(tmp_path / "published/config.json")["sliding_window"] == 40
    second = train.Pretraining(train.Plan(tmp_path / "second", 10**6, 0, course=course, start=tmp_path / "published"))
    second._train_step()
    second.save()
    assert second.window == 40
    assert train.Pretraining(train.Plan(tmp_path / "second", 10**6, 0, course=course)).window == 40


@pytest.mark.slow
def test_a_run_may_begin_with_published_weights(tmp_path):
    from astudent.student.pretraining import train
    from astudent.student.pretraining.publish import publish

    first = train.Pretraining(train.Plan(tmp_path / "first", 1, 0))
    first.step = 2400
    first.save()
    publish(tmp_path / "first", tmp_path / "published")
    plan = train.Plan(tmp_path / "second", 2900, 0, seed=5, start=tmp_path / "published")
    second = train.Pretraining(plan)
    assert (second.step, second.part) == (2400, len(train.COURSE) - 1)
    assert plan.rate(second.step, second.first) < 0.1, "a fresh optimizer needs its warm-up"
    for key, weights in first.model.state_dict().items():
        assert torch.equal(weights.bfloat16(), second.model.state_dict()[key].bfloat16()), key


def test_a_run_that_has_nothing_left_to_do_says_so(tmp_path):
    from astudent.errors import UsageError
    from astudent.student.pretraining import train

    with pytest.raises(UsageError, match="20000 steps"):
        train.Pretraining(train.Plan(tmp_path, 20000, 0, start=ROOT / "data/tiny_student"))


@pytest.mark.parametrize("config", [None, '{"sliding_window": 64}'])
def test_weights_of_unknown_steps_are_refused(tmp_path, config):
    import shutil

    from astudent.errors import UsageError
    from astudent.student.pretraining import train

    folder = tmp_path / "published"
    folder.mkdir()
    shutil.copyfile(ROOT / "data/tiny_student/tokenizer.model", folder / "tokenizer.model")
    if config:
        (folder / "config.json").write_text(config)
    with pytest.raises(UsageError, match="pretraining_step"):
        train.Pretraining(train.Plan(tmp_path, 20000, 0, start=folder))


def test_many_names_of_a_dialect_look_alike():
    """A label's first word alone does not tell which name is meant, as in a real schema."""
    shared = 0
    for seed in range(200):
        fields = TASKS["query"](Random(seed), WordMaker()).dialect.fields
        beginnings = [label.split()[0] for field in fields for label in {field.label("en"), field.fr}]
        shared += len(set(beginnings)) < len(beginnings)
    assert 0.1 < shared / 200 < 0.9, shared
