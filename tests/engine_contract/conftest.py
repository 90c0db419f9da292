"""Every test here runs on every engine: they hold both to runner/engines/protocol.py."""

import dataclasses
from collections.abc import Callable

import pytest

from assessments.challenge import Limits
from assessments.observation import Breach, SandboxRun
from runner.bench import Bench
from runner.engines.choose import EngineName
from runner.engines.protocol import Mount, Sandbox, SandboxSpec

MB = 1024 * 1024
PATIENCE_S = 20.0
Start = Callable[..., Sandbox]
Run = Callable[..., SandboxRun]


@pytest.fixture(scope="session", params=[EngineName.BUBBLEWRAP, EngineName.DOCKER])
def engine_name(request: pytest.FixtureRequest) -> EngineName:
    return EngineName(request.param)


@pytest.fixture
def limits() -> Limits:
    return Limits(
        memory_bytes=64 * MB,
        processes=12,
        cpus=1.0,
        scratch_bytes=4 * MB,
        output_bytes=128 * 1024,
        open_files=64,
        job_s=5.0,
    )


@pytest.fixture
def start(bench: Bench, limits: Limits) -> Start:
    """Starts Python code in a sandbox; whatever stands in `Limits` can be set anew."""

    def begin(
        code: str,
        *,
        stdin: bytes = b"",
        env: dict[str, str] | None = None,
        outputs: bool = False,
        state: dict[str, bytes] | None = None,
        held: bool = False,
        mounts: tuple[Mount, ...] = (),
        cores: tuple[int, ...] = (),
        preferred: bool = False,
        **other_limits: float,
    ) -> Sandbox:
        spec = SandboxSpec(
            purpose="test",
            command=("/opt/python/bin/python", "-c", code),
            folder="/tmp",
            mounts=mounts,
            limits=dataclasses.replace(limits, **other_limits),
            env=env or {},
            stdin=stdin,
            outputs=outputs,
            state=state,
            held=held,
            cores=cores,
            preferred=preferred,
        )
        return bench.engine.start(spec)

    return begin


@pytest.fixture
def run(start: Start) -> Run:
    """Runs Python code in a sandbox to its end."""

    def to_its_end(code: str, **settings: object) -> SandboxRun:
        sandbox = start(code, **settings)
        ended = sandbox.wait(PATIENCE_S)
        return ended if ended is not None else sandbox.kill(Breach.TIME)

    return to_its_end
