"""What to measure next."""

from dataclasses import replace

import pytest

from assessments.budget import Metric
from graders.budgets import Step, next_step

STEADY = [1.0, 1.01, 0.99, 1.02, 0.98, 1.0]
SLOW = [2.0, 2.1, 1.9, 2.05, 1.95, 2.0]
AT_LIMIT = [1.3 * ratio for ratio in STEADY]


def test_an_empty_measurement_wants_a_first_pair(make) -> None:
    assert next_step(make.measurement(), [make.budget()]) is Step.MORE


def test_no_budget_wants_nothing(make) -> None:
    assert next_step(make.measurement(), []) is Step.DONE


@pytest.mark.parametrize("count", range(1, 6))
def test_nothing_is_decided_before_a_look(make, count) -> None:
    assert next_step(make.measurement(make.session(0, SLOW[:count])), [make.budget()]) is Step.MORE


@pytest.mark.parametrize("metric", list(Metric))
def test_wrong_answers_too_wait_for_a_look(make, metric) -> None:
    assert next_step(make.measurement(make.session(0, SLOW[:5], wrong=50)), [make.budget(metric)]) is Step.MORE


def test_measuring_ends_as_soon_as_every_budget_is_decided(make) -> None:
    blocks = make.session(0, STEADY)
    assert next_step(make.measurement(blocks), [make.budget(), make.budget(Metric.MEMORY)]) is Step.DONE
    tight = make.budget(Metric.P50, limit=1.005)
    assert next_step(make.measurement(blocks), [make.budget(), tight]) is Step.MORE


def test_a_failure_asks_for_a_second_session_when_the_first_has_nothing_left_to_say(make) -> None:
    failing, undecided = make.budget(), make.budget(limit=2.0, gone_at=3.0)
    assert next_step(make.measurement(make.session(0, SLOW)), [failing]) is Step.SECOND_SESSION
    assert next_step(make.measurement(make.session(0, SLOW)), [failing, undecided]) is Step.MORE
    assert next_step(make.measurement(make.session(0, SLOW * 5)), [failing, undecided]) is Step.SECOND_SESSION


def test_a_second_session_goes_on_for_the_budgets_in_question_only(make) -> None:
    failing, undecided = make.budget(), make.budget(limit=2.0, gone_at=3.0)
    first = make.session(0, SLOW * 5)
    assert next_step(make.measurement(first, make.session(1, SLOW[:3])), [failing, undecided]) is Step.MORE
    assert next_step(make.measurement(first, make.session(1, SLOW)), [failing, undecided]) is Step.DONE
    assert next_step(make.measurement(first, make.session(1, STEADY)), [failing]) is Step.DONE
    assert next_step(make.measurement(first, make.session(1, AT_LIMIT)), [failing]) is Step.MORE
    assert next_step(make.measurement(first, make.session(1, AT_LIMIT * 5)), [failing]) is Step.DONE


def test_the_cap_ends_what_cannot_be_decided(make) -> None:
    assert next_step(make.measurement(make.session(0, AT_LIMIT * 4)), [make.budget()]) is Step.MORE
    assert next_step(make.measurement(make.session(0, AT_LIMIT * 5)), [make.budget()]) is Step.DONE


def test_void_pairs_are_made_up_for_within_reason(make) -> None:
    def with_voids(count, void):
        blocks = make.session(0, [1.3] * count)
        return make.measurement(
            [replace(b, noise=replace(b.noise, steal_s=1.0)) if b.pair < void else b for b in blocks]
        )

    assert next_step(with_voids(30, 1), [make.budget()]) is Step.MORE
    assert next_step(with_voids(58, 29), [make.budget()]) is Step.MORE
    assert next_step(with_voids(59, 29), [make.budget()]) is Step.DONE
    assert next_step(with_voids(30, 30), [make.budget()]) is Step.DONE


def test_a_submission_that_ended_is_not_measured_further(make) -> None:
    assert next_step(make.measurement(make.session(0, SLOW[:1]), ended="it died"), [make.budget()]) is Step.DONE
