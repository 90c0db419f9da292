"""A sandbox ends once: whoever asks again gets what came of it, and nothing is let go twice."""

import pytest

from assessments.errors import InfrastructureError
from assessments.observation import SandboxRun
from runner.engines.living import Ending


def test_an_end_that_was_interrupted_is_not_begun_again() -> None:
    ending, begun = Ending(), []

    def close() -> SandboxRun:
        begun.append("once")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ending.finish(close)
    with pytest.raises(InfrastructureError, match="interrupted"):
        ending.finish(close)
    assert begun == ["once"]
    assert ending.over
