"""The nursery's own process: imports what graders need, then forks one child for each request until the runner ends."""

import gc
import importlib
import os
import signal
import socket
import sys
from multiprocessing.connection import Connection

from _pytest.config import default_plugins

from graders.http.dial import serve_sockets
from graders.process import judge
from runner import privileges
from runner.nursery import DIALLER, GRADER


def main(channel: socket.socket) -> None:
    sys.dont_write_bytecode = True
    for name in default_plugins:
        importlib.import_module(f"_pytest.{name}")
    gc.collect()
    gc.freeze()  # children neither walk through what they inherited nor copy its pages
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


def _introduce(channel: socket.socket, pid: int) -> None:
    pidfd = os.pidfd_open(pid)  # the child is ours and not reaped yet: the number is still its own
    socket.send_fds(channel, [b"p"], [pidfd])
    os.close(pidfd)


def _reap() -> None:
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return


def _live(kind: bytes, descriptors: list[int], nursery: int) -> None:
    """The child's whole life. It ends here: nothing of the nursery runs in it afterwards."""
    code = 1
    try:
        if kind == GRADER:
            privileges.leave_every_network()
            privileges.keep_only_reading()
            privileges.die_with(nursery, signal.SIGKILL)
            judge(Connection(descriptors[0]))
        elif kind == DIALLER:
            privileges.enter_network(descriptors[1])
            privileges.keep_nothing()
            privileges.die_with(nursery, signal.SIGKILL)
            serve_sockets(socket.socket(fileno=descriptors[0]))
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
