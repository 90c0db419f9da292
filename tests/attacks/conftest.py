"""Every test here is an attack: it names its group and what is tried, and has its line in docs/attacks.md.

A test's id says so ("ESC a mount"), or the marker `attack` does. Tests that need a sandbox run on every engine.
`ASSAY_ATTACK_TABLE=docs/attacks.md` makes a run of this folder write the table of what came of each attack.
"""

import dataclasses
import importlib.util
import os
import platform
import re
import textwrap
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from assessments.challenge import Challenge, Limits
from assessments.observation import Breach, SandboxRun
from assessments.outcome import Fault
from assessments.scorecard import Scorecard, Status
from runner.bench import Bench
from runner.engines.choose import EngineName
from runner.engines.protocol import Mount, Sandbox, SandboxSpec
from runner.reports.html import Audience, Sources, render

FOLDER = Path(__file__).parent
TABLE_VARIABLE = "ASSAY_ATTACK_TABLE"
Graded = Callable[..., Scorecard]


def _beside(name: str) -> ModuleType:
    """A module that stands beside this file: tests cannot import one another's modules by name."""
    spec = importlib.util.spec_from_file_location(f"attacks_{name}", FOLDER / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


table, submissions = _beside("table"), _beside("submissions")


# What each test is, and what came of it


def pytest_configure(config: pytest.Config) -> None:
    for marker in (
        "attack(group, sentence): which attack a test is, where its id does not say so",
        "residual: the attack succeeds, as docs/security.md says it does",
        "needs_control(name): nothing contains the attack on a host whose engine cannot enforce that control",
    ):
        config.addinivalue_line("markers", marker)
    target = os.environ.get(TABLE_VARIABLE)
    if target and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_TableWriter(config.rootpath / target))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = [item for item in items if FOLDER in item.path.parents]
    problems, seen = [], set()
    for place, item in enumerate(here):
        named = _named(item)
        if named is None:
            problems.append(f"{item.nodeid}: belongs to no group; begin its id with one or mark it as an attack")
            continue
        engine = _engine(item)
        if (*named, engine) in seen:
            problems.append(f"{item.nodeid}: another test is {' '.join(named)!r} too")
        seen.add((*named, engine))
        residual = item.get_closest_marker("residual") is not None
        item.user_properties.append(("attack", [*named, engine, residual, place]))
    if problems:
        raise pytest.UsageError(*problems)


def _named(item: pytest.Item) -> tuple[str, str] | None:
    """The attack's group and sentence."""
    marker = item.get_closest_marker("attack")
    group, sentence = marker.args if marker else ("", "")
    if not marker and (callspec := getattr(item, "callspec", None)):
        name = callspec.id.removeprefix(f"{_engine(item)}-").removesuffix(f"-{_engine(item)}")
        group, _, sentence = name.partition(" ")
    return (group, sentence) if group in table.GROUPS and sentence else None


def _engine(item: pytest.Item) -> str:
    """The engine it runs on; nothing if it needs none."""
    callspec = getattr(item, "callspec", None)
    return str(callspec.params.get("engine_name", "")) if callspec else ""


class _TableWriter:
    """Collects what the tests report, in the one process that all reports come to, and writes the table at the end."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._told: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        facts = dict(report.user_properties)
        if "attack" not in facts:
            return
        told = self._told.setdefault(report.nodeid, {"outcome": "passed"})
        told |= facts
        if told["outcome"] == "passed":
            told["outcome"] = report.outcome

    def pytest_sessionfinish(self) -> None:
        tries = [_tried(told) for told in self._told.values()]
        engines = {told["engine"] for told in self._told.values() if "engine" in told}
        about = table.About(datetime.now(UTC).date().isoformat(), tuple(sorted(engines)), platform.release())
        self._target.write_text(table.page(tries, about), "utf-8")


def _tried(told: dict[str, Any]) -> Any:
    group, sentence, engine, residual, place = told["attack"]
    if told["outcome"] == "failed":
        result = table.Result.NOT_CONTAINED
    elif told["outcome"] == "skipped":
        result = table.Result.NOT_CONTAINED_HERE if "unenforced" in told else table.Result.NOT_TRIED
    else:
        result = table.Result.RESIDUAL if residual else table.Result.CONTAINED
    return table.Try(group, sentence, engine, result, place)


@pytest.fixture(autouse=True)
def _engine_and_its_gaps(request: pytest.FixtureRequest) -> None:
    """Notes which engine is attacked; skips what this host's engine is known not to contain, and notes that too."""
    if "bench" not in request.fixturenames:
        return
    bench: Bench = request.getfixturevalue("bench")
    told = bench.engine.describe(unenforced_allowed=True)
    request.node.user_properties.append(("engine", f"{told.name} {told.version}"))
    needed = {marker.args[0] for marker in request.node.iter_markers("needs_control")}
    if gaps := needed & {control.name for control in told.unenforced}:
        assert not os.environ.get("CI"), "CI must run where every control can be enforced: as root, with cgroups"
        request.node.user_properties.append(("unenforced", ", ".join(sorted(gaps))))
        pytest.skip(f"not contained here: {told.name} cannot enforce {', '.join(sorted(gaps))}")


@pytest.fixture(scope="session", params=[EngineName.BUBBLEWRAP, EngineName.DOCKER])
def engine_name(request: pytest.FixtureRequest) -> EngineName:
    return EngineName(request.param)


# Submissions, graded for real


@pytest.fixture
def job(graded: Graded, sum_challenge: Challenge) -> Graded:
    """Grades a job that has some tools at hand; its one check is whether the sum of two numbers comes out."""

    def grade(code: str, files: dict[str, str] | None = None, **settings: Any) -> Scorecard:
        return graded(
            sum_challenge, {**(files or {}), "main.py": submissions.TOOLS + textwrap.dedent(code)}, **settings
        )

    return grade


@pytest.fixture
def attempted(job: Graded) -> Callable[[str], str]:
    """What a job printed, each word once where it is repeated; if it printed nothing, what it complained of."""

    def words(code: str) -> str:
        printed = job(code).runs[0]
        return submissions.once_each(printed.stdout.text) or printed.stderr.text.strip()

    return words


@pytest.fixture
def service(graded: Graded, echo_challenge: Challenge) -> Graded:
    """Grades a service that is honest until the code changes it: `hostile` answers the one check that sends a text."""

    def grade(code: str, challenge: Challenge = echo_challenge, files: dict[str, str] | None = None) -> Scorecard:
        main = submissions.SERVICE + textwrap.dedent(code) + "\nlisten()\n"
        return graded(challenge, {**(files or {}), "main.py": main})

    return grade


@pytest.fixture(scope="session")
def faults() -> Callable[[Scorecard], dict[str, Fault | None]]:
    """The fault of each check; that there is a verdict on all of them is asserted."""

    def of(scorecard: Scorecard) -> dict[str, Fault | None]:
        assert scorecard.status is Status.COMPLETE, [result.message for result in scorecard.results]
        return {str(result.check.id): result.fault for result in scorecard.results}

    return of


@pytest.fixture(scope="session")
def all_right() -> dict[str, Fault | None]:
    """The faults of a service that has none."""
    return dict.fromkeys(("echoes", "says-the-word", "says-the-other-word", "ends-when-told", "answers-many"))


@pytest.fixture(scope="session")
def everything_printed() -> Callable[[Scorecard], str]:
    return lambda scorecard: "".join(run.stdout.text + run.stderr.text for run in scorecard.runs)


@pytest.fixture(scope="session")
def pages() -> Callable[[Scorecard], dict[Audience, str]]:
    return lambda scorecard: {audience: render(scorecard, Sources({}, {}), audience) for audience in Audience}


# Sandboxes without a grader

MB = 1 << 20
LIMITS = Limits(
    memory_bytes=64 * MB,
    processes=16,
    cpus=1.0,
    scratch_bytes=4 * MB,
    output_bytes=128 * 1024,
    open_files=64,
    job_s=5.0,
)
PATIENCE_S = 20.0


@pytest.fixture
def start(bench: Bench) -> Iterator[Callable[..., Sandbox]]:
    """Starts sandboxes, any number at once, whose code has the same tools as a job; they end with the test."""
    started = []

    def begin(code: str, *, mounts: tuple[Mount, ...] = (), cores: tuple[int, ...] = (), **limits: Any) -> Sandbox:
        spec = SandboxSpec(
            purpose="attack",
            command=("/opt/python/bin/python", "-c", submissions.TOOLS + textwrap.dedent(code)),
            folder="/tmp",
            mounts=mounts,
            limits=dataclasses.replace(LIMITS, **limits),
            env={"PATH": "/opt/python/bin:/bin", "HOME": "/tmp"},
            outputs=True,
            cores=cores,
        )
        started.append(bench.engine.start(spec))
        return started[-1]

    yield begin
    for sandbox in started:
        sandbox.kill()


@pytest.fixture
def ended() -> Callable[[Sandbox], SandboxRun]:
    """The run of a sandbox at its end, which it must come to by itself."""

    def wait(sandbox: Sandbox) -> SandboxRun:
        run = sandbox.wait(PATIENCE_S)
        if run is None:
            run = sandbox.kill(Breach.TIME)
            pytest.fail(f"still going after {PATIENCE_S:.0f} s; printed {run.stdout.text[-300:]!r}")
        return run

    return wait


@pytest.fixture
def printed() -> Callable[[Sandbox, str], None]:
    """Waits until a living sandbox has printed a text."""

    def wait(sandbox: Sandbox, text: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while text.encode() not in sandbox.output()[0]:
            assert time.monotonic() < deadline, f"it printed {sandbox.output()}, not {text!r}"
            time.sleep(0.005)

    return wait


@pytest.fixture
def processes_of() -> Callable[[str], list[str]]:
    """The command lines of processes on this host that carry a run's mark."""

    def found(run_id: str) -> list[str]:
        marked = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if re.search(rb"(^|\0)assay:%s:" % run_id.encode(), words):
                marked.append(words.decode("utf-8", "replace"))
        return marked

    return found
