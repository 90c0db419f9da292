"""What a control group promises, whichever version it is of."""

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from assessments.challenge import Limits
from assessments.observation import Usage

PREFIX = "assay-"
CPU_PERIOD_US = 100_000
FREEZE_TIMEOUT_S = 1.0


class Accounts(Protocol):
    """What a group has used, and what it is held to."""

    def usage(self) -> Usage:
        """`oom_kills` counts those for the group's own limit only. Raises OSError once the group is gone."""
        ...

    def hold_sockets(self) -> None:
        """Limit what sockets buffer, where that is not part of the memory that is limited. Raises OSError."""
        ...

    def let_die(self) -> None:
        """Thaw the group and let it use whatever CPU there is: what is killed still has to die, which takes time."""
        ...

    def freeze(self) -> None:
        """Stop every thread of the group, within a second. Raises OSError when that cannot be done."""
        ...

    def thaw(self) -> None:
        """Let them go on. Raises OSError."""
        ...

    @property
    def most_weight(self) -> int:
        """The most that a weight of a group can be: far more of a contended CPU than others get."""
        ...

    def weights(self) -> tuple[Path, ...]:
        """The files with the weights of this group and those above it, up to the first that holds this process too."""
        ...

    def waited_s(self) -> float:
        """Time that the threads now in the group could have run and did not, in seconds. Raises OSError."""
        ...

    def forget_peak(self) -> None:
        """Begin the peak of memory anew, where this kernel lets us: what stood before was not the command's."""
        ...

    def host_ran_out(self) -> bool:
        """Whether something in the group was killed for want of memory though the group kept to its limit."""
        ...

    def held_to(self) -> tuple[int, int]:
        """Bytes of memory, swap included where it is counted, and processes that the kernel holds the group to."""
        ...


class Cgroup(Accounts, Protocol):
    """The group of one sandbox."""

    def add(self, pid: int) -> None:
        """Move a process in; what it forks from then on is in it too."""
        ...

    def remove(self) -> None:
        """Kill what is left in it and take it away, within a minute."""
        ...


class Cgroups(Protocol):
    """Where groups can be made."""

    @property
    def version(self) -> int: ...

    @property
    def has_cores(self) -> bool:
        """Whether a group can be given cores of its own."""
        ...

    @property
    def tells_peak(self) -> bool:
        """Whether this kernel tells the most memory that a group has used."""
        ...

    @property
    def at_the_top(self) -> bool:
        """Whether groups stand directly beside everything else on this host, so that their weight counts against it."""
        ...

    def create(self, name: str, limits: Limits, cores: Sequence[int] = ()) -> Cgroup:
        """A group held to `limits`. With `cores` it runs on exactly these, and no quota interrupts it there."""
        ...

    @property
    def parents(self) -> tuple[Path, ...]:
        """The folders that groups are made in. A later run may stand elsewhere, and finds leftovers only by these."""
        ...


def flat_keyed(path: Path) -> dict[str, int]:
    """A flat keyed file, such as memory.events: one `key value` a line."""
    pairs = (line.split() for line in path.read_text().splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2}


def await_frozen(is_frozen: Callable[[], bool]) -> None:
    """Raises TimeoutError, which is an OSError, after a second."""
    deadline = time.monotonic() + FREEZE_TIMEOUT_S
    while not is_frozen():
        if time.monotonic() > deadline:
            msg = f"a sandbox could not be frozen within {FREEZE_TIMEOUT_S:g} s"
            raise TimeoutError(msg)
        time.sleep(0.0005)


def run_delay_s(threads: Path) -> float:
    """What the threads listed in this file have waited for a CPU, by their schedstat, in seconds."""
    total_ns = 0
    for thread in threads.read_text().split():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, IndexError):
            total_ns += int(Path(f"/proc/{thread}/schedstat").read_text().split()[1])
    return total_ns / 1e9


def below(group: Path, ours: Path) -> list[Path]:
    """The group and those above it, up to the first that `ours` is in as well."""
    shared = {ours, *ours.parents}
    return [folder for folder in (group, *group.parents) if folder not in shared]


def listed(cores: Sequence[int]) -> str:
    """Cores as a cpuset file takes them."""
    return ",".join(map(str, cores))
