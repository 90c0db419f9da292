"""The oracle draws the traffic that the reference was drawn from, and changes it as it says."""

import csv
import json
import random
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def reference_rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "reference.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def as_parcel(model: Any, row: dict[str, str]) -> dict[str, Any]:
    numbers = {feature.name for feature in model.numeric}
    cells = {name: row[name] for name in model.names if row[name]}
    return {name: json.loads(cell) if name in numbers else cell for name, cell in cells.items()}


def test_the_oracle_gives_the_probabilities_of_the_reference(release: tuple[Any, Path]) -> None:
    model, folder = release
    for row in reference_rows(folder):
        assert model.probability(as_parcel(model, row)) == pytest.approx(float(row["probability"]), abs=6e-7)


def test_the_starter_predicts_as_the_oracle_does(challenge: Path, release: tuple[Any, Path], tmp_path: Path) -> None:
    model, folder = release
    parcels = model.parcels(random.Random(3), 100)
    parcels += [{**parcels[0], model.numeric[0].name: 1e9, model.categorical[0].name: "no-such-word"}, {}]
    (tmp_path / "parcels.json").write_text(json.dumps(parcels), encoding="utf-8")
    script = (
        "import json, pathlib, sys; from model import Model; model = Model(pathlib.Path(sys.argv[1])); "
        "print(json.dumps([model.probability(row) for row in json.load(open(sys.argv[2]))]))"
    )
    command = [sys.executable, "-B", "-c", script, str(folder), str(tmp_path / "parcels.json")]
    done = subprocess.run(command, cwd=challenge / "starter", capture_output=True, check=True, timeout=60)
    assert json.loads(done.stdout) == pytest.approx([model.probability(parcel) for parcel in parcels], abs=1e-9)


def test_traffic_is_like_the_reference(release: tuple[Any, Path]) -> None:
    model, folder = release
    known = [as_parcel(model, row) for row in reference_rows(folder)]
    drawn = model.parcels(random.Random(4), 5000)
    for feature in model.numeric:
        one, other = (
            [row[feature.name] for row in rows if row.get(feature.name) is not None] for rows in (known, drawn)
        )
        spread = statistics.stdev(one)
        assert abs(statistics.median(one) - statistics.median(other)) < 0.1 * spread
        assert statistics.stdev(other) == pytest.approx(spread, rel=0.2)
    for feature in model.categorical:
        for word in feature.words:
            one, other = (sum(row.get(feature.name) == word for row in rows) for rows in (known, drawn))
            assert abs(one - other) < 150


def test_a_change_changes_what_it_names_and_nothing_else(oracle: Any) -> None:
    model = oracle.current
    change = oracle.change(
        shifts={"temperature_c": 1.0},
        factors={"weight_kg": 1000.0},
        shares={"area": {"city": 1.0, "suburb": 0.0, "village": 0.0, "island": 0.0}},
        missing={"stops_before": 1.0},
    )
    usual, changed = model.parcels(random.Random(5), 2000), model.parcels(random.Random(6), 2000, change)

    def mean(rows: list[Any], name: str) -> float:
        return statistics.mean(row[name] for row in rows if row[name] is not None)

    assert mean(changed, "temperature_c") - mean(usual, "temperature_c") == pytest.approx(7.0, abs=1.0)
    assert mean(changed, "parcels_on_van") == pytest.approx(mean(usual, "parcels_on_van"), abs=4.0)
    assert all(row["weight_kg"] >= 50 for row in changed)
    assert {row["area"] for row in changed} <= {"city", None}
    assert {row["stops_before"] for row in changed} == {None}


def test_coupled_parcels_change_the_predictions_and_no_feature(oracle: Any) -> None:
    model = oracle.current
    usual = model.parcels(random.Random(7), 3000)
    coupled = model.parcels(random.Random(8), 3000, oracle.change(coupled=True))

    def spread(rows: list[Any]) -> float:
        return statistics.stdev(model.probability(row) for row in rows)

    assert spread(coupled) > 1.2 * spread(usual)
    for feature in model.numeric:
        one, other = ([row[feature.name] for row in rows if row[feature.name] is not None] for rows in (usual, coupled))
        assert abs(statistics.median(one) - statistics.median(other)) < 0.1 * statistics.stdev(one)


def test_moved_shares_still_add_up_to_one(oracle: Any, oracle_module: Any) -> None:
    for feature in oracle.current.categorical:
        word = max(zip(feature.shares, feature.words, strict=True))[1]
        moved = oracle_module.shares_moved(feature, word, 0.2)
        assert sum(moved.values()) == pytest.approx(1.0)
        assert moved[word] == pytest.approx(dict(zip(feature.words, feature.shares, strict=True))[word] + 0.2)


def test_the_build_script_makes_the_same_folders_again(challenge: Path, tmp_path: Path) -> None:
    script = challenge / "data" / "build_model.py"
    subprocess.run([sys.executable, str(script), "--into", str(tmp_path)], check=True, timeout=120)
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert len(made) == 6
    for path in made:
        assert (challenge / "data" / path).read_bytes() == (tmp_path / path).read_bytes(), path
