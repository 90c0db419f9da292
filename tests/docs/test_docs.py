"""The documentation says what is so: its links, commands, tables and the worked example, held against the code."""

import importlib
import re
import shlex
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import click
import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from assessments.errors import ExitCode
from assessments.manifest.assessment_schema import AssessmentManifest, PartTable, PassMarkTable
from assessments.manifest.schema import (
    AssetTable,
    BaselineTable,
    BudgetTable,
    ChallengeManifest,
    CheckTable,
    EntryTable,
    EnvironmentTable,
    LimitsTable,
    PlanTable,
)
from assessments.outcome import FAULTS
from graders.http.exchange import MAX_BODY_BYTES
from graders.wire import MAX_MESSAGE_BYTES
from runner.cli.main import _COMMANDS
from runner.cli.main import command as assay
from runner.engines.bubblewrap.engine import controls
from runner.grade import MAX_TRIES
from runner.intake.limits import DEFAULT_LIMITS, size_text
from runner.reports.budget import PAGE_BYTES
from runner.state_folder import default_state

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
PAGES = [REPOSITORY / "README.md", REPOSITORY / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
NAMES = [str(page.relative_to(REPOSITORY)) for page in PAGES]
TABLES: dict[str, type[BaseModel]] = {
    "### Top level": ChallengeManifest,
    "### `[environment]`": EnvironmentTable,
    "### `[entry]`": EntryTable,
    "### `[limits]`": LimitsTable,
    "### `[baseline]`": BaselineTable,
    "### `[[assets]]`": AssetTable,
    "### `[[checks]]`": CheckTable,
    "### `[checks.budget]`": BudgetTable,
    "### `[[plans]]`": PlanTable,
}
ASSESSMENT_TABLES: dict[str, type[BaseModel]] = {
    "### Top level": AssessmentManifest,
    "### `[pass_mark]`": PassMarkTable,
    "### `[[challenges]]`": PartTable,
}
EXAMPLE = REPOSITORY / "tests" / "sample_challenges" / "add-numbers"

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_OURS = re.compile(r"(?:assessments|benchmarks|challenges|docs|graders|requirements|runner|tests)/[\w./-]+")


def read(page: str) -> str:
    return (REPOSITORY / page).read_text("utf-8")


def prose(page: str) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", read(page))


def anchor(heading: str) -> str:
    """A heading's anchor, as GitHub and mkdocs make it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def rows(text: str) -> Iterator[list[str]]:
    """The cells of every row of Markdown tables, without header and rule."""
    for before, line in zip(["", *text.splitlines()], text.splitlines(), strict=False):
        if line.startswith("| `") and before.startswith("|"):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def section(page: str, heading: str) -> str:
    """What stands below a heading, up to the next one."""
    _, found, rest = read(page).partition(f"\n{heading}\n")
    assert found, f"{page} has no heading {heading!r}"
    return re.split(r"^#{1,3} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def full_commands(page: str) -> list[str]:
    """Every `assay` command line in a shell block."""
    lines = (line for block in _SHELL.findall(read(page)) for line in block.replace("\\\n", " ").splitlines())
    found = (re.search(r'(?:^|/|\$\(|\s)(assay .*?)(?:\)")?$', line) for line in lines)
    return [match[1] for match in found if match]


def mentioned_commands(page: str) -> list[str]:
    """Every `assay ...` in running text; arguments may be left out there."""
    return [code for code in _CODE.findall(prose(page)) if code.startswith("assay ") and "..." not in code]


def parse(line: str) -> None:
    """Parse a command line the way the program does, and run nothing. Raises click.ClickException."""
    words = shlex.split(line)[1:]
    if words[0].startswith("-"):
        with pytest.raises(click.exceptions.Exit):
            assay.make_context("assay", words)
        return
    assert words[0] in _COMMANDS, f"{line!r}: there is no command {words[0]!r}"
    command: click.Command = importlib.import_module(_COMMANDS[words[0]][0]).command
    rest = words[1:]
    while isinstance(command, click.Group) and rest:
        name, *rest = rest
        context = click.Context(command)
        below = command.resolve_command(context, [name])[1] if command.get_command(context, name) else None
        assert below is not None, f"{line!r}: there is no command {name!r}"
        command = below
    if not isinstance(command, click.Group):
        command.make_context(words[0], rest)


@pytest.mark.parametrize("page", NAMES)
def test_every_relative_link_leads_somewhere(page: str) -> None:
    for target in _LINK.findall(prose(page)):
        if "://" in target:
            continue
        path, _, fragment = target.partition("#")
        file = ((REPOSITORY / page).parent / path).resolve() if path else REPOSITORY / page
        assert file.is_file(), f"{page} links to {target}, which is not there"
        assert file.is_relative_to(REPOSITORY), f"{page} links to {target}, outside of the repository"
        if fragment:
            anchors = {anchor(heading) for heading in re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)}
            assert fragment in anchors, f"{page} links to {target}, and there is no such heading"


@pytest.mark.parametrize("page", NAMES)
def test_every_path_of_the_repository_that_is_named_exists(page: str) -> None:
    for code in _CODE.findall(prose(page)):
        if _OURS.fullmatch(code):
            assert (REPOSITORY / code).exists(), f"{page} names {code}, which is not there"


@pytest.mark.parametrize("page", NAMES)
def test_every_command_line_that_is_shown_parses(page: str) -> None:
    for line in full_commands(page):
        try:
            parse(line)
        except click.ClickException as error:
            pytest.fail(f"{page} shows {line!r}, which the program refuses: {error.format_message()}")


@pytest.mark.parametrize("page", NAMES)
def test_every_command_that_is_mentioned_exists(page: str) -> None:
    for line in mentioned_commands(page):
        try:
            parse(line)
        except click.MissingParameter:
            continue
        except click.ClickException as error:
            pytest.fail(f"{page} mentions {line!r}, which the program refuses: {error.format_message()}")


def test_command_lines_are_found_at_all() -> None:
    assert len([line for page in NAMES for line in full_commands(page)]) >= 10
    assert "assay completion bash" in full_commands("docs/operators.md")


def test_every_option_of_grade_is_documented() -> None:
    command = importlib.import_module("runner.cli.grade").command
    documented = {cell for row in rows(section("docs/operators.md", "## Grade")) for cell in _CODE.findall(row[0])}
    options = {option for parameter in command.params for option in parameter.opts if option.startswith("-")}
    assert documented == options


@pytest.mark.parametrize("page", ["README.md", "docs/operators.md"])
def test_the_exit_codes_are_those_of_the_program(page: str) -> None:
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", read(page), re.MULTILINE)}
    assert codes == set(ExitCode)


def test_the_failure_table_is_the_one_the_program_decides_by() -> None:
    table = re.search(r"<!-- faults -->\n(.*?)\n<!-- /faults -->", read("docs/architecture.md"), re.DOTALL)
    assert table, "the table of failures stands between two comments"
    expected = [
        [f"`{fault}`", str(what.owner), str(what.outcome), "yes" if what.retry else "no", what.meaning]
        for fault, what in FAULTS.items()
    ]
    assert [[cell.rstrip(" |") for cell in row] for row in rows(table[1])] == expected


@pytest.mark.parametrize("heading", TABLES)
def test_every_field_of_the_manifest_is_documented_with_its_default(heading: str) -> None:
    assert_documented("docs/authors.md", heading, TABLES[heading])


@pytest.mark.parametrize("heading", ASSESSMENT_TABLES)
def test_every_field_of_an_assessment_is_documented_with_its_default(heading: str) -> None:
    assert_documented("docs/assessments.md", heading, ASSESSMENT_TABLES[heading])


def test_the_assessment_that_is_shown_can_be_read() -> None:
    (shown,) = re.findall(r"^```toml\n(.*?)^```$", read("docs/assessments.md"), re.MULTILINE | re.DOTALL)
    assert AssessmentManifest.model_validate(tomllib.loads(shown)).pass_mark.doubt == 0.04


def assert_documented(page: str, heading: str, model: type[BaseModel]) -> None:
    documented = {row[0].strip("`"): row[1].strip("`") for row in rows(section(page, heading))}
    assert list(documented) == list(model.model_fields), "the same fields in the same order"
    for name, field in model.model_fields.items():
        assert documented[name] == default_in_words(field), f"the default of {name}"


def default_in_words(field: FieldInfo) -> str:
    """A field's default as the guide writes it, in TOML."""
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if isinstance(default, BaseModel):
        return "all defaults"
    if default is None:
        return "none"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, StrEnum):
        return f'"{default.value}"'
    return f'"{default}"' if isinstance(default, str) else str(default)


def test_the_worked_example_is_the_challenge_that_the_tests_use() -> None:
    guide = read("docs/authors.md")
    files = [file for file in sorted(EXAMPLE.rglob("*")) if file.is_file() and "__pycache__" not in file.parts]
    for file in files:
        name = file.relative_to(EXAMPLE).as_posix()
        content = file.read_text("utf-8").rstrip("\n")
        assert f"`{name}`" in guide, f"the guide does not name {name}"
        assert not content or f"\n{content}\n```" in guide, f"the guide's {name} is not the file's content"


def test_the_state_folder_is_the_documented_one(monkeypatch: pytest.MonkeyPatch) -> None:
    guide = section("docs/operators.md", "## State folder")
    for name in ("ASSAY_STATE", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/its/home")
    state = default_state()
    shown = f"~/{state.relative_to('/its/home')}" if state.is_relative_to("/its/home") else str(state)
    assert f"`{shown}`" in guide
    monkeypatch.setenv("ASSAY_STATE", "/named")
    assert default_state() == Path("/named")
    assert "`ASSAY_STATE`" in guide


def test_the_bounds_that_the_architecture_states_are_the_programs() -> None:
    borders = section("docs/architecture.md", "## What crosses each border")
    intake = (
        f"{size_text(DEFAULT_LIMITS.archive_bytes)} packed, {size_text(DEFAULT_LIMITS.total_bytes)} unpacked, "
        f"{DEFAULT_LIMITS.entries:,} entries, {DEFAULT_LIMITS.depth} levels, {DEFAULT_LIMITS.path_bytes} bytes a path"
    )
    for bound in (
        intake,
        f"body {MAX_BODY_BYTES >> 20} MiB",
        f"{MAX_MESSAGE_BYTES >> 20} MiB each",
        f"below {PAGE_BYTES:,} bytes",
    ):
        assert bound in borders, f"the page should say {bound!r}"
    assert MAX_TRIES == 3
    assert "three times in all" in section("docs/architecture.md", "## Who answers for a failure")


def test_every_control_of_the_engine_is_documented() -> None:
    documented = {row[0].strip("`") for row in rows(section("docs/security.md", "## The sandbox"))}
    for root in (True, False):
        assert documented == {control.name for control in controls(None, root=root)}


def test_the_picture_of_the_report_is_there_and_small() -> None:
    picture = DOCS / "report.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 200_000


@pytest.mark.parametrize("page", NAMES)
def test_no_page_names_a_path_of_one_machine(page: str) -> None:
    found = re.findall(r"(?<![\w.~])/(?:home|root|work|Users)/[\w./-]*", read(page))
    assert not found, f"{page} names {found}"
