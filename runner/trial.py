"""One trial: a submission, the challenge it is judged by, and what each sandbox of the judging is made of."""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from assessments.challenge import Challenge, EntryKind, Limits
from assessments.measurement import Side
from assessments.submission import Digest
from runner import privileges
from runner.bench import Bench
from runner.engines.environments import Environment
from runner.engines.protocol import STATE, Mount, SandboxSpec

_ENVIRONMENT = {
    "PATH": "/opt/python/bin:/bin",
    "HOME": "/tmp",  # noqa: S108 - the box's own
    "LANG": "C.UTF-8",
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1",
}
_PROGRAM_LIMITS = Limits(
    memory_bytes=0,  # the companion's own
    processes=256,
    cpus=1.0,
    scratch_bytes=256 * 1024 * 1024,
    output_bytes=8 * 1024 * 1024,
    open_files=4096,
    job_s=60.0,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a check asks of a sandbox that runs the submission, or the reference solution."""

    purpose: str
    side: Side = Side.CANDIDATE
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    assets: Mapping[str, str] = field(default_factory=dict)
    """By mount, the asset to show there in the place of the usual one."""
    stdin: bytes = b""
    inputs: Mapping[str, Path] = field(default_factory=dict)
    state: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trial:
    """What is judged, and where. `scratch` is the grader's own folder, for the data sets it makes."""

    challenge: Challenge
    digest: Digest
    """The challenge's, as it was read before anything else of it."""
    bench: Bench
    environment: Environment
    workspace: Path
    scratch: Path

    def of_submission(self, wanted: Wanted) -> SandboxSpec:
        """A sandbox that runs the challenge's command. Raises KeyError for an asset the challenge does not have."""
        challenge = self.challenge
        workspace = self.workspace if wanted.side is Side.CANDIDATE else self.bench.reference(challenge)
        mounts = [Mount(workspace, "/submission"), *self._assets(wanted.assets), *_inputs(wanted.inputs)]
        is_job = challenge.entry.kind is EntryKind.JOB
        return SandboxSpec(
            purpose=wanted.purpose,
            command=challenge.entry.command + wanted.args,
            folder="/submission",
            mounts=tuple(mounts),
            limits=challenge.limits,
            env={**_ENVIRONMENT, **({} if is_job else _addresses(challenge)), **wanted.env},
            stdin=wanted.stdin,
            environment=self.environment,
            outputs=is_job,
            state=wanted.state if challenge.entry.state else None,
            held=not is_job,
        )

    def of_program(self, name: str, command: tuple[str, ...], inputs: Mapping[str, Path]) -> SandboxSpec:
        """A sandbox for a companion's own program, held back; or for a `command` that comes in its packages.

        Raises KeyError when there is no such companion, or it is no program.
        """
        programs = {one.id: one.program for one in self.challenge.companions if one.program}
        program = programs[name]
        return SandboxSpec(
            purpose=f"companion {name}",
            command=command or program.command,
            folder="/tmp",  # noqa: S108 - the box's own
            mounts=(Mount(self.bench.packages(program).root, "/packages"), *_inputs(inputs)),
            limits=replace(_PROGRAM_LIMITS, memory_bytes=program.memory_bytes),
            env=_ENVIRONMENT,
            held=not command,
        )

    def folders(self, names: Mapping[str, str]) -> Mapping[str, Path]:
        """Folders of the scratch to mount, by the name that a sandbox sees them under.

        A sandbox can read where its mounts come from, and a folder's name may tell what a check is about: so each has
        a name without meaning. Raises KeyError for one that is not there.
        """
        found = {name: self.scratch / folder for name, folder in names.items()}
        for folder in found.values():
            if folder.is_symlink() or not folder.is_dir():
                raise KeyError(folder.name)
        return {name: _namesake(folder, self.scratch.parent) for name, folder in found.items()}

    def _assets(self, exchanged: Mapping[str, str]) -> Iterator[Mount]:
        folders = self.bench.asset_folders(self.challenge)
        by_name = {asset.name: asset for asset in self.challenge.assets}
        mounted = {asset.mount: asset for asset in self.challenge.assets if not asset.hidden}
        for mount, name in exchanged.items():
            if mount not in mounted:
                raise KeyError(mount)
            mounted[mount] = by_name[name]
        return (Mount(folders[asset.name], f"/assets/{at}") for at, asset in mounted.items())


@contextlib.contextmanager
def scratch_below(folder: Path) -> Iterator[Path]:
    """An empty folder that the grader may write to and every box user can pass, gone when the block is left."""
    with tempfile.TemporaryDirectory(prefix="data-", dir=folder, ignore_cleanup_errors=True) as scratch:
        path = Path(scratch)
        path.chmod(0o711)
        privileges.give_to_graders(path)
        yield path


def _namesake(folder: Path, below: Path) -> Path:
    """The same files once more, by further links to them, in a folder whose name nobody can read anything into."""
    alias = below / secrets.token_hex(16)
    alias.mkdir(mode=0o755)
    for path in sorted(folder.rglob("*")):
        target = alias / path.relative_to(folder)
        if path.is_dir() and not path.is_symlink():
            target.mkdir(mode=0o755)
        elif path.is_file() and not path.is_symlink():
            os.link(path, target)
    return alias


def _inputs(folders: Mapping[str, Path]) -> Iterator[Mount]:
    return (Mount(folder, f"/inputs/{name}") for name, folder in folders.items())


def _addresses(challenge: Challenge) -> dict[str, str]:
    """Where a service listens, where it finds its companions, and where its state is."""
    within_reach = {one.variable: one.url for one in challenge.companions if one.within_reach}
    state = {"STATE_DIR": STATE} if challenge.entry.state else {}
    return {"PORT": str(challenge.entry.port), **within_reach, **state}
