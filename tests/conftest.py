"""What tests share: a state folder that keeps what is slow to build, a bench on it, and small challenges.

Tests grade with bubblewrap, whatever else answers. Those of `engine_contract` and `attacks` do so with every engine.
"""

import contextlib
import functools
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assessments.challenge import Challenge
from assessments.errors import InfrastructureError
from assessments.manifest import read_challenge
from assessments.scorecard import Scorecard
from runner.bench import Bench, open_bench
from runner.engines.choose import ENGINE_VARIABLE, EngineName, Wish
from runner.engines.rootfs import Rootfs, ensure_rootfs
from runner.grade import Order, grade

REPOSITORY = Path(__file__).resolve().parents[1]
SAMPLES = Path(__file__).resolve().parent / "sample_challenges"
os.environ.setdefault(ENGINE_VARIABLE, EngineName.BUBBLEWRAP)


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


@pytest.fixture(scope="session")
def echo_challenge() -> Challenge:
    """A service of the standard library's kind, with a check of each sort."""
    return read_challenge(SAMPLES / "echo-service")


@pytest.fixture
def graded(bench: Bench, tmp_path: Path) -> Callable[..., Scorecard]:
    """Grades a submission given as `{path: text}`."""

    def run(challenge: Challenge, files: dict[str, str], seed: int = 7) -> Scorecard:
        folder = tmp_path / "submission"
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return grade(Order(folder, "someone", seed=seed, unenforced_allowed=True), challenge, bench).scorecard

    return run


@pytest.fixture
def needs_cgroups(bench: Bench) -> None:
    """Where no cgroup can be made, the engine says so; there is then nothing to try."""
    unenforced = {control.name for control in bench.engine.describe(unenforced_allowed=True).unenforced}
    if "memory" in unenforced:
        assert not os.environ.get("CI"), "CI must run where cgroups can be made"
        pytest.skip("no cgroup can be made here: run the tests as root to try the limits of whole sandboxes")
