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

Cells = Mapping[tuple[str, str, CheckId], Sequence[Outcome]]
"""(engine, solution, check) -> its outcomes, without those of budgets that were not measured."""


def cells(rows: Iterable[Row]) -> Cells:
    found: dict[tuple[str, str, CheckId], list[Outcome]] = defaultdict(list)
    for row in rows:
        for check, outcome in row.outcomes.items():
            if check not in row.unmeasured:
                found[row.engine.name, row.solution.label, check].append(outcome)
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
    """Over all cells with at least two outcomes."""
    repeated = [outcomes for outcomes in cells(rows).values() if len(outcomes) > 1]
    changed = sum(len(outcomes) - Counter(outcomes).most_common(1)[0][1] for outcomes in repeated)
    return Flakiness(changed, sum(map(len, repeated)))


def changed_cells(rows: Iterable[Row]) -> tuple[str, ...]:
    """Each cell whose outcomes differ, in words."""
    return tuple(
        f"{solution} on {engine}: '{check}' was {_in_words(outcomes)}"
        for (engine, solution, check), outcomes in sorted(cells(rows).items())
        if len(set(outcomes)) > 1
    )


def engine_differences(rows: Iterable[Row]) -> tuple[str, ...]:
    """Each solution and check whose outcomes on two engines have nothing in common."""
    by_cell: dict[tuple[str, CheckId], dict[str, Sequence[Outcome]]] = defaultdict(dict)
    for (engine, solution, check), outcomes in cells(rows).items():
        by_cell[solution, check][engine] = outcomes
    return tuple(
        f"{solution}: '{check}' differs between engines: "
        + ", ".join(f"{_in_words(outcomes)} on {engine}" for engine, outcomes in sorted(engines.items()))
        for (solution, check), engines in sorted(by_cell.items())
        if len(engines) > 1 and not set.intersection(*map(set, engines.values()))
    )


def _in_words(outcomes: Sequence[Outcome]) -> str:
    counted = Counter(outcomes).most_common()
    if len(counted) == 1:
        return str(counted[0][0])
    return " and ".join(f"{outcome} {times} of {len(outcomes)} times" for outcome, times in counted)
