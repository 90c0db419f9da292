"""What a control group promises, whichever version it is of."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from assessments.challenge import Limits
from assessments.observation import Usage

PREFIX = "assay-"
CPU_PERIOD_US = 100_000


class Accounts(Protocol):
    """What a group has used, and what it is held to."""

    def usage(self) -> Usage:
        """`oom_kills` counts those for the group's own limit only. Raises OSError once the group is gone."""
        ...

    def hold_sockets(self) -> None:
        """Limit what sockets buffer, where that is not part of the memory that is limited. Raises OSError."""
        ...

    def lift_quota(self) -> None:
        """Let the group use whatever CPU there is: what is killed still has to die, which takes time of its own."""
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


def listed(cores: Sequence[int]) -> str:
    """Cores as a cpuset file takes them."""
    return ",".join(map(str, cores))
