"""Graders are forked from a classroom that has their challenge's tests collected, and know nothing of one another."""

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assessments.challenge import Challenge
from assessments.manifest import read_challenge
from graders import wire
from runner.challenge_files import challenge_digest
from runner.nursery import Nursery, open_nursery
from runner.session import assignment


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    with open_nursery() as nursery:
        yield nursery


@pytest.fixture
def challenge(sum_challenge: Challenge, tmp_path: Path) -> Challenge:
    """One whose tests a test may change."""
    return read_challenge(shutil.copytree(sum_challenge.folder, tmp_path / sum_challenge.folder.name))


def hidden_tests(challenge: Challenge) -> Path:
    return next((challenge.folder / "hidden_tests").glob("test_*.py"))


def add(challenge: Challenge, lines: str) -> None:
    """To the top of the hidden tests, so that it runs when they are collected."""
    path = hidden_tests(challenge)
    docstring, _, rest = path.read_text().partition("\n\n")
    path.write_text(f"{docstring}\n\n{lines}\n{rest}")


def collected(nursery: Nursery, challenge: Challenge) -> tuple[int, wire.Collected]:
    """The parent of a grader that was asked what it has, and what it said."""
    with contextlib.closing(nursery.grader(challenge.folder, challenge_digest(challenge.folder))) as grader:
        status = Path(f"/proc/self/fdinfo/{grader.pidfd}").read_text()
        pid = int(next(line.split()[1] for line in status.splitlines() if line.startswith("Pid:")))
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        wire.send(grader.wire, assignment(challenge, seed=1, only_collect=True))
        answer = wire.receive_from_grader(grader.wire)
        assert isinstance(answer, wire.Collected), answer
        return parent, answer


def test_graders_of_one_challenge_are_collected_for_once(nursery: Nursery, challenge: Challenge) -> None:
    assert len({collected(nursery, challenge)[0] for _ in range(3)}) == 1


def test_a_changed_challenge_is_collected_anew(nursery: Nursery, challenge: Challenge) -> None:
    first, before = collected(nursery, challenge)
    path = hidden_tests(challenge)
    path.write_text(path.read_text().replace('"sum-is-right"', '"sum-is-wrong"'))
    second, after = collected(nursery, challenge)
    assert first != second
    assert [check.id for check in before.checks] == ["sum-is-right"]
    assert [check.id for check in after.checks] == ["sum-is-wrong"]
    assert after.problems


def test_tests_that_start_a_thread_are_not_forked(nursery: Nursery, challenge: Challenge) -> None:
    add(challenge, "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n")
    parents = [collected(nursery, challenge) for _ in range(3)]
    assert [answer.problems for _, answer in parents] == [(), (), ()]
    assert {parent for parent, _ in parents} == {nursery_pid(nursery)}


def test_a_classroom_that_was_killed_is_replaced(nursery: Nursery, challenge: Challenge) -> None:
    first, _ = collected(nursery, challenge)
    os.kill(first, signal.SIGKILL)
    second, answer = collected(nursery, challenge)
    assert first != second
    assert not answer.problems


def test_tests_that_end_their_process_are_named(nursery: Nursery, challenge: Challenge) -> None:
    add(challenge, "import os\nos._exit(0)\n")
    with pytest.raises(wire.WireError, match="ended while it collected the hidden tests"):
        collected(nursery, challenge)


def test_tests_that_never_end_collecting_are_given_up(
    nursery: Nursery, challenge: Challenge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.nursery._COLLECT_TIMEOUT_S", 0.5)
    add(challenge, "while True: pass\n")
    with pytest.raises(wire.WireError, match="were not collected within"):
        collected(nursery, challenge)


def test_tests_that_cannot_be_collected_say_why_to_each_grader(nursery: Nursery, challenge: Challenge) -> None:
    add(challenge, "import nothing_of_this_name\n")
    for _ in range(2):
        _, answer = collected(nursery, challenge)
        assert "nothing_of_this_name" in answer.problems[0]


def test_a_conftest_that_breaks_is_the_graders_last_word(nursery: Nursery, challenge: Challenge) -> None:
    (challenge.folder / "hidden_tests/conftest.py").write_text("raise RuntimeError('no')\n")
    for _ in range(2):
        with contextlib.closing(nursery.grader(challenge.folder, challenge_digest(challenge.folder))) as grader:
            wire.send(grader.wire, assignment(challenge, seed=1))
            answer = wire.receive_from_grader(grader.wire)
        assert isinstance(answer, wire.Finished)
        assert "USAGE_ERROR" in answer.problem


def test_graders_outlive_the_classroom_that_is_put_away(
    nursery: Nursery, challenge: Challenge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.nursery._MAX_CLASSROOMS", 1)
    other = read_challenge(shutil.copytree(challenge.folder, tmp_path / "other" / challenge.folder.name))
    with contextlib.closing(nursery.grader(challenge.folder, challenge_digest(challenge.folder))) as grader:
        collected(nursery, other)
        wire.send(grader.wire, assignment(challenge, seed=1, only_collect=True))
        answer = wire.receive_from_grader(grader.wire)
    assert isinstance(answer, wire.Collected)


def test_all_die_with_the_nursery(nursery: Nursery, challenge: Challenge) -> None:
    classroom, _ = collected(nursery, challenge)
    pidfd = os.pidfd_open(classroom)
    nursery.close()
    deadline = time.monotonic() + 10
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            signal.pidfd_send_signal(pidfd, 0)
            if "\nState:\tZ" in Path(f"/proc/{classroom}/status").read_text():
                break
            time.sleep(0.01)
        else:
            pytest.fail("the classroom lives on")
    os.close(pidfd)


def nursery_pid(nursery: Nursery) -> int:
    return nursery._process.pid
