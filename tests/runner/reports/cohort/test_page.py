"""The page of a cohort, as text: what it says, what it escapes, and what it costs."""

import base64
import hashlib
import re
import time
from dataclasses import replace

import pytest

from assessments.assessment_result import ShareRange, Standing
from runner.insights.attention import Concern, ConcernKind
from runner.insights.ranking import Ranked
from runner.reports.cohort.page import render_cohort
from runner.reports.cohort.room import COHORT_BYTES


@pytest.fixture(scope="module")
def page(cohorts):
    return render_cohort(cohorts.content())


@pytest.fixture(scope="module")
def large(cohorts):
    return cohorts.large()


def _row(html, name):
    return next(line for line in html.split("\n") if line.startswith("<tr id=") and f'row"><bdi>{name}</bdi>' in line)


def test_the_head_says_what_when_and_how_many_stand_where(page, read):
    text = read(page).text
    assert "Machine learning engineer" in text
    assert "Winter 2026, Berlin" in text
    assert "passed from 74%, not passed below 66%" in text
    assert "40 of 41 submissions graded, 1 held, 0 open" in text
    assert "1 candidate is not wholly graded" in text
    assert "had a current certificate" in text


def test_a_cohort_without_certificate_an_open_regrade_and_missing_limits_are_warned_of(cohorts, read):
    found = cohorts.people(unenforced=("memory",))
    text = read(
        render_cohort(cohorts.content(found, cohort=cohorts.cohort(certified=False, closed_at=None), regrades_open=1))
    ).text
    assert "Not certified." in text
    assert "still open" in text
    assert "1 regrade is neither accepted nor refused" in text
    assert "Not every limit was enforced" in text
    assert "not all limits enforced" not in text, "what holds for all is said once"


def test_a_host_that_enforced_less_for_some_is_told_in_their_rows(cohorts):
    found = list(cohorts.people())
    one = found[0].submissions["inference-api"]
    submissions = {
        **found[0].submissions,
        "inference-api": replace(one, scorecard=replace(one.scorecard, unenforced=("memory",))),
    }
    found[0] = replace(found[0], submissions=submissions)
    html = render_cohort(cohorts.content(tuple(found)))
    assert "not all limits enforced" in _row(html, "Ada Lovelace")
    assert html.count("not all limits enforced") == 1


def test_places_and_shares_that_are_not_known_better_are_ranges(cohorts):
    found = cohorts.people()
    result = replace(found[0].result, share=ShareRange(0.617, 0.7049), standing=Standing.TOO_CLOSE)
    first = replace(found[0], result=result)
    ranking = (Ranked(first, 3, 7), *(Ranked(each, 1, 1) for each in found[2:]))
    html = render_cohort(cohorts.content((first, *found[1:]), ranking=ranking))
    assert '<td class="place">3\u20137</td>' in _row(html, "Ada Lovelace")
    assert "61.7\u201370.4%" in _row(html, "Ada Lovelace")
    assert "Too close to call" in _row(html, "Ada Lovelace")
    assert '<td class="place">\u2013</td>' in _row(html, "Bashir Haddad"), "who is not ranked has a row all the same"


def test_a_row_says_what_is_held_missing_slow_and_marked(page):
    held = _row(page, "Emeka Okafor")
    assert held.count("held") == 2
    assert "nothing handed in" in _row(page, "Kwame Mensah")
    assert re.search(r'<b class="alarm">[\d.]+\u00d7 of 2\u00d7</b><small>memory-under-load</small>', page)
    assert "clarity <b>4 of 5</b>" in _row(page, "Ada Lovelace")
    assert "81.3% like Leila Farouk&#39;s" in _row(page, "Ines Carvalho")
    assert "1 earlier submission" in page


def test_peoples_marks_change_nothing_that_assay_graded(cohorts):
    content = cohorts.content()
    bare = tuple(replace(each, marks=()) for each in content.candidates)
    without = render_cohort(replace(content, candidates=bare, ranking=cohorts.ranked(bare)))
    with_marks = _row(render_cohort(content), "Ada Lovelace").split('<td class="people">')
    no_marks = _row(without, "Ada Lovelace").split('<td class="people">')
    drop = re.compile(r' data-keys="[^"]*"')
    assert drop.sub("", with_marks[0]) == drop.sub("", no_marks[0])
    assert "clarity" in with_marks[1]
    assert "clarity" not in no_marks[1]


def test_every_row_has_a_figure_for_each_column_to_sort_by(page):
    columns = page.count("data-first=")
    keys = [found.split() for found in re.findall(r'data-keys="([^"]*)"', page)]
    assert len(keys) == 14
    assert {len(each) for each in keys} == {columns} == {11}


def test_what_is_too_little_to_judge_by_says_so(cohorts, read):
    text = read(render_cohort(cohorts.content(statistics=cohorts.statistics(cohorts.people(), few=True)))).text
    assert text.count("too few to say") == 3 * (2 * 14 + 2)
    assert "None" not in text


def test_only_the_first_concerns_are_listed_and_the_rest_are_counted(cohorts, read):
    many = [Concern(ConcernKind.TOO_CLOSE, "Ada Lovelace", None, f"Reason {at}.") for at in range(20)]
    many += [Concern(ConcernKind.HELD, "Chen Wei", "inference-api", "Late.")] * 3
    text = read(render_cohort(cohorts.content(concerns=tuple(many)))).text
    assert "Reason 11." in text
    assert "Reason 12." not in text
    assert "11 more not shown here: 8 too close, 3 held." in text


def test_an_empty_cohort_is_a_page_too(cohorts, read):
    empty = cohorts.content((), concerns=(), pairs={}, statistics=(), links={})
    text = read(render_cohort(empty)).text
    assert "Nobody has handed in anything yet." in text
    assert "0 of 0 submissions graded" in text


def test_nothing_hostile_becomes_markup(cohorts, read):
    hostile = read(render_cohort(cohorts.hostile()))
    calm = read(render_cohort(cohorts.hostile("calm")))
    kinds = {tag for tag, _ in hostile.tags}
    assert kinds <= {tag for tag, _ in calm.tags} | {"small"}, "no element is there that a calm cohort has not"
    assert not [tag for tag, _ in hostile.tags if tag in {"img", "iframe", "base", "object", "embed", "form"}]
    assert sum(tag == "script" for tag, _ in hostile.tags) == 1
    assert sum(tag == "style" for tag, _ in hostile.tags) == 1
    assert not [
        name for _, attributes in hostile.tags for name in attributes if name.startswith("on") or name == "style"
    ]
    assert "\u202e" not in hostile.text
    assert "{{7*7}}" in hostile.text


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)", "JAVASCRIPT:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)",
        "data:text/html,x", "//evil.invalid/x", "/etc/passwd", "\\\\evil.invalid\\x", "https://evil.invalid",
        "reports/a.html?x=1", "a" * 300, "reports/\u202e.html", "", "vbscript:x", "reports/a b.html", "#c1",
    ],
)  # fmt: skip
def test_links_lead_to_relative_addresses_alone(cohorts, read, href):
    content = cohorts.content()
    links, pages = (dict.fromkeys(each, href) for each in (content.links, content.side_by_side))
    html = render_cohort(replace(content, links=links, side_by_side=pages))
    leads = [attributes["href"] for tag, attributes in read(html).tags if tag == "a"]
    assert all(lead.startswith("#") for lead in leads)
    assert not [lead for lead in leads if lead == href and href != "#c1"]


def test_shares_lead_to_their_reports_and_pairs_to_both_side_by_side(cohorts, read):
    content = cohorts.content()
    leads = {attributes["href"] for tag, attributes in read(render_cohort(content)).tags if tag == "a"}
    assert {lead for lead in leads if not lead.startswith("#")} == {
        *content.links.values(),
        *content.side_by_side.values(),
    }


def test_links_within_the_page_lead_somewhere(page, read):
    tags = read(page).tags
    ids = {attributes["id"] for _, attributes in tags if "id" in attributes}
    assert {a["href"][1:] for tag, a in tags if tag == "a" and a["href"].startswith("#")} <= ids


def test_the_policy_allows_the_pages_own_style_and_script_and_no_other(page):
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1).replace("&#39;", "'")

    def digest(tag):
        text = re.search(f"<{tag}>(.*?)</{tag}>", page, re.S).group(1)
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    assert policy == (
        f"default-src 'none'; script-src 'sha256-{digest('script')}'; style-src 'sha256-{digest('style')}'; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )


def test_a_thousand_candidates_fit_a_page_that_is_made_at_once(large):
    began = time.process_time()
    html = render_cohort(large)
    assert time.process_time() - began < 5
    assert len(html.encode()) < COHORT_BYTES
    assert html.count("<tr id=") == 1_000
    assert "840 more pairs left out" in html


def test_what_does_not_fit_is_cut_and_counted_pictures_before_rows(cohorts, large):
    long_names = cohorts.large(suffix=" " + "<&>" * 20)
    html = render_cohort(long_names)
    assert len(html.encode()) < COHORT_BYTES
    assert html.count("<tr id=") == 1_000
    assert re.search(r"the last [\d,]+ rows of the ranking name the lowest skill alone", html)
    thrice = replace(large, candidates=large.candidates * 3, ranking=large.ranking * 3)
    html = render_cohort(thrice)
    assert len(html.encode()) < COHORT_BYTES
    assert (
        html.count("<tr id=") + int(re.search(r"([\d,]+) more candidates left out", html).group(1).replace(",", ""))
        == 3_000
    )
