"""The bench a submission is graded on: state folder, root filesystem, engine and nursery, set up once and shared.

<state>/                  /var/lib/assay for root, else ~/.local/state/assay; or ASSAY_STATE
  rootfs/ environments/   built once for each digest
  images/                 workshop and lock for the Docker engine's images
  packages/               Debian packages of companions, unpacked
  programs/               the sandbox program, where every box user can execute it
  runs/<run id>/          scratch of living runs; swept when their runner is dead
  box-users/              which uids are lent
  store/                  the database, artefacts and signing key (see `runner.store`)
  calibrations/           what reference solutions do on this host when it is quiet
  proofs/                 gradings of proofs that may be gone on with (see `runner.certify.kept`)
  quiet.lock              held alone by who measures, shared by who grades (root's: /run/lock/assay)
"""

import contextlib
import os
import secrets
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from assessments.challenge import Challenge
from assessments.companion import Program
from assessments.errors import InfrastructureError
from assessments.manifest.read import REFERENCE
from assessments.scorecard import EnvironmentRef
from runner.challenge_files import author_files
from runner.engines.bubblewrap import BubblewrapEngine
from runner.engines.bubblewrap.program import install_program
from runner.engines.cgroups import find_cgroups
from runner.engines.choose import Wish, choose, wish
from runner.engines.environments import Environment, ensure_environment
from runner.engines.folders import READABLE, make_folder
from runner.engines.protocol import Engine
from runner.engines.rootfs import Rootfs, Say, ensure_rootfs
from runner.engines.runs import Run, open_run
from runner.engines.sweep import kill_strays, sweep
from runner.intake import write_tree
from runner.nursery import Nursery, open_nursery
from runner.packages import Packages, ensure_packages
from runner.quiet import QuietLane
from runner.store.places import keys_folder
from runner.store.signing import Signer, signer

if TYPE_CHECKING:
    from runner.engines.docker.daemon import Daemon


@dataclass(frozen=True, slots=True)
class Bench:
    """What grading needs of this machine, ready to use."""

    state: Path
    run: Run
    rootfs: Rootfs
    engine: Engine
    engine_why: str
    """Why this engine and no other, for people."""
    nursery: Nursery
    say: Say
    _interrupted: threading.Event = field(default_factory=threading.Event)
    _assets: dict[Path, Mapping[str, Path]] = field(default_factory=dict)
    _references: dict[Path, Path] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def interrupted(self) -> bool:
        return self._interrupted.is_set()

    def interrupt(self) -> None:
        """End every grading that is under way, from any thread: graders and sandboxes die now."""
        self._interrupted.set()
        self.nursery.end()
        self.engine.shut()

    def asset_folders(self, challenge: Challenge) -> Mapping[str, Path]:
        """The challenge's assets by name, copied to where every box user can pass, once for the run."""
        with self._lock:
            if challenge.folder not in self._assets:
                copies = Path(tempfile.mkdtemp(prefix="assets-", dir=self.run.folder))
                copies.chmod(0o711)
                names = {asset.name: secrets.token_hex(8) for asset in challenge.assets}  # a box sees what it mounts
                for asset in challenge.assets:
                    (copies / names[asset.name]).mkdir(mode=0o755)
                    write_tree(author_files(challenge.folder / asset.folder), copies / names[asset.name])
                self._assets[challenge.folder] = {name: copies / folder for name, folder in names.items()}
            return self._assets[challenge.folder]

    @property
    def lane(self) -> QuietLane:
        """Held shared by who grades, and alone by who measures."""
        return QuietLane.of(self.state, lambda: self.interrupted)

    @property
    def signer(self) -> Signer:
        """The key that scorecards are signed with."""
        return signer(keys_folder(self.state))

    def reference(self, challenge: Challenge) -> Path:
        """The challenge's reference solution, as a workspace that every box user can read, made once for the run."""
        with self._lock:
            if challenge.folder not in self._references:
                scratch = Path(tempfile.mkdtemp(prefix="reference-", dir=self.run.folder))
                scratch.chmod(0o711)
                (scratch / "submission").mkdir(mode=0o755)
                write_tree(author_files(challenge.folder / REFERENCE), scratch / "submission")
                self._references[challenge.folder] = scratch / "submission"
            return self._references[challenge.folder]

    def packages(self, program: Program) -> Packages:
        """A companion program's packages, fetched if they are not here yet."""
        return ensure_packages(program.packages, self.state, self.say)

    def environment(self, challenge: Challenge) -> Environment:
        """The challenge's locked environment, installed and known to the engine if it is not yet."""
        environment = ensure_environment(challenge.folder / challenge.lock_file, self.state, self.rootfs, self.say)
        self.engine.prepare(environment)
        for companion in challenge.companions:
            if companion.program:
                self.packages(companion.program)  # now, and not while a clock runs
        return environment

    def environment_ref(self, challenge: Challenge) -> EnvironmentRef:
        """What a scorecard says of the challenge's environment."""
        environment = self.environment(challenge)
        programs = [companion.program for companion in challenge.companions if companion.program]
        refs = {ref for program in programs for ref in self.packages(program).refs}
        return EnvironmentRef(environment.digest, environment.python, tuple(sorted(refs, key=lambda ref: ref.archive)))


@contextlib.contextmanager
def open_bench(state: Path, say: Say, wanted: Wish | None = None) -> Iterator[Bench]:
    """Set up, and clear away what dead runs left; everything the run makes is gone when the block is left.

    `wanted` None: what the environment asks for. Raises InfrastructureError when this machine cannot hold a sandbox.
    """
    wanted = wanted or wish(None, None)
    _make_state(state)
    chosen = choose(wanted)
    with contextlib.ExitStack() as held:
        if chosen.daemon:
            held.callback(chosen.daemon.close)
        for reason in chosen.passed_over:
            say(f"not used: {reason}")
        cgroups = find_cgroups()
        swept = sweep(state, chosen.daemon)
        if swept.runs or swept.containers or swept.waiting:
            say(f"removed what was left by {swept}")
        url = chosen.daemon.endpoint.url if chosen.daemon else ""
        nursery = held.enter_context(open_nursery())
        run = held.enter_context(open_run(state, cgroups.parents if cgroups else (), url))
        rootfs = ensure_rootfs(state, say)
        engine: Engine
        if chosen.daemon:
            engine = _docker(chosen.daemon, wanted, rootfs, state, run, say)
        else:
            engine = BubblewrapEngine(install_program(state, say), rootfs, state, run, cgroups)
        held.callback(kill_strays, state)
        held.callback(engine.shut)
        yield Bench(state, run, rootfs, engine, chosen.why, nursery, say)


def _docker(daemon: "Daemon", wanted: Wish, rootfs: Rootfs, state: Path, run: Run, say: Say) -> Engine:
    from runner.engines.docker.engine import DockerEngine, images_of  # slow to import, and only needed here

    return DockerEngine(daemon, images_of(daemon, rootfs, state, run, say), rootfs, state, run, wanted.runtime)


def _make_state(state: Path) -> None:
    try:
        make_folder(state, READABLE)
    except OSError as error:
        msg = f"{state}: the state folder cannot be made: {error.strerror}; name another with ASSAY_STATE"
        raise InfrastructureError(msg) from error
    if not os.access(state, os.W_OK | os.X_OK):
        raise InfrastructureError(f"{state}: the state folder is not writable; name another with ASSAY_STATE")
    if os.geteuid() == 0:
        _require_passage(state)


def _require_passage(state: Path) -> None:
    """Boxes run as users without rights: each folder on the way must let everybody through."""
    closed = [str(folder) for folder in (state, *state.parents) if not folder.stat().st_mode & 0o001]
    if closed:
        msg = f"{state}: sandboxes cannot get there, since {closed[-1]} is closed to other users"
        raise InfrastructureError(f"{msg}; set ASSAY_STATE to a folder such as /var/lib/assay")
