import dataclasses
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assessments.budget import Arrivals, Budget, Metric, Plan, Ruling, Scenario
from assessments.check import Check, CheckId, CheckResult, Visibility
from assessments.errors import UsageError
from assessments.measurement import Block, Isolation, Measurement, Noise, Side
from assessments.observation import Breach, Excerpt, Exchange, SandboxRun, Usage
from assessments.outcome import Fault, Outcome
from runner.reports.document import dump, for_candidate, load

CANARY = "canary-5f1d"

# What UTF-8 can carry; lone surrogates have a test of their own.
texts = st.text(st.characters(codec="utf-8"), max_size=20)
amounts = st.floats(0, 1e9, allow_nan=False)
counts = st.integers(0, 2**70)
excerpts = st.builds(Excerpt, texts, counts)
exchanges = st.builds(
    Exchange,
    method=texts,
    path=texts,
    request_body=excerpts,
    status=st.none() | st.integers(100, 599),
    response_headers=st.dictionaries(texts, texts, max_size=3),
    response_body=excerpts,
    elapsed_s=amounts,
    error=st.none() | texts,
)
maybe = st.none() | amounts | st.integers(0, 9)
budgets = st.builds(Budget, texts, st.sampled_from(Metric), amounts, maybe, amounts, amounts)
rulings = st.builds(
    Ruling, budgets, st.sampled_from(Outcome), maybe, maybe, maybe, maybe, maybe, counts, counts, amounts, texts
)
plans = st.builds(
    Plan, texts, st.sampled_from(Scenario), st.sampled_from(Arrivals), amounts, counts, amounts, amounts, amounts,
    counts, counts,
)  # fmt: skip
times = st.lists(counts, max_size=12).map(tuple)
blocks = st.builds(
    Block, st.sampled_from(Side), counts, counts, times, times, times,
    st.dictionaries(st.integers(0, 200), texts, max_size=4), maybe, st.none() | counts,
    st.builds(Noise, amounts, maybe, maybe, maybe, maybe, amounts),
)  # fmt: skip
isolations = st.builds(Isolation, st.booleans(), times, st.none() | counts, st.booleans(), texts)
measurements = st.builds(
    Measurement, plans, counts, isolations, st.dictionaries(texts, amounts | st.integers(0, 9), max_size=2),
    st.lists(blocks, max_size=2).map(tuple), texts,
)  # fmt: skip
checks = st.builds(Check, texts.map(CheckId), amounts, texts, st.sampled_from(Visibility), amounts, st.none() | budgets)
results = st.builds(
    CheckResult,
    check=checks,
    outcome=st.sampled_from(Outcome),
    fault=st.none() | st.sampled_from(Fault),
    sentence=texts,
    message=texts,
    evidence=st.lists(exchanges, max_size=2).map(tuple),
    duration_s=amounts,
    ruling=st.none() | rulings,
)
usages = st.builds(Usage, st.none() | counts, st.none() | amounts, st.none() | counts)
runs = st.builds(
    SandboxRun, texts, st.none() | st.integers(0, 255), st.none() | st.sampled_from(Breach), amounts, usages, excerpts,
    excerpts,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(
    st.lists(results, max_size=3),
    st.lists(runs, max_size=2).map(tuple),
    st.lists(measurements, max_size=2).map(tuple),
    texts,
    st.integers(-(2**80), 2**80),
)
def test_a_document_is_read_back_as_what_was_written(cards, some_results, some_runs, some_measured, candidate, seed):
    about = {"runs": some_runs, "measurements": some_measured, "seed": seed}
    card = cards.scorecard(some_results, candidate=candidate, **about)
    data = dump(card)
    assert load(data, "card.json") == card
    assert dump(load(data, "card.json")) == data


def test_the_same_scorecard_gives_the_same_bytes_whatever_the_order_of_headers(cards):
    one = cards.exchange(headers={"a": "1", "b": "2"})
    other = cards.exchange(headers={"b": "2", "a": "1"})
    assert dump(cards.scorecard([cards.result(evidence=[one])])) == dump(
        cards.scorecard([cards.result(evidence=[other])])
    )


def test_the_document_is_plain_ascii_so_that_it_is_inert_on_a_terminal(cards):
    data = dump(cards.scorecard(candidate="\u202e\x1b[31m\x9b ü"))
    assert not [byte for byte in data if byte > 126 or (byte < 32 and byte != 10)]
    assert json.loads(data)["format"] == 1


def test_lone_surrogates_become_visible_escapes(cards):
    assert load(dump(cards.scorecard(candidate="a\udcffb")), "card.json").candidate == "a\\udcffb"


def test_whole_numbers_in_fields_of_floats_give_the_same_bytes_again(cards):
    card = dataclasses.replace(cards.scorecard(), points=dataclasses.replace(cards.scorecard().points, earned=40))
    assert dump(load(dump(card), "card.json")) == dump(card)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"earned": 40.0', b'"earned": 56.0'),
        (b'"candidate": "Ada Lovelace"', b'"candidate": "Ada Lovelacf"'),
        (b'"outcome": "failed"', b'"outcome": "passed"'),
        (b'"seed": 20261123', b'"seed": 20261124'),
        (b'"pass_mark": 0.6', b'"pass_mark": 0.1'),
        (b'"format": 1', b'"format": 2'),
        (b'"format": 1', b'"format": true'),
    ],
)
def test_a_changed_figure_is_noticed(cards, old, new):
    data = dump(cards.scorecard())
    assert old in data
    with pytest.raises(UsageError, match=r"card\.json"):
        load(data.replace(old, new, 1), "card.json")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(st.data())
def test_a_changed_byte_is_noticed_or_changes_nothing(cards, data):
    card = cards.scorecard(cards.realistic_results()[:2], runs=())
    document = bytearray(dump(card))
    place = data.draw(st.integers(0, len(document) - 1))
    document[place] = data.draw(st.integers(0, 255))
    try:
        read = load(bytes(document), "card.json")
    except UsageError:
        return
    assert read == card


def _changed(document, change):
    content = json.loads(document)
    change(content)
    return json.dumps(content).encode()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda d: d.update(extra=1), "extra"),
        (lambda d: d["scorecard"].update(extra=1), "scorecard.extra"),
        (lambda d: d["scorecard"]["results"][0]["check"].update(extra=1), "scorecard.results.0.check.extra"),
        (lambda d: d["scorecard"].pop("seed"), "scorecard.seed"),
        (lambda d: d["scorecard"].update(seed="1"), "scorecard.seed"),
        (lambda d: d["scorecard"]["results"][0].update(outcome="won"), "scorecard.results.0.outcome"),
        (lambda d: d["scorecard"].update(candidate=None), "scorecard.candidate"),
        (lambda d: d.update(digest="0" * 64), "digest"),
        (lambda d: d.pop("scorecard"), "scorecard"),
    ],
)
def test_errors_name_the_file_the_field_and_what_to_do(cards, change, field):
    with pytest.raises(UsageError) as caught:
        load(_changed(dump(cards.scorecard()), change), "cards/ada.json")
    assert all(problem.startswith("cards/ada.json: ") for problem in caught.value.problems)
    assert f"'{field}'" in str(caught.value)
    assert any(cure in str(caught.value) for cure in ("take the original", "give the JSON document"))


def test_every_problem_is_reported_up_to_a_bound(cards):
    def change(content):
        content["scorecard"] = {f"key-{number}": number for number in range(500)}

    with pytest.raises(UsageError) as caught:
        load(_changed(dump(cards.scorecard()), change), "card.json")
    assert len(caught.value.problems) == 21


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"1",
        b'{"format": 1}',
        b'{"format": 1, "format": 1, "scorecard": {}, "digest": ""}',
        b'{"format": 1, "scorecard": NaN}',
        b"[" * 200_000,
        b'{"format": ' + b"9" * 10_000 + b"}",
    ],
)
def test_what_is_no_document_is_a_usage_error(data):
    with pytest.raises(UsageError, match=r"card\.json"):
        load(data, "card.json")


def test_a_hostile_file_name_is_shown_harmlessly():
    with pytest.raises(UsageError) as caught:
        load(b"", "card\x1b[2J\u202e.json")
    assert "card\\x1b[2J\\u202e.json" in str(caught.value)


def test_no_hidden_field_reaches_the_candidates_copy(cards):
    data = dump(for_candidate(cards.canaries(CANARY)))
    assert CANARY.encode() not in data
    assert b"Seen after." in data
    assert b"Got 1." in data


def test_the_candidates_copy_keeps_outcome_points_and_skill_of_every_check(cards):
    card = cards.scorecard()
    copy = for_candidate(card)
    assert (copy.points, copy.skills, copy.status, copy.passed) == (card.points, card.skills, card.status, card.passed)

    def kept(result):
        check = result.check
        return check.visibility, check.skill, check.points, result.outcome

    assert sorted(map(kept, copy.results)) == sorted(map(kept, card.results))


def test_public_checks_stand_first_as_they_are_and_the_others_by_outcome(cards):
    card = cards.scorecard()
    copy = for_candidate(card)
    public = [result for result in card.results if result.check.visibility is Visibility.PUBLIC]
    assert list(copy.results[: len(public)]) == public
    for visibility in (Visibility.AFTER, Visibility.HIDDEN):
        outcomes = [result.outcome for result in copy.results if result.check.visibility is visibility]
        assert outcomes == sorted(outcomes), "a place in the list must not name a check"


def test_a_check_shown_after_grading_gives_its_sentence_and_a_hidden_one_does_not(cards):
    card = cards.scorecard()
    sentences = {result.sentence for result in card.results if result.check.visibility is Visibility.AFTER}
    ids = {result.check.id for result in card.results}
    for theirs in for_candidate(card).results:
        match theirs.check.visibility:
            case Visibility.PUBLIC:
                continue
            case Visibility.AFTER:
                assert theirs.sentence in sentences
            case Visibility.HIDDEN:
                assert theirs.sentence == ""
        assert (theirs.message, theirs.evidence, theirs.fault) == ("", (), None)
        assert (theirs.duration_s, theirs.check.time_limit_s) == (0.0, 0.0)
        assert theirs.check.id not in ids


def test_neutral_ids_are_numbered_by_skill_and_never_collide_with_a_public_id(cards):
    card = cards.scorecard(
        [
            cards.result(name="correctness-1", visibility="public"),
            cards.result(name="secret-a"),
            cards.result(name="secret-b", skill="operations"),
            cards.result(name="secret-c"),
        ]
    )
    ids = [result.check.id for result in for_candidate(card).results]
    assert ids == ["correctness-1", "correctness-2", "operations-1", "correctness-3"]


def test_the_copy_tells_nothing_of_seed_machine_engine_runs_and_times(cards):
    copy = for_candidate(cards.scorecard())
    assert (copy.seed, copy.runs, copy.phases, copy.engine.controls) == (0, (), (), ())
    assert not any((copy.engine.name, copy.host.system, copy.host.fingerprint, copy.host.assay))


def test_the_copy_of_a_copy_is_the_copy(cards):
    copy = for_candidate(cards.scorecard())
    assert for_candidate(copy) == copy
    assert load(dump(copy), "copy.json") == copy


def test_places_of_failures_stay_numbers_whatever_their_order(cards):
    failures = {place: f"reason {place}" for place in (10, 2, 33, 1)}
    card = cards.scorecard(measurements=(cards.measurement(cards.block("candidate", 0, [5] * 40, failures)),))
    assert load(dump(card), "card.json").measurements[0].blocks[0].failures == failures


@pytest.mark.parametrize("figure", [float("inf"), float("-inf"), float("nan"), None])
def test_a_figure_that_is_no_number_is_none_in_the_document(cards, figure):
    verdict = cards.ruling(candidate=figure, high=figure, low=2)
    read = load(dump(cards.scorecard([cards.ruled(verdict)])), "card.json").results[0].ruling
    assert (read.candidate, read.high, read.low) == (None, None, 2.0)
    assert read.ratio == verdict.ratio


def measured(cards, *visibilities, outcome="failed"):
    """One check for each visibility, all of one plan: the first on p95, the second on CPU time, the third on memory."""
    metrics = ("p95", "cpu", "memory")
    results = [
        cards.ruled(cards.ruling(metric, "load", outcome), visibility, name=f"{metric}-budget")
        for metric, visibility in zip(metrics, visibilities, strict=False)
    ]
    block = cards.block("candidate", 0, [9_000] * 20, {3: "a secret row"})
    seen = cards.measurement(block, of=cards.plan("load"), calibration={"p95": 0.01, "cpu": 0.002})
    return cards.scorecard(results, measurements=(seen, cards.measurement(block, of=cards.plan("other"))))


@pytest.mark.parametrize("visibility", ["after", "hidden"])
def test_the_copy_holds_nothing_of_a_measurement_that_no_public_check_uses(cards, visibility):
    copy = for_candidate(measured(cards, visibility))
    assert copy.measurements == ()
    assert [(result.ruling, result.check.budget, result.outcome) for result in copy.results] == [
        (None, None, Outcome.FAILED)
    ]


def test_the_copy_holds_the_ruling_and_the_measurement_of_a_public_budget(cards):
    card = measured(cards, "public")
    copy = for_candidate(card)
    assert copy.results == card.results
    (seen,) = copy.measurements
    assert seen.plan.id == "load"
    assert (seen.blocks[0].latency_us, seen.blocks[0].noise) == ((9_000,) * 20, card.measurements[0].blocks[0].noise)


def test_the_copy_of_a_measurement_tells_neither_seed_nor_the_words_of_wrong_answers(cards):
    (seen,) = for_candidate(measured(cards, "public")).measurements
    assert seen.seed == 0
    assert seen.blocks[0].failures == {3: ""}


def test_of_a_plan_that_hidden_budgets_share_the_copy_leaves_out_what_only_they_read(cards):
    (seen,) = for_candidate(measured(cards, "public", "hidden", "after")).measurements
    assert (seen.blocks[0].cpu_s, seen.blocks[0].memory_bytes, dict(seen.calibration)) == (None, None, {"p95": 0.01})
    (seen,) = for_candidate(measured(cards, "public", "public", "hidden")).measurements
    assert seen.blocks[0].cpu_s is not None
    assert seen.blocks[0].memory_bytes is None


def test_an_inconclusive_public_budget_is_shown_and_an_errored_one_is_not(cards):
    assert for_candidate(measured(cards, "public", outcome="inconclusive")).results[0].ruling is not None
    copy = for_candidate(measured(cards, "public", outcome="errored"))
    assert (copy.results[0].ruling, copy.measurements) == (None, ())


def test_the_copy_of_a_copy_with_measurements_is_the_copy(cards):
    for visibility in Visibility:
        copy = for_candidate(cards.measured(visibility))
        assert for_candidate(copy) == copy
        assert load(dump(copy), "copy.json") == copy
