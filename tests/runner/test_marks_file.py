from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assessments.cohort import Mark
from assessments.errors import UsageError
from runner.csv_file import LARGEST_BYTES
from runner.marks_file import read_marks

HEADER = "candidate,criterion,mark,out_of,note\n"
AT = "2026-11-24T10:00:00Z"


def read(path: Path, text: str | bytes, candidates: tuple[str, ...] = ("ann", "bob", "Jos\u00e9")) -> tuple[Mark, ...]:
    file = path / "marks.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_marks(file, candidates, by="eve", at=AT)


def problems(path: Path, text: str | bytes) -> tuple[str, ...]:
    with pytest.raises(UsageError) as caught:
        read(path, text)
    return caught.value.problems


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["no-bom", "bom"])
def test_marks_and_notes_are_read_in_the_files_order(tmp_path: Path, mark: bytes) -> None:
    text = HEADER + 'bob,clarity,4.5,5,"reads, well"\n\nann,tests,,,ask about the cache\r\nann,clarity,0,5,\n'
    assert read(tmp_path, mark + text.encode()) == (
        Mark("bob", "clarity", 4.5, 5.0, "reads, well", "eve", AT),
        Mark("ann", "tests", None, None, "ask about the cache", "eve", AT),
        Mark("ann", "clarity", 0.0, 5.0, "", "eve", AT),
    )


def test_columns_stand_in_any_order_and_notes_may_be_left_out(tmp_path: Path) -> None:
    (mark,) = read(tmp_path, "Out_Of, mark,criterion,candidate\n5,3,clarity,ann\n")
    assert (mark.value, mark.out_of, mark.note) == (3.0, 5.0, "")


def test_a_name_is_the_same_however_a_system_spells_it(tmp_path: Path) -> None:
    (mark,) = read(tmp_path, HEADER + "Jose\u0301,clarity,3,5,\n")
    assert mark.candidate == "Jos\u00e9"


BAD_ROWS = [
    ("anne,clarity,3,5,", "candidate: there is no candidate 'anne'; did you mean 'ann'?"),
    (",clarity,3,5,", "candidate: there is no candidate ''"),
    ("ann,,3,5,", "criterion: is empty"),
    ("ann,a\u202eb,3,5,", "criterion: 'a\\u202eb' holds characters that hide"),
    (f"ann,{'c' * 201},3,5,", "criterion: has 201 characters"),
    ('ann,clarity,"4,5",5,', "mark: '4,5' is no number from 0 to 1,000,000; write it like 4 or 4.5"),
    ("ann,clarity,nan,5,", "mark: 'nan' is no number"),
    ("ann,clarity,-1,5,", "mark: '-1' is no number"),
    ("ann,clarity,1_0,5,", "mark: '1_0' is no number"),
    ("ann,clarity,6,5,", "mark: 6 is more than the 5 it is out of"),
    ("ann,clarity,0,0,", "out_of: must be more than 0"),
    ("ann,clarity,3,,", "out_of: is empty"),
    ("ann,clarity,,5,", "mark: is empty, and so is the note"),
    (f"ann,clarity,3,5,{'n' * 4001}", "note: has 4,001 characters"),
    ("ann,clarity,3", "has 3 cells, the header 5"),
    ('ann,clarity,3,5,"x" y', "is not CSV from here on"),
]


@pytest.mark.parametrize(("row", "words"), BAD_ROWS, ids=[words[:40] for _, words in BAD_ROWS])
def test_a_wrong_row_is_named_with_file_line_field_and_fix(tmp_path: Path, row: str, words: str) -> None:
    (problem,) = problems(tmp_path, f"{HEADER}bob,clarity,3,5,\n{row}\n")
    assert problem.startswith(f"{tmp_path / 'marks.csv'} line 3: ")
    assert words in problem


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, HEADER + "anne,,x,5,\nann,clarity,3,5,\nann,clarity,4,5,\n")
    assert len(found) == 4
    assert "line 4: criterion: 'clarity' is marked at" in found[3]
    assert "line 3 too; keep one" in found[3]


def test_a_line_is_counted_where_its_row_begins(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, HEADER + 'ann,clarity,3,5,"two\nlines"\nanne,tests,3,5,\n')
    assert "line 4: candidate" in problem


def test_columns_must_be_known_and_whole(tmp_path: Path) -> None:
    found = problems(tmp_path, "candidate,criterion,marks,out_of,note,note\n")
    assert any("column 'marks': is not known; did you mean 'mark'?" in each for each in found)
    assert any("column 'mark': is missing" in each for each in found)
    assert any("column 'note': stands twice" in each for each in found)
    assert "save the file as CSV with commas" in problems(tmp_path, HEADER.replace(",", ";"))[0]


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    assert "is empty" in problems(tmp_path, "")[0]
    assert "line 2: is not UTF-8" in problems(tmp_path, HEADER.encode() + b"Jos\xe9,clarity,3,5,\n")[0]
    assert "NUL" in problems(tmp_path, HEADER + "ann\0")[0]
    assert "larger than 4 MiB" in problems(tmp_path, b"x" * (LARGEST_BYTES + 1))[0]
    with pytest.raises(UsageError, match="cannot be read"):
        read_marks(tmp_path / "none.csv", (), by="eve", at=AT)
    with pytest.raises(UsageError, match="cannot be read"):
        read_marks(tmp_path, (), by="eve", at=AT)


def test_a_thousand_problems_are_told_as_fifty_and_a_number(tmp_path: Path) -> None:
    found = problems(tmp_path, HEADER + "zed,clarity,3,5,\n" * 1000)
    assert len(found) == 51
    assert found[-1] == "and 950 problems more"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode()))
def test_whatever_the_file_holds_it_is_read_or_refused_in_words_a_terminal_can_show(
    tmp_path: Path, data: bytes
) -> None:
    for text in (data, HEADER.encode() + data, HEADER.encode() + b"ann,c,1,1," + data):
        try:
            read(tmp_path, text)
        except UsageError as error:
            assert error.problems  # noqa: PT017
