"""Which checks the hidden tests declare, and whether they are those of the manifest. Pure but for pytest's items."""

import inspect
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import pytest

from assessments.check import Check, Visibility
from graders import wire

MARKER = "check"
_FIELDS = {"points", "skill", "visibility"}
_NOT_A_VERDICT = ("skip", "skipif", "xfail")


def declared_check(item: pytest.Item) -> wire.CollectedCheck:
    """The check an item's marker declares. Raises ValueError with what is wrong and how to mend it."""
    for name in _NOT_A_VERDICT:
        if item.get_closest_marker(name):
            msg = f"carries the marker '{name}'; a check either passes or fails: take it off"
            raise ValueError(msg)
    marker = item.get_closest_marker(MARKER)
    if marker is None:
        msg = "has no check marker; add @pytest.mark.check(id, points=, skill=, visibility=)"
        raise ValueError(msg)
    if len(marker.args) != 1 or not isinstance(marker.args[0], str) or set(marker.kwargs) != _FIELDS:
        msg = "its check marker needs the id first, then exactly points=, skill= and visibility="
        raise ValueError(msg)
    visibility = str(marker.kwargs["visibility"])
    if visibility not in list(Visibility):
        msg = f"visibility is {visibility!r}; it can be {', '.join(Visibility)}"
        raise ValueError(msg)
    points, skill = float(marker.kwargs["points"]), str(marker.kwargs["skill"])
    return wire.CollectedCheck(id=marker.args[0], points=points, skill=skill, visibility=Visibility(visibility))


def is_public(item: pytest.Item) -> bool:
    """Whether a candidate's copy shows this check's evidence."""
    marker = item.get_closest_marker(MARKER)
    return marker is not None and str(marker.kwargs.get("visibility")) == Visibility.PUBLIC


def measures(item: pytest.Item) -> bool:
    """Whether it measures a budget: then nothing else may run on the host."""
    return "measure" in getattr(item, "fixturenames", ())


def unmeasured(expected: Iterable[Check], measuring: Collection[str]) -> list[str]:
    """Budgets whose test does not measure, and tests that measure for no budget."""
    budgets = {str(check.id) for check in expected if check.budget is not None}
    known = {str(check.id) for check in expected}
    idle = [f"'{name}' has a budget, but its test does not use measure" for name in sorted(budgets - set(measuring))]
    return idle + [
        f"'{name}' uses measure, but has no budget in the manifest" for name in sorted(set(measuring) & known - budgets)
    ]


def differences(expected: Sequence[Check], collected: Iterable[wire.CollectedCheck]) -> list[str]:
    """How the collected checks differ from the manifest's; empty when they are the same, each exactly once."""
    wanted: dict[str, wire.CollectedCheck] = {
        check.id: wire.CollectedCheck(id=check.id, points=check.points, skill=check.skill, visibility=check.visibility)
        for check in expected
    }
    found = {check.id: check for check in collected}
    counts = Counter(check.id for check in collected)
    problems = [f"'{name}' is in the manifest, but no hidden test declares it" for name in wanted if name not in found]
    problems += [
        f"'{name}' is declared by a hidden test, but not in the manifest" for name in found if name not in wanted
    ]
    problems += [
        f"'{name}' is declared by {count} tests; one check is one test" for name, count in counts.items() if count > 1
    ]
    for name, check in found.items():
        if name in wanted and check != wanted[name]:
            unlike = [
                f"{field} {getattr(check, field)} (manifest: {getattr(wanted[name], field)})"
                for field in ("points", "skill", "visibility")
                if getattr(check, field) != getattr(wanted[name], field)
            ]
            problems.append(f"'{name}' is declared otherwise than in the manifest: {', '.join(unlike)}")
    return problems


def sentence(item: pytest.Item) -> str:
    """The first paragraph of the check's docstring, as one line: what people read the check as."""
    doc = inspect.getdoc(getattr(item, "obj", None)) or item.name.replace("_", " ")
    return " ".join(doc.partition("\n\n")[0].split())
