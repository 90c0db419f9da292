"""Control groups: the limits and the accounts of a whole sandbox, for version 1 and version 2.

protocol.py   what a group promises, whichever version it is of
version1.py   one folder in each hierarchy
version2.py   one folder in the unified hierarchy, by root or by delegation
preference.py weighing groups more for as long as something is measured
removal.py    killing what is in a group and taking it away

`find_cgroups` tries, and says what it found: root on version 1, or a writable (root's or a delegated) subtree on
version 2. Where neither is there it returns None, and the engine reports the limits as not enforced. `accounts_of`
reads the group that somebody else, such as a container engine, has put a process in.

A group's name starts with `assay-<run id>-`, so that a later run can find what a killed one left behind.
"""

import os

from assessments.challenge import Limits
from assessments.errors import InfrastructureError
from runner.engines.cgroups.preference import RECORD as WEIGHTS
from runner.engines.cgroups.preference import Preference, put_back
from runner.engines.cgroups.protocol import PREFIX, Accounts, Cgroup, Cgroups
from runner.engines.cgroups.removal import remove_leftovers
from runner.engines.cgroups.version1 import v1_accounts_of, v1_groups
from runner.engines.cgroups.version2 import v2_accounts_of, v2_groups

__all__ = [
    "PREFIX",
    "WEIGHTS",
    "Accounts",
    "Cgroup",
    "Cgroups",
    "Preference",
    "accounts_of",
    "find_cgroups",
    "put_back",
    "remove_leftovers",
]


def find_cgroups() -> Cgroups | None:
    """What this process may use, found by making and removing a group; None where it may not."""
    for find in (v1_groups, v2_groups):
        groups = find()
        if groups is None:
            continue
        try:
            groups.create(f"{PREFIX}probe-{os.getpid()}", _PROBE_LIMITS).remove()
        except (OSError, InfrastructureError):
            continue
        return groups
    return None


def accounts_of(pid: int) -> Accounts | None:
    """The accounts of the group that process `pid` is in; None where this host keeps none for it."""
    return v1_accounts_of(pid) or v2_accounts_of(pid)


_PROBE_LIMITS = Limits(
    memory_bytes=64 << 20,
    processes=16,
    cpus=1.0,
    scratch_bytes=0,
    output_bytes=0,
    open_files=0,
    job_s=0,
)
