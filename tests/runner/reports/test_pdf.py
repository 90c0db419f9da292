import builtins
import os
import re

import pytest

from assessments.errors import UsageError
from runner.reports.html import Audience, Sources, render
from runner.reports.pdf import _prepared, pdf


@pytest.fixture
def engine():
    try:
        import weasyprint
    except (ImportError, OSError):
        assert not os.environ.get("CI"), "CI must make PDFs: WeasyPrint or Pango is missing"
        pytest.skip("WeasyPrint or Pango is missing: pip install weasyprint, apt-get install libpangoft2-1.0-0")
    return weasyprint


def small(cards):
    card = cards.scorecard(cards.scorecard().results[:2], runs=())
    return render(card, Sources({}, {}), Audience.INTERVIEWER)


def test_the_same_page_gives_the_same_pdf(cards, engine):
    first, second = pdf(small(cards)), pdf(small(cards))
    assert first.startswith(b"%PDF-1.")
    assert first.rstrip().endswith(b"%%EOF")
    assert first == second
    assert b"CreationDate" not in first


def test_several_pages_are_one_document(cards, engine, monkeypatch):
    lengths = []
    written = engine.Document.write_pdf
    monkeypatch.setattr(engine.Document, "write_pdf", lambda self: (lengths.append(len(self.pages)), written(self))[1])
    pdf(small(cards))
    pdf(small(cards), small(cards))
    assert lengths[0] > 0
    assert lengths[1] == 2 * lengths[0]


def test_nothing_is_fetched_and_no_file_is_read(cards, engine, tmp_path, monkeypatch):
    secret = tmp_path / "secret.css"
    secret.write_text("body { color: red }")
    asked = []
    opened = builtins.open
    monkeypatch.setattr(builtins, "open", lambda file, *a, **k: (asked.append(str(file)), opened(file, *a, **k))[1])
    address = secret.as_uri()
    tags = f"<link rel=stylesheet href='{address}'><img src='{address}'><link rel=attachment href='{address}'>"
    tags += f"<style>@import url('{address}'); p {{ background: url('http://192.0.2.1/x') }}</style><p>x</p>"
    tags += f"<svg><image href='{address}'/><style>@import url('{address}');</style></svg><object data='{address}'>"
    assert pdf(small(cards).replace("<main", tags + "<main", 1)).startswith(b"%PDF-")
    assert str(secret) not in asked


@pytest.mark.parametrize("error", [ImportError("no module"), OSError("cannot load library 'libpango-1.0-0'")])
def test_what_to_install_is_told_where_it_is_missing(monkeypatch, error):
    real = builtins.__import__

    def refuse(name, *arguments, **options):
        if name == "weasyprint":
            raise error
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(UsageError) as caught:
        pdf("<p>x</p>")
    assert "pip install 'assay-runner[pdf]'" in str(caught.value)
    assert "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0" in str(caught.value)


def test_pictures_carry_the_colours_they_print_in(cards):
    page = _prepared(render(cards.measured(), Sources({}, {}), Audience.INTERVIEWER), "")
    styles = re.findall(r"<svg[^>]*><style>(.*?)</style>", page)
    assert len(styles) == page.count("<svg")
    assert "var(" not in styles[0]
    assert ".fill{ fill: #2552b8; }" in styles[0]
    assert "Highlight" not in styles[0]
    assert ".chart .zone-all{ fill: #eef6f1; }" in styles[0]


def test_anchors_of_several_pages_do_not_meet(cards):
    page = _prepared(small(cards), "r2-")
    ids = set(re.findall(r' id="([^"]+)"', page))
    assert all(each.startswith("r2-") for each in ids)
    assert set(re.findall(r' href="#([^"]+)"', page)) <= ids


def test_a_submissions_words_are_not_rewritten(cards):
    card, submitted, starter = cards.hostile('<svg id="x"> href="#y"')
    page = render(card, Sources(submitted, starter), Audience.INTERVIEWER)
    assert _prepared(page, "r1-").count("&lt;svg id=&#34;x&#34;&gt; href=&#34;#y&#34;") == page.count(
        "&lt;svg id=&#34;x&#34;&gt; href=&#34;#y&#34;"
    )
