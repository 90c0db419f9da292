"""Whether gradings of the same thing agree: over the repeats, and between the engines. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from assessments.check import CheckId
from assessments.outcome import Outcome
from graders.budgets.binomial import BISECTIONS, tail
from runner.certify.verify import Row
from runner.reports.wording import part

FLAKY_SHARE_MAX: Final = 0.01
"""Of outcomes that were seen more than once. What must be so has to be so every time: this is for the rest."""
_ALPHA: Final = 0.05

Cells = Mapping[tuple[str, CheckId], Mapping[str, Sequence[Outcome]]]
"""(solution, check) -> its outcomes by engine, without those of budgets that were not measured."""


def cells(rows: Iterable[Row]) -> Cells:
    found: dict[tuple[str, CheckId], dict[str, list[Outcome]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        for check, outcome in row.outcomes.items():
            if check not in row.unmeasured:
                found[row.solution.label, check][row.engine.name].append(outcome)
    return found


@dataclass(frozen=True, slots=True)
class Flakiness:
    """How many of the outcomes that were seen more than once differ from the commonest one of their cell."""

    changed: int
    outcomes: int
    share_max: float = FLAKY_SHARE_MAX

    @property
    def share(self) -> float:
        return self.changed / self.outcomes if self.outcomes else 0.0

    @property
    def share_at_most(self) -> float:
        """The share that the true one is above with a probability of 5% at most (Clopper and Pearson, one-sided)."""
        low, high = self.share, 1.0
        for _ in range(BISECTIONS if self.outcomes else 0):
            middle = (low + high) / 2
            if 1 - tail(self.changed + 1, self.outcomes, middle) > _ALPHA:
                low = middle
            else:
                high = middle
        return high

    @property
    def problems(self) -> tuple[str, ...]:
        if self.share <= self.share_max:
            return ()
        seen = f"{self.changed} of {self.outcomes} repeated outcomes changed, which is {part(self.share)}"
        return (f"{seen}; {part(self.share_max)} is the most allowed: make their checks decide alike each time",)


def flakiness(rows: Iterable[Row]) -> Flakiness:
    """Over all cells with at least two outcomes, on whichever engine."""
    repeated = [outcomes for by_engine in cells(rows).values() if len(outcomes := _all(by_engine)) > 1]
    changed = sum(len(outcomes) - Counter(outcomes).most_common(1)[0][1] for outcomes in repeated)
    return Flakiness(changed, sum(map(len, repeated)))


def changed_cells(rows: Iterable[Row]) -> tuple[str, ...]:
    """Each cell whose outcomes differ, in words."""
    return tuple(
        f"{solution}: '{check}' was {_by_engine(by_engine)}"
        for (solution, check), by_engine in sorted(cells(rows).items())
        if len(set(_all(by_engine))) > 1
    )


def engine_differences(rows: Iterable[Row]) -> tuple[str, ...]:
    """Each solution and check whose outcomes on two engines have nothing in common.

    Where each engine saw one outcome only, a difference may as well be one that changes, and counts as that.
    """
    return tuple(
        f"{solution}: '{check}' differs between engines: {_by_engine(by_engine)}"
        for (solution, check), by_engine in sorted(cells(rows).items())
        if len(by_engine) > 1
        and len(_all(by_engine)) > len(by_engine)
        and not set.intersection(*map(set, by_engine.values()))
    )


def _all(by_engine: Mapping[str, Sequence[Outcome]]) -> list[Outcome]:
    return [outcome for outcomes in by_engine.values() for outcome in outcomes]


def _by_engine(by_engine: Mapping[str, Sequence[Outcome]]) -> str:
    return ", ".join(f"{_in_words(outcomes)} on {engine}" for engine, outcomes in sorted(by_engine.items()))


def _in_words(outcomes: Sequence[Outcome]) -> str:
    counted = Counter(outcomes).most_common()
    if len(counted) == 1:
        return str(counted[0][0])
    return " and ".join(f"{outcome} {times} of {len(outcomes)} times" for outcome, times in counted)
