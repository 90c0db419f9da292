"""Checks of the tally: data sets made here, results handed on from run to run, and budgets of whole runs."""

import json

import pytest

from graders.target import Run

LINES = 600_000


def tally_of(result):
    assert result.exit_code == 0, f"exit code 0 was expected, {result.exit_code} came"
    return json.loads(result.file("tally.json"))


@pytest.fixture
def texts(scratch, rng):
    """A folder of files, and how many lines each has."""
    folder = scratch / f"texts-{rng.getrandbits(32)}"
    (folder / "deep").mkdir(parents=True)
    lines = {f"{name}.txt": rng.randrange(1, 500) for name in "abc"}
    for name, count in lines.items():
        (folder / name).write_text("line\n" * count)
    return folder, lines


@pytest.mark.check("counts-lines", points=1, skill="correctness", visibility="public")
def test_counts_lines(run_job, texts):
    """Each file's lines are counted."""
    folder, lines = texts
    assert tally_of(run_job(inputs={"texts": folder})) == lines


@pytest.mark.check("goes-on", points=1, skill="correctness", visibility="hidden")
def test_goes_on(run_job, texts):
    """What an earlier run counted is added."""
    folder, lines = texts
    first = run_job(inputs={"texts": folder})
    tally_of(first)
    second = run_job(inputs={"texts": {"a.txt": b"one\ntwo\n", "new.txt": b"one\n"}, "earlier": first.files})
    assert tally_of(second) == lines | {"a.txt": lines["a.txt"] + 2, "new.txt": 1}


def long_run(scratch, numbers):
    folder = scratch / "long"
    count = LINES
    if not folder.exists():
        folder.mkdir()
        (folder / "long.txt").write_text("a line that is neither short nor long\n" * count)
    del numbers

    def judge(result):
        assert tally_of(result) == {"long.txt": count}, "the long file was counted wrongly"

    return Run(judge, inputs={"texts": folder})


@pytest.mark.check("counts-in-time", points=2, skill="performance", visibility="after")
def test_counts_in_time(measure, scratch):
    """A long file is counted in at most half as much time again as our own solution takes."""
    measure(lambda numbers: long_run(scratch, numbers))


@pytest.mark.check("counts-in-little-memory", points=2, skill="performance", visibility="after")
def test_counts_in_little_memory(measure, scratch):
    """A long file is counted in at most half as much memory again as our own solution needs."""
    measure(lambda numbers: long_run(scratch, numbers))
