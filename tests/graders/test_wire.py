"""Messages between grader and runner: what one of them writes out cannot be led out of its folder."""

import pytest
from pydantic import ValidationError

from graders import wire

OUTSIDE = ["/etc/passwd", "../x", "a/../../x", "", ".", "a//b", "./a", "a/", "x\0y"]


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_state_has_no_path_out_of_its_folder(path: str) -> None:
    with pytest.raises(ValidationError):
        wire.StartService(state_base64={path: ""})


def test_files_come_out_as_they_went_in() -> None:
    files = {"count": b"1", "deep/er/.hidden": bytes(range(256))}
    assert wire.decode_files(wire.StartService(state_base64=wire.encode_files(files)).state_base64) == files


@pytest.mark.parametrize("name", ["..", "a/b", "/a", "", ".hidden"])
def test_inputs_are_named_by_one_step(name: str) -> None:
    with pytest.raises(ValidationError):
        wire.StartJob(inputs={"events": name}, timeout_s=1)
