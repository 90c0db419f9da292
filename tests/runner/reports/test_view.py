import pytest

from assessments.outcome import Fault, Outcome
from runner.reports import wording
from runner.reports.budget import Budget
from runner.reports.evidence import check_views
from runner.reports.files import files_view
from runner.reports.view import phase_views, skill_name, verdict


def _card(cards, passed, failed, undecided):
    return cards.scorecard(
        [
            cards.result(points=passed),
            cards.result(Fault.WRONG_ANSWER, points=failed),
            cards.result(Fault.CHECK_CRASHED, points=undecided) if undecided else cards.result(points=0),
        ]
    )


@pytest.mark.parametrize(
    ("passed", "failed", "undecided", "headline", "css", "score"),
    [
        (6, 4, 0, "Passed", "passed", "60%"),
        (5.999, 4.001, 0, "Not passed", "failed", "59.9%"),
        (5, 4, 1, "Incomplete: score between 50% and 60%", "open", "50\u201360%"),
        (5, 4.5, 0.5, "Not passed", "failed", "50\u201355%"),
        (7, 2, 1, "Passed", "passed", "70\u201380%"),
        (0, 10, 0, "Not passed", "failed", "0%"),
    ],
)
def test_the_verdict_is_open_only_where_undecided_checks_can_turn_it(
    cards, passed, failed, undecided, headline, css, score
):
    shown = verdict(_card(cards, passed, failed, undecided))
    assert (shown.headline, shown.css, shown.score) == (headline, css, score)


def test_an_incomplete_verdict_says_that_a_rerun_is_due(cards):
    assert "a rerun is due" in verdict(_card(cards, 7, 2, 1)).detail
    assert "a rerun is due" not in verdict(_card(cards, 7, 3, 0)).detail


def test_phases_follow_one_another_and_fill_the_whole(cards):
    phases = phase_views(cards.scorecard())
    starts, widths = [float(phase.start) for phase in phases], [float(phase.width) for phase in phases]
    assert starts == sorted(starts)
    assert starts[-1] + widths[-1] == pytest.approx(100, abs=0.2)


def test_where_there_are_too_many_checks_passed_ones_are_left_out(cards):
    results = [cards.result(name=f"good-{number}") for number in range(50)]
    results.insert(40, cards.result(Fault.WRONG_ANSWER, name="bad", message="No."))
    kept = check_views(results, Budget(checks=10), all_known=True)
    assert len(kept) == 10
    assert [check.number for check in kept if check.outcome == "failed"] == [41]


def test_evidence_that_fits_is_shown_whole(cards):
    for check in check_views(cards.realistic_results(), Budget(), all_known=True):
        for exchange in check.exchanges:
            assert not exchange.request_body.note
            assert not exchange.response_body.note
            assert "…" not in {name.text for name, _ in exchange.headers}


def test_what_a_companion_was_asked_names_it(cards):
    evidence = [cards.exchange(companion="provider"), cards.exchange()]
    (check,) = check_views([cards.result(evidence=evidence)], Budget(), all_known=True)
    assert [one.asked.text for one in check.exchanges] == ["provider", ""]


def test_a_body_that_the_grader_cut_says_so(cards):
    evidence = [cards.exchange()]
    evidence[0] = type(evidence[0])("GET", "/", cards.excerpt(""), 200, {}, cards.excerpt("abc", 5 << 20), 0.1, None)
    (check,) = check_views([cards.result(evidence=evidence)], Budget(), all_known=True)
    assert check.exchanges[0].response_body.note == "cut: the whole has 5.0 MiB"


def test_an_undecided_check_has_neither_won_nor_lost_its_points(cards):
    results = [cards.result(Fault.CHECK_CRASHED), cards.result(outcome=Outcome.INCONCLUSIVE), cards.result()]
    assert [check.points for check in check_views(results, Budget(), all_known=True)] == ["? of 4", "? of 4", "4 of 4"]


def test_files_whose_contents_are_not_at_hand_are_named(cards):
    view = files_view(cards.submission(), {"main.py": b"a = 1\n"}, {}, Budget())
    assert {row.path.text: row.change for row in view.rows}["model.py"] == "not read"


def test_of_too_many_files_the_rest_is_counted(cards):
    submitted = {f"file-{number}.py": b"a = 1\n" for number in range(1_000)}
    view = files_view(cards.submission(submitted), submitted, {}, Budget(files=80))
    assert len(view.rows) == 80
    assert view.rows_note.startswith("920 more files left out")
    assert view.sources_note.endswith("left out to keep this page small")


@pytest.mark.parametrize(
    ("share", "expected"), [(0, "0%"), (0.29, "29%"), (0.5999999, "59.9%"), (2 / 3, "66.6%"), (1, "100%")]
)
def test_percentages_are_never_rounded_up(share, expected):
    assert wording.percent(share) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "0 ms"), (0.0042, "4.2 ms"), (0.25, "250 ms"), (1.25, "1.2 s"), (12.04, "12.0 s"), (4000, "4,000 s")],
)
def test_durations_come_in_the_unit_that_reads_best(value, expected):
    assert wording.seconds(value) == expected


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2026-11-23T16:58:12Z", "23 November 2026, 16:58 UTC"),
        ("2026-11-23T18:58:12+02:00", "23 November 2026, 16:58 UTC"),
        ("soon", "soon"),
    ],
)
def test_moments_are_in_utc_and_nonsense_stays_itself(stamp, expected):
    assert wording.moment(stamp) == expected


def test_skills_are_written_as_people_write_them():
    assert [skill_name(skill).text for skill in ("api-design", "operations")] == ["API design", "Operations"]
