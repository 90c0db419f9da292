"""What the doctor says of a host that differs from this one."""

from pathlib import Path

from runner.doctor.host import Level, what_groups_tell
from runner.engines.cgroups.version2 import V2Cgroups


def test_a_kernel_that_tells_no_peak_of_memory_is_named(tmp_path: Path) -> None:
    groups = V2Cgroups(tmp_path)
    untold = what_groups_tell(groups)
    assert untold.level is Level.NOTE
    assert "peak of memory" in untold.seen
    (tmp_path / "memory.peak").touch()
    assert what_groups_tell(groups).level is Level.OK
