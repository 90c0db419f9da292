"""A first look at your pipeline. More than this is graded: see brief.md."""

import json


def test_everyday_features(build, data, rows):
    """On clean data, every feature of every customer is right."""
    sample = data("everyday")
    outcome = build(sample)
    assert outcome.exit_code == 0, outcome.said
    assert rows(outcome.out / "features.csv") == rows(sample.expected("features.csv"))


def test_repeated_events_count_once(build, data, rows):
    """An event that is delivered again counts once, and the summary tells of the repetition."""
    sample = data("repeated")
    outcome = build(sample)
    assert outcome.exit_code == 0, outcome.said
    assert rows(outcome.out / "features.csv") == rows(sample.expected("features.csv"))
    summary = json.loads((outcome.out / "summary.json").read_text())
    assert summary.items() >= json.loads(sample.expected("summary.json").read_text()).items()


def test_bad_rows_are_quarantined_with_a_reason(build, data, rows):
    """Every bad row is in quarantine, and no good one."""
    sample = data("bad-rows")
    outcome = build(sample)
    assert outcome.exit_code == 0, outcome.said
    assert rows(outcome.out / "quarantine.csv") == rows(sample.expected("quarantine.csv"))


def test_the_same_inputs_give_the_same_bytes(build, data):
    """Two runs over the same inputs leave the same features, ordered by customer."""
    first, second = ((build(data("everyday")).out / "features.csv").read_bytes() for _ in range(2))
    assert first == second
    assert first == data("everyday").expected("features.csv").read_bytes()


def test_a_delivery_that_was_taken_in_before_changes_nothing(build, data, rows):
    """A run that goes on from an earlier one, and is given the same files again, has the same results."""
    sample = data("everyday")
    first = build(sample, "--keep-state")
    assert first.exit_code == 0, first.said
    second = build(sample, "--previous", str(first.out))
    assert second.exit_code == 0, second.said
    assert rows(second.out / "features.csv") == rows(first.out / "features.csv")
