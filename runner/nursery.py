"""Gives birth to grader processes and diallers: one parent with everything loaded, a cheap fork for each.

    runner ── a request and its descriptors ──> nursery process ──fork──> dialler    (one a service)
           <── the child's pidfd ──────────────                 ──fork──> classroom  (one a challenge)

    runner ── a wire ──────────────> classroom, its hidden tests collected ──fork──> grader  (one a submission)
           <── the grader's pidfd ──

Parents are single-threaded, so forking them is safe: pytest is imported once however many are graded, and a
challenge's hidden tests are collected once. A classroom is kept by the digest of its challenge, so a changed challenge
gets another. Children die with their parent, and the nursery ends when the runner does.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from assessments.errors import InfrastructureError
from assessments.submission import Digest
from graders.wire import WireError

CLASSROOM = b"c"
DIALLER = b"d"
GRADER = b"g"
_BIRTH_TIMEOUT_S = 30.0
_COLLECT_TIMEOUT_S = 60.0
_MAX_CLASSROOMS = 8


@dataclass(frozen=True, slots=True)
class Grader:
    """A newborn grader process: the wire to it, and a descriptor to end it by."""

    wire: Connection
    pidfd: int

    @property
    def pid(self) -> int:
        """Its number on this host, as long as it is not closed."""
        lines = Path(f"/proc/self/fdinfo/{self.pidfd}").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pid:"))

    def kill(self) -> None:
        _kill(self.pidfd)

    def close(self) -> None:
        """End the process, whatever it is doing, and let go of it."""
        self.kill()
        os.close(self.pidfd)
        self.wire.close()


class _Classroom:
    """The runner's end of a process that has a challenge's hidden tests collected, or is about to."""

    def __init__(self, channel: socket.socket, pidfd: int, folder: Path) -> None:
        self._lock = threading.Lock()
        self._channel = channel
        self._pidfd = pidfd
        channel.settimeout(_COLLECT_TIMEOUT_S)
        with contextlib.suppress(OSError):
            channel.send(os.fsencode(folder))

    def grader(self) -> Grader | None:
        """A newborn grader; None if the classroom has ended. Raises WireError when it does not get done."""
        ours, theirs = socket.socketpair()
        with self._lock, theirs, ours:
            try:
                pidfd = _born(self._channel, GRADER, theirs.fileno())
            except TimeoutError as error:
                _kill(self._pidfd)
                msg = f"the hidden tests were not collected within {_COLLECT_TIMEOUT_S:.0f} s"
                raise WireError(msg) from error
            except OSError:
                return None
            return None if pidfd is None else Grader(Connection(ours.detach()), pidfd)

    def close(self) -> None:
        """No more graders; it ends when the last of those it has does."""
        with self._lock:
            self._channel.close()
            os.close(self._pidfd)


class Nursery:
    """The runner's end, shared by all lanes. A nursery process that fails is replaced at the next birth.

    Every call raises InfrastructureError when no child could be had.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._classrooms_lock = threading.Lock()
        self._classrooms: OrderedDict[tuple[Path, Digest], _Classroom] = OrderedDict()
        self._ended = False
        self._channel, self._process = _start()

    def grader(self, challenge_folder: Path, digest: Digest) -> Grader:
        """A newborn grader that has the hidden tests of the challenge of this digest collected.

        Raises WireError, too: when collecting them ends the process, or takes longer than 60 s.
        """
        key = challenge_folder.resolve(), digest
        for _ in range(2):  # a classroom that cannot fork is itself its one grader, and gone at the next call
            classroom = self._classroom(*key)
            grader = classroom.grader()
            if grader is not None:
                return grader
            self._forget(key, classroom)
        msg = "the grader process ended while it collected the hidden tests"
        raise WireError(msg)

    def dialler(self, network_fd: int) -> socket.socket:
        """The other end of a dialler that stands in the given network namespace (see graders.http.dial)."""
        ours, pidfd = self._child(DIALLER, network_fd)
        os.close(pidfd)
        return ours

    def end(self) -> None:
        """Kill the nursery, and with it every grader and dialler, for good. Idempotent; needs no lock."""
        self._ended = True
        self._process.kill()

    def close(self) -> None:
        self.end()
        self._process.wait()
        self._channel.close()
        for classroom in self._classrooms.values():
            classroom.close()
        self._classrooms.clear()

    def _classroom(self, folder: Path, digest: Digest) -> _Classroom:
        with self._classrooms_lock:
            classroom = self._classrooms.get((folder, digest))
            if classroom is None:
                ours, pidfd = self._child(CLASSROOM)
                classroom = self._classrooms[folder, digest] = _Classroom(ours, pidfd, folder)
            self._classrooms.move_to_end((folder, digest))
            if len(self._classrooms) > _MAX_CLASSROOMS:
                self._classrooms.popitem(last=False)[1].close()
            return classroom

    def _forget(self, key: tuple[Path, Digest], classroom: _Classroom) -> None:
        with self._classrooms_lock:
            if self._classrooms.get(key) is classroom:
                self._classrooms.pop(key).close()

    def _child(self, kind: bytes, *descriptors: int) -> tuple[socket.socket, int]:
        """A child of the nursery itself: the other end of its channel, and its pidfd."""
        ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET if kind == CLASSROOM else socket.SOCK_STREAM)
        with contextlib.ExitStack() as unless_born, theirs:
            unless_born.callback(ours.close)
            pidfd = self._born(kind, theirs.fileno(), *descriptors)
            unless_born.pop_all()
        return ours, pidfd

    def _born(self, kind: bytes, *descriptors: int) -> int:
        with self._lock:
            if self._process.poll() is not None and not self._ended:
                self._channel.close()
                self._channel, self._process = _start()
            try:
                pidfd = _born(self._channel, kind, *descriptors)
            except OSError as error:
                self._process.kill()  # a late answer would be taken for the next request's
                self._process.wait()
                raise InfrastructureError(f"the nursery process does not answer: {error}") from error
            if pidfd is None:
                self._process.wait()
                raise InfrastructureError("the nursery process has ended; what it said stands above")
            return pidfd


@contextlib.contextmanager
def open_nursery() -> Iterator[Nursery]:
    """A nursery process for as long as the block lasts; what it bore is dead when the block is left."""
    with contextlib.closing(Nursery()) as nursery:
        yield nursery


def _born(channel: socket.socket, kind: bytes, *descriptors: int) -> int | None:
    """The pidfd of the child that the other end made of these descriptors; None if it has ended."""
    socket.send_fds(channel, [kind], descriptors)
    _, born, _, _ = socket.recv_fds(channel, 1, 1)
    return born[0] if born else None


def _kill(pidfd: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)


def _start() -> tuple[socket.socket, "subprocess.Popen[bytes]"]:
    ours, theirs = socket.socketpair()
    ours.settimeout(_BIRTH_TIMEOUT_S)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", "runner.nursery_process", str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd="/",
            env=_ENVIRONMENT,
            start_new_session=True,  # Ctrl-C is the runner's to handle
        )
    return ours, process


_ENVIRONMENT = {
    "PATH": os.defpath,
    "LANG": "C.UTF-8",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    # A hidden test that imports numpy must leave its classroom single-threaded, or it cannot be shared.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
