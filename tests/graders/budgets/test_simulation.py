"""Rates of error, on a simulated host where the true ratio is what was put in.

None of 300 bounds a rate by 1 % at 95 % (three over the number of gradings). `simulation.py` makes larger tables.
"""

from dataclasses import replace

import pytest

from assessments.outcome import Outcome

GRADINGS = 300
PAIRS_MAX = 12
"""Fewer looks are faster, and each has more of the rates of error: the harder case for rules on errors."""


@pytest.fixture(params=range(10))
def weather(simulation, request):
    return simulation.WEATHERS[request.param]


def test_every_noise_is_tried(simulation) -> None:
    assert len(simulation.WEATHERS) == 10


def test_an_identical_submission_never_fails(simulation, weather) -> None:
    rulings = simulation.gradings(simulation.HONEST, weather, GRADINGS, PAIRS_MAX)
    assert [ruling.why for ruling in rulings if ruling.outcome is Outcome.FAILED] == []
    if weather is simulation.QUIET:
        assert simulation.share(rulings, Outcome.PASSED) >= 0.95


def test_one_that_is_twice_as_slow_never_passes(simulation, weather) -> None:
    rulings = simulation.gradings(simulation.TWICE, weather, GRADINGS, PAIRS_MAX)
    assert [ruling.why for ruling in rulings if ruling.outcome is Outcome.PASSED] == []
    if weather is simulation.QUIET:
        assert simulation.share(rulings, Outcome.FAILED) >= 0.95


def test_one_that_stalls_never_passes(simulation, weather) -> None:
    rulings = simulation.gradings(simulation.STALLING, weather, GRADINGS, PAIRS_MAX)
    assert [ruling.why for ruling in rulings if ruling.outcome is Outcome.PASSED] == []
    if weather is simulation.QUIET:
        assert simulation.share(rulings, Outcome.FAILED) >= 0.95


def test_at_a_slow_clock_what_has_little_to_queue_for_fails_by_the_requests_that_did_not(
    simulation, monkeypatch
) -> None:
    """25 requests a second keep the reference busy for a fifth of its time. Queueing alone must fail nobody."""
    monkeypatch.setattr(simulation, "PLAN", replace(simulation.PLAN, rate_per_s=25.0))
    (slow,) = (weather for weather in simulation.WEATHERS if weather.clock > 1)
    failed = {
        times: simulation.share(
            simulation.gradings(simulation.Submission(str(times), slower=times), slow, GRADINGS // 3),
            Outcome.FAILED,
        )
        for times in (1.0, 1.15, simulation.P95.limit, 3.0)
    }
    assert failed == {1.0: 0, 1.15: 0, simulation.P95.limit: 0, 3.0: 1}


def test_one_exactly_at_the_limit_is_decided_hardly_ever(simulation) -> None:
    at_limit = next(who for who in simulation.SUBMISSIONS if who.later == simulation.P95.limit)
    rulings = simulation.gradings(at_limit, simulation.QUIET, GRADINGS, PAIRS_MAX)
    assert simulation.share(rulings, Outcome.FAILED) == 0
    # The stated rate is 5 %; the bound is its 99.9 % quantile for so many gradings.
    assert simulation.share(rulings, Outcome.PASSED) <= 0.093
