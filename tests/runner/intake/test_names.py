"""The rules of paths, by themselves."""

import pytest

from runner.intake import names
from runner.intake.problems import shown


@pytest.mark.parametrize(
    "path",
    [
        "main.py",
        "conftest.py",
        "sitecustomize.py",
        "json.py",
        "-rf",
        "--help",
        "@file",
        "Dockerfile",
        ".dockerignore",
        ".env",
        "x.pth",
        "aux.py",
        "CON",
        "nul.txt",
        "a b.txt",
        " leading",
        "~root",
        "$(touch x)",
        "*",
        "ab:c",
        "...x",
        "..x",
        "[bold]x[/]",
        "<script>",
        "{{7*7}}",
        "übung/größe.py",
        "数据/主.py",
        "😀.py",
    ],
)
def test_a_harmless_name_is_safe_however_odd(path: str) -> None:
    assert list(names.unsafe(path)) == []
    assert names.left_out(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/x",
        "//x",
        ".",
        "./x",
        "..",
        "../x",
        "x/..",
        "x/../y",
        "x/./y",
        "x/",
        "x//y",
        "x\\y",
        "c:x",
        "Z:/x",
        "x\0",
        "x\n",
        "x\x7f",
        "x\x85",
        "\u202ex",
        "\u2066x",
        "\u200bx",
        "\u2028x",
        "\ufeffx",
        "\U000e0041x",
        "x\udc80",
        "\u2025/x",
        "\u2024",
        "\uff0e\uff0e/x",
        "a\uff0fb",
        "a\uff3cb",
        "\u2100",
        "x.",
        "x ",
        "x /y",
        "x./y",
        "...",
    ],
)
def test_a_dangerous_or_misleading_name_is_not(path: str) -> None:
    faults = list(names.unsafe(path))
    assert faults
    assert all(fault.endswith(".") and fault.isprintable() for fault in faults)


@pytest.mark.parametrize(
    ("one", "other"), [("a", "A"), ("straße", "STRASSE"), ("é", "e\u0301"), ("ﬁ", "fi"), ("Ⅳ", "iv"), ("\u017f", "s")]
)
def test_names_that_some_file_system_takes_for_the_same_collide(one: str, other: str) -> None:
    assert names.collision_key(one) == names.collision_key(other)


@pytest.mark.parametrize(
    ("packed", "path", "folder"),
    [
        ("a/", "a", True),
        ("./a", "a", False),
        ("./", ".", True),
        (".", ".", False),
        ("/", "/", False),
        ("a//", "a/", True),
        ("././a", "./a", False),
        ("", "", False),
    ],
)
def test_only_what_packers_add_is_taken_off(packed: str, path: str, folder: bool) -> None:
    assert names.tidy(packed) == (path, folder)


@pytest.mark.parametrize(
    ("path", "dropping"),
    [
        ("a/__pycache__/b.pyc", "a/__pycache__"),
        (".git", ".git"),
        (".venv/node_modules/x", ".venv"),
        ("._x", "._x"),
        ("git/venvs/x", None),
        (".gitignore", None),
        (".github/x", None),
    ],
)
def test_droppings_are_named_by_their_top(path: str, dropping: str | None) -> None:
    assert names.left_out(path) == dropping


def test_a_name_is_shown_without_anything_a_terminal_would_obey() -> None:
    assert shown('a"\x1b[31m\u202e\udc80é\\') == r'"a\"\x1b[31m\u202e\udc80é\\"'


def test_a_long_name_is_cut_in_the_middle() -> None:
    text = shown("a" * 5000 + "z" * 5000)
    assert text.startswith('"aaa')
    assert text.endswith('zzz"')
    assert len(text) < 90
    assert len(shown("\0" * 10_000)) < 330
