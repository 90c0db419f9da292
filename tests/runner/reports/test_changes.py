from hypothesis import given
from hypothesis import strategies as st

from runner.reports.changes import Change, Kind, changes, fitting, hunks, line_weight

LINES = st.lists(st.sampled_from(["a", "b", "c", "", "  d"]), max_size=30)


@given(LINES, LINES)
def test_hunks_lead_from_the_one_text_to_the_other(before, after):
    rebuilt = []
    position = 0
    for hunk in hunks(before, after):
        rebuilt += before[position : hunk.starter_line - 1]
        old = [line.text for line in hunk.lines if line.kind is not Kind.ADDED]
        assert old == before[hunk.starter_line - 1 : hunk.starter_line - 1 + len(old)]
        rebuilt += [line.text for line in hunk.lines if line.kind is not Kind.REMOVED]
        position = hunk.starter_line - 1 + len(old)
    assert rebuilt + before[position:] == after


def test_every_file_of_both_sides_has_a_status(cards):
    found = {file.path: file for file in changes(*cards.sources())}
    assert {path: file.change for path, file in found.items()} == {
        "README.md": Change.CHANGED,
        "main.py": Change.CHANGED,
        "cache/warm.bin": Change.ADDED,
        "model.py": Change.ADDED,
        "notes.txt": Change.REMOVED,
        "public_tests/test_public.py": Change.UNCHANGED,
    }
    assert found["cache/warm.bin"].binary
    assert (found["README.md"].added, found["README.md"].removed) == (2, 1)


def test_files_that_cannot_be_compared_say_why():
    assert changes({"a": b"\0"}, {"a": b"text"})[0].reason == "not text"
    assert changes({"a": b"x" * 500_000}, {"a": b"y"})[0].reason == "too large to compare line by line"
    assert changes({"a": b"x\n" * 5_000}, {"a": b"y"})[0].reason == "too many lines to compare"
    assert changes({"a": b"x\r\n"}, {"a": b"x\n"})[0].reason == "only line ends differ"


@given(st.integers(0, 3_000))
def test_a_difference_is_cut_to_its_bytes_and_the_rest_is_counted(limit):
    (file,) = changes({"a": b"<new>\n" * 50}, {"a": b"&old\n" * 50})
    kept, missing = fitting(file, limit)
    lines = [line for hunk in kept for line in hunk.lines]
    assert sum(map(line_weight, lines)) <= limit
    assert len(lines) + missing == 100
