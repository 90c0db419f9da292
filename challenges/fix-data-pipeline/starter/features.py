"""From events to one row for each customer."""

import pandas as pd


def make_features(events, customers, as_of):
    events = events.drop_duplicates("event_id")
    recent = events[events["occurred"] >= as_of - pd.Timedelta(days=28)]
    week = events[events["occurred"] >= as_of - pd.Timedelta(days=7)]

    rows = []
    for customer in set(customers["customer_id"]):
        mine = recent[recent["customer_id"] == customer]
        purchases = mine[mine["type"] == "purchase"]
        refunds = mine[mine["type"] == "refund"]
        all_purchases = events[(events["customer_id"] == customer) & (events["type"] == "purchase")]
        last = all_purchases["occurred"].max()
        rows.append(
            {
                "customer_id": customer,
                "purchases_28d": len(purchases),
                "spend_28d_eur": f"{purchases['eur'].sum():.2f}",
                "avg_order_28d_eur": f"{purchases['eur'].mean():.2f}" if len(purchases) else "",
                "refunds_28d_eur": f"{refunds['eur'].sum():.2f}",
                "views_7d": len(week[(week["customer_id"] == customer) & (week["type"] == "view")]),
                "active_days_28d": mine["occurred"].dt.date.nunique(),
                "last_purchase_at": last.strftime("%Y-%m-%dT%H:%M:%SZ") if pd.notna(last) else "",
                "label": int((all_purchases["occurred"] >= as_of).any()),
            }
        )
    features = pd.DataFrame(rows).merge(customers[["customer_id", "segment"]], on="customer_id", how="left")
    columns = ["customer_id", "segment", *[name for name in features if name not in ("customer_id", "segment")]]
    return features[columns]
