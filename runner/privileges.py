"""Gives up what a child process does not need. Calls the kernel directly: the standard library has none of these.

Numbers are from linux/prctl.h, linux/capability.h, linux/sched.h and linux/nsfs.h; they are part of the kernel's
stable interface and the same on every architecture.
"""

import ctypes
import fcntl
import os
import struct
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_SET_NO_NEW_PRIVS = 38
_CAP_DAC_READ_SEARCH = 2
_CAPABILITY_VERSION_3 = 0x20080522
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_NS_GET_USERNS = 0xB701

GRADER_UID = 1_899_999_999
"""Just below the boxes' uids (runner.engines.box_users): owns no file and no other process."""


def die_with(parent: int, number: int) -> None:
    """Have the kernel send this signal when the parent dies. Call it last: a change of user takes it back."""
    _prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:  # it died in between
        os.kill(os.getpid(), number)


def keep_only_reading() -> None:
    """Root becomes a user who may read every file and write none; anybody else only loses the way back up.

    Reading is kept because the interpreter and the hidden tests may lie in root's own folders.
    """
    _become_nobody(keep=1 << _CAP_DAC_READ_SEARCH)


def keep_nothing() -> None:
    """Root becomes a user without any right."""
    _become_nobody(keep=0)


def give_to_graders(folder: Path) -> None:
    """Let graders write to a folder of root's; anybody else's graders are the same user."""
    if os.geteuid() == 0 and _is_mapped(GRADER_UID):
        os.chown(folder, GRADER_UID, GRADER_UID)


def enter_network(network_fd: int) -> None:
    """Move this single-threaded process into a network namespace, by way of the user namespace that owns it."""
    if os.geteuid() != 0:
        owner = fcntl.ioctl(network_fd, _NS_GET_USERNS)
        _setns(owner, _CLONE_NEWUSER)
        os.close(owner)
    _setns(network_fd, _CLONE_NEWNET)


def leave_every_network() -> None:
    """Root's process gets a network namespace with nothing in it; anybody else may not make one, and stays."""
    if os.geteuid() == 0:
        _checked(_libc.unshare(_CLONE_NEWNET))


def _become_nobody(keep: int) -> None:
    if os.geteuid() == 0 and os.getuid() == 0 and _is_mapped(GRADER_UID):
        _prctl(_PR_SET_KEEPCAPS, 1)
        os.setgroups([])
        os.setresgid(GRADER_UID, GRADER_UID, GRADER_UID)
        os.setresuid(GRADER_UID, GRADER_UID, GRADER_UID)
        _capset(keep)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def _is_mapped(uid: int) -> bool:
    """Whether the uid exists in this user namespace; one that maps few users may not have it."""
    rows = [[int(number) for number in line.split()] for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return any(first <= uid < first + count for first, _, count in rows)


def _capset(capabilities: int) -> None:
    """Set the permitted and effective capabilities, and no inheritable ones (capset(2), version 3: two words each)."""
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    low, high = capabilities & 0xFFFFFFFF, capabilities >> 32
    data = struct.pack("=6I", low, low, 0, high, high, 0)
    _checked(_libc.capset(header, data))


def _prctl(option: int, argument: int) -> None:
    _checked(_libc.prctl(option, ctypes.c_ulong(argument), 0, 0, 0))


def _setns(descriptor: int, kind: int) -> None:
    _checked(_libc.setns(descriptor, kind))


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


_libc = ctypes.CDLL(None, use_errno=True)
