"""Gradings that were recorded in parts add up, and a promise that any of them breaks is named."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from assessments.outcome import Outcome

FILE = Path(__file__).resolve().parents[2] / "benchmarks/fairness_records.py"


@pytest.fixture(scope="module")
def kept() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fairness_records", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fairness_records"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def record(kept):
    where = kept.Where("a machine", "bubblewrap 0.11", "v1")
    return kept.Record("2026-11-26T12:00:00+00:00", where, "quiet", "1.0", 7, Outcome.PASSED, 16.0, naive_failed=False)


def test_what_was_recorded_is_read_again_from_every_file(kept, record, tmp_path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    kept.append(one, record)
    kept.append(one, replace(record, seed=9))
    kept.append(other, replace(record, outcome=Outcome.FAILED, tries=2))
    assert kept.read([one, other, tmp_path / "not there"]) == [
        record,
        replace(record, seed=9),
        replace(record, outcome=Outcome.FAILED, tries=2),
    ]


def test_seeds_go_on_after_the_highest(kept, record) -> None:
    assert kept.next_seed([], first=10_000) == 10_000
    assert kept.next_seed([replace(record, seed=12), record], first=5) == 13


def test_what_is_no_record_is_named(kept, record, tmp_path) -> None:
    file = tmp_path / "file"
    kept.append(file, record)
    file.write_text(file.read_text() + '{"date": 1}\n')
    with pytest.raises(ValueError, match=r"file, line 2 is no record"):
        kept.read([file])


def test_a_table_counts_each_case_and_says_what_the_count_supports(kept, record) -> None:
    records = [replace(record, seed=seed, seconds=10.0 + seed) for seed in range(40)]
    records.append(replace(record, version="2.0", outcome=Outcome.FAILED, naive_failed=True, tries=2))
    lines = list(kept.tables(records))
    assert lines[0].startswith("41 gradings, 2026-11-26 to 2026-11-26: a machine; bubblewrap 0.11; v1")
    rows = {line.split()[0]: line.split()[1:] for line in lines if line[:3] in {"1.0", "2.0"}}
    assert rows["1.0"] == ["40", "40", "0", "0", "0", "30", "0", "100.0%", "7.2%"]
    assert rows["2.0"] == ["1", "0", "1", "0", "1", "16", "1", "95.0%", "100.0%"]


@pytest.mark.parametrize(
    ("noise", "version", "outcome", "expected"),
    [
        ("quiet", "1.0", Outcome.PASSED, []),
        ("two burners", "1.0", Outcome.FAILED, ["two burners, 1.0: 1 failed; none may"]),
        ("two burners", "2.0", Outcome.PASSED, ["two burners, 2.0: 1 passed; none may"]),
        ("two burners", "blocks", Outcome.INCONCLUSIVE, []),
        ("quiet", "1.3", Outcome.INCONCLUSIVE, []),
        ("quiet", "blocks", Outcome.INCONCLUSIVE, ["quiet: 0 of 1 were decided; 95% were promised"]),
    ],
)
def test_a_broken_promise_is_named(kept, record, noise, version, outcome, expected) -> None:
    assert list(kept.broken([replace(record, noise=noise, version=version, outcome=outcome)])) == expected
