"""What one sandbox is, as the engine is told it, and what must be true of it before the submission is let go.

Pure: a spec in, the body of a request out; what the engine and the kernel say in, problems out.

Process 1 is a shell of ours that the command can neither look into nor kill. It holds the command back until it reads
a line, waits for it, kills whatever else is left in the container, and holds once more: the control group must not go
before its accounts have been read.
"""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.engines.protocol import OUTPUTS, Mount, SandboxSpec
from runner.engines.rootfs import HOLD

RUN_LABEL, STATE_LABEL, OWNER_LABEL = "assay.run", "assay.state", "assay.owner"
_CPU_PERIOD_US = 100_000
_STDIN = "/run/stdin"

_PROCESS_1 = """\
cd {folder} || exit
exec 3<&0 4>&2 </dev/null 2>/dev/null
(
  exec 2>&4 4>&-
  for name in {unset}; do unset "$name"; done
  read -r _ <&3 || exit
  exec 3<&- <{stdin}
  exec "$@"
)
code=$?
kill -9 -1
exec >&- 4>&-
{hold}
exit $code
"""
"""The subshell's place in the tree is known before it is let go: it is the only child of process 1."""


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
        "MemorySwap": limits.memory_bytes,
        "MemorySwappiness": 0,
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
    places = ["/tmp", "/dev/shm", *([OUTPUTS] if spec.outputs else [])]  # noqa: S108 - the box's own
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
    """Where the container that stands is not the one that was asked for, as the engine tells it."""
    found = [
        f"{name} is {told['HostConfig'].get(name)!r:.100}, not {value!r:.100}"
        for name, value in asked["HostConfig"].items()
        if told["HostConfig"].get(name) != value
    ]
    found += [
        f"{name} is {told['Config'].get(name)!r:.100}, not {asked[name]!r:.100}"
        for name in ("User", "Entrypoint", "Cmd")
        if told["Config"].get(name) != asked[name]
    ]
    networks = sorted(told["NetworkSettings"].get("Networks") or {})
    if networks not in ([], ["none"]):
        found.append(f"it is in the networks {', '.join(networks)}")
    writable = [mount["Destination"] for mount in told.get("Mounts") or () if mount.get("RW")]
    if writable:
        found.append(f"it may write to {', '.join(writable)}")
    return found


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
