"""Weights that were raised are put back, also for a run that died with them raised."""

import json
import subprocess
from pathlib import Path

import pytest

from assessments.challenge import Limits
from runner.engines.cgroups import Preference, find_cgroups, put_back

SMALL = Limits(1 << 26, 16, 1.0, 0, 0, 0, 0)


def test_weights_are_put_back(tmp_path: Path) -> None:
    weight = tmp_path / "cpu.shares"
    weight.write_text("1024\n")
    preference = Preference(tmp_path / "weights")
    preference.prefer((weight,), 262144)
    preference.prefer((weight,), 262144)
    assert weight.read_text() == "262144"
    preference.restore()
    assert weight.read_text() == "1024"
    assert not (tmp_path / "weights").exists()


def test_a_dead_runs_note_is_enough(tmp_path: Path) -> None:
    weight, record = tmp_path / "cpu.shares", tmp_path / "weights"
    weight.write_text("1024")
    Preference(record).prefer((weight,), 262144)
    put_back(record)
    assert weight.read_text() == "1024"


@pytest.mark.parametrize("noted", ["", "half a no", json.dumps({"/gone/for/good": "7"})])
def test_a_note_that_says_nothing_useful_changes_nothing(tmp_path: Path, noted: str) -> None:
    (tmp_path / "weights").write_text(noted)
    put_back(tmp_path / "weights")
    put_back(tmp_path / "no such note")


def test_a_frozen_group_is_cleared_away() -> None:
    groups = find_cgroups()
    if groups is None:
        pytest.skip("no control group can be made here")
    group = groups.create("assay-test-frozen", SMALL)
    with subprocess.Popen(["sleep", "3600"]) as process:
        group.add(process.pid)
        group.freeze()
        group.remove()
        assert process.wait(10) == -9
