"""The system call filter of a sandbox: a policy as data, a compiler, and the compiled filters that ship.

policy.py     which calls are allowed, and why
compile.py    makes x86_64.bpf and aarch64.bpf of it; a development tool
"""

import platform
from importlib import resources

from assessments.errors import InfrastructureError


def load(machine: str | None = None) -> bytes:
    """The filter for this machine (or the named one), as bytes that the kernel takes.

    Raises InfrastructureError on a machine that no filter was made for.
    """
    machine = machine or platform.machine()
    try:
        return resources.files(__name__).joinpath(f"{machine}.bpf").read_bytes()
    except FileNotFoundError:
        msg = (
            f"no system call filter for the architecture {machine}: sandboxes run on x86_64 and aarch64; "
            "use a machine of one of these"
        )
        raise InfrastructureError(msg) from None
