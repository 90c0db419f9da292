"""How often a sample solution flags a window: without drift, and under each change that the brief describes.

    python data/power.py accepted/reference --windows 100

needs the packages of environment/requirements.lock. It runs the solution's own comparison, without the service around
it, on traffic as the hidden tests draw it. The sizes of windows and changes were chosen with it, so that sound methods
see each change in nearly every window and careless ones are told apart by more than luck:

    solution, 100 windows of each kind   no drift   mean  spread  category   unit  prediction
    accepted/reference                      0.000  1.000   1.000     1.000  1.000       1.000
    accepted/aiohttp-by-hand                0.010  1.000   1.000     1.000  1.000       1.000

(shares of windows flagged, with the default seed)
"""

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

CHALLENGE = Path(__file__).resolve().parent.parent
WINDOW = 500

Flags = Callable[[list[dict[str, Any]]], set[str]]
"""A window of parcels in, the features flagged (and `prediction`) out."""


def lay_out(solution: Path, into: Path) -> None:
    """A solution's files, over those of its BASE."""
    base = solution / "BASE"
    if base.is_file():
        lay_out(CHALLENGE / "solutions" / base.read_text(encoding="utf-8").strip(), into)
    for path in solution.glob("*.py"):
        shutil.copy(path, into)


def flags_of_reference(data: Path) -> Flags:
    """For the reference, and what has it as BASE."""
    import drift
    import reference
    from model import Model

    model = Model(data)
    detector, window = drift.Detector(reference.read(data, model)), drift.Window(model)

    def flags(parcels: list[dict[str, Any]]) -> set[str]:
        for parcel in parcels:
            window.add(parcel, model.probability(parcel))
        flagged = detector.drifted_features(window) | ({"prediction"} if detector.prediction_drifted(window) else set())
        window.clear()
        return flagged

    return flags


def flags_by_hand(data: Path) -> Flags:
    from scoring import Scorer
    from watch import Watch

    scorer = Scorer(data)
    watch = Watch(data, scorer)

    def flags(parcels: list[dict[str, Any]]) -> set[str]:
        answers = [watch.saw(str(index), parcel, scorer.probability(parcel)) for index, parcel in enumerate(parcels)]
        return {name or "prediction" for name in answers[-1]}

    return flags


def changes(oracle: Any, rng: random.Random) -> Iterator[tuple[str, str, Any]]:
    """Title, signal and change of each kind, as the hidden tests choose them."""
    model = oracle.current
    number = rng.choice(model.numeric).name
    yield "mean", number, oracle.change(shifts={number: rng.choice((-0.5, 0.5))})
    number = rng.choice([feature.name for feature in model.numeric if not feature.skewed])
    yield "spread", number, oracle.change(stretches={number: 2.0})
    category = rng.choice(model.categorical)
    word = max(zip(category.shares, category.words, strict=True))[1]
    shares = oracle.shares_moved(category, word, 0.2)
    yield "category", category.name, oracle.change(shares={category.name: shares})
    number = rng.choice(("weight_kg", "distance_km"))
    yield "unit", number, oracle.change(factors={number: 1000.0})
    yield "prediction", "prediction", oracle.change(coupled=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures how often a sample solution flags a window.")
    parser.add_argument("solution", help="such as accepted/reference")
    parser.add_argument("--windows", type=int, default=200, help="windows of each kind (default: 200)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(CHALLENGE / "hidden_tests"))
    from oracle import make_oracle

    oracle, rng = make_oracle(CHALLENGE, arguments.seed), random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        lay_out(CHALLENGE / "solutions" / arguments.solution, Path(folder))
        sys.path.insert(0, folder)
        by_hand = Path(folder, "watch.py").is_file()
        flags = (flags_by_hand if by_hand else flags_of_reference)(CHALLENGE / "data" / "model")
    alarms = sum(bool(flags(oracle.current.parcels(rng, WINDOW))) for _ in range(arguments.windows))
    seen: dict[str, int] = {}
    for _ in range(arguments.windows):
        for title, signal, change in changes(oracle, rng):
            seen[title] = seen.get(title, 0) + (signal in flags(oracle.current.parcels(rng, WINDOW, change)))
    figures = {"no drift": alarms, **seen}
    print(arguments.solution, *(f"{title} {count / arguments.windows:.3f}" for title, count in figures.items()))


if __name__ == "__main__":
    main()
