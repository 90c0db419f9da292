import math
import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.reports.charts import STARTS, interval_bar, latency_cdf, latency_over_time, over_blocks, single_times
from runner.reports.drawing import Scale, linear_ticks, log_range, log_ticks
from runner.reports.series import Answers, Interval, LimitMark, PairFigures, Turn, thinned

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")

# Whatever a document may hold, written by hand or by a broken clock.
seconds = st.floats(0) | st.just(math.nan) | st.just(0.0)
answers = st.builds(
    lambda latencies, never: Answers(tuple(latencies), len(latencies) + never),
    st.lists(seconds, max_size=300),
    st.integers(0, 5),
)
figures = st.none() | st.floats(allow_nan=True, allow_infinity=True)


def paths(chart, css):
    return [path.d for path in chart.paths if path.css == css]


def points(d):
    numbers = [float(each) for each in NUMBER.findall(d)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def words(chart):
    return [label.text for label in chart.labels]


def is_drawn_within(chart):
    """Every coordinate is a number, and labels, areas and beginnings of lines lie within the picture."""
    for path in chart.paths:
        assert re.fullmatch(r"[MLHVahlmvz0-9. -]+", path.d), path.d
    placed = [(float(each.x), float(each.y)) for each in (*chart.labels, *chart.rects)]
    placed += [tuple(map(float, re.match(r"M(-?[\d.]+) (-?[\d.]+)", path.d).groups())) for path in chart.paths]
    return all(-5 <= x <= chart.width + 5 and -5 <= y <= chart.height + 5 for x, y in placed)


def curve_end_share(chart, css):
    """How high the curve ends, as a share of the axis from 0% to 100%."""
    d = paths(chart, css)[0]
    grid = [points(path)[0][1] for path in paths(chart, "grid") if points(path)[0][1] == points(path)[1][1]]
    return (max(grid) - points(d)[-1][1]) / (max(grid) - min(grid))


def test_a_curve_of_right_answers_rises_to_100_percent():
    side = Answers(tuple(0.001 * place for place in range(1, 101)), 100)
    chart = latency_cdf(side, side, [])
    d = paths(chart, "candidate")[0]
    heights = [y for _, y in points(d)]
    assert heights == sorted(heights, reverse=True)
    assert curve_end_share(chart, "candidate") == pytest.approx(1.0)
    assert "the rest: never" not in words(chart)


def test_failures_never_come_so_the_curve_ends_below_100_percent():
    chart = latency_cdf(Answers((0.01,) * 75, 100), Answers((0.01,) * 100, 100), [])
    assert curve_end_share(chart, "candidate") == pytest.approx(0.75, abs=0.01)
    assert "25 requests never answered rightly" in chart.desc
    assert "the rest: never" in words(chart)


def test_the_limit_stands_at_its_time_and_its_percentile():
    side = Answers(tuple(0.01 * 10 ** (place / 100) for place in range(101)), 101)
    chart = latency_cdf(side, side, [LimitMark("p50", 0.5, 0.0316)])
    x, y = points(paths(chart, "limit glyph")[0].partition("l")[0])[0]
    d = paths(chart, "candidate")[0]
    at = min(points(d), key=lambda point: abs(point[0] - x))
    # The median of these latencies is the limit, so the mark lies on the curve (its first point is its upper corner).
    assert at[1] == pytest.approx(y + 4.2, abs=3)
    assert "p50 limit 31.6 ms" in words(chart)
    assert "The p50 limit is 31.6 ms." in chart.desc


def test_limits_that_lie_close_together_keep_their_words_apart():
    side = Answers((0.01,) * 100, 100)
    marks = [LimitMark(name, share, 0.02) for name, share in (("p95", 0.95), ("p99", 0.99), ("longest", 1.0))]
    heights = sorted(float(each.y) for each in latency_cdf(side, side, marks).labels if "limit " in each.text)
    assert len(heights) == 3
    assert min(after - before for before, after in pairwise(heights)) >= 14


def test_curves_are_thinned_to_80_points_and_keep_their_ends():
    side = Answers(tuple(0.001 + 0.00001 * place for place in range(30_000)), 30_000)
    d = paths(latency_cdf(side, side, []), "candidate")[0]
    assert len(points(d)) <= 80
    assert thinned(range(1_000))[::79] == [0, 999]


@pytest.mark.parametrize(
    ("candidate", "told"),
    [
        (Answers((), 0), "0 requests, none answered rightly"),
        (Answers((), 40), "40 requests, none answered rightly"),
        (Answers((0.02,), 1), "1 request, 50% within 20 ms"),
        (Answers((0.0, 0.0), 2), "50% within 0 ms"),
        (Answers((0.02,), 9), "fewer than half answered rightly; 8 requests never"),
        (Answers((math.inf, math.nan), 2), "50% within 1,000,000 s"),
    ],
)
def test_degenerate_sides_are_drawn_and_told(candidate, told):
    chart = latency_cdf(candidate, Answers((0.01, 0.02), 2), [LimitMark("p95", 0.95, math.inf)])
    assert told in chart.desc
    assert is_drawn_within(chart)


def turns(blocks=30, requests=100, void=(), sessions=1):
    return [
        Turn(number * sessions // blocks, number in void, tuple((place / requests, 0.01) for place in range(requests)))
        for number in range(blocks)
    ]


def test_over_time_there_are_at_most_120_bins():
    chart = latency_over_time(turns(400))
    (dots,) = paths(chart, "candidate glyph")[:1]
    assert dots.count("M") == 120


def test_each_bin_shows_its_median_and_its_slowest():
    chart = latency_over_time([Turn(0, False, ((0.5, 0.01), (0.5, 0.01), (0.5, 1.0)))])
    (spread,) = [d for d in paths(chart, "spread") if "V" in d]
    low, high = re.match(r"M[\d.]+ ([\d.]+)V([\d.]+)", spread).groups()
    assert float(high) < float(low), "the slowest stands above the median"
    assert "Median 10 ms, slowest 1 s." in chart.desc


def test_requests_without_a_right_answer_have_a_mark_of_their_own():
    chart = latency_over_time([Turn(0, False, ((0.0, None), (0.9, 0.01)))])
    assert any(path.count("M") == 1 for path in paths(chart, "fails glyph"))
    assert "no right answer" in words(chart)
    assert "no right answer" not in words(latency_over_time(turns(2)))


def test_void_blocks_are_shaded_and_said():
    chart = latency_over_time(turns(30, void={3, 4, 9}))
    assert [rect.css for rect in chart.rects] == ["void", "void"]
    assert float(chart.rects[0].width) == pytest.approx(2 * float(chart.rects[1].width), abs=0.2)
    assert "3 blocks void, shaded." in chart.desc
    assert "void" in words(chart)


def test_the_key_fits_even_where_everything_is_in_it():
    chart = latency_over_time([Turn(0, True, ((0.0, None), (0.9, 0.01))), Turn(1, False, ((0.5, 0.01),))])
    key = [each for each in chart.labels if each.css == "key"]
    assert [each.text for each in key] == ["median", "to the slowest", "no right answer", "void"]
    assert float(key[-1].x) + 6 * len(key[-1].text) < chart.width


def test_where_nothing_was_answered_the_axis_names_no_times():
    assert words(latency_over_time([Turn(0, False, ((0.5, None),))])).count("1 ms") == 0


def test_the_second_session_is_set_apart():
    assert "second session" in words(latency_over_time(turns(sessions=2)))
    assert "second session" not in words(latency_over_time(turns()))


def test_figures_over_blocks_leave_out_what_was_not_told():
    pairs = [PairFigures(0, False, 0.004, 0.002), PairFigures(0, False, None, 0.002), PairFigures(0, True, 0.006, None)]
    chart = over_blocks("CPU time per right answer", pairs, memory=False)
    assert len(points(paths(chart, "candidate")[-2])) == 2
    assert "Submission: median 5 ms, highest 6 ms. Reference: median 2 ms" in chart.desc
    assert "1 pair void" in chart.desc


def test_memory_has_round_steps_in_the_unit_people_read():
    chart = over_blocks("Peak memory", [PairFigures(0, False, 155.0 * 2**20, 96.0 * 2**20)], memory=True)
    assert {"0 B", "50 MiB", "100 MiB", "150 MiB", "200 MiB"} <= set(words(chart))


@pytest.mark.parametrize("value", [None, 0.0])
def test_figures_over_blocks_may_all_be_none_or_zero(value):
    assert is_drawn_within(over_blocks("x", [PairFigures(0, False, value, value)] * 3, memory=True))


def test_starts_are_marked_one_by_one_with_their_medians_and_the_limit():
    chart = single_times(STARTS, Answers((1.3, 1.4, 1.5), 4), Answers((0.5, 0.6), 2), 1.1)
    assert paths(chart, "candidate glyph")[0].count("M") == 3
    assert len(paths(chart, "candidate median")) == len(paths(chart, "reference median")) == 1
    assert "limit 1.1 s" in words(chart)
    assert "Submission: 4 starts, from 1.3 s to 1.5 s, median 1.4 s, 1 never ready." in chart.desc


def test_starts_of_a_side_that_was_never_ready_are_told():
    chart = single_times(STARTS, Answers((), 3), Answers((), 0), None)
    assert "Submission: 3 starts, never ready." in chart.desc
    assert is_drawn_within(chart)


def test_the_interval_lies_between_its_ends_and_the_limits_have_words():
    chart = interval_bar(Interval(1.72, 1.62, 1.84, 1.5, 2.5))
    assert {"limit 1.5", "no points from 2.5", "1.72 times"} <= set(words(chart))
    assert chart.desc == (
        "1.72 times the reference's figure, interval 1.62 times to 1.84 times. "
        "The limit is 1.5 times, and from 2.5 times on there are no points."
    )
    left, _, _, right = re.match(r"M([\d.]+) ([\d.]+)v([\d.]+)m0-7H([\d.]+)", paths(chart, "whisker")[0]).groups()
    all_points, some_points, _ = chart.rects
    assert float(some_points.x) < float(left) < float(right) < float(some_points.x) + float(some_points.width)
    assert float(all_points.x) + float(all_points.width) == pytest.approx(float(some_points.x), abs=0.2)


def test_a_ratio_far_beyond_is_drawn_at_the_end_and_told():
    assert "57.3 times (beyond this scale)" in words(interval_bar(Interval(57.3, 50.0, 60.0, 1.5, 2.5)))


def test_without_figures_the_limits_are_drawn_alone():
    chart = interval_bar(Interval(None, None, None, 1.5, 2.5))
    assert paths(chart, "whisker") == []
    assert chart.desc.startswith("No ratio could be worked out.")


@pytest.mark.parametrize(("limit", "gone_at"), [(1.0, 1.0), (1.5, 1.55), (1.05, 80.0), (2.0, 2.4), (10.0, 11.0)])
def test_words_of_limit_and_end_never_cover_each_other(limit, gone_at):
    labels = [each for each in interval_bar(Interval(1.2, 1.1, 1.3, limit, gone_at)).labels if each.css == "limit"]
    assert [each.anchor for each in labels] == ["end", "start"]
    assert float(labels[0].x) < float(labels[1].x)


@settings(deadline=None)
@given(answers, answers, st.lists(st.builds(LimitMark, st.just("p95"), st.sampled_from([0.5, 0.95, 1]), seconds)))
def test_any_latencies_are_drawn_within_the_picture(candidate, reference, marks):
    assert is_drawn_within(latency_cdf(candidate, reference, marks[:4]))
    assert is_drawn_within(single_times(STARTS, candidate, reference, marks[0].seconds if marks else None))


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            Turn,
            st.integers(0, 1),
            st.booleans(),
            st.lists(st.tuples(st.floats(0, 1), st.none() | seconds), max_size=9).map(tuple),
        ),
        max_size=20,
    )
)
def test_any_turns_are_drawn_within_the_picture(some):
    assert is_drawn_within(latency_over_time(some))


@settings(deadline=None)
@given(st.builds(Interval, figures, figures, figures, st.floats(allow_nan=True), st.floats(allow_nan=True)))
def test_any_interval_is_drawn_within_the_picture(interval):
    assert is_drawn_within(interval_bar(interval))


@given(st.floats(1e-5, 1e6), st.floats(1, 1e6))
def test_logarithmic_axes_have_few_round_ticks_and_hold_everything(low, factor):
    ends = log_range([low, low * factor], 1e-5)
    assert ends[0] <= low <= low * factor <= ends[1]
    assert 1 <= len(log_ticks(*ends)) <= 7


@given(st.floats(0, 1e300))
def test_linear_axes_begin_at_zero_and_hold_everything(high):
    ticks = linear_ticks(high)
    assert ticks[0] == 0
    assert ticks[-1] >= high * (1 - 1e-9)
    assert len(ticks) <= 7


def test_a_scale_without_width_and_values_outside_it_stay_on_the_line():
    assert Scale(1, 1, 0, 10).at(5) == 0
    assert Scale(0, 1, 0, 10).at(7) == 10
    assert Scale(1, 100, 0, 10, logarithmic=True).at(0) == 0
