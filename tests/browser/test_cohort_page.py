"""The pages of a cohort in a real browser: sorting, filtering, and nothing else that runs."""

from dataclasses import replace
from pathlib import Path

import pytest

from assessments.assessment_result import ShareRange, Standing
from assessments.outcome import Outcome
from runner.insights.regrade import Cause, Change, Difference, Shift
from runner.insights.similarity import Match
from runner.reports.cohort.compare import render_comparison
from runner.reports.cohort.owner import render_owner
from runner.reports.cohort.page import render_cohort
from runner.reports.cohort.regrade import render_regrade
from runner.reports.cohort.side_by_side import render_similarity

FACTORY = Path(__file__).resolve().parents[1] / "runner" / "reports" / "cohort" / "cohorts.py"
NAMES = "() => [...document.querySelectorAll('table.ranking tbody tr:not([hidden]) th bdi')].map(e => e.textContent)"
SORTED = "() => [...document.querySelectorAll('th[aria-sort]')].map(e => [e.innerText.trim(), e.ariaSort])"
OPEN_ALL = "() => document.querySelectorAll('details').forEach(each => { each.open = true; })"

# Every text node's colour against what is painted behind it, by WCAG 2.2's formula; returns those under 4.5.
CONTRAST = """() => {
  const parse = c => { const n = c.match(/[\\d.]+/g).map(Number); return n.length === 3 ? [...n, 1] : n; };
  const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map(v => v / 255).map(
    v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * x + 0.7152 * y + 0.0722 * z; };
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c[3] === 1) return c; if (c[3] > 0) throw new Error('half transparent'); } return [255, 255, 255, 1]; };
  const poor = []; let seen = 0;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || e.closest('style, script, title, desc, option')) continue;
    const ink = e.closest('svg') ? getComputedStyle(e).fill : getComputedStyle(e).color;
    const [a, b] = [light(parse(ink)), light(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05); seen++;
    if (ratio < 4.5) poor.push([ratio.toFixed(2), e.className, walk.currentNode.data.slice(0, 40)]);
  }
  return {seen, poor: poor.slice(0, 10)};
}"""

# What axe checks first: names, labels, headings in order, tables with heads, ids that are unique.
BASICS = """() => {
  const bad = [];
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  if (new Set(ids).size !== ids.length) bad.push('ids repeat');
  if (!document.documentElement.lang || !document.title) bad.push('no language or title');
  for (const once of ['h1', 'main']) if (document.querySelectorAll(once).length !== 1) bad.push(`not one ${once}`);
  let level = 1;
  for (const head of document.querySelectorAll('h1, h2, h3, h4, h5')) {
    if (Number(head.tagName[1]) > level + 1) bad.push(`${head.textContent}: a level is skipped`);
    level = Number(head.tagName[1]);
  }
  for (const table of document.querySelectorAll('table')) {
    if (!table.caption || !table.caption.textContent.trim()) bad.push('a table without caption');
    if (table.querySelectorAll('thead th').length === 0) bad.push('a table without heads');
    for (const head of table.querySelectorAll('th')) if (!head.scope) bad.push(`${head.textContent}: no scope`);
  }
  for (const field of document.querySelectorAll('input, select'))
    if (!field.labels.length) bad.push('a field without label');
  for (const each of document.querySelectorAll('a, button'))
    if (!each.textContent.trim()) bad.push('a control without words');
  for (const each of document.querySelectorAll('svg'))
    if (each.ariaHidden !== 'true' && !(each.role === 'img' && (each.ariaLabel || each.querySelector('title'))))
      bad.push('a picture without words');
  for (const each of document.querySelectorAll('[aria-labelledby]'))
    for (const id of each.getAttribute('aria-labelledby').split(' '))
      if (!document.getElementById(id)) bad.push(`no ${id}`);
  for (const each of document.querySelectorAll('.wide[role=region]'))
    if (each.tabIndex !== 0 || !each.ariaLabel) bad.push('what scrolls cannot be reached');
  return bad;
}"""


@pytest.fixture(scope="module")
def cohorts(module_at):
    """The factory of cohorts that the pages' own tests use."""
    return module_at(FACTORY)


def _others(cohorts, content, text="The check counted the warm-up."):
    """The other pages of the same cohort: the owner's, a comparison, a likeness and a regrade."""
    first, second, third, *_ = content.candidates
    card = first.submissions["inference-api"].scorecard
    change = Change(card.checks[0].check, Outcome.FAILED, Outcome.PASSED, 0.0, 4.0)
    one = Difference(first.name, "inference-api", card, card, (change,), (text,), (text,), tuple(Cause))
    low, high = ShareRange(0.6, 0.61), ShareRange(0.75, 0.8)
    shift = Shift(first.name, low, high, Standing.NOT_PASSED, Standing.PASSED, (5, 6), (3, 4))
    files = {
        "service.py": f'"""A service."""\n\n\ndef answer(x: int) -> str:\n    return "{text}"  # {text}\n'.encode()
    }
    match = Match("service.py", 1, 5, "service.py", 1, 5)
    return (
        render_owner(content.cohort, content.statistics, content.made_at),
        render_comparison([first, second, third], content.cohort, content.links, content.made_at),
        render_similarity(first.name, second.name, text, 0.8, [match], files, files, content.made_at),
        render_regrade(content.cohort, text, text, content.made_at, [one], [shift], None),
    )


@pytest.fixture(scope="module")
def html(cohorts):
    return render_cohort(cohorts.content())


@pytest.fixture(scope="module")
def long_html(cohorts):
    """A thousand candidates, with one concern: about the last of them."""
    content = cohorts.large()
    concern = replace(content.concerns[0], candidate=content.ranking[-1].candidate.name)
    return render_cohort(replace(content, concerns=(concern,))), concern.candidate


def _head(page, words):
    return page.locator("table.ranking thead button", has_text=words)


def test_a_click_sorts_by_a_column_and_another_turns_it_round(visit, html):
    opened = visit(html)
    page = opened.page
    by_place = page.evaluate(NAMES)
    assert page.evaluate(SORTED) == [["Place", "ascending"]]
    _head(page, "Candidate").click()
    assert page.evaluate(NAMES) == sorted(by_place)
    assert page.evaluate(SORTED) == [["Candidate", "ascending"]]
    _head(page, "Candidate").click()
    assert page.evaluate(NAMES) == sorted(by_place, reverse=True)
    _head(page, "Share").click()
    shares = page.locator("td.share").all_inner_texts()
    low = [float(text.split("–")[0].rstrip("%")) for text in shares]  # noqa: RUF001
    assert low == sorted(low, reverse=True)
    assert page.evaluate(SORTED) == [["Share", "descending"]]
    assert "sorted by share, descending" in page.locator("[role=status]").inner_text()
    assert opened.deeds() == []


def test_the_keyboard_sorts_too_and_who_has_no_figure_comes_last(visit, html):
    page = visit(html).page
    _head(page, "Marks").focus()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") in {"solid", "none"}
    page.keyboard.press("Enter")
    marked = page.evaluate("[...document.querySelectorAll('tbody td.people')].map(e => e.textContent.trim() !== '')")
    assert marked[:14] == [True] * 4 + [False] * 10
    page.keyboard.press("Space")
    assert page.evaluate(SORTED) == [["Marks", "ascending"]]
    again = page.evaluate("[...document.querySelectorAll('tbody td.people')].map(e => e.textContent.trim() !== '')")
    assert again == marked, "those without a mark come last whichever way"


def test_the_table_is_filtered_by_name_and_by_standing(visit, html):
    opened = visit(html)
    page = opened.page
    page.get_by_label("Name").fill("  LOVE ")
    assert page.evaluate(NAMES) == ["Ada Lovelace"]
    assert page.locator("[role=status]").inner_text().startswith("1 of 14 shown")
    page.get_by_label("Name").fill("")
    page.get_by_label("Standing").select_option(label="Passed")
    assert len(page.evaluate(NAMES)) == 5
    page.get_by_label("Standing").select_option(label="not wholly graded")
    assert page.evaluate(NAMES) == ["Emeka Okafor"]
    page.get_by_label("Name").fill("nobody")
    assert page.evaluate(NAMES) == []
    assert opened.deeds() == []


def test_sorting_a_thousand_gives_their_order(visit, long_html, record_property):
    page = visit(long_html[0]).page
    took = page.evaluate("""() => {
      const table = document.querySelector('table.ranking');
      return [...table.querySelectorAll('thead button')].map(button => {
        const began = performance.now();
        button.click();
        const sorted = performance.now();
        table.offsetHeight;
        return [button.textContent, sorted - began, performance.now() - began];
      });
    }""")
    record_property("sorting, milliseconds (column, script, with layout)", took)
    print(*took, sep="\n")
    _head(page, "Share").click()
    first = page.evaluate("[...document.querySelectorAll('td.share')].map(e => parseFloat(e.textContent))")
    assert len(first) == 100
    assert first == sorted(first, reverse=True)
    page.get_by_role("button", name="Show all 1,000").click()
    assert page.locator("[role=status]").inner_text().startswith("1,000 of 1,000 shown")
    low = page.evaluate(
        "[...document.querySelectorAll('tr[data-keys]')].map(e => Number(e.dataset.keys.split(' ')[2]))"
    )
    assert len(low) == 1_000
    assert low == sorted(low, reverse=True)


def test_of_a_long_ranking_the_first_rows_are_shown_and_none_is_out_of_reach(visit, long_html):
    html, last = long_html
    page = visit(html).page
    assert page.locator("tr[data-keys]").count() == 100
    page.get_by_label("Name").fill(last)
    assert page.evaluate(NAMES) == [last]
    page.get_by_label("Name").fill("candidate")
    page.locator(".concerns a").click()
    assert page.locator("tr:target th bdi").inner_text() == last
    assert page.get_by_label("Name").input_value() == ""
    printed = visit(html).page
    printed.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert printed.locator("tr[data-keys]").count() == 1_000
    assert visit(html, java_script_enabled=False).page.locator("tr[data-keys]").count() == 1_000


def test_a_hostile_cohort_runs_loads_and_changes_nothing(visit, cohorts):
    hostile = cohorts.hostile()
    for html in (render_cohort(hostile), *_others(cohorts, hostile, cohorts.ATTACK)):
        opened = visit(html)
        opened.page.evaluate(OPEN_ALL)
        opened.page.wait_for_load_state("networkidle")
        assert opened.deeds() == []
        assert opened.page.locator("img, iframe, base, main style, main script").count() == 0
        assert opened.page.locator("h1").is_visible()


def test_names_stay_words_while_the_script_sorts_and_filters(visit, cohorts):
    opened = visit(render_cohort(cohorts.hostile()))
    page = opened.page
    for button in page.locator("table.ranking thead button").all():
        button.click()
    page.get_by_label("Name").fill("<script>alert(1)")
    assert len(page.evaluate(NAMES)) == 3
    assert opened.deeds() == []


@pytest.mark.parametrize(
    "attack",
    [
        "<script>document.title='owned'</script>",
        "<img src=x onerror=\"document.title='owned'\">",
        "<a id=run href=\"javascript:document.title='owned'\">x</a>",
        "<style>body { display: none }</style>",
    ],
)
def test_the_policy_stops_what_would_run_even_if_it_got_into_the_page(visit, html, attack):
    opened = visit(html.replace("</main>", f"{attack}</main>"))
    if "id=run" in attack:
        opened.page.locator("#run").click()
    assert opened.page.title() != "owned"
    assert opened.page.locator("h1").is_visible()
    assert any("Content Security Policy" in message for message in opened.console)


def test_the_page_is_whole_with_scripts_off(visit, html):
    page = visit(html, java_script_enabled=False).page
    assert not page.locator(".tools").is_visible(), "what would do nothing is not shown"
    assert page.locator("table.ranking button").count() == 0
    assert page.locator("table.ranking tbody tr").count() == 14
    assert page.locator("table.ranking tbody tr").first.is_visible()
    inside = page.locator("details .inside").first
    assert not inside.is_visible()
    page.locator("details summary").first.click()
    assert inside.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_enough_contrast(visit, cohorts, html, scheme):
    for text in (html, *_others(cohorts, cohorts.content())):
        page = visit(text, color_scheme=scheme).page
        page.evaluate(OPEN_ALL)
        found = page.evaluate(CONTRAST)
        assert found["seen"] > 25
        assert found["poor"] == []


def test_the_row_a_concern_leads_to_stands_out_and_can_be_read(visit, html):
    page = visit(html).page
    page.locator(".concerns a").first.click()
    assert page.locator("tr:target th bdi").inner_text() == "Emeka Okafor"
    assert page.evaluate(CONTRAST)["poor"] == []


def test_dark_and_light_differ(visit, html):
    colours = [
        visit(html, color_scheme=scheme).page.evaluate(
            "getComputedStyle(document.querySelector('.sheet')).backgroundColor"
        )
        for scheme in ("light", "dark")
    ]
    assert colours[0] != colours[1]


def test_names_labels_heads_and_captions_are_in_order(visit, cohorts, html):
    for text in (html, *_others(cohorts, cohorts.content())):
        page = visit(text).page
        page.evaluate(OPEN_ALL)
        assert page.evaluate(BASICS) == []


def test_no_page_scrolls_sideways(visit, cohorts, html):
    wide = cohorts.hostile("W" * 4_000)
    others = _others(cohorts, cohorts.content())
    for text in (html, render_cohort(wide), *others, *_others(cohorts, wide, "W" * 4_000)):
        page = visit(text).page
        page.evaluate(OPEN_ALL)
        for width in (320, 390, 768, 1280):
            page.set_viewport_size({"width": width, "height": 740})
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_page_prints_on_white_with_all_columns_and_details(visit, html):
    page = visit(html, color_scheme="dark").page
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator(".tools").is_visible()
    assert page.locator("details .inside").first.is_visible()
    assert page.evaluate(CONTRAST)["poor"] == []
    page.set_viewport_size({"width": 1030, "height": 700})
    assert page.evaluate("document.querySelector('table.ranking').offsetWidth") <= 1030, "A4 across holds the ranking"
    assert page.pdf(prefer_css_page_size=True, print_background=True).startswith(b"%PDF-")
