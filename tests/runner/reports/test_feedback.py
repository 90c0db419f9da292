import html
import re
from dataclasses import replace
from pathlib import Path

import pytest

from assessments.assessment import Assessment, Feedback, Part, PassMark
from assessments.cohort import AttemptState, CohortSubmission, Mark, candidates
from assessments.scorecard_summary import summary_of
from assessments.submission import Digest
from runner.reports.feedback import feedback

AT = "2026-11-24T10:00:00Z"
PAGES = {"inference-api": "ann smith/inference-api.html"}
BOB = "Bob-the-other-candidate"


def assessment(level):
    return Assessment(
        path=Path("role.toml"),
        id="ai-engineer",
        version="1.0.0",
        title="AI engineer",
        summary="Serves models.",
        window_hours=48,
        attempts=2,
        pass_mark=PassMark(0.7, 0.05),
        feedback=level,
        parts=(Part("inference-api", 1),),
        skill_weights={},
    )


def people(card, level, name="Ann", marks=()):
    def submission(number, who):
        state = AttemptState.ENDED if card else AttemptState.HELD
        digest = Digest("4be1" * 16)
        return CohortSubmission(number, who, "inference-api", digest, AT, "w.zip", state, "held: host down", card)

    handed_in = [submission(1, name), submission(2, name), submission(3, BOB)]
    return next(each for each in candidates(assessment(level), handed_in, marks) if each.name == name)


def made(card, level, **about):
    return feedback("Autumn", people(card, level, **about), assessment(level), PAGES, AT)


def text(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.partition("</head>")[2]))


@pytest.mark.parametrize("level", Feedback)
def test_nothing_hidden_is_on_the_page_at_any_level(cards, level):
    card = cards.measured()
    marks = (Mark("Ann", "clarity-criterion", 4, 5, "an internal note", "Eve-the-interviewer", AT),)
    page = made(summary_of(card), level, marks=marks)
    secrets = {str(result.check.id) for result in card.results}
    secrets |= {words for result in card.results for words in (result.message, result.sentence) if words}
    secrets |= {str(card.seed), card.host.fingerprint, card.engine.name, card.environment.digest, card.id}
    secrets |= {
        BOB,
        "clarity-criterion",
        "an internal note",
        "Eve-the-interviewer",
        "held: host down",
        "rank",
        "place ",
    }
    body = page.partition("</head>")[2]
    assert [secret for secret in secrets if secret in body] == []


def test_each_level_tells_what_it_says_and_no_more(cards):
    card = summary_of(cards.all_passed())
    pages = {level: made(card, level) for level in Feedback}
    words = {level: text(page) for level, page in pages.items()}
    assert "Received and graded" in words[Feedback.NOTHING]
    tells = {
        level: ("Passed" in words[level], "Skills" in words[level], "<a href=" in pages[level]) for level in Feedback
    }
    assert tells == {
        Feedback.NOTHING: (False, False, False),
        Feedback.STANDING: (True, False, False),
        Feedback.SKILLS: (True, True, False),
        Feedback.PAGE: (True, True, True),
    }
    assert "%" not in words[Feedback.STANDING]
    assert 'href="ann%20smith/inference-api.html"' in pages[Feedback.PAGE]
    assert all("4be1" * 16 in each and "1 earlier submission" in each for each in words.values())


@pytest.mark.parametrize("level", [Feedback.NOTHING, Feedback.STANDING, Feedback.SKILLS])
def test_a_page_that_tells_no_result_is_the_same_whatever_the_result(cards, level):
    good, bad = summary_of(cards.all_passed()), summary_of(cards.scorecard())
    same = made(good, level) == made(bad, level)
    assert same is (level is Feedback.NOTHING)


def test_undecided_points_make_a_range(cards):
    page = text(made(summary_of(cards.scorecard()), Feedback.SKILLS))
    assert "66.6\u2013100%" in page
    assert "undecided, through no fault of yours" in page
    assert "undecided" not in text(made(summary_of(cards.all_passed()), Feedback.SKILLS))


@pytest.mark.parametrize("level", Feedback)
def test_what_is_not_graded_is_not_told_as_a_result(level):
    page = text(made(None, level))
    assert "Not finished" in page
    assert "Passed" not in page
    assert "Too close" not in page


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "</style><b>", "{{7*7}}", "a\u202eb", "' onfocus='x"])
def test_what_was_named_is_escaped(cards, name):
    card = summary_of(cards.scorecard())
    titled = replace(card, challenge=replace(card.challenge, title=name))
    page = made(titled, Feedback.PAGE, name=name)
    assert page.count("<script") == 0
    assert page.count("</style>") == 1
    assert "\u202e" not in page
    assert "49" not in text(page)
    assert not re.search(r"<[^>]*\bonfocus=", page)


@pytest.mark.parametrize("address", ["/etc/passwd", "//evil.example/x", "../other/page.html", "a/../../b", ""])
def test_an_address_that_leads_elsewhere_is_our_mistake(cards, address):
    candidate = people(summary_of(cards.scorecard()), Feedback.PAGE)
    with pytest.raises(ValueError, match="relative"):
        feedback("Autumn", candidate, assessment(Feedback.PAGE), {"inference-api": address}, AT)


def test_a_scheme_becomes_part_of_a_name(cards):
    candidate = people(summary_of(cards.scorecard()), Feedback.PAGE)
    page = feedback("A", candidate, assessment(Feedback.PAGE), {"inference-api": "javascript:alert(1)"}, AT)
    assert 'href="javascript%3Aalert%281%29"' in page


def test_it_loads_and_runs_nothing_and_is_the_same_every_time(cards):
    pages = {made(summary_of(cards.scorecard()), Feedback.PAGE) for _ in range(3)}
    assert len(pages) == 1
    page = pages.pop()
    assert "default-src 'none'; style-src 'sha256-" in html.unescape(page)
    assert not re.search(r"<(script|link|img|iframe|form|base)\b", page)
