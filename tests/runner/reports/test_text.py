import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from runner.reports.text import ends, share, shown, visible, weight

ANY_TEXT = st.text(st.characters(), max_size=200)  # surrogates included


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain äöü 漢字 🙂", "plain äöü 漢字 🙂"),
        ("user\u202egnp.exe", "user\\u202egnp.exe"),
        ("a\u200bb\u2060c\ufeffd", "a\\u200bb\\u2060c\\ufeffd"),
        ("\u2066isolate\u2069", "\\u2066isolate\\u2069"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("nul\0", "nul\\x00"),
        ("soft\u00adhyphen no\u00a0break", "soft\\xadhyphen no\xa0break"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("lone\udcff", "lone\\udcff"),
        ("blank\u3164\u2800", "blank\\u3164\\u2800"),
        ("two\u2028lines", "two\\u2028lines"),
        ("private\ue000", "private\\ue000"),
        ("two\r\nlines\tand", "two\\x0d\\nlines\\tand"),
    ],
)
def test_characters_that_hide_or_reorder_become_escapes(text, expected):
    assert visible(text).replace("\\xa0", "\xa0") == expected


def test_line_feeds_and_tabs_keep_their_meaning_in_blocks_and_a_lone_return_is_shown():
    assert visible("a\r\nb\tc\rd", lines=True) == "a\nb\tc\\x0dd"


def test_a_tower_of_combining_marks_is_taken_down():
    assert visible("e\u0301") == "e\u0301"
    assert visible("e" + "\u0301" * 50).count("\u0301") == 3


@given(ANY_TEXT)
def test_nothing_invisible_is_left_and_the_result_can_be_encoded(text):
    ready = visible(text)
    ready.encode("utf-8")
    assert not [character for character in ready if unicodedata.category(character)[0] == "C"]


@given(ANY_TEXT, st.integers(0, 300))
def test_a_shown_text_keeps_its_limit_once_escaped(text, limit):
    ready = shown(text, limit, lines=True)
    assert len(str(escape(ready.text)).encode()) == weight(ready.text) <= limit
    assert ready.note or ready.text == visible(text, lines=True)


def test_what_was_cut_is_said_with_its_size():
    assert shown("x" * 1000, 10).note == "cut: the first 10 of 1,000 characters are shown"
    assert shown("x" * 10, 10).note == ""


@given(ANY_TEXT, st.integers(0, 300))
def test_a_log_keeps_its_limit_and_loses_only_its_middle(text, limit):
    head, tail = ends(text, limit)
    assert weight(head.text) + weight(tail.text) <= limit
    if not tail.note:
        assert head.text == visible(text, lines=True)


def test_a_long_log_shows_how_it_began_and_how_it_ended():
    head, tail = ends("begin" + "." * 100_000 + "Traceback: the end", 300)
    assert head.text.startswith("begin")
    assert tail.text.endswith("Traceback: the end")
    assert tail.note == "cut: 99,723 characters in the middle are left out"


@given(st.lists(st.integers(0, 10_000), max_size=20), st.integers(0, 30_000))
def test_shares_never_exceed_what_is_there_or_what_is_wanted(wanted, total):
    given_ = share(wanted, total)
    assert sum(given_) <= total
    assert all(got <= want for got, want in zip(given_, wanted, strict=True))
    if sum(wanted) <= total:
        assert list(given_) == wanted


def test_small_parts_get_all_they_want_and_large_ones_the_same():
    assert share([10, 1000, 1000], 210) == (10, 100, 100)


def test_five_megabytes_are_cut_before_anything_else_is_done_with_them():
    assert len(shown("\u202e" * 5_000_000, 600).text) == 600
