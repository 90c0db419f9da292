"""Makes the data sets of the public tests, with what is right for them, from fixed seeds.

    python data/build_sample.py --into public_tests

<into>/<name>/
  as_of.txt     the cut-off's day
  events/       some days of deliveries
  reference/    the three tables
  expected/     features.csv, quarantine.csv and summary.json
"""

import argparse
import random
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

CHALLENGE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHALLENGE / "hidden_tests"))

from oracle import make_oracle  # noqa: E402
from shop import Event, Shop  # noqa: E402

FIRST_DAY = -9
"""Few files, so that a person can read them."""


def everyday(shop: Shop) -> list[Event]:
    return shop.traffic(120, first_day=FIRST_DAY, step=1)


def repeated(shop: Shop) -> list[Event]:
    events = shop.traffic(80, first_day=FIRST_DAY, last_day=-3, step=1)
    again = shop.rng.sample(events, 20)
    return [
        *events,
        *(replace(event, received=event.received + timedelta(days=index % 3)) for index, event in enumerate(again)),
    ]


def bad_rows(shop: Shop) -> list[Event]:
    spoilt = (
        ("event_id", "12.0"),
        ("user_id", "404"),
        ("store_id", "s99"),
        ("type", "click"),
        ("occurred_local", "2025-02-30T10:00:00"),
        ("currency", "XXX"),
        ("amount", "-5.00"),
    )
    events = shop.traffic(100, first_day=FIRST_DAY, step=1)
    bad = [shop.event("purchase", shop.moment(FIRST_DAY, -1), overrides={column: text}) for column, text in spoilt]
    return events + bad


SETS = {"everyday": everyday, "repeated": repeated, "bad-rows": bad_rows}


def write_sets(into: Path, names: Iterable[str] = tuple(SETS)) -> None:
    for seed, name in enumerate(names, start=1):
        shop = Shop(random.Random(seed), customers=8)
        events, reference = shop.folder(SETS[name](shop)), shop.reference()
        expected = make_oracle(CHALLENGE, seed).expect(events, reference, shop.as_of)
        files = {
            "as_of.txt": f"{shop.as_of}\n".encode(),
            "expected/features.csv": expected.features_csv,
            "expected/quarantine.csv": expected.quarantine_csv,
            "expected/summary.json": expected.summary_json + b"\n",
        }
        files |= {f"events/{path}": content for path, content in events.items()}
        files |= {f"reference/{path}": content for path, content in reference.items()}
        for path, content in files.items():
            target = into / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the data sets of the public tests.")
    parser.add_argument("--into", type=Path, default=CHALLENGE / "public_tests")
    write_sets(parser.parse_args().into)
