"""The metrics page is read strictly and within bounds; the simulated hours are what a scrape would have seen."""

import json
import math
from types import ModuleType

import pytest

PAGE = """# HELP a text
# TYPE a counter
a{kind="feature",feature="weight_kg"} 1.0
a{kind="feature",feature="with \\"quotes\\", a comma and a } brace"} 2 1700000000000
a{kind="label",feature=""} 4
b +Inf
"""


def test_series_are_summed_over_matching_labels(pages: ModuleType) -> None:
    page = pages.Page(PAGE)
    assert page.value("a") == 7
    assert page.value("a", kind="feature") == 3
    assert page.value("a", feature='with "quotes", a comma and a } brace') == 2
    assert page.value("a", feature="") == 4
    assert page.value("b") == math.inf


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a{",
        'a{x="1"',
        'a{x="1"} ',
        "a{x=1} 1",
        "a 0x10",
        "a 1_000",
        "a b",
        "1a 1",
        "a 1 x",
        "\x00 1",
        'a{x="1"y="2"} 1',
    ],
)
def test_what_is_no_sample_is_the_submissions_failure(pages: ModuleType, text: str) -> None:
    with pytest.raises(AssertionError):
        pages.Page(text)


def test_a_page_of_too_many_samples_is_refused(pages: ModuleType) -> None:
    with pytest.raises(AssertionError, match="more than 5000"):
        pages.Page("a 1\n" * 5001)


def test_a_flag_is_there_once_and_0_or_1(pages: ModuleType) -> None:
    flag = 'drift_detected{kind="prediction"} '
    assert pages.Page(f"{flag}1").flag("prediction")
    assert not pages.Page(f"{flag}0").flag("prediction")
    for text in (f"{flag}2", f"{flag}NaN", f"{flag}0\n{flag}1", "other 1"):
        with pytest.raises(AssertionError):
            pages.Page(text).flag("prediction")


def test_long_labels_take_no_long_time(pages: ModuleType) -> None:
    for inside in ("\\\\" * 100_000, 'b",a="' * 20_000, '\\"' * 100_000):
        try:
            pages.Page(f'a{{a="{inside}"}} 1\na{{a="{inside}')
        except AssertionError:
            continue
        pytest.fail("the second line is no sample")


def test_a_simulated_counter_adds_up_restarts_and_disappears(hours: ModuleType) -> None:
    simulation = hours.Simulation()
    simulation.restarts_at = 3
    simulation.down(lambda minute: minute == 5)
    document = json.loads(simulation.as_test_file())
    series = {row["series"]: row["values"].split() for row in document["tests"][0]["input_series"]}
    requests = next(values for name, values in series.items() if 'status="200"' in name)
    assert requests[:8] == ["600", "1200", "1800", "0", "600", "_", "1200", "1800"]
    up = next(values for name, values in series.items() if name.startswith("up"))
    assert up[4:7] == ["1", "0", "1"]
    assert {len(values) for values in series.values()} == {hours.MINUTES}
