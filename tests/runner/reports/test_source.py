import time

import pytest

from runner.reports.source import decoded, highlighted


def _plain(lines):
    return "\n".join("".join(span.text for span in line) for line in lines)


def test_highlighting_changes_no_character(cards):
    assert _plain(highlighted("main.py", cards.SUBMITTED_MAIN)) == cards.SUBMITTED_MAIN.removesuffix("\n")


def test_words_get_classes_by_what_they_are():
    spans = {span.text: span.css for line in highlighted("a.py", 'def f(x): return "s" + 1  # why\n') for span in line}
    assert (spans["def"], spans["f"], spans['"s"'], spans["1"], spans["# why"]) == ("k", "f", "s", "n", "c")


def test_a_file_with_an_unknown_ending_is_plain_text():
    assert {span.css for line in highlighted("notes.xyz", "def f(): pass") for span in line} == {""}


def test_bytes_that_are_not_utf_8_and_bidi_controls_are_shown_as_escapes():
    assert decoded(b"a = '\xff'\r\n# \xe2\x80\xae") == "a = '\\xff'\n# \\u202e"


def test_long_lines_are_shortened_and_say_so():
    (line,) = highlighted("a.py", "x" * 1000)
    assert line[0].text.startswith("x" * 400)
    assert _plain([line]).endswith("[600 characters more]")


@pytest.mark.parametrize(
    "unit", ["\n ", " " * 100 + "\n", "\t" * 100 + "\n", '"""', "f'{", "\\", "((((", "`\n", "\\N{"]
)
@pytest.mark.parametrize("path", ["a.py", "a.toml", "a.yaml", "a.json", "a.sh", "a.sql", "Dockerfile"])
def test_no_source_keeps_the_lexer_busy(path, unit):
    started = time.monotonic()
    highlighted(path, (unit * 110_000)[:110_000])
    # A lexer that goes quadratic takes twenty seconds here.
    assert time.monotonic() - started < 6
