"""What makes a pair of blocks void, and that the candidate has no hand in it."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessments.measurement import Side
from graders.budgets import voids
from graders.budgets.gates import Gate, pairs

CASES = [
    ({"generator_wait_s": 0.05}, Gate.STARVED, "waited 2.50 % of the time for its core"),
    ({"steal_s": 0.11}, Gate.STEAL, "took 5.50 % of a core"),
]


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(("noise", "gate", "words"), CASES)
def test_noise_in_either_block_makes_the_pair_void(make, side, noise, gate, words) -> None:
    blocks = [replace(b, noise=replace(b.noise, **noise)) if b.side is side else b for b in make.session(0, [1.0])]
    (void,) = voids(make.measurement(blocks))
    assert (void.session, void.pair, void.gate) == (0, 0, gate)
    assert words in void.why
    assert f"In the {side}'s block" in void.why


def test_a_generator_that_sent_late_makes_only_the_references_block_void(make) -> None:
    """A submission that answers many at once keeps the generator busy: it must not void its own blocks that way."""
    for side, gates in ((Side.REFERENCE, [Gate.LAG]), (Side.CANDIDATE, [])):
        late = {"generator_lag_s": 0.0051}
        blocks = [replace(b, noise=replace(b.noise, **late)) if b.side is side else b for b in make.session(0, [1.0])]
        found = voids(make.measurement(blocks))
        assert [void.gate for void in found] == gates
        assert all("5.1 ms late, and 5.0 ms are allowed" in void.why for void in found)


def test_a_reference_that_waited_for_a_cpu_makes_the_pair_void(make) -> None:
    reference, candidate = make.session(0, [1.0])
    waited = replace(reference, noise=replace(reference.noise, reference_wait_s=0.13))
    (void,) = voids(make.measurement([waited, candidate]))
    assert void.gate is Gate.WAIT
    assert "130 ms for a CPU, and 120 ms are allowed" in void.why


def test_a_little_waiting_is_anybodys(make) -> None:
    reference, candidate = make.session(0, [1.0])
    waited = replace(reference, cpu_s=0.001, noise=replace(reference.noise, reference_wait_s=0.015))
    assert voids(make.measurement([waited, candidate])) == ()


def test_threads_that_wait_for_each_other_wait_for_nobody_else(make) -> None:
    """A run that has its core all of the time: together its threads waited for longer than anybody else had it."""
    reference, candidate = make.session(0, [1.0])
    noise = replace(reference.noise, seconds=2.0, reference_wait_s=0.9)
    alone = replace(reference, cpu_s=1.99, noise=noise)
    assert voids(make.measurement([alone, candidate])) == ()
    crowded = replace(reference, cpu_s=1.2, noise=noise)
    (void,) = voids(make.measurement([crowded, candidate]))
    assert void.gate is Gate.WAIT
    assert "800 ms for a CPU, and 320 ms are allowed" in void.why


def test_waiting_counts_as_told_where_the_cores_are_not_the_references_own(make) -> None:
    reference, candidate = make.session(0, [1.0])
    waited = replace(reference, cpu_s=1.99, noise=replace(reference.noise, seconds=2.0, reference_wait_s=0.9))
    found = make.measurement([waited, candidate])
    (void,) = voids(replace(found, isolation=replace(found.isolation, service_cores=())))
    assert void.gate is Gate.WAIT


@pytest.mark.parametrize(("priority", "gates"), [(False, [Gate.FOREIGN]), (True, [])])
def test_neighbours_count_only_where_they_cannot_be_pushed_aside(make, priority, gates) -> None:
    blocks = [replace(b, noise=replace(b.noise, foreign_cpu_s=1.9)) for b in make.session(0, [1.0])]
    assert [void.gate for void in voids(make.measurement(blocks, priority=priority))] == gates


def test_a_host_that_gives_no_priority_must_tell_what_else_ran(make) -> None:
    blocks = [replace(b, noise=replace(b.noise, foreign_cpu_s=None)) for b in make.session(0, [1.0])]
    assert [void.gate for void in voids(make.measurement(blocks, priority=False))] == [Gate.UNKNOWN]
    assert voids(make.measurement(blocks, priority=True)) == ()


def test_short_blocks_allow_less_lag(make) -> None:
    blocks = [replace(b, noise=replace(b.noise, generator_lag_s=0.002)) for b in make.session(0, [1.0])]
    assert voids(make.measurement(blocks)) == ()
    assert len(voids(make.measurement(blocks, plan=replace(make.PLAN, block_s=0.2)))) == 1


def test_half_a_pair_is_none(make) -> None:
    measurement = make.measurement(make.session(0, [1.0, 1.0])[:3])
    assert [pair.number for pair in pairs(measurement, 0)] == [0]


@settings(deadline=None)
@given(
    latency_us=st.lists(st.integers(1, 10**6), max_size=5),
    wrong=st.integers(0, 5),
    cpu_s=st.none() | st.floats(0, 100),
    memory=st.none() | st.integers(0, 10**9),
    pressure_s=st.none() | st.floats(0, 100),
    foreign=st.floats(0, 1),
    steal=st.floats(0, 0.2),
    wait=st.floats(0, 0.3),
)
def test_nothing_a_submission_can_move_makes_a_pair_void_or_saves_it(
    make, latency_us, wrong, cpu_s, memory, pressure_s, foreign, steal, wait
) -> None:
    reference, plain = make.session(0, [1.0])
    reference = replace(reference, noise=replace(reference.noise, reference_wait_s=wait))
    noise = replace(plain.noise, foreign_cpu_s=foreign, steal_s=steal)
    moved = make.block(
        Side.CANDIDATE,
        0,
        0,
        latency_us,
        min(wrong, len(latency_us)),
        cpu_s,
        memory,
        replace(noise, pressure_s=pressure_s),
    )
    for priority in (True, False):
        ways = [
            voids(make.measurement([reference, candidate], priority=priority))
            for candidate in (replace(plain, noise=noise), moved)
        ]
        assert ways[0] == ways[1]
