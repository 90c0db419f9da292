"""Makes the kernel's filter of the policy: `python -m runner.engines.seccomp.compile` writes one file a machine.

What ships is bytes, so that a host needs neither libseccomp nor a compiler; a test compares them with what this
module makes. Needs `pyseccomp` and the system's libseccomp 2.5 or newer, on any machine: it compiles for the others.
"""

import errno
import struct
import sys
import tempfile
from pathlib import Path

import pyseccomp

from runner.engines.seccomp.policy import ABSENT, NEWEST, Rule, rules

MACHINES = {"x86_64": pyseccomp.Arch.X86_64, "aarch64": pyseccomp.Arch.AARCH64}
"""Machine, as `platform.machine()` names it, to the audit architecture that the kernel shows to a filter."""

_X32_BIT = 0x4000_0000
_BALANCED_TREE = 2


def compile_policy(machine: str) -> bytes:
    """The filter for `machine`, as an array of `struct sock_filter`. Raises ValueError for a call nobody knows."""
    architecture = MACHINES[machine]
    policy = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.EPERM))
    policy.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)
    policy.set_attr(pyseccomp.Attr.CTL_OPTIMIZE, _BALANCED_TREE)
    if architecture != pyseccomp.system_arch():
        policy.add_arch(architecture)
        policy.remove_arch(pyseccomp.system_arch())
    for name in ABSENT:
        policy.add_rule(pyseccomp.ERRNO(errno.ENOSYS), _number(name))
    for rule in rules():
        policy.add_rule(pyseccomp.ALLOW, _number(rule.call), *_conditions(rule))
    with tempfile.TemporaryFile() as exported:
        policy.export_bpf(exported)
        exported.seek(0)
        return _newer_calls_are_unknown(architecture) + exported.read()


def _conditions(rule: Rule) -> list[pyseccomp.Arg]:
    return [pyseccomp.Arg(part.index, pyseccomp.MASKED_EQ, part.mask, part.value) for part in rule.arguments]


def _number(name: str) -> int:
    """The call's number here; libseccomp translates it, and leaves out what the other machine does not have."""
    number: int = pyseccomp.resolve_syscall(pyseccomp.system_arch(), name)
    if number == -1:
        msg = f"libseccomp does not know a system call named {name}: mend the name in policy.py or use libseccomp 2.5"
        raise ValueError(msg)
    return number


def _newer_calls_are_unknown(architecture: int) -> bytes:
    """Instructions to go before libseccomp's (all jumps are relative): ENOSYS above NEWEST, if the machine is ours."""
    load, jump_if_equal, jump_if_at_least, answer = 0x20, 0x15, 0x35, 0x06
    number_offset, architecture_offset = 0, 4
    return b"".join(
        struct.pack("=HBBI", *instruction)
        for instruction in (
            (load, 0, 0, architecture_offset),
            (jump_if_equal, 0, 4, architecture),
            (load, 0, 0, number_offset),
            (jump_if_at_least, 2, 0, _X32_BIT),
            (jump_if_at_least, 0, 1, NEWEST + 1),
            (answer, 0, 0, pyseccomp.ERRNO(errno.ENOSYS)),
        )
    )


def main() -> None:
    for machine in MACHINES:
        target = Path(__file__).with_name(f"{machine}.bpf")
        target.write_bytes(compile_policy(machine))
        sys.stdout.write(f"{target.name}: {target.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
