"""What one sandbox is, as the engine is told it, and what must be true of it before the submission is let go.

Pure: a spec in, the body of a request out; what the engine and the kernel say in, problems out.

Process 1 is a shell of ours that the command can neither look into nor kill. It holds the command back until it reads
a line, waits for it, kills whatever else is left in the container, and holds once more: the control group must not go
before its accounts have been read.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.engines.protocol import Mount, SandboxSpec
from runner.engines.rootfs import HOLD

RUN_LABEL, STATE_LABEL, OWNER_LABEL = "assay.run", "assay.state", "assay.owner"
_CPU_PERIOD_US = 100_000
_STDIN = "/run/stdin"

_PROCESS_1 = """\
cd {folder} || exit
exec 3<&0 4>&2 </dev/null 2>/dev/null
trap '' INT
(
  trap - INT
  exec 2>&4 4>&-
  for name in {unset}; do unset "$name"; done
  read -r _ <&3 || exit
  exec 3<&- <{stdin}
  exec "$@"
)
code=$?
kill -9 -1
{hold}
exit $code
"""
"""An interrupt would end a shell that waits; no other signal reaches a process 1 from within. The subshell is the only
child of process 1, so that its place in the tree is known before it is let go. Process 1 keeps its own ends of the
output open: the stream of a living container ends only when the engine has let go of it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose a container is. `state` names the state folder whose runs clear each other's leftovers away."""

    run: str
    state: str
    owner: str
    name: str

    @property
    def labels(self) -> dict[str, str]:
        return {RUN_LABEL: self.run, STATE_LABEL: self.state, OWNER_LABEL: self.owner}

    @property
    def marker(self) -> str:
        """Stands on the command line of process 1: the proof that a process of this host is this sandbox."""
        return f"assay:{self.run}:{self.name}"


@dataclass(frozen=True, slots=True)
class Placement:
    """What a sandbox runs on: its image, its user, files of the run that are mounted in it, and how it is held."""

    image: str
    uid: int
    passwd: Path
    stdin: Path | None
    seccomp_profile: str
    runtime: str | None
    cgroup_version: int
    counts_swap: bool
    holds: bool
    """Whether process 1 waits to be let go at the end. Under a runtime of its own, nobody here could see it wait."""


def body(spec: SandboxSpec, identity: Identity, placement: Placement) -> dict[str, Any]:
    """The request that creates the container (Docker's API, version 1.41)."""
    set_by_the_engine = [name for name in ("HOSTNAME", "PATH", "HOME", "OLDPWD") if name not in spec.env]
    script = _PROCESS_1.format(
        unset=" ".join(set_by_the_engine),
        folder=shlex.quote(spec.folder),
        stdin=_STDIN if placement.stdin else "/dev/null",
        hold="read -r _ <&3" if placement.holds else "",
    )
    return {
        "Image": placement.image,
        "Entrypoint": [HOLD, "-c", script, identity.marker],
        "Cmd": list(spec.command),
        "Env": [f"{name}={value}" for name, value in spec.env.items()],
        "User": f"{placement.uid}:{placement.uid}",
        "Hostname": "sandbox",
        "Labels": identity.labels,
        "OpenStdin": True,
        "StdinOnce": True,
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "NetworkDisabled": True,
        "HostConfig": host_config(spec, placement),
    }


def host_config(spec: SandboxSpec, placement: Placement) -> dict[str, Any]:
    """Everything that isolates and limits. The engine must say the same of the container once it stands."""
    limits = spec.limits
    config: dict[str, Any] = {
        "NetworkMode": "none",
        "Dns": ["127.0.0.1"],
        "DnsSearch": ["."],
        "IpcMode": "private",
        "CgroupnsMode": "private",
        "ReadonlyRootfs": True,
        "Privileged": False,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true", f"seccomp={placement.seccomp_profile}"],
        "Memory": limits.memory_bytes,
        "OomScoreAdj": 1000,
        "PidsLimit": limits.processes,
        "Ulimits": [
            _ulimit("nofile", limits.open_files),
            _ulimit("fsize", max(limits.scratch_bytes, 1)),
            *(_ulimit(name, 0) for name in ("core", "memlock", "msgqueue")),
        ],
        "Tmpfs": _tmpfs(spec),
        "Mounts": [_bind(mount) for mount in _mounts(spec, placement)],
        "LogConfig": {"Type": "none", "Config": {}},
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        "Init": False,
    }
    if placement.counts_swap:
        config["MemorySwap"] = limits.memory_bytes
    if placement.cgroup_version == 1:
        config["MemorySwappiness"] = 0  # version 2 has no such thing, and the engine then forgets that it was asked
    if spec.cores:
        config["CpusetCpus"] = ",".join(map(str, spec.cores))
    else:
        config |= {"CpuPeriod": _CPU_PERIOD_US, "CpuQuota": int(limits.cpus * _CPU_PERIOD_US)}
    if placement.runtime:
        config["Runtime"] = placement.runtime
    return config


def _ulimit(name: str, value: int) -> dict[str, Any]:
    return {"Name": name, "Soft": value, "Hard": value}


def _tmpfs(spec: SandboxSpec) -> dict[str, str]:
    """Scratch places of fixed size, executable as bubblewrap's are; and nothing of the host's devices and hardware."""
    limits = spec.limits
    scratch = f"rw,exec,nosuid,nodev,size={limits.scratch_bytes},nr_inodes={limits.scratch_files},mode=1777"
    places = ["/tmp", "/dev/shm", *([spec.kept_folder] if spec.kept_folder else [])]  # noqa: S108 - the box's own
    hidden = "ro,noexec,nosuid,nodev,size=4k,mode=755"
    return dict.fromkeys(places, scratch) | dict.fromkeys(("/sys", "/dev/mqueue"), hidden)


def _mounts(spec: SandboxSpec, placement: Placement) -> Iterator[Mount]:
    yield from spec.mounts
    yield Mount(placement.passwd, "/etc/passwd")
    if placement.stdin:
        yield Mount(placement.stdin, _STDIN)


def _bind(mount: Mount) -> dict[str, Any]:
    return {
        "Type": "bind",
        "Source": str(mount.source),
        "Target": mount.target,
        "ReadOnly": True,
        "BindOptions": {"Propagation": "rprivate", "NonRecursive": True},
    }


def differences(asked: Mapping[str, Any], told: Mapping[str, Any]) -> list[str]:
    """Where the container that stands is not the one that was asked for, as the engine tells it.

    Engines fill in what was left open and tell lists in forms of their own, so each field is compared by what it means;
    whatever would let the container reach further must not be there at all.
    """
    stands = told["HostConfig"]
    found = [
        f"{name} is {stands.get(name)!r:.100}, not {value!r:.100}"
        for name, value in asked["HostConfig"].items()
        if _meant(name, stands.get(name), value) != _meant(name, value, value)
    ]
    found += [f"{name} is {stands[name]!r:.100}" for name in _NEVER if stands.get(name) not in _NOTHING]
    found += [
        f"{name} is {told['Config'].get(name)!r:.100}, not {asked[name]!r:.100}"
        for name in ("User", "Entrypoint", "Cmd")
        if told["Config"].get(name) != asked[name]
    ]
    for name, least in _HIDDEN.items():
        if name in stands and not least <= set(stands[name] or ()):
            found.append(f"{name} lacks {', '.join(sorted(least - set(stands[name] or ())))}")
    networks = sorted(told["NetworkSettings"].get("Networks") or {})
    if networks not in ([], ["none"]):
        found.append(f"it is in the networks {', '.join(networks)}")
    return found + _other_mounts(asked["HostConfig"], told.get("Mounts") or ())


_NOTHING: tuple[Any, ...] = (None, "", False, 0, [], {}, [""])
_NEVER = (
    *("PidMode", "UTSMode", "UsernsMode", "CapAdd", "Devices", "DeviceCgroupRules", "DeviceRequests", "GroupAdd"),
    *("Binds", "VolumesFrom", "Links", "PortBindings", "PublishAllPorts", "Sysctls", "AutoRemove", "OomKillDisable"),
)
_HIDDEN = {
    "MaskedPaths": {"/proc/kcore", "/proc/keys", "/proc/timer_list"},
    "ReadonlyPaths": {"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"},
}
"""What every engine hides, and makes read-only, by itself. Compared where the engine tells of it."""


def _meant(name: str, value: Any, asked: Any) -> Any:
    """A field of the host's part by what it means. Of lists that engines add to, what was asked for."""
    match name:
        case "Ulimits":
            names = {one["Name"] for one in asked}
            return {one["Name"]: (one["Soft"], one["Hard"]) for one in value or () if one["Name"] in names}
        case "Mounts":
            return {one["Target"]: _mount_meant(one) for one in value or ()}
        case "LogConfig":
            return (value or {}).get("Type")
        case "SecurityOpt" | "CapDrop" | "Dns" | "DnsSearch":
            return sorted(value or ())
        case _:
            return value


def _mount_meant(mount: Mapping[str, Any]) -> tuple[Any, ...]:
    options = mount.get("BindOptions") or {}
    return (
        mount["Type"],
        mount["Source"],
        mount.get("ReadOnly"),
        options.get("Propagation"),
        options.get("NonRecursive"),
    )


def _other_mounts(asked: Mapping[str, Any], stand: Iterable[Mapping[str, Any]]) -> list[str]:
    """Mounts that may be written to, or that nobody asked for."""
    known = {mount["Target"] for mount in asked["Mounts"]} | set(asked["Tmpfs"])
    found = [f"it may write to {mount['Destination']}" for mount in stand if mount.get("RW")]
    strange = [str(mount["Destination"]) for mount in stand if mount["Destination"] not in known]
    return found + [f"{target} is mounted in it" for target in strange]


_NO_RIGHT = "0000000000000000"
_FILTERED = "2"


def weaknesses(process_1: str, uid: int | None) -> list[str]:
    """What the kernel says of process 1 (its /proc status) that it must not; `uid` None: whose it is cannot be told."""
    status = dict(line.split(":\t", 1) for line in process_1.splitlines() if ":\t" in line)
    expected = dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), _NO_RIGHT)
    expected |= {"NoNewPrivs": "1", "Seccomp": _FILTERED}
    if uid is not None:
        expected |= dict.fromkeys(("Uid", "Gid"), "\t".join([str(uid)] * 4))
        expected["Groups"] = str(uid)
    return [
        f"{name} of its process 1 is {status.get(name, 'unknown')!r:.80}, not {value!r}"
        for name, value in expected.items()
        if status.get(name, "").strip() not in (value, *([""] if name == "Groups" else []))
    ]
