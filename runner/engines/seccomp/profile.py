"""The call filter as a container engine takes it: the same policy, written as a seccomp profile in JSON.

The engine's runtime compiles it with its own libseccomp. That one kills what is called for another architecture, since
only the native one is listed, and answers ENOSYS to calls newer than any named here, as `policy` asks.
"""

import errno
import functools
import json
import platform

from assessments.errors import InfrastructureError
from runner.engines.seccomp.policy import ABSENT, Argument, Rule, rules

_ARCHITECTURES = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}


@functools.cache
def profile(machine: str | None = None) -> str:
    """The profile for this machine (or the named one). Raises InfrastructureError where no filter was made for it."""
    machine = machine or platform.machine()
    if machine not in _ARCHITECTURES:
        msg = f"no system call filter for the architecture {machine}: sandboxes run on {' and '.join(_ARCHITECTURES)}"
        raise InfrastructureError(msg)
    calls = [{"names": list(ABSENT), "action": "SCMP_ACT_ERRNO", "errnoRet": errno.ENOSYS}, *map(_allowed, rules())]
    return json.dumps(
        {
            "defaultAction": "SCMP_ACT_ERRNO",
            "defaultErrnoRet": errno.EPERM,
            "architectures": [_ARCHITECTURES[machine]],
            "syscalls": calls,
        }
    )


def _allowed(rule: Rule) -> dict[str, object]:
    return {"names": [rule.call], "action": "SCMP_ACT_ALLOW", "args": [_condition(part) for part in rule.arguments]}


def _condition(part: Argument) -> dict[str, object]:
    return {"index": part.index, "value": part.mask, "valueTwo": part.value, "op": "SCMP_CMP_MASKED_EQ"}
