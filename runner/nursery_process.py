"""The nursery's own process: imports what graders need, then forks one child for each request until the runner ends.

A child may be a classroom: it collects the hidden tests of one challenge, and forks one grader for each request.
"""

import functools
import gc
import importlib
import os
import signal
import socket
import sys
from multiprocessing.connection import Connection
from pathlib import Path

from _pytest.config import default_plugins

from graders.http.dial import serve_sockets
from graders.process import teach
from runner import privileges
from runner.nursery import CLASSROOM, DIALLER

_MAX_PATH_BYTES = 4096


def main(channel: socket.socket) -> None:
    sys.dont_write_bytecode = True
    for name in default_plugins:
        importlib.import_module(f"_pytest.{name}")
    _settle()
    while True:
        kind, descriptors, _, _ = socket.recv_fds(channel, 1, 2)
        if not kind:
            return
        nursery = os.getpid()
        pid = os.fork()
        if pid == 0:
            channel.close()
            _live(kind, descriptors, nursery)
        _introduce(channel, pid)
        for descriptor in descriptors:
            os.close(descriptor)
        _reap()


def _live(kind: bytes, descriptors: list[int], nursery: int) -> None:
    """The child's whole life. It ends here: nothing of the nursery runs in it afterwards."""
    code = 1
    try:
        if kind == CLASSROOM:
            privileges.leave_every_network()
            privileges.keep_only_reading()
            privileges.die_with(nursery, signal.SIGKILL)
            channel = socket.socket(fileno=descriptors[0])
            folder = Path(os.fsdecode(channel.recv(_MAX_PATH_BYTES)))
            teach(folder, functools.partial(_next_grader, channel))
        elif kind == DIALLER:
            privileges.enter_network(descriptors[1])
            privileges.keep_nothing()
            privileges.die_with(nursery, signal.SIGKILL)
            serve_sockets(socket.socket(fileno=descriptors[0]))
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def _next_grader(channel: socket.socket) -> Connection:
    """Returns in each grader, with its wire, and never in the classroom: that ends in here, after its last grader.

    Hidden tests that started a thread leave a process that cannot be forked safely: it becomes its one grader.
    """
    _settle()
    classroom = os.getpid()
    while True:
        _, descriptors, _, _ = socket.recv_fds(channel, 1, 1)
        if not descriptors:
            _reap(block=True)
            os._exit(0)
        if _has_threads():
            _introduce(channel, classroom)
            channel.close()
            return Connection(descriptors[0])
        pid = os.fork()
        if pid == 0:
            channel.close()
            privileges.die_with(classroom, signal.SIGKILL)
            return Connection(descriptors[0])
        _introduce(channel, pid)
        os.close(descriptors[0])
        _reap()


def _settle() -> None:
    """Children shall neither walk through what they inherited nor copy its pages."""
    gc.collect()
    gc.freeze()


def _has_threads() -> bool:
    return len(tuple(Path("/proc/self/task").iterdir())) > 1


def _introduce(channel: socket.socket, pid: int) -> None:
    pidfd = os.pidfd_open(pid)  # the child is ours and not reaped yet: the number is still its own
    socket.send_fds(channel, [b"p"], [pidfd])
    os.close(pidfd)


def _reap(*, block: bool = False) -> None:
    while True:
        try:
            pid, _ = os.waitpid(-1, 0 if block else os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
