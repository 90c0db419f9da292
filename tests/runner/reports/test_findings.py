from dataclasses import replace

import pytest

from assessments.budget import Metric
from assessments.outcome import Fault, Outcome
from runner.reports.findings import findings, questions


def test_our_own_faults_come_first_then_failures_by_the_points_they_cost(cards):
    found = findings(cards.realistic_results())
    assert [finding.outcome for finding in found] == ["errored", "inconclusive", *["failed"] * 4]
    assert [finding.cost for finding in found] == [
        "3 points undecided",
        "2 points undecided",
        "costs 3 points",
        "costs 3 points",
        "costs 3 points",
        "costs 2 points",
    ]


def test_nothing_is_found_where_everything_passed(cards):
    assert findings(cards.all_passed().results) == ()


def test_a_finding_leads_to_its_check(cards):
    results = cards.realistic_results()
    for finding in findings(results):
        assert results[finding.check - 1].sentence == finding.title.text


def test_checks_that_failed_for_one_telling_reason_are_one_finding(cards):
    results = [cards.result(Fault.DID_NOT_START, name=f"c-{number}", points=2) for number in range(20)]
    (finding,) = findings(results)
    assert finding.title.text == "20 checks, one reason: The submission did not start, or was not ready in time."
    assert finding.cost == "costs 40 points"
    assert "How did you try the start" in questions(cards.scorecard(results))[0].text.text


def test_wrong_answers_have_nothing_in_common(cards):
    results = [cards.result(Fault.WRONG_ANSWER, name=f"c-{number}", points=2) for number in range(4)]
    assert len(findings(results)) == 4
    asked = [question.text.text for question in questions(cards.scorecard(results))[:4]]
    assert len(set(asked)) == 4, "the same question must not be asked twice"


def test_a_server_error_is_asked_about_with_its_request(cards):
    evidence = [cards.exchange(path="/predict/batch", status=500)]
    asked = questions(cards.scorecard([cards.result(Fault.WRONG_ANSWER, evidence=evidence)]))
    assert asked[0].text.text.startswith("POST /predict/batch was answered with 500.")
    assert asked[0].check == 1


def test_a_companions_error_is_not_the_submissions(cards):
    evidence = [cards.exchange(path="/v1/chat", status=503, companion="provider"), cards.exchange(status=502)]
    asked = questions(cards.scorecard([cards.result(Fault.WRONG_ANSWER, evidence=evidence)]))
    assert asked[0].text.text.startswith("POST /predict was answered with 502.")


def test_nothing_is_asked_about_what_is_not_the_submissions_fault(cards):
    asked = questions(cards.scorecard([cards.result(Fault.CHECK_CRASHED), cards.result(outcome=Outcome.INCONCLUSIVE)]))
    assert [question.because.text for question in asked] == ["Worth asking everyone"] * 2


def test_a_weak_skill_raises_a_question(cards):
    results = [cards.result(Fault.WRONG_ANSWER, skill="api-design", points=3), cards.result(skill="operations")]
    asked = questions(cards.scorecard(results))
    assert any(question.because.text == "0 of 3 points in api design" for question in asked)


@pytest.mark.parametrize("metric", Metric)
def test_a_failed_budget_is_asked_about_with_its_ratio_and_both_figures(cards, metric):
    verdict = cards.ruling(metric, reference=20.0, candidate=34.4)
    asked = questions(cards.scorecard([cards.ruled(verdict)]))[0]
    assert "1.72 times" in asked.text.text
    assert " against " in asked.text.text
    assert asked.text.text.endswith("?")
    assert asked.check == 1


@pytest.mark.parametrize("ratio", [None, 1.2, float("inf")])
def test_a_budget_that_failed_by_something_else_than_its_ratio_names_none(cards, ratio):
    asked = questions(cards.scorecard([cards.ruled(replace(cards.ruling(), ratio=ratio))]))[0]
    assert "times" not in asked.text.text
    assert "under load" in asked.text.text


def test_a_failed_budget_costs_what_its_fall_off_takes(cards):
    (finding,) = findings([cards.ruled(cards.ruling(ratio=1.75, limit=1.5, gone_at=2.5), points=4)])
    assert finding.cost == "costs 1 point"
    assert finding.detail.text.startswith("The submission's figure is 1.75 times")


def test_budgets_that_failed_are_findings_of_their_own(cards):
    results = [cards.ruled(name=f"budget-{number}") for number in range(4)]
    assert len(findings(results)) == 4


def test_an_inconclusive_budget_says_that_no_points_are_lost(cards):
    card = cards.scorecard([cards.ruled(cards.ruling(outcome="inconclusive"))])
    (finding,) = findings(card.results)
    assert finding.outcome == "inconclusive"
    assert finding.cost == "4 points undecided"
    assert finding.detail.text.startswith("The machine was too noisy to say; no points are lost")
    assert all(question.check is None for question in questions(card))
