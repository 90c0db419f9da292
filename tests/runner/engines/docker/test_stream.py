"""The engine's stream is taken apart the same however it is cut."""

from hypothesis import given
from hypothesis import strategies as st

from runner.engines.docker.stream import Demultiplexer
from runner.engines.output import KeptOutput

FRAMES = st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40)), max_size=20)


@given(FRAMES, st.data())
def test_both_outputs_come_out_whole_and_only_they_are_counted(
    frames: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    stream = b"".join(bytes([kind, 0, 0, 0]) + len(text).to_bytes(4, "big") + text for kind, text in frames)
    stdout, stderr = KeptOutput(4000), KeptOutput(4000)
    apart, counted, at = Demultiplexer(stdout, stderr), 0, 0
    while at < len(stream):
        size = data.draw(st.integers(1, 17))
        counted += apart.feed(stream[at : at + size])
        at += size
    assert stdout.kept() == b"".join(text for kind, text in frames if kind == 1)
    assert stderr.kept() == b"".join(text for kind, text in frames if kind == 2)
    assert counted == stdout.total_bytes + stderr.total_bytes
