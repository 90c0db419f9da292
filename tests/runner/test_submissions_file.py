import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessments.errors import UsageError
from runner.labels import natural
from runner.submissions_file import Listed, read_submissions

KNOWN = ("inference-api", "model-monitoring")
HEADER = "candidate,challenge,path,revision\n"


def lay(folder: Path, *names: str) -> Path:
    """Files and, with a slash at the end, folders."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir()
        else:
            path.write_bytes(b"x")
    return folder


def table(folder: Path, text: str) -> Path:
    (folder / "list.csv").write_text(text)
    return folder / "list.csv"


def problems(path: Path, challenge: str | None = None) -> tuple[str, ...]:
    with pytest.raises(UsageError) as caught:
        read_submissions(path, KNOWN, challenge=challenge)
    return caught.value.problems


def test_a_table_lists_submissions_in_its_order(tmp_path: Path) -> None:
    lay(tmp_path, "a/ann.zip", "repos/bob/")
    file = table(tmp_path, HEADER + "bob,inference-api,repos/bob,v1\nann,model-monitoring,a/ann.zip,\n")
    assert read_submissions(file, KNOWN) == (
        Listed("bob", "inference-api", tmp_path / "repos/bob", "v1", f"{file} line 2"),
        Listed("ann", "model-monitoring", tmp_path / "a/ann.zip", None, f"{file} line 3"),
    )


def test_a_table_needs_no_challenge_column_where_the_challenge_is_given(tmp_path: Path) -> None:
    lay(tmp_path, "ann.zip")
    (one,) = read_submissions(table(tmp_path, "candidate,path\nann,ann.zip\n"), KNOWN, challenge="inference-api")
    assert one.challenge == "inference-api"


def test_a_folder_holds_candidates_and_their_challenges(tmp_path: Path) -> None:
    lay(tmp_path, "ann 10/inference-api.tar.gz", "Ann 9/model-monitoring/", "Ann 9/inference-api.TGZ")
    assert [(one.candidate, one.challenge, one.path.name) for one in read_submissions(tmp_path, KNOWN)] == [
        ("Ann 9", "inference-api", "inference-api.TGZ"),
        ("Ann 9", "model-monitoring", "model-monitoring"),
        ("ann 10", "inference-api", "inference-api.tar.gz"),
    ]


def test_a_folder_of_one_challenge_holds_a_submission_a_candidate(tmp_path: Path) -> None:
    lay(tmp_path, "ann.b.zip", "bob.tar", "v1.tar/", "carol/")
    listed = read_submissions(tmp_path, KNOWN, challenge="inference-api")
    assert [one.candidate for one in listed] == ["ann.b", "bob", "carol", "v1.tar"]
    assert all(one.where == str(one.path) for one in listed)


def test_hidden_files_are_ignored_and_said(tmp_path: Path) -> None:
    lay(tmp_path, ".DS_Store", "ann/.git/", "ann/inference-api.zip")
    said: list[str] = []
    assert len(read_submissions(tmp_path, KNOWN, say=said.append)) == 1
    assert said == [
        f"{tmp_path / '.DS_Store'}: is hidden, and ignored",
        f"{tmp_path / 'ann/.git'}: is hidden, and ignored",
    ]


def test_every_problem_of_a_table_is_told_at_once(tmp_path: Path) -> None:
    lay(tmp_path, "ann.zip", "notes.txt")
    rows = (
        "ann,inference-api,ann.zip,",
        "ann,inference-api,ann.zip,",
        "ann,inferense-api,ann.zip,",
        "bob,inference-api,bob.zip,",
        ",inference-api,ann.zip,",
        f"{'n' * 201},inference-api,ann.zip,",
        "a\u202eb,inference-api,ann.zip,",
        "carol,inference-api,,",
        "dan,inference-api,ann.zip,v1",
        "eve,inference-api,notes.txt,",
        "too,few",
        f"fay,inference-api,{'x' * 5000},",
    )
    found = problems(table(tmp_path, HEADER + "\n".join(rows)))
    for words in (
        f"line 3: 'ann' has 'inference-api' at {tmp_path / 'list.csv'} line 2 too; keep one of them",
        "line 4: challenge: there is no challenge 'inferense-api'; did you mean 'inference-api'?",
        "line 5: path: there is no '",
        "line 6: candidate: is empty",
        "line 7: candidate: has 201 characters; 200 are the most",
        "line 8: candidate: 'a\\u202eb' holds characters",
        "line 9: path: is empty",
        "line 10: revision: ",
        "line 11: path: is neither a folder nor an archive",
        "line 12: has 2 cells",
        "line 13: path: there is no",
    ):
        assert any(words in each for each in found), (words, found)
    assert len(found) == 11


def test_every_problem_of_a_folder_is_told_at_once(tmp_path: Path) -> None:
    lay(
        tmp_path, "stray.zip", "empty/", "ann/inference-api.zip", "ann/inference-api/", "ann/notes.txt", "bob/other.zip"
    )
    lay(tmp_path, "a\u200bb/inference-api.zip")
    (tmp_path / "bob/inference-api").symlink_to("/etc")
    found = "\n".join(problems(tmp_path))
    for words in (
        "stray.zip: is no folder of a candidate; a folder is laid out as <candidate>/<challenge>.zip",
        "empty: holds no submission",
        "'ann' has 'inference-api' at",
        "notes.txt: is neither a folder nor an archive",
        "there is no challenge 'other'; there are: 'inference-api', 'model-monitoring'",
        "bob/inference-api: is a link",
        "candidate: 'a\\u200bb' holds characters",
    ):
        assert words in found


def test_names_that_look_the_same_are_the_same(tmp_path: Path) -> None:
    lay(tmp_path, "Jos\u00e9.zip", "Jose\u0301.zip")
    (problem,) = problems(tmp_path, "inference-api")
    assert "keep one of them" in problem


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    os.makedirs(os.fsencode(tmp_path) + b"/\xff\xfe/inference-api")  # noqa: PTH103
    (problem,) = problems(tmp_path)
    assert "holds characters that hide" in problem


def test_nothing_to_add_and_a_wrong_challenge_are_problems(tmp_path: Path) -> None:
    assert "holds no submission" in problems(tmp_path)[0]
    assert "holds no submission" in problems(table(tmp_path, HEADER))[0]
    assert "did you mean 'inference-api'?" in problems(tmp_path, "inference-ap")[0]
    assert "cannot be read" in problems(tmp_path / "none")[0]


NAMES = st.lists(st.text(st.characters(codec=None), max_size=12) | st.from_regex(r"[a-b]?[0-9]{0,30}", fullmatch=True))


@given(NAMES, st.randoms(use_true_random=False))
def test_any_names_have_one_order(names: list[str], chance: random.Random) -> None:
    shuffled = list(names)
    chance.shuffle(shuffled)
    assert sorted(names, key=natural) == sorted(shuffled, key=natural)


def test_numbers_in_names_count_as_numbers() -> None:
    assert sorted(["a10", "A9", "a", "10", "9"], key=natural) == ["9", "10", "a", "A9", "a10"]
