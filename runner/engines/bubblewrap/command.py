"""The command line of one sandbox, as a pure function: what is isolated, mounted, limited, and in which order.

The options go through a descriptor (`--args`), so that no process list shows the host's paths. What is left on the
command line is `/bin/sh -c <limits> assay:<run id>:<n> <command>`: the shell sets the limits that count per process
from inside the box's own user namespace, then becomes the command. The marker in its name is how a later run finds
what a killed one left behind.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from assessments.challenge import Limits
from runner.engines.protocol import Mount, SandboxSpec
from runner.engines.rootfs import Rootfs

MARKER = "assay:"
BOX_UID = 65534
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - the box's own


@dataclass(frozen=True, slots=True)
class Descriptors:
    """Descriptors that bubblewrap inherits, by purpose."""

    status: int
    """It writes the box's process id here."""
    block: int
    """It waits for a byte here before it runs the command."""
    seccomp: int
    """It reads the system call filter here."""


def scratch_places(spec: SandboxSpec) -> tuple[str, ...]:
    """The folders it may write to, beside shared memory."""
    return ("/tmp", *([spec.kept_folder] if spec.kept_folder else ()))  # noqa: S108 - the box's own


def all_scratch_places(spec: SandboxSpec) -> tuple[str, ...]:
    """Every folder it may write to."""
    return (_SHARED_MEMORY, *scratch_places(spec))


def options(spec: SandboxSpec, rootfs: Rootfs, descriptors: Descriptors) -> tuple[str, ...]:
    """Everything bubblewrap is told by descriptor. Order matters: later mounts land on top of earlier ones."""
    return (
        *_ISOLATION,
        *_environment(spec.env),
        *("--ro-bind", str(rootfs.path), "/"),
        *("--proc", "/proc"),
        *("--dev", "/dev"),
        *_scratch(_SHARED_MEMORY, spec.limits.scratch_bytes),
        *("--remount-ro", "/dev"),
        *(part for place in scratch_places(spec) for part in _scratch(place, spec.limits.scratch_bytes)),
        *(part for place in _MOUNT_PLACES for part in _scratch(place, _MOUNT_POINTS_BYTES)),
        *(part for mount in (*spec.mounts, *_packages(spec, rootfs)) for part in _read_only(mount)),
        *(part for place in _MOUNT_PLACES for part in ("--remount-ro", place)),
        *("--remount-ro", "/proc"),  # last: no sysctl can be opened for writing
        *("--chdir", spec.folder),
        *("--seccomp", str(descriptors.seccomp)),
        *("--json-status-fd", str(descriptors.status)),
        *("--block-fd", str(descriptors.block)),
    )


_ISOLATION = (
    "--unshare-user",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--disable-userns",
    *("--uid", str(BOX_UID)),
    *("--gid", str(BOX_UID)),
    *("--hostname", "sandbox"),
    "--die-with-parent",
    "--new-session",
    *("--cap-drop", "ALL"),
    "--clearenv",
)


_MOUNT_PLACES = ("/assets", "/inputs")
_MOUNT_POINTS_BYTES = 64 * 1024
"""Room for the folders that assets and inputs are mounted on; the root filesystem is shared and cannot take them."""


def _environment(env: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(part for name, value in env.items() for part in ("--setenv", name, value))


def _scratch(target: str, size_bytes: int) -> tuple[str, ...]:
    return ("--size", str(size_bytes), "--perms", "1777", "--tmpfs", target)


def _packages(spec: SandboxSpec, rootfs: Rootfs) -> tuple[Mount, ...]:
    return (Mount(spec.environment.site_packages, rootfs.site_packages),) if spec.environment else ()


def _read_only(mount: Mount) -> tuple[str, ...]:
    return ("--ro-bind", str(mount.source), mount.target)


def inner_command(command: tuple[str, ...], limits: Limits, marker: str, *, data_bytes: int | None) -> tuple[str, ...]:
    """The shell that sets limits and becomes `command`. `data_bytes` stands in where no cgroup caps the memory."""
    settings = [
        "ulimit -c 0",
        "ulimit -l 0",
        f"ulimit -n {limits.open_files}",
        f"ulimit -f {max(limits.scratch_bytes // 512, 1)}",
        f"{{ ulimit -u {limits.processes} 2>/dev/null || ulimit -p {limits.processes}; }}",  # bash's name, dash's name
    ]
    if data_bytes is not None:
        settings.append(f"ulimit -d {data_bytes // 1024}")
    script = " && ".join([*settings, 'exec "$@"'])
    return ("/bin/sh", "-c", script, marker, *command)
