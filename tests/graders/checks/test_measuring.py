"""What a side that gives no more turns means, in a first try and in a further one."""

from collections.abc import Generator

import pytest

from assessments.budget import Arrivals, Plan, Scenario
from assessments.measurement import Isolation, Measurement
from graders.budgets import Step
from graders.checks.measuring import _until_decided
from graders.checks.turns import Turns

PLAN = Plan("load", Scenario.OPEN, Arrivals.POISSON, 60.0, 64, 2.0, 1.0, 1.0, pairs_min=6, pairs_max=30, tries=3)
UNSTARTED = "a further instance did not start: it was not ready in time"


@pytest.mark.parametrize(("session", "ended"), [(0, UNSTARTED), (1, UNSTARTED), (2, ""), (3, "")])
def test_not_starting_for_a_further_try_leaves_open_what_was_open(session: int, ended: str) -> None:
    def turns() -> Generator[Turns, None, None]:
        yield Turns((), UNSTARTED)

    measurement = Measurement(PLAN, 1, Isolation(True, (1,), 0, True, "the cgroup freezer"), {})
    seen, step = _until_decided(turns(), measurement, [], session, deadline=float("inf"))
    assert (seen.ended, seen.blocks, step) == (ended, (), Step.DONE)
