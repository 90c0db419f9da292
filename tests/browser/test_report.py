import pytest

from runner.reports.html import Audience, Sources, render

ATTACK = (
    "<script>alert(1);fetch('https://evil.invalid')</script>\"'><img src=https://evil.invalid/x onerror=alert(2)>"
    "<svg onload=alert(3)></style></pre></details><style>*{display:none!important}</style>"
    "<base href=https://evil.invalid/><meta http-equiv=refresh content='0;url=https://evil.invalid'>"
    "<a href=javascript:alert(4) autofocus onfocus=alert(5)>x</a>{{7*7}}<iframe srcdoc='<script>alert(6)</script>'>"
)
WIDE = "W" * 4_000

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
    if (!walk.currentNode.data.trim() || e.closest('style, title, desc')) continue;
    const ink = e.closest('svg') ? getComputedStyle(e).fill : getComputedStyle(e).color;
    const [a, b] = [light(parse(ink)), light(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05); seen++;
    if (ratio < 4.5) poor.push([ratio.toFixed(2), e.className, walk.currentNode.data.slice(0, 40)]);
  }
  return {seen, poor: poor.slice(0, 10)};
}"""
OPEN_ALL = "() => document.querySelectorAll('details').forEach(each => { each.open = true; })"


@pytest.fixture(scope="module")
def report(cards):
    return render(cards.scorecard(enforced=False), Sources(*cards.sources()), Audience.INTERVIEWER)


@pytest.mark.parametrize("audience", Audience)
def test_a_hostile_page_runs_loads_and_changes_nothing(visit, cards, audience):
    card, submitted, starter = cards.hostile(ATTACK)
    opened = visit(render(card, Sources(submitted, starter), audience))
    opened.page.evaluate(OPEN_ALL)
    opened.page.wait_for_load_state("networkidle")
    assert opened.deeds() == []
    assert opened.page.locator("main h2").first.is_visible()
    assert opened.page.locator("script, img, iframe, base, main style").count() == 0
    assert "alert(1)" in opened.page.locator("h1").inner_text()


def test_the_policy_stops_a_script_even_if_one_got_into_the_page(visit, report):
    page = report.replace(
        "</main>", "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"></main>"
    )
    opened = visit(page)
    assert opened.page.title() != "owned"
    assert any("Content Security Policy" in message for message in opened.console)


def test_an_ordinary_page_does_nothing_but_be_read(visit, report):
    opened = visit(report)
    opened.page.wait_for_load_state("networkidle")
    assert opened.deeds() == []
    assert opened.page.evaluate("getComputedStyle(document.querySelector('.verdict')).display") == "grid", (
        "the style must be allowed by its hash"
    )


def test_everything_works_with_scripts_off(visit, report):
    page = visit(report, java_script_enabled=False).page
    first = page.locator("details.failed").first
    body = first.locator(".inside")
    assert not body.is_visible()
    first.locator("summary").click()
    assert body.is_visible()
    assert "Row 3 of the batch" in body.inner_text()


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_the_page_never_scrolls_sideways(visit, cards, report, width):
    card, submitted, starter = cards.hostile(WIDE)
    for html in (report, render(card, Sources(submitted, starter), Audience.INTERVIEWER)):
        page = visit(html, viewport={"width": width, "height": 740}).page
        page.evaluate(OPEN_ALL)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_keyboard_reaches_the_skip_link_and_opens_a_check(visit, report):
    page = visit(report).page
    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    assert skip.evaluate("each => each === document.activeElement")
    assert skip.bounding_box()["x"] >= 0, "the skip link must come into view"
    assert skip.evaluate("each => getComputedStyle(each).outlineStyle") == "solid"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.checks summary')"):
            break
    opened = "document.activeElement.parentElement.open"
    assert page.evaluate(opened) is False
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.evaluate(opened) is True
    page.keyboard.press("Space")
    assert page.evaluate(opened) is False


def test_a_finding_opens_the_check_it_leads_to(visit, report):
    page = visit(report, java_script_enabled=False).page
    link = page.locator(".findings a").nth(2)
    link.click()
    assert page.locator(f"{link.get_attribute('href')}").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("audience", Audience)
def test_every_text_has_enough_contrast(visit, cards, scheme, audience):
    card = cards.scorecard(enforced=False)
    page = visit(render(card, Sources(*cards.sources()), audience), color_scheme=scheme).page
    page.evaluate(OPEN_ALL)
    found = page.evaluate(CONTRAST)
    assert found["seen"] > 300
    assert found["poor"] == []


def test_dark_and_light_differ(visit, report):
    colours = [
        visit(report, color_scheme=scheme).page.evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]
    assert colours == ["rgb(246, 246, 243)", "rgb(19, 22, 25)"]


def test_print_is_on_white_with_every_check_open_even_from_a_dark_screen(visit, report):
    page = visit(report, color_scheme="dark").page
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("details.failed .inside").first.is_visible()
    assert not page.locator("nav").is_visible()
    assert page.evaluate(CONTRAST)["poor"] == []


def test_the_page_prints_to_pdf(visit, report):
    pdf = visit(report).page.pdf(format="A4", print_background=True)
    assert pdf.startswith(b"%PDF-")
    assert len(pdf) > 20_000


# Pairs of labels within one picture whose boxes overlap by more than a few pixels, and labels that leave it.
OVERLAPS = """() => {
  const bad = [];
  for (const picture of document.querySelectorAll('svg.chart')) {
    const frame = picture.getBoundingClientRect();
    const labels = [...picture.querySelectorAll('text')].map(e => [e.textContent, e.getBoundingClientRect()]);
    labels.forEach(([words, a], place) => {
      if (a.left < frame.left - 1 || a.right > frame.right + 1 || a.bottom > frame.bottom + 1) bad.push(['out', words]);
      for (const [others, b] of labels.slice(place + 1)) {
        const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (x > 2 && y > 4) bad.push([words, others]);
      }
    });
  }
  return bad;
}"""


@pytest.fixture(scope="module")
def measured(cards):
    return render(cards.measured(), Sources(*cards.sources()), Audience.INTERVIEWER)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_with_measurements_does_nothing_and_can_be_read(visit, measured, scheme):
    opened = visit(measured, color_scheme=scheme)
    assert opened.deeds() == []
    assert opened.page.locator("svg.chart").count() == 16
    assert opened.page.evaluate(CONTRAST)["poor"] == []


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_charts_fit_the_page_and_their_words_do_not_overlap(visit, measured, width):
    page = visit(measured, viewport={"width": width, "height": 740}).page
    page.evaluate(OPEN_ALL)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERLAPS) == []
    boxes = [box.bounding_box() for box in page.locator(".ruling, figure").all()]
    assert all(box["height"] > 80 and box["x"] + box["width"] <= width for box in boxes)


def test_charts_are_printed_whole_and_on_white(visit, measured):
    page = visit(measured, color_scheme="dark").page
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("svg.chart").first.is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('figure')).breakInside") == "avoid"
    assert page.evaluate("getComputedStyle(document.querySelector('figure')).backgroundColor") == "rgb(255, 255, 255)"
    assert len(page.pdf(format="A4", print_background=False)) > 20_000
