from dataclasses import replace

import pytest

from assessments.budget import Metric
from assessments.measurement import Isolation
from runner.reports import wording
from runner.reports.budget import Budget
from runner.reports.conditions import how_measured, isolated
from runner.reports.folding import cpu_of
from runner.reports.measurements import figure, measurements_view


def view(card, budget=None, listed=range(1, 100)):
    return measurements_view(card, budget or Budget(), frozenset(listed), all_known=True)


def facts(plan):
    return {row.name: row.value.text for row in plan.facts}


def test_plans_come_with_their_budgets_and_charts(cards):
    plans = view(cards.measured()).plans
    assert [(plan.name.text, len(plan.rulings), len(plan.charts)) for plan in plans] == [
        ("predict-open", 3, 4),
        ("predict-closed", 2, 4),
        ("start-up", 1, 2),
    ]


def test_start_up_is_shown_start_by_start_and_without_a_curve(cards):
    titles = [chart.title for chart in view(cards.measured()).plans[2].charts]
    assert titles == ["Time to be ready, start by start", "CPU time per start"]


def test_runs_of_a_job_are_shown_run_by_run(cards):
    runs = replace(cards.started(), plan=cards.plan("runs", "batch"))
    ruled = cards.ruled(cards.ruling("wall", "runs", "failed", 2.41, 2.0, 4.0, reference=0.561, candidate=1.352))
    (plan,) = view(cards.scorecard([ruled], measurements=(runs,))).plans
    assert [chart.title for chart in plan.charts] == ["Time of a run, run by run", "CPU time per run"]
    assert facts(plan)["Runs of the submission"].startswith("12, all with")


def test_pairs_that_are_void_are_shaded_and_left_out_of_the_curve(cards):
    slow, disturbed = cards.block("candidate", 1, [900_000] * 10), cards.block("reference", 1, [8_000] * 10)
    disturbed = replace(disturbed, noise=replace(disturbed.noise, generator_lag_s=0.5))
    blocks = (cards.block("candidate", 0, [9_000] * 10), cards.block("reference", 0, [8_000] * 10), slow, disturbed)
    (plan,) = view(cards.scorecard([], measurements=(cards.measurement(*blocks),))).plans
    curve, over_time = plan.charts[:2]
    assert curve.desc.startswith("Submission: 10 requests, 50% within 9 ms")
    assert "1 block void, shaded." in over_time.desc


def test_what_is_left_out_is_counted_and_passed_budgets_go_first(cards):
    results = [cards.ruled(cards.ruling(plan=f"plan-{number}", outcome="passed", ratio=1.1)) for number in range(9)]
    results.append(cards.ruled(cards.ruling(plan="last")))
    found = view(cards.scorecard(results), Budget(plans=2, rulings=4))
    assert found.checks >= {10}
    assert found.note == "8 more budgets and 2 more plans left out to keep this page small"


def test_a_budget_links_to_its_check_only_where_the_page_has_it(cards):
    card = cards.scorecard([cards.ruled(), cards.ruled(cards.ruling("p99"))])
    assert [ruling.linked for ruling in view(card, listed={2}).plans[0].rulings] == [False, True]


def test_a_measurement_of_no_blocks_has_no_charts(cards):
    (plan,) = view(cards.scorecard([], measurements=(cards.measurement(ended="it died"),))).plans
    assert plan.charts == ()
    assert plan.ended.text == "it died"


def test_all_failures_are_counted_and_their_reasons_bounded(cards):
    failures = {place: f"reason {place // 2}: " + "x" * 5_000 for place in range(20)}
    card = cards.scorecard([], measurements=(cards.measurement(cards.block("candidate", 0, [5] * 20, failures)),))
    (plan,) = view(card).plans
    assert facts(plan)["Requests of the submission"] == "20, of which 20 (100%) without a right answer"
    assert [reason.count for reason in plan.reasons] == ["2"] * 6
    assert max(len(reason.reason.text) for reason in plan.reasons) <= 200
    assert plan.reasons_note == "8 more requests for other reasons"


def test_what_a_host_does_not_tell_is_said_so(cards):
    quiet = replace(cards.noise(), foreign_cpu_s=None, steal_s=None, pressure_s=None)
    card = cards.scorecard([], measurements=(cards.measurement(cards.block("candidate", 0, [5], noise=quiet)),))
    told = facts(view(card).plans[0])
    assert told["CPU taken by others"] == told["Tasks waiting for a CPU"] == "this host does not tell"


def test_noise_is_told_as_a_mean_and_its_worst_block(cards):
    noises = [cards.noise(foreign_cpu_s=0.0, seconds=1.0), cards.noise(foreign_cpu_s=0.5, seconds=1.0, lag_s=0.004)]
    blocks = [cards.block("candidate", pair, [5], noise=noise) for pair, noise in enumerate(noises)]
    told = facts(view(cards.scorecard([], measurements=(cards.measurement(*blocks),))).plans[0])
    assert told["CPU taken by others"] == "25% of one core; 50% in the worst block"
    assert told["Load generator's lag"] == "4 ms at worst"


def test_without_a_right_answer_there_is_no_cpu_time_per_right_answer(cards):
    assert cpu_of(cards.block("candidate", 0, [5, 5], {0: "", 1: ""})) is None
    assert cpu_of(cards.block("candidate", 0, [5, 5], {0: ""}, cpu_s=0.5)) == 0.5


@pytest.mark.parametrize(
    ("isolation", "words"),
    [
        (Isolation(False, (), None, False, ""), ("shared", "whichever cores", "no core for", "no priority")),
        (Isolation(True, (3,), 0, True, "SIGSTOP"), ("exclusive", "on core 3;", "had core 0", "preferred")),
        (Isolation(True, tuple(range(64)), 0, True, ""), ("14, 15, …;",)),
    ],
)
def test_isolation_is_told_in_words(isolation, words):
    assert all(each in isolated(isolation) for each in words)


def test_plans_are_told_in_words(cards):
    assert how_measured(cards.plan(scenario="closed", concurrency=1)).startswith("1 caller, each asking again")
    assert how_measured(cards.plan(scenario="start-up")).startswith("From the start of the process")
    assert how_measured(cards.plan(scenario="batch")).startswith("Whole runs over the same input")
    assert "40 requests a second, at random moments" in how_measured(cards.plan())


@pytest.mark.parametrize(
    ("metric", "value", "told"),
    [
        ("p95", 0.0121, "12.1 ms"),
        ("throughput", 215.6, "216 a second"),
        ("memory", 155.0 * (1 << 20), "155.0 MiB"),
        ("cpu", 0.00000315, "3.15 µs"),
        ("start-up", 1.352, "1.35 s"),
        ("p50", None, "none"),
        ("p50", float("inf"), "none"),
    ],
)
def test_figures_come_in_the_unit_of_their_metric(metric, value, told):
    assert figure(Metric(metric), value) == told


@pytest.mark.parametrize(
    ("share", "told"), [(0, "0%"), (0.00002, "under 0.01%"), (0.0056, "0.56%"), (0.25, "25%"), (12.5, "1,250%")]
)
def test_small_shares_are_told_from_none(share, told):
    assert wording.part(share) == told
