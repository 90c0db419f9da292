"""What the checks share: how to run the pipeline, and what its results are compared with.

A check's scenario is everyday traffic and the one trap that the check is about; it compares the columns which that trap
touches. So one mistake costs a candidate the checks about just that. Everything is given through the fixture
`pipeline`, so that the test files import nothing from each other.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import pytest

from graders.http import BadAnswer

FEATURES = (
    *("customer_id", "segment", "purchases_28d", "spend_28d_eur", "avg_order_28d_eur", "refunds_28d_eur"),
    *("views_7d", "active_days_28d", "last_purchase_at", "label"),
)
QUARANTINE = ("file", "line", "reason")
COUNTS = ("purchases_28d", "views_7d", "active_days_28d")
MONEY = ("spend_28d_eur", "avg_order_28d_eur", "refunds_28d_eur")
DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")
ABOUT = Fraction(5, 100)
SHOWN = 3
"""How many differences a message tells of."""


class Pipeline:
    """Runs the submission, and compares. Assertions fail with a sentence that a person can read."""

    def __init__(self, run_job: Any, oracle: Any) -> None:
        self._run_job = run_job
        self._oracle = oracle

    # Running

    def run(
        self, shop: Any, events: Any, *more: str, previous: Any = None, reference: Any = None, as_of: Any = None
    ) -> Any:
        """One run, whatever comes of it. `previous` is the files that an earlier one left."""
        inputs = {"events": events, "reference": shop.reference() if reference is None else reference}
        arguments = self.arguments(shop if as_of is None else as_of)
        if previous is not None:
            inputs["previous"] = previous
            arguments += ["--previous", "/inputs/previous"]
        return self._run_job([*arguments, *more], inputs=inputs)

    def built(self, shop: Any, events: Any, *more: str, previous: Any = None, as_of: Any = None) -> Any:
        """A run that has to end well."""
        result = self.run(shop, events, *more, previous=previous, as_of=as_of)
        self.exit_code(result, 0)
        return result

    @staticmethod
    def arguments(as_of: Any) -> list[str]:
        day = getattr(as_of, "as_of", as_of)
        folders = ["--events", "/inputs/events", "--reference", "/inputs/reference", "--out", "/outputs"]
        return [*folders, "--as-of", day.isoformat()]

    @staticmethod
    def exit_code(result: Any, expected: int) -> None:
        if result.exit_code != expected:
            said = result.stderr.decode("utf-8", "replace").strip()[-300:]
            pytest.fail(f"exit code {expected} was expected, {result.exit_code} came; its last words were {said!r}")

    def works(self, shop: Any, events: Any) -> Any:
        """A run over sound inputs counts right. Without that, a check about refusals would prove nothing."""
        result = self.built(shop, events)
        self.features(result, self._oracle.expect(events, shop.reference(), shop.as_of), ("purchases_28d",))
        return result

    # Comparing

    def expect(self, shop: Any, events: Any, as_of: Any = None) -> Any:
        return self._oracle.expect(events, shop.reference(), as_of or shop.as_of)

    def features(self, result: Any, expected: Any, columns: Sequence[str], exact: bool = False) -> None:
        """Exactly the customers that are expected, each once, and these columns of them right; in any order.

        Unless `exact`, money may be some cents off: how it is rounded is one check's own matter.
        """
        rows = read_table(result, "features.csv", FEATURES)
        found = unique((row["customer_id"], row) for row in rows)
        wanted = {row["customer_id"]: row for row in expected.features}
        same_ids(found, wanted)
        wrong = [
            f"{column} of customer {customer} should be {row[column]!r}, is {found[customer][column]!r}"
            for customer, row in wanted.items()
            for column in columns
            if not same_value(found[customer][column], row[column], column in MONEY and not exact)
        ]
        assert not wrong, f"features.csv: {some(wrong)}"

    @staticmethod
    def quarantine(result: Any, expected: Any) -> None:
        """Exactly the lines that are expected, each with its reason; in any order."""
        rows = read_table(result, "quarantine.csv", QUARANTINE)
        found = unique(((row["file"], row["line"]), row["reason"]) for row in rows)
        wanted = {(file, str(line)): reason for file, line, reason in expected.quarantine}
        wrong = [
            f"line {line} of {file} should be there for {reason}"
            + (f", is there for {found[file, line]!r}" if (file, line) in found else ", is not there")
            for (file, line), reason in wanted.items()
            if found.get((file, line)) != reason
        ]
        wrong += [
            f"line {line} of {file} should not be there, is for {found[file, line]!r}"
            for file, line in found
            if (file, line) not in wanted
        ]
        assert not wrong, f"quarantine.csv: {some(wrong)}"

    @staticmethod
    def summary(result: Any, expected: Any) -> None:
        found = read_json(result, "summary.json")
        wrong = [
            f"{key} should be {value!r}, is {found.get(key)!r}"
            for key, value in expected.summary.items()
            if found.get(key) != value or isinstance(found.get(key), bool)
        ]
        assert not wrong, f"summary.json: {some(wrong)}"

    def everything(self, result: Any, expected: Any) -> None:
        self.features(result, expected, FEATURES)
        self.quarantine(result, expected)
        self.summary(result, expected)


def read_table(result: Any, name: str, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a CSV file of the results; it has to have these columns, in this order."""
    try:
        text = result.file(name).decode("utf-8")
        header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    except (UnicodeDecodeError, csv.Error, ValueError) as error:
        raise BadAnswer(f"{name} cannot be read as CSV: {error}") from error
    assert tuple(header) == tuple(columns), (
        f"{name} should begin with {','.join(columns)!r}, not {','.join(header)[:300]!r}"
    )
    odd = next((number for number, row in enumerate(rows, start=2) if len(row) != len(columns)), None)
    assert odd is None, f"{name}: line {odd} has not {len(columns)} fields"
    return [dict(zip(columns, row, strict=True)) for row in rows]


def read_json(result: Any, name: str) -> Mapping[str, Any]:
    try:
        found = json.loads(result.file(name))
    except (ValueError, RecursionError) as error:
        raise BadAnswer(f"{name} cannot be read as JSON: {error}") from error
    assert isinstance(found, dict), f"{name} should be a JSON object"
    return found


def unique(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    twice: dict[Any, None] = {}
    for key, value in pairs:
        if key in found:
            twice[key] = None
        found[key] = value
    assert not twice, f"these should stand once, and stand more often: {some([str(key) for key in twice])}"
    return found


def same_value(found: str, wanted: str, about: bool) -> bool:
    if found == wanted or not (about and wanted and DECIMAL.fullmatch(found)):
        return found == wanted
    return abs(Fraction(found) - Fraction(wanted)) <= ABOUT


def same_ids(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    missing = [f"customer {identifier} is missing" for identifier in wanted if identifier not in found]
    added = [f"{identifier[:40]!r} is no customer of that day" for identifier in found if identifier not in wanted]
    assert not missing + added, f"features.csv: {some(missing + added)}"


def some(sentences: Sequence[str]) -> str:
    """The first few, and how many there are."""
    rest = f"; and {len(sentences) - SHOWN} more" if len(sentences) > SHOWN else ""
    return "; ".join(sentences[:SHOWN]) + rest


@pytest.fixture
def pipeline(run_job: Any, oracle: Any) -> Pipeline:
    return Pipeline(run_job, oracle)


@pytest.fixture
def counts() -> tuple[str, ...]:
    """The columns that count."""
    return COUNTS


@pytest.fixture
def money() -> tuple[str, ...]:
    """The columns that hold money."""
    return MONEY


@pytest.fixture
def every_feature() -> tuple[str, ...]:
    return FEATURES
