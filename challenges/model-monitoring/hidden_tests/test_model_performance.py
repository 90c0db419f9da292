"""What the delayed labels say about the model."""

import pytest

LABEL_WINDOW = 500
QUIET_WINDOWS = 6
BATCH = 1000


@pytest.fixture
def fresh(start_service, traffic):
    """Traffic to a fresh instance."""
    return traffic(start_service().http)


@pytest.fixture
def predicted(fresh, oracle, rng):
    """predicted(windows): for each parcel its id, what the service predicted, and what became of it."""

    def send(windows):
        rows = []
        for _ in range(windows):
            parcels = oracle.current.parcels(rng, LABEL_WINDOW)
            answers = fresh.send(parcels)
            outcomes = [oracle.current.outcome(rng, parcel) for parcel in parcels]
            rows += [(one, said, late) for (one, said), late in zip(answers, outcomes, strict=True)]
        return rows

    return send


def flags_after_each(fresh, rows, outcomes):
    """Label the rows window by window; the kinds flagged after each, and the accuracy shown."""
    seen = []
    for start in range(0, len(rows), LABEL_WINDOW):
        part = slice(start, start + LABEL_WINDOW)
        fresh.label([(row[0], late) for row, late in zip(rows[part], outcomes[part], strict=True)])
        page = fresh.page()
        flagged = {kind for kind in ("label", "accuracy") if page.flag(kind)}
        seen.append((flagged, page.value("model_accuracy")))
    return seen


def check_quiet(seen, kind):
    flagged = sum(kind in flags for flags, _ in seen)
    assert flagged <= 2, f"{kind} was flagged in {flagged} of {len(seen)} label windows as in the reference"


@pytest.mark.check("labels-matched", points=3, skill="model-performance", visibility="public")
def test_labels_matched(fresh, rng, predicted, refused, http):
    """Labels that come late, in any order and more than once are matched once; unknown ids are counted, too."""
    rows = predicted(6)
    rng.shuffle(rows)
    early, late = rows[:400], rows[400:900]
    strangers = [(f"never-{index}", True) for index in range(rng.randint(5, 30))]
    twice = rng.sample(early, rng.randint(5, 30))
    first = [(one, came) for one, _, came in early] + strangers
    rng.shuffle(first)
    result = fresh.label(first)
    wanted = {"matched": 400, "unknown": len(strangers), "duplicate": 0}
    assert result == wanted, f"POST /labels should answer {wanted}, it answered {result}"
    second = [(one, came) for one, _, came in late] + [(one, not came) for one, _, came in twice]
    second += [(late[0][0], True)]
    result = fresh.label(second)
    wanted = {"matched": 500, "unknown": 0, "duplicate": len(twice) + 1}
    assert result == wanted, f"POST /labels should answer {wanted}, it answered {result}"
    page = fresh.page()
    totals = {"matched": 900, "unknown": len(strangers), "duplicate": len(twice) + 1}
    for name, count in totals.items():
        counted = page.value("labels_total", result=name)
        assert counted == count, f'labels_total{{result="{name}"}} should be {count}, is {counted:g}'
    windows = page.value("label_windows_total")
    assert windows == 1, f"900 matched labels make one whole label window, label_windows_total is {windows:g}"
    refused(http.post("/labels", json={"labels": [{"id": "a", "late": "yes"}]}), 422)
    refused(http.post("/labels", content=b"[", headers={"Content-Type": "application/json"}), 400)


@pytest.mark.check("outcomes-counted", points=3, skill="model-performance", visibility="hidden")
def test_outcomes_counted(fresh, rng, predicted):
    """Matched labels are counted by what was predicted for the parcel and what became of it."""
    rows = predicted(3)
    shuffled = rng.sample(rows, len(rows))
    fresh.label([(one, late) for one, _, late in shuffled[:800]])
    fresh.label([(one, late) for one, _, late in shuffled[700:1500]])
    page = fresh.page()
    names = {True: "late", False: "on_time"}
    for said in (True, False):
        for late in (True, False):
            wanted = sum((row[1], row[2]) == (said, late) for row in rows)
            counted = page.value("outcomes_total", predicted=names[said], actual=names[late])
            labels = f'predicted="{names[said]}", actual="{names[late]}"'
            assert counted == wanted, f"outcomes_total{{{labels}}} should be {wanted}, is {counted:g}"


@pytest.mark.check("accuracy-drop", points=3, skill="model-performance", visibility="hidden")
def test_accuracy_drop(fresh, rng, predicted):
    """The accuracy of each label window is right, and a drop is flagged, though as many parcels are late as before."""
    rows = predicted(QUIET_WINDOWS)
    outcomes = [late for _, _, late in rows]
    seen = flags_after_each(fresh, rows, outcomes)
    check_quiet(seen, "accuracy")
    for number, (_, shown) in enumerate(seen):
        part = rows[number * LABEL_WINDOW : (number + 1) * LABEL_WINDOW]
        accuracy = sum(said == late for _, said, late in part) / LABEL_WINDOW
        assert abs(shown - accuracy) < 1e-6, f"model_accuracy should be {accuracy} in label window {number}, is {shown}"
    rows = predicted(3)
    mixed = []
    for start in range(0, len(rows), LABEL_WINDOW):
        part = [late for _, _, late in rows[start : start + LABEL_WINDOW]]
        mixed += rng.sample(part, LABEL_WINDOW)
    seen = flags_after_each(fresh, rows, mixed)
    flagged = sum("accuracy" in flags for flags, _ in seen)
    assert flagged >= 2, (
        f"outcomes had nothing to do with predictions in 3 label windows; accuracy flagged in {flagged}"
    )
    flagged = sum("label" in flags for flags, _ in seen)
    assert flagged <= 1, f"as many parcels were late as before in 3 label windows; label was flagged in {flagged}"


@pytest.mark.check("label-shift", points=3, skill="model-performance", visibility="hidden")
def test_label_shift(fresh, rng, predicted):
    """A share of late parcels that rises, or falls, far from the reference's is flagged."""
    rows = predicted(QUIET_WINDOWS)
    check_quiet(flags_after_each(fresh, rows, [late for _, _, late in rows]), "label")
    rows = predicted(3)
    becomes = rng.random() < 0.5
    shifted = [becomes if rng.random() < 0.5 else late for _, _, late in rows]
    flagged = sum("label" in flags for flags, _ in flags_after_each(fresh, rows, shifted))
    assert flagged >= 2, f"half of the outcomes became {becomes} in 3 label windows; label was flagged in {flagged}"
