"""What every engine needs to end its sandboxes: all of them at once, and each exactly once."""

import contextlib
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from assessments.errors import InfrastructureError
from assessments.observation import SandboxRun
from runner.engines.cgroups import Accounts
from runner.engines.protocol import Sandbox


class Living:
    """The sandboxes of one engine that may still live. Safe to use from several threads."""

    def __init__(self) -> None:
        self._sandboxes: weakref.WeakSet[Sandbox] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._is_shut = False

    def admit(self, sandbox: Sandbox) -> None:
        """Take in a sandbox that has just started. Kills it and raises InfrastructureError after `shut`."""
        with self._lock:
            self._sandboxes.add(sandbox)
            too_late = self._is_shut
        if too_late:
            sandbox.kill()
            raise InfrastructureError("the engine was shut; no more sandboxes are started")

    def shut(self) -> None:
        """Kill all, side by side, and admit none from now on."""
        with self._lock:
            self._is_shut = True
            living = tuple(self._sandboxes)
        if living:
            with ThreadPoolExecutor(len(living), thread_name_prefix="assay-shut") as each:
                list(each.map(_killed, living))


def _killed(sandbox: Sandbox) -> None:
    with contextlib.suppress(InfrastructureError):  # its own lane meets that failure too; the others must die
        sandbox.kill()


class Ending:
    """The end of one sandbox: `close` is called once, and whoever asks gets what came of it, also if it failed."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        """Held while something is done to the living sandbox that must not meet its closing."""
        self.begun = False
        self.run: SandboxRun | None = None
        self._failure: InfrastructureError | None = None
        self._once = threading.Lock()

    @property
    def over(self) -> bool:
        return self.run is not None or self._failure is not None

    def finish(self, close: Callable[[], SandboxRun]) -> SandboxRun:
        """What came of the run. Raises InfrastructureError, every time the same."""
        with self._once:
            if self._failure is not None:
                raise self._failure
            if self.run is None:
                with self.lock:
                    self.begun = True
                try:
                    self.run = close()
                except InfrastructureError as error:
                    self._failure = error
                    raise
                except BaseException:  # Ctrl-C: what it held is released, and its descriptors may be others' by now
                    self._failure = InfrastructureError("the end of this sandbox was interrupted")
                    raise
            return self.run


def freeze(ending: Ending, accounts: Accounts) -> None:
    """Freeze a sandbox that has not begun to end. Raises InfrastructureError."""
    with ending.lock:
        if ending.begun:
            return
        try:
            accounts.freeze()
        except OSError as error:
            raise InfrastructureError(f"a sandbox could not be frozen: {error}") from error
