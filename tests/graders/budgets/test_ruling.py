"""What a measurement says of a budget."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessments.budget import Metric
from assessments.measurement import Side
from assessments.outcome import Outcome
from graders.budgets import rule
from graders.budgets.session import looks

STEADY = [1.0, 1.01, 0.99, 1.02, 0.98, 1.0]
SLOW = [2.0, 2.1, 1.9, 2.05, 1.95, 2.0]


def times(ratios, factor):
    return [ratio * factor for ratio in ratios]


def test_one_like_the_reference_passes_after_the_first_look(make) -> None:
    ruling = rule(make.measurement(make.session(0, STEADY)), make.budget())
    assert ruling.outcome is Outcome.PASSED
    assert (ruling.pairs, ruling.void, ruling.share) == (6, 0, 1.0)
    assert ruling.low < 1 < ruling.high < 1.1
    assert ruling.why == (
        "p95 was 1.00 times the reference's (10.00 ms against 10.00 ms; at most 1.02 at 95 %), within the limit of "
        "1.30. 6 pairs of blocks counted, 0 did not."
    )


def test_a_slow_one_fails_when_a_second_session_agrees(make) -> None:
    ruling = rule(make.measurement(make.session(0, SLOW), make.session(1, SLOW)), make.budget())
    assert ruling.outcome is Outcome.FAILED
    assert ruling.pairs == 12
    assert ruling.low == pytest.approx(1.77, abs=0.005)
    assert ruling.share == pytest.approx((2.0 - ruling.low) / 0.7)
    assert ruling.why == (
        "p95 was 2.00 times the reference's (20.00 ms against 10.00 ms; at least 1.77 at 99.9 %), over the limit of "
        "1.30; a second session agreed. 12 pairs of blocks counted, 0 did not."
    )


def test_the_doubt_between_two_failing_sessions_is_the_submissions_benefit(make) -> None:
    milder = times(SLOW, 0.9)
    ways = [
        rule(make.measurement(make.session(0, one), make.session(1, other)), make.budget())
        for one, other in ((SLOW, milder), (milder, SLOW))
    ]
    assert ways[0].share == ways[1].share
    assert ways[0].low == ways[1].low


def test_nothing_fails_without_a_second_session(make) -> None:
    alone = rule(make.measurement(make.session(0, SLOW)), make.budget())
    assert alone.outcome is Outcome.INCONCLUSIVE
    assert "no second session has been made" in alone.why
    short = rule(make.measurement(make.session(0, SLOW), make.session(1, SLOW[:5])), make.budget())
    assert short.outcome is Outcome.INCONCLUSIVE
    assert "did not confirm it: too few pairs to say anything: 5 counted, and 6 are needed" in short.why


def test_a_second_session_that_disagrees_leaves_it_undecided(make) -> None:
    ruling = rule(make.measurement(make.session(0, SLOW), make.session(1, STEADY)), make.budget())
    assert ruling.outcome is Outcome.INCONCLUSIVE
    assert "a second session found it within the limit" in ruling.why


def test_an_interval_that_holds_the_limit_decides_nothing(make) -> None:
    ruling = rule(make.measurement(make.session(0, times(STEADY, 1.3))), make.budget())
    assert ruling.outcome is Outcome.INCONCLUSIVE
    assert ruling.low < 1.3 < ruling.high
    assert "that interval holds the limit of 1.30" in ruling.why


def test_looks_are_taken_at_their_numbers_of_pairs_only(make) -> None:
    assert looks(make.PLAN) == (6, 12, 18, 24, 30)
    assert looks(replace(make.PLAN, pairs_max=20)) == (6, 12, 18, 20)
    assert looks(replace(make.PLAN, pairs_max=4)) == (4,)
    wide = [1.0, 1.6, 0.9, 1.5, 1.0, 1.4]
    seven = rule(make.measurement(make.session(0, [*wide, 1.0])), make.budget())
    assert seven.pairs == 6
    assert seven.outcome is Outcome.INCONCLUSIVE


def test_pairs_after_the_decision_change_nothing(make) -> None:
    short = rule(make.measurement(make.session(0, STEADY)), make.budget())
    long = rule(make.measurement(make.session(0, [*STEADY, *SLOW])), make.budget())
    assert long == short


def test_void_pairs_are_told_and_not_counted(make) -> None:
    blocks = list(make.session(0, [5.0, *STEADY]))
    blocks[0] = replace(blocks[0], noise=replace(blocks[0].noise, steal_s=0.5))
    ruling = rule(make.measurement(blocks), make.budget())
    assert (ruling.outcome, ruling.pairs, ruling.void) == (Outcome.PASSED, 6, 1)
    assert ruling.why.endswith("6 pairs of blocks counted, 1 did not, as the hypervisor gave the CPU to others.")


def test_a_reference_slower_than_its_calibration_decides_nothing_either_way(make) -> None:
    calibration = {"p95": 0.006}
    for sessions in ([STEADY], [SLOW, SLOW]):
        blocks = [make.session(n, ratios) for n, ratios in enumerate(sessions)]
        ruling = rule(make.measurement(*blocks, calibration=calibration), make.budget())
        assert ruling.outcome is Outcome.INCONCLUSIVE
        assert "the reference's own p95 was 10.00 ms where a quiet host gives 6.00 ms" in ruling.why


@pytest.mark.parametrize(
    ("wait_s", "outcome"), [(0.01, Outcome.PASSED), (0.05, Outcome.INCONCLUSIVE), (None, Outcome.INCONCLUSIVE)]
)
def test_without_a_calibration_the_reference_must_not_have_waited(make, wait_s, outcome) -> None:
    blocks = [
        replace(b, noise=replace(b.noise, reference_wait_s=wait_s)) if b.side is Side.REFERENCE else b
        for b in make.session(0, STEADY)
    ]
    assert rule(make.measurement(blocks, calibration={}), make.budget()).outcome is outcome


def test_nor_must_it_have_waited_for_others_while_its_threads_wait_for_each_other(make) -> None:
    """In each block it used its core for all of the two seconds."""
    blocks = [replace(b, cpu_s=2.0, noise=replace(b.noise, reference_wait_s=0.4)) for b in make.session(0, STEADY)]
    assert rule(make.measurement(blocks, calibration={}), make.budget()).outcome is Outcome.PASSED


def test_cpu_needs_no_quiet_host(make) -> None:
    costly = [make.session(n, STEADY, cpu_s=0.8) for n in (0, 1)]
    for blocks, outcome in (([make.session(0, STEADY)], Outcome.PASSED), (costly, Outcome.FAILED)):
        assert rule(make.measurement(*blocks, calibration={}), make.budget(Metric.CPU)).outcome is outcome


def test_a_lower_throughput_fails(make) -> None:
    sessions = [make.session(n, STEADY) for n in (0, 1)]
    lower = [
        [replace(b, latency_us=b.latency_us[:50]) if b.side is Side.CANDIDATE else b for b in blocks]
        for blocks in sessions
    ]
    ruling = rule(make.measurement(*lower), make.budget(Metric.THROUGHPUT))
    assert ruling.outcome is Outcome.FAILED
    assert ruling.ratio == pytest.approx(2)
    assert "The reference's throughput was 2.00 times the submission's (25.0 answers/s against 50.0" in ruling.why


def test_memory_compares_the_peaks_of_each_session(make) -> None:
    large = [make.session(n, STEADY, memory_bytes=200_000_000) for n in (0, 1)]
    small = make.session(1, STEADY)
    memory = make.budget(Metric.MEMORY)
    assert rule(make.measurement(make.session(0, STEADY)), memory).outcome is Outcome.PASSED
    assert rule(make.measurement(large[0], small), memory).outcome is Outcome.INCONCLUSIVE
    failed = rule(make.measurement(*large), memory)
    assert failed.outcome is Outcome.FAILED
    assert failed.why == (
        "Peak memory was 2.00 times the reference's (190.7 MiB against 95.4 MiB), over the limit of 1.30; a second "
        "session agreed. 12 pairs of blocks were looked at."
    )


def test_memory_that_was_not_measured_decides_nothing(make) -> None:
    ruling = rule(make.measurement(make.session(0, STEADY, memory_bytes=None)), make.budget(Metric.MEMORY))
    assert ruling.outcome is Outcome.INCONCLUSIVE
    assert "did not measure the memory" in ruling.why


@pytest.mark.parametrize(("ratio", "outcome"), [(1.0, Outcome.PASSED), (3.0, Outcome.FAILED)])
def test_runs_of_a_job_are_compared_in_pairs(make, ratio, outcome) -> None:
    sessions = [
        [b for place in range(5) for b in make.pair(n, place, 500_000 + place, int(500_000 * ratio), requests=1)]
        for n in (0, 1)
    ]
    ruling = rule(make.measurement(*sessions, plan=make.RUN_PLAN), make.budget(Metric.WALL, plan="runs"))
    assert ruling.outcome is outcome
    assert "pairs of runs counted" in ruling.why
    assert ruling.why.startswith("Time of a run was ")


def test_runs_with_a_wrong_result_fail(make) -> None:
    sessions = [
        [b for place in range(5) for b in make.pair(n, place, 500_000, 500_000, requests=1, wrong=1)] for n in (0, 1)
    ]
    ruling = rule(make.measurement(*sessions, plan=make.RUN_PLAN), make.budget(Metric.WALL, plan="runs"))
    assert (ruling.outcome, ruling.share) == (Outcome.FAILED, 0.0)


@pytest.mark.parametrize(("ratio", "outcome"), [(1.0, Outcome.PASSED), (3.0, Outcome.FAILED)])
def test_starts_are_compared_in_pairs(make, ratio, outcome) -> None:
    sessions = [
        [b for place in range(5) for b in make.pair(n, place, 500_000 + place, int(500_000 * ratio), requests=1)]
        for n in (0, 1)
    ]
    ruling = rule(make.measurement(*sessions, plan=make.START_PLAN), make.budget(Metric.START_UP, plan="start"))
    assert ruling.outcome is outcome
    assert "pairs of starts counted" in ruling.why


def test_starts_that_never_come_fail(make) -> None:
    sessions = [
        [b for place in range(5) for b in make.pair(n, place, 500_000, 20_000_000, requests=1, wrong=1)] for n in (0, 1)
    ]
    ruling = rule(make.measurement(*sessions, plan=make.START_PLAN), make.budget(Metric.START_UP, plan="start"))
    assert (ruling.outcome, ruling.share, ruling.candidate) == (Outcome.FAILED, 0.0, None)


def test_wrong_answers_fail_in_both_sessions_and_earn_nothing(make) -> None:
    wrong = [make.session(n, STEADY, wrong=4) for n in (0, 1)]
    ruling = rule(make.measurement(*wrong), make.budget())
    assert (ruling.outcome, ruling.share) == (Outcome.FAILED, 0.0)
    assert ruling.why.startswith(
        "24 of 600 requests had no right answer in time (4.00 %; at least 1.59 % at 99.9 %), where 1.00 % may; a second"
    )
    right = make.session(1, STEADY)
    assert rule(make.measurement(wrong[0], right), make.budget()).outcome is Outcome.INCONCLUSIVE


def test_one_bad_block_proves_nothing_of_wrong_answers(make) -> None:
    blocks = []
    for n in (0, 1):
        session = list(make.session(n, STEADY))
        session[3] = replace(session[3], failures=dict.fromkeys(range(60), "no answer in time"))
        blocks.append(session)
    ruling = rule(make.measurement(*blocks), make.budget(Metric.P50))
    assert ruling.outcome is Outcome.INCONCLUSIVE
    assert "60 of 600 requests had no right answer in time (10 %)" in ruling.why


def test_a_reference_that_answers_as_wrongly_makes_wrong_answers_nobodys(make) -> None:
    blocks = [
        [replace(b, failures=dict.fromkeys(range(4), "HTTP 500")) for b in make.session(n, STEADY)] for n in (0, 1)
    ]
    assert rule(make.measurement(*blocks), make.budget()).outcome is Outcome.INCONCLUSIVE


def test_a_submission_that_died_fails_at_once(make) -> None:
    dead = make.measurement(make.session(0, STEADY[:1]), ended="its process ended with code 1")
    ruling = rule(dead, make.budget())
    assert (ruling.outcome, ruling.share) == (Outcome.FAILED, 0.0)
    assert ruling.why == "The submission gave no more answers while it was measured: its process ended with code 1."
    assert rule(make.measurement(ended="it never started"), make.budget()).outcome is Outcome.FAILED


def test_a_backstop_holds_whatever_the_ratio(make) -> None:
    near = [make.session(n, STEADY) for n in (0, 1)]
    slower = [make.session(n, times(STEADY, 1.1)) for n in (0, 1)]
    budget = make.budget(backstop=0.0105)
    assert rule(make.measurement(near[0]), budget).outcome is Outcome.PASSED
    ruling = rule(make.measurement(*slower), budget)
    assert (ruling.outcome, ruling.share) == (Outcome.FAILED, 0.0)
    assert ruling.why.startswith(
        "The p95 was 11.00 ms, worse than the 10.50 ms that are allowed whatever the host; a second session agreed."
    )


def test_a_host_too_slow_for_the_backstop_decides_nothing(make) -> None:
    ruling = rule(make.measurement(*(make.session(n, STEADY) for n in (0, 1))), make.budget(backstop=0.005))
    assert ruling.outcome is Outcome.INCONCLUSIVE
    assert "neither did the reference keep to it" in ruling.why


def test_one_whose_percentile_is_never_reached_fails_in_figures(make) -> None:
    wrong = [make.session(n, STEADY, wrong=8) for n in (0, 1)]
    ruling = rule(make.measurement(*wrong), make.budget(wrong_share=0.5))
    assert ruling.outcome is Outcome.FAILED
    assert (ruling.candidate, ruling.high) == (None, None)
    assert ruling.low > 90
    assert "at least 100.00 times the reference's (no right answer in time against 10.00 ms" in ruling.why


def test_one_whose_percentile_is_not_reached_in_a_single_block_cannot_pass(make) -> None:
    blocks = list(make.session(0, STEADY))
    blocks[1] = replace(blocks[1], failures=dict.fromkeys(range(6), "no answer in time"))
    ruling = rule(make.measurement(blocks), make.budget(wrong_share=0.5))
    assert ruling.outcome is Outcome.INCONCLUSIVE
    assert ruling.high is None


def test_ratios_without_any_spread_have_an_interval_all_the_same(make) -> None:
    same = rule(make.measurement(make.session(0, [1.0] * 6)), make.budget())
    assert same.outcome is Outcome.PASSED
    assert same.low < 1 < same.high
    hair = rule(make.measurement(*(make.session(n, [1.305] * 6) for n in (0, 1))), make.budget())
    assert hair.outcome is Outcome.INCONCLUSIVE


def test_a_budget_of_another_plan_is_refused(make) -> None:
    with pytest.raises(ValueError, match="plan 'other'"):
        rule(make.measurement(), make.budget(plan="other"))


RATIOS = st.lists(st.floats(0.3, 5.0), min_size=1, max_size=14)
WRONG = st.integers(0, 3)
METRICS = st.sampled_from([Metric.P50, Metric.P95, Metric.LONGEST])


@settings(max_examples=60, deadline=None)
@given(RATIOS, RATIOS, WRONG, st.floats(1.0, 4.0), METRICS)
def test_a_slower_submission_is_never_ruled_better(make, first, second, wrong, slower, metric) -> None:
    order = [Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.PASSED]
    ways = [
        rule(
            make.measurement(
                make.session(0, times(first, f), wrong=wrong), make.session(1, times(second, f), wrong=wrong)
            ),
            make.budget(metric),
        )
        for f in (1.0, slower)
    ]
    assert order.index(ways[1].outcome) <= order.index(ways[0].outcome)


@settings(max_examples=60, deadline=None)
@given(RATIOS, RATIOS, WRONG, st.sampled_from([2, 7, 10]), METRICS)
def test_the_scale_of_time_is_nothing_to_a_ruling(make, first, second, wrong, factor, metric) -> None:
    plain = make.measurement(make.session(0, first, wrong=wrong), make.session(1, second, wrong=wrong))
    scaled = replace(
        plain,
        plan=replace(plain.plan, timeout_s=plain.plan.timeout_s * factor),
        calibration={name: value * factor for name, value in plain.calibration.items()},
        blocks=tuple(replace(b, latency_us=tuple(us * factor for us in b.latency_us)) for b in plain.blocks),
    )
    one, other = rule(plain, make.budget(metric)), rule(scaled, make.budget(metric))
    assert (one.outcome, one.pairs, one.void) == (other.outcome, other.pairs, other.void)
    assert one.low == pytest.approx(other.low)
    assert one.share == pytest.approx(other.share)


@settings(max_examples=60, deadline=None)
@given(RATIOS, RATIOS, WRONG, st.randoms(use_true_random=False))
def test_the_order_in_which_blocks_are_kept_is_nothing_to_a_ruling(make, first, second, wrong, rng) -> None:
    plain = make.measurement(make.session(0, first, wrong=wrong), make.session(1, second, wrong=wrong))
    mixed = list(plain.blocks)
    rng.shuffle(mixed)
    assert rule(replace(plain, blocks=tuple(mixed)), make.budget()) == rule(plain, make.budget())


@settings(max_examples=60, deadline=None)
@given(st.permutations(STEADY), st.floats(0.8, 2.5))
def test_within_a_look_the_order_of_pairs_is_nothing_to_a_ruling(make, mixed, factor) -> None:
    rulings = [
        rule(make.measurement(*(make.session(n, times(ratios, factor)) for n in (0, 1))), make.budget())
        for ratios in (STEADY, mixed)
    ]
    assert rulings[0].outcome is rulings[1].outcome
    assert rulings[0].low == pytest.approx(rulings[1].low)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.0, 1.0), st.sampled_from(list(Metric)))
def test_sides_that_draw_from_the_same_noise_never_fail(make, seed, size, metric) -> None:
    rng = random.Random(seed)

    def drawn(side, session, place):
        latencies = [int(10_000 * rng.lognormvariate(0, size)) + 1 for _ in range(100)]
        memory = int(1e8 * rng.uniform(0.9, 1.1))
        return make.block(side, session, place, latencies, cpu_s=0.4 * rng.lognormvariate(0, size), memory_bytes=memory)

    blocks = [[drawn(side, n, place) for place in range(12) for side in Side] for n in (0, 1)]
    calibration = dict.fromkeys(make.CALIBRATION, 10.0) | {"throughput": 1.0}
    ruling = rule(make.measurement(*blocks, calibration=calibration), make.budget(metric))
    assert ruling.outcome is not Outcome.FAILED
    assert ruling.why


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_measurement_gets_a_ruling_of_finite_figures(make, data) -> None:
    def drawn(side, session, place):
        latencies = data.draw(st.lists(st.integers(0, 10**9), max_size=4)) * data.draw(st.sampled_from([1, 60]))
        cpu_s = data.draw(st.none() | st.floats(0, 10))
        memory = data.draw(st.none() | st.integers(0, 10**10))
        return make.block(
            side, session, place, latencies, min(len(latencies), data.draw(st.integers(0, 9))), cpu_s, memory
        )

    blocks = [[drawn(side, n, place) for place in range(4) for side in Side] for n in (0, 1)]
    plan = replace(make.PLAN, pairs_min=2, pairs_max=5)
    calibration = data.draw(st.sampled_from([{}, dict.fromkeys(make.CALIBRATION, 1e9)]))
    ruling = rule(
        make.measurement(*blocks, plan=plan, calibration=calibration),
        make.budget(data.draw(st.sampled_from(list(Metric)))),
    )
    assert 0 <= ruling.share <= 1
    assert "inf" not in ruling.why
    assert "nan" not in ruling.why
    for value in (ruling.reference, ruling.candidate, ruling.ratio, ruling.low, ruling.high):
        assert value is None or 0 <= value < 1e300
