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


def test_nothing_is_asked_about_what_is_not_the_submissions_fault(cards):
    asked = questions(cards.scorecard([cards.result(Fault.CHECK_CRASHED), cards.result(outcome=Outcome.INCONCLUSIVE)]))
    assert [question.because.text for question in asked] == ["Worth asking everyone"] * 2


def test_a_weak_skill_raises_a_question(cards):
    results = [cards.result(Fault.WRONG_ANSWER, skill="api-design", points=3), cards.result(skill="operations")]
    asked = questions(cards.scorecard(results))
    assert any(question.because.text == "0 of 3 points in api design" for question in asked)
