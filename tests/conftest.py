"""What tests share: a state folder that keeps what is slow to build, a bench on it, and small challenges.

Tests grade with bubblewrap, whatever else answers. Those of `engine_contract` and `attacks` do so with every engine.
"""

import contextlib
import functools
import hashlib
import importlib.util
import itertools
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy

from assessments.assessment import Assessment
from assessments.challenge import Challenge
from assessments.errors import InfrastructureError
from assessments.manifest import read_challenge
from assessments.manifest.read_assessment import read_assessment
from assessments.scorecard import Scorecard
from runner.bench import Bench, open_bench
from runner.engines.choose import ENGINE_VARIABLE, EngineName, Wish
from runner.engines.rootfs import Rootfs, ensure_rootfs
from runner.grade import Order, grade

REPOSITORY = Path(__file__).resolve().parents[1]
SAMPLES = Path(__file__).resolve().parent / "sample_challenges"
os.environ.setdefault(ENGINE_VARIABLE, EngineName.BUBBLEWRAP)


@pytest.fixture(scope="session")
def module_at() -> Callable[[Path], Any]:
    """Gives the module in a file that no package holds, such as what stands beside tests: loaded once."""

    @functools.cache
    def load(path: Path) -> ModuleType:
        name = "_".join(path.relative_to(REPOSITORY).with_suffix("").parts).replace("-", "_")
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # where dataclasses look for it
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def role_of(module_at: Callable[[Path], Any], tmp_path: Path) -> Callable[..., Assessment]:
    """Gives an assessment of challenges by their ids, as the benchmarks grade it."""

    def made(*challenges: str) -> Assessment:
        return read_assessment(module_at(REPOSITORY / "benchmarks/small_cohorts.py").write_role(tmp_path, challenges))

    return made


@pytest.fixture(scope="session")
def postgresql(module_at: Callable[[Path], Any]) -> Iterator[Callable[[], str]]:
    """Gives the URL of a new, empty database each time it is called."""
    private = module_at(REPOSITORY / "tests/postgresql.py")
    if reason := private.missing():
        assert not os.environ.get("CI"), f"CI must run every database: {reason}"
        pytest.skip(reason)
    numbers = itertools.count(1)
    # Sockets have short names: pytest's own folders are too deep.
    with tempfile.TemporaryDirectory(prefix="assay-pg-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with private.private_server(Path(folder) / "pg") as url:
            server = sqlalchemy.create_engine(
                url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
            )

            def fresh() -> str:
                name = f"assay{next(numbers)}"
                with server.connect() as connection:
                    connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
                return url.replace("/postgres?", f"/{name}?")

            yield fresh
            server.dispose()


@pytest.fixture(scope="session")
def built_state() -> Path:
    """A state folder that stays for later runs, shared by all test processes; users of boxes can look into it."""
    digest = hashlib.sha256(str(REPOSITORY).encode()).hexdigest()[:8]
    folder = Path("/var/tmp", f"assay-tests-{os.getuid()}")
    folder.mkdir(mode=0o755, exist_ok=True)
    assert folder.lstat().st_uid == os.getuid(), f"{folder} belongs to somebody else; remove it"
    folder.chmod(0o755)
    state = folder / digest
    state.mkdir(mode=0o755, exist_ok=True)
    state.chmod(0o755)
    return state


@pytest.fixture
def visible_folder(built_state: Path) -> Iterator[Path]:
    """An empty folder for one test that users of boxes can look into, unlike `tmp_path`."""
    with tempfile.TemporaryDirectory(prefix="one-test-", dir=built_state) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="session")
def rootfs(built_state: Path) -> Rootfs:
    return ensure_rootfs(built_state, print)


@pytest.fixture(scope="session")
def benches(built_state: Path) -> Iterator[Callable[[EngineName], Bench]]:
    """A bench for each engine that is asked for, shared by the tests of one process."""
    with contextlib.ExitStack() as held:

        @functools.cache
        def opened(name: EngineName) -> Bench:
            return held.enter_context(open_bench(built_state, print, Wish(name)))

        yield opened


@pytest.fixture(scope="session")
def engine_name() -> EngineName:
    """Folders whose tests run on every engine have one of their own, with the engines as parameters."""
    return EngineName.BUBBLEWRAP


@pytest.fixture
def bench(benches: Callable[[EngineName], Bench], engine_name: EngineName) -> Bench:
    """A real engine and a real nursery, or no test where the engine cannot be had.

    Asked for anew by each test, since tests of one process differ in their engine; `benches` keeps what was opened.
    """
    try:
        return benches(engine_name)
    except InfrastructureError as error:
        if os.environ.get("CI"):
            pytest.fail(f"CI must run every engine: {error}")
        pytest.skip(f"no {engine_name} engine here: {error}")


@pytest.fixture(scope="session")
def sum_challenge() -> Challenge:
    """A job that reads two numbers and prints their sum: one check."""
    return read_challenge(SAMPLES / "add-numbers")


@pytest.fixture
def sum_copy(tmp_path: Path) -> Path:
    """A copy of the smallest challenge to be broken and proved. It is like no other, so nothing of it is proved yet."""
    folder = Path(shutil.copytree(SAMPLES / "add-numbers", tmp_path / "add-numbers"))
    (folder / "copy.txt").write_text(uuid.uuid4().hex)
    return folder


@pytest.fixture(scope="session")
def echo_challenge() -> Challenge:
    """A service of the standard library's kind, with a check of each sort."""
    return read_challenge(SAMPLES / "echo-service")


@pytest.fixture
def graded(bench: Bench, tmp_path: Path) -> Callable[..., Scorecard]:
    """Grades a submission given as `{path: text}`, as a rule without the control, which takes as long once more."""

    def run(challenge: Challenge, files: dict[str, str], seed: int = 7, controlled: bool = False) -> Scorecard:
        folder = tmp_path / "submission"
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        order = Order(folder, "someone", seed=seed, unenforced_allowed=True, controlled=controlled)
        return grade(order, challenge, bench).scorecard

    return run


@pytest.fixture(scope="session")
def cgroups_of() -> Callable[[str], list[str]]:
    """The control groups that a run has. Others' may go while this looks, which a glob does not survive."""

    def found(run_id: str) -> list[str]:
        return [
            str(Path(folder, name))
            for folder, names, _ in os.walk("/sys/fs/cgroup")
            for name in names
            if name.startswith(f"assay-{run_id}-")
        ]

    return found


@pytest.fixture
def needs_cgroups(bench: Bench) -> None:
    """Where no cgroup can be made, the engine says so; there is then nothing to try."""
    unenforced = {control.name for control in bench.engine.describe(unenforced_allowed=True).unenforced}
    _needs("memory" not in unenforced, "cgroups can be made")


@pytest.fixture
def needs_cores(bench: Bench) -> None:
    """Whoever grades in a group that was delegated to them has no cores to give, as a rule."""
    _needs(bench.engine.can_pin, "sandboxes can have cores of their own")


def _needs(is_so: bool, what: str) -> None:
    if not is_so:
        assert not os.environ.get("CI"), f"CI must run where {what}"
        pytest.skip(f"only where {what}: run the tests as root")
