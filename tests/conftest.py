"""What tests share: a state folder that keeps what is slow to build, a bench on it, and small challenges."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assessments.challenge import Challenge
from assessments.manifest import read_challenge
from assessments.scorecard import Scorecard
from runner.bench import Bench, open_bench
from runner.engines.rootfs import Rootfs, ensure_rootfs
from runner.grade import Order, grade

REPOSITORY = Path(__file__).resolve().parents[1]
SAMPLES = Path(__file__).resolve().parent / "sample_challenges"


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
def bench(built_state: Path) -> Iterator[Bench]:
    """A real engine and a real nursery, shared by the tests of one process."""
    with open_bench(built_state, print) as opened:
        yield opened


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
