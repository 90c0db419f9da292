"""Copies stay alike however they are dressed up, and independent work does not; hostile source costs little."""

import ast
import builtins
import io
import keyword
import random
import subprocess
import sys
import time
import tokenize
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import pytest

from runner.insights import similarity
from runner.insights.similarity import Fingerprints, Match, Pair, fingerprint, matches, similar
from runner.insights.tokens import MOST_FILE_BYTES, MOST_TOKENS, tokenised

CHALLENGES = Path(__file__).resolve().parents[3] / "challenges"
Files = Mapping[str, bytes]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def share(one: Fingerprints, other: Fingerprints) -> float:
    pairs = similar({"one": one, "other": other}, least=0.0)
    return pairs[0].share if pairs else 0.0


def dressed_up(source: str, seed: int) -> str:
    """Every name that may be renamed is, strings and numbers are others, and no comment is left."""
    names: dict[str, str] = {}
    made = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        text = token.string
        if token.type == tokenize.NAME and not keyword.iskeyword(text) and not hasattr(builtins, text):
            text = names.setdefault(text, f"v{seed}_{len(names)}")
        elif token.type == tokenize.COMMENT:
            text = "# another remark"
        elif token.type == tokenize.NUMBER:
            text = "77"
        elif token.type == tokenize.STRING and "\n" not in text and text[0] in "'\"":
            text = '"other words"'
        made.append((token.type, text))
    return tokenize.untokenize(made)


def reordered(source: str) -> str:
    """The functions and classes of a module the other way round, laid out by another hand."""
    tree = ast.parse(source)
    definitions = [each for each in tree.body if isinstance(each, ast.FunctionDef | ast.ClassDef)]
    others = [each for each in tree.body if each not in definitions]
    tree.body = [*others, *reversed(definitions)]
    return ast.unparse(tree)


def solutions() -> list[Path]:
    return sorted(CHALLENGES.glob("*/solutions/accepted/*"))


@pytest.mark.parametrize("folder", solutions(), ids=lambda folder: f"{folder.parts[-4]}-{folder.name}")
def test_a_copy_that_is_renamed_and_commented_otherwise_stays_a_copy(folder: Path) -> None:
    starter, own = files(folder.parents[2] / "starter"), files(folder)
    copy = {
        f"moved/{path}": dressed_up(content.decode(), 1).encode() if path.endswith(".py") else content
        for path, content in own.items()
    }
    assert share(fingerprint(own, starter), fingerprint(copy, starter)) > 0.8


@pytest.mark.parametrize("folder", solutions(), ids=lambda folder: f"{folder.parts[-4]}-{folder.name}")
def test_a_copy_whose_functions_are_reordered_and_laid_out_otherwise_stays_a_copy(folder: Path) -> None:
    starter, own = files(folder.parents[2] / "starter"), files(folder)
    copy = {
        path: reordered(content.decode()).encode() if path.endswith(".py") else content for path, content in own.items()
    }
    assert share(fingerprint(own, starter), fingerprint(copy, starter)) > 0.8


def test_independent_solutions_have_little_in_common() -> None:
    found = {}
    for challenge in sorted(CHALLENGES.glob("*/solutions")):
        starter = files(challenge.parent / "starter")
        folders = [*sorted((challenge / "accepted").iterdir()), *sorted(challenge.glob("broken/honest-attempt"))]
        prints = {folder.name: fingerprint(files(folder), starter) for folder in folders}
        for one, other in combinations(prints, 2):
            found[challenge.parent.name, one, other] = share(prints[one], prints[other])
    assert len(found) > 5
    assert max(found.values()) < 0.2, f"independent work looks alike: {found}"


def test_the_starter_is_nobodys_own_work() -> None:
    folder = CHALLENGES / "model-monitoring"
    starter = files(folder / "starter")
    assert not fingerprint(starter, starter).values
    assert matches(starter, starter, starter) == ()


def test_a_copy_shows_however_much_of_ones_own_is_around_it() -> None:
    accepted = CHALLENGES / "inference-api" / "solutions" / "accepted"
    copied, own = files(accepted / "flask-waitress"), files(accepted / "reference")
    mixed = {**own, "copied.py": copied["main.py"]}
    assert share(fingerprint(copied, {}), fingerprint(mixed, {})) > 0.95


def prints(*values: int) -> Fingerprints:
    return Fingerprints(frozenset(values))


def test_pairs_come_most_similar_first_and_in_the_order_of_names() -> None:
    made = {"eve": prints(*range(100)), "bob": prints(*range(80)), "ann": prints(*range(40, 140))}
    assert similar(made) == (Pair("bob", "eve", 1.0, 80), Pair("ann", "eve", 0.6, 60), Pair("ann", "bob", 0.5, 40))
    assert similar(made, least=0.9) == (Pair("bob", "eve", 1.0, 80),)


def test_too_few_fingerprints_make_no_pair() -> None:
    few = prints(*range(similarity.LEAST_FINGERPRINTS - 1))
    assert similar({"ann": few, "bob": few}) == ()
    enough = prints(*range(similarity.LEAST_FINGERPRINTS))
    assert len(similar({"ann": enough, "bob": enough})) == 1


def test_what_most_of_a_cohort_has_is_nobodys_and_a_pairs_copy_in_it_still_shows() -> None:
    form = set(range(1_000, 1_200))
    made = {f"n{each:02}": Fingerprints(frozenset(form | set(range(each * 50, each * 50 + 50)))) for each in range(12)}
    assert similar(made) == ()
    made["n12"] = Fingerprints(made["n03"].values)
    assert similar(made) == (Pair("n03", "n12", 1.0, 50),)


def test_a_thousand_submissions_are_compared_in_seconds() -> None:
    draw = random.Random(1)
    made = {
        f"n{each}": Fingerprints(frozenset(int(20_000 * draw.random() ** 3) for _ in range(300)))
        for each in range(1_000)
    }
    before = time.process_time()
    similar(made)
    assert time.process_time() - before < 20


def test_fingerprints_are_the_same_in_another_process() -> None:
    program = (
        "from runner.insights.similarity import fingerprint\n"
        "print(sorted(fingerprint({'a.py': b'x = [f(y, 1) for y in z if y > 2 and not g(y)]\\n' * 3}, {}).values))"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(CHALLENGES.parent)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1] != "[]\n"


BLOCK = b"""def settle(orders, rates):
    total = 0
    for order in orders:
        if order.currency not in rates:
            raise ValueError(order.currency)
        total += order.amount * rates[order.currency]
    return round(total, 2)
"""


def test_matches_are_the_lines_of_both_sides() -> None:
    first = {"a.py": b"import os\n\n\n" + BLOCK}
    second = {"pkg/b.py": b"# mine\n" * 20 + BLOCK.replace(b"order", b"line").replace(b"rates", b"table")}
    assert matches(first, second, {}) == (Match("a.py", 4, 10, "pkg/b.py", 21, 27),)


def test_blank_lines_and_windows_line_ends_keep_their_numbers() -> None:
    spaced = b"\r\n\r\n" + BLOCK.replace(b"\n", b"\r\n\r\n")
    assert matches({"a.py": spaced}, {"a.py": BLOCK}, {}) == (Match("a.py", 3, 15, "a.py", 1, 7),)


def test_reordered_blocks_match_each_on_its_own() -> None:
    other = (
        b"class Store:\n    def __init__(self, path=None, *, size: int = 5) -> None:\n        self.path = path or {}\n"
    )
    found = matches({"a.py": BLOCK + other}, {"a.py": other + BLOCK}, {})
    assert [(match.first_start, match.second_start) for match in found] == [(1, 4), (8, 1)]


HOSTILE: Mapping[str, Files] = {
    "fifty megabytes": {"a.py": b"x = 1\n" * 8_700_000},
    "one long line": {"a.py": b"x=1;" * 200_000},
    "a token a million times": {"a.py": b"x " * 1_000_000},
    "thousands of files": {f"f{each}.py": BLOCK for each in range(5_000)},
    "nothing but line ends": {"a.py": b"\n" * 1_000_000},
    "blanks of other kinds": {"a.py": b"\x0b\x0c\r \n" * 200_000},
    "quotes": {"a.py": b"\"'" * 500_000},
    "open brackets": {"a.py": b"({[" * 300_000},
    "escapes by name": {"a.py": b'"' + b"\\N{" * 300_000},
    "fields within a literal": {"a.py": b'"{a[\n' * 100_000},
    "f-strings in f-strings": {"a.py": b"f\"{f'{" * 100_000},
    "decorators": {"a.py": b"@" + b"a." * 500_000},
    "comments that stay open": {"a.sql": b"/*" * 200_000},
    "bytes that are no text": {"a.py": random.Random(1).randbytes(1 << 20).replace(b"\0", b"")},
    "a nul": {"a.py": b"\0" + BLOCK},
    "names that are no use": {"": BLOCK, ".py": BLOCK, "a/.": BLOCK, "a.py\n": BLOCK},
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_source_costs_little(source: Files) -> None:
    before = time.process_time()
    found = fingerprint(source, {})
    matches(source, source, {})
    assert time.process_time() - before < 15
    assert len(found.values) <= MOST_TOKENS / 2


def test_what_is_beyond_the_bounds_is_not_compared_and_that_is_said() -> None:
    assert not fingerprint({"a.py": BLOCK}, {}).cut
    assert fingerprint({"a.py": BLOCK + b"#" * MOST_FILE_BYTES}, {}).cut
    assert fingerprint({f"{each}.py": BLOCK for each in range(500)}, {}).cut
    many = tokenised({f"{each}.py": b"x = 1\n" * 10_000 for each in range(9)})
    assert many.cut
    assert sum(len(file.tokens) for file in many.files) == MOST_TOKENS


def test_a_literal_is_one_token_whatever_is_in_it() -> None:
    (file,) = tokenised({"a.py": b"x = 'a\\n%s {b}' 'c'\ny = f'{z!r} d'  # no\n"}).files
    assert file.tokens == ("name", "=", "text", "name", "=", "text", "{", "name", "!r}", "text")
    assert file.lines == (1, 1, 1, 2, 2, 2, 2, 2, 2, 2)


def test_only_source_is_read() -> None:
    assert tokenised({"a.txt": BLOCK, "notes": BLOCK, "b.json": b"{}"}).files == ()
    assert [file.path for file in tokenised({"b.SQL": b"select 1", "a.PY": b"x"}).files] == ["a.PY", "b.SQL"]
