"""Builds features of customers from raw event files.

    python main.py --events DIR --reference DIR --as-of YYYY-MM-DD --out DIR [--previous DIR] [--keep-state]

Exit codes: 0 done, 2 wrong arguments, 3 unusable inputs (nothing is written), 4 too many bad rows (no features).
One file of events is in memory at a time; of each event only a few numbers are kept.
"""

import argparse
import json
import os
import sys
from datetime import date
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # one CPU: more threads only take memory

import polars as pl  # noqa: E402 - reads the variable when it is imported

import history as past  # noqa: E402
from features import make_features  # noqa: E402
from problems import UnusableInput  # noqa: E402
from reference import read_reference  # noqa: E402

EXIT_UNUSABLE, EXIT_TOO_MANY_BAD = 3, 4
_MOST_BAD_PERCENT = 10
_DELIVERIES = "events-*"  # Fault: half-written files are read, too.


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    try:
        history, results = run(options)
    except UnusableInput as problem:
        print(f"error: {problem}", file=sys.stderr)
        return EXIT_UNUSABLE
    for name, content in results.items():
        path = options.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    bad, rows = len(history.quarantine), history.rows
    print(f"{len(history.files)} files, {rows} rows, {bad} of them in quarantine", file=sys.stderr)
    if _too_many_bad(history):
        print(f"error: more than {_MOST_BAD_PERCENT} % of the rows are bad; no features were made", file=sys.stderr)
        return EXIT_TOO_MANY_BAD
    return 0


def run(options: argparse.Namespace) -> tuple[past.History, dict[str, bytes]]:
    """All results as bytes, so that nothing is written unless everything is there. Raises UnusableInput."""
    reference = read_reference(options.reference)
    before = past.read_state(options.previous / "state", reference) if options.previous else past.EMPTY
    deliveries = sorted(options.events.glob(_DELIVERIES))
    if not deliveries and not before.files:
        raise UnusableInput("there is no file of events")
    history = past.with_deliveries(before, deliveries, reference)
    results = {"quarantine.csv": _csv(history.quarantine), "summary.json": _summary(history, options.as_of)}
    if not _too_many_bad(history):
        results["features.csv"] = _csv(make_features(history, reference, options.as_of))
        if options.keep_state:
            results |= {f"state/{name}": content for name, content in past.write_state(history, reference).items()}
    return history, results


def _too_many_bad(history: past.History) -> bool:
    return len(history.quarantine) * 100 > history.rows * _MOST_BAD_PERCENT


def _summary(history: past.History, as_of: date) -> bytes:
    counts = {
        "as_of": as_of.isoformat(),
        "files": len(history.files),
        "rows": history.rows,
        "quarantined": len(history.quarantine),
        "duplicates": history.valid_rows - len(history.events),
        "events": len(history.events),
    }
    return (json.dumps(counts, indent=1) + "\n").encode()


def _csv(table: pl.DataFrame) -> bytes:
    return table.write_csv().encode()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--events", type=Path, required=True)
    parser.add_argument("--reference", type=Path, required=True)
    parser.add_argument("--as-of", type=_day, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--previous", type=Path)
    parser.add_argument("--keep-state", action="store_true")
    return parser


def _day(text: str) -> date:
    if len(text) != len("2026-04-01"):
        raise ValueError(text)
    return date.fromisoformat(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
