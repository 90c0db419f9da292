"""The table of attacks, as a pure function: what came of each try in, a page of Markdown out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

GROUPS = {
    "ESC": "Getting out of the sandbox, or getting more rights in it",
    "RES": "Using up the machine",
    "HID": "Finding hidden tests and answers",
    "FRG": "Forging a grade",
    "NET": "Reaching a network",
    "ARC": "Archives made to do harm when they are unpacked",
    "OUT": "Answers and files made to do harm when they are read",
    "REP": "Words made to do harm in a report or on a terminal",
    "LAT": "Looking faster than one is",
    "CON": "Neighbours, and what is left for the next one",
}
ENGINES = ("bubblewrap", "docker")


class Result(StrEnum):
    """What came of one try."""

    CONTAINED = "contained"
    RESIDUAL = "not contained (residual)"
    NOT_CONTAINED_HERE = "not contained here"
    NOT_CONTAINED = "not contained"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class Try:
    """One attack on one engine, or, where `engine` is empty, on what is the same for all. `place` is its turn."""

    group: str
    sentence: str
    engine: str
    result: Result
    place: int


@dataclass(frozen=True, slots=True)
class About:
    """Where and when the attacks were tried."""

    date: str
    engines: Sequence[str]
    kernel: str


Attack = tuple[str, str]
_INTRODUCTION = """\
# Attacks

What hostile submissions try, and what came of it. Each line is an automated test in `tests/attacks`: a small program,
archive or file that tries one thing for real, and one assertion of what must happen instead. The list is a sample of
each class, not the classes.

This page is written by `make attack-table`, which runs them all. It was last written:

- on {date},
- with {engines},
- on kernel {kernel}.

What the words in the tables mean:

- **contained**: it was tried, and what had to happen happened. What needs no sandbox, such as archives, counts for
  every engine.
- **not contained (residual)**: it succeeds, and we know: [security](security.md#what-is-left) says what that means.
- **not contained here**: the host on which this page was written lacks what contains it; a graded run on such a host
  is refused unless `--allow-unenforced` is passed.
- **not contained**: it succeeded and should not have.
- **not tried**: the engine, or something else that the test needs, was not there.
"""


def page(tries: Iterable[Try], about: About) -> str:
    """The whole page. Its order is that of the tests, whichever ended first."""
    results: dict[Attack, dict[str, Result]] = {}
    for one in sorted(tries, key=lambda one: one.place):
        of_attack = results.setdefault((one.group, one.sentence), {})
        of_attack |= dict.fromkeys([one.engine] if one.engine else ENGINES, one.result)
    engines = " and ".join(about.engines) or "no engine"
    parts = [_INTRODUCTION.format(date=about.date, engines=engines, kernel=about.kernel), _summary(results)]
    for group, title in GROUPS.items():
        attacks = {attack: results[attack] for attack in results if attack[0] == group}
        parts.append("\n".join([f"## {group}: {title}", "", *_table(("attack", *ENGINES), map(_row, attacks.items()))]))
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _row(attack: tuple[Attack, Mapping[str, Result]]) -> list[str]:
    (_, sentence), results = attack
    return [sentence, *(results.get(engine, Result.NOT_TRIED) for engine in ENGINES)]


def _summary(results: Mapping[Attack, Mapping[str, Result]]) -> str:
    """Each group's number of attacks, and for each engine how many were tried, contained and not."""
    head = ["group", "attacks", *(f"{engine}: tried, contained, not" for engine in ENGINES)]
    rows = [_counts(group, [found for attack, found in results.items() if attack[0] == group]) for group in GROUPS]
    rows.append(_counts("all", list(results.values())))
    return "\n".join(["## In short", "", *_table(head, rows)])


def _counts(name: str, found: Sequence[Mapping[str, Result]]) -> list[str]:
    cells = [name, str(len(found))]
    for engine in ENGINES:
        of_engine = [results.get(engine, Result.NOT_TRIED) for results in found]
        contained = of_engine.count(Result.CONTAINED)
        untried = of_engine.count(Result.NOT_TRIED)
        cells.append(f"{len(found) - untried}, {contained}, {len(found) - untried - contained}")
    return cells


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _line(head)
    yield _line(["---"] * len(head))
    yield from map(_line, rows)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
