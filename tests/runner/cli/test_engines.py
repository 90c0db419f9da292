"""Which engine a command uses, what it says of it, and what it does where there is none."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.engines.choose import EngineName

SUM = Path(__file__).resolve().parents[2] / "sample_challenges/add-numbers"
RIGHT = SUM / "solutions/accepted/reference"
Assay = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def engine_name() -> EngineName:
    return EngineName.DOCKER


def grade(*more: str) -> list[str]:
    return ["grade", str(RIGHT), "-c", str(SUM), "-o", "out", "--json", *more]


@pytest.mark.usefixtures("bench")
def test_docker_is_used_where_it_answers_and_the_scorecard_says_so(assay: Assay) -> None:
    done = assay(*grade(), ASSAY_ENGINE="auto")
    assert done.returncode == 0, done.stderr
    scorecard = json.loads(done.stdout)["scorecard"]
    assert scorecard["engine"]["name"] == "docker"
    assert all(control["enforced"] for control in scorecard["engine"]["controls"])
    assert scorecard["points"]["earned"] == 1


@pytest.mark.usefixtures("needs_cgroups")
def test_bubblewrap_is_used_where_none_answers(assay: Assay, tmp_path: Path) -> None:
    done = assay(*grade(), ASSAY_ENGINE="auto", DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["scorecard"]["engine"]["name"] == "bubblewrap"
    assert "none.sock" in done.stderr, "an engine that was named and does not answer is told of"


def test_docker_that_was_asked_for_and_is_not_there_is_an_error_with_a_way_out(assay: Assay, tmp_path: Path) -> None:
    done = assay(*grade("--engine", "docker"), DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert done.returncode == 4
    assert "does not answer" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("bench")
def test_the_doctor_tries_both_engines_and_names_the_one_to_use(assay: Assay) -> None:
    done = assay("doctor", "--json", ASSAY_ENGINE="auto")
    found = json.loads(done.stdout)
    assert (found["verdict"], found["engine"], done.returncode) == ("ready", "docker", 0), done.stdout
    tried = {(one["engine"], one["topic"]) for one in found["findings"]}
    for engine in ("docker", "bubblewrap"):
        assert {(engine, topic) for topic in ("network", "memory", "system-calls", "inodes", "time")} <= tried
    assert {("", topic) for topic in ("disk", "cores", "clock", "cgroups", "seccomp", "user-namespaces")} <= tried
    assert "A graded run would use docker" in assay("doctor", ASSAY_ENGINE="auto").stdout


def test_the_doctor_says_what_to_do_where_the_engine_that_was_asked_for_is_missing(
    assay: Assay, tmp_path: Path
) -> None:
    done = assay("doctor", "--engine", "docker", "--json", DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    found = json.loads(done.stdout)
    assert (found["verdict"], found["engine"], done.returncode) == ("impossible", None, 4)
    (missing,) = [one for one in found["findings"] if one["engine"] == "docker"]
    assert missing["level"] == "broken"
    assert "DOCKER_HOST" in missing["fix"]


@pytest.mark.usefixtures("bench")
def test_images_are_made_ahead_of_time_and_listed(assay: Assay) -> None:
    made = assay("images", "bootstrap", "-c", str(SUM))
    assert made.returncode == 0, made.stderr
    names = made.stdout.split()
    assert [name.partition(":")[0] for name in names].count("assay/base") == 1
    listed = json.loads(assay("images", "list", "--json").stdout)
    assert set(names) <= {one["name"] for one in listed}
    assert {one["role"] for one in listed} == {"base", "environment"}
    assert "assay/base" in assay("images", "list").stdout


def test_images_without_an_engine_are_an_error_and_no_traceback(assay: Assay, tmp_path: Path) -> None:
    done = assay("images", "list", DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert done.returncode == 4
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("bench")
def test_a_challenge_is_proved_on_every_engine_in_one_command(assay: Assay, sum_copy: Path) -> None:
    proved = assay("challenge", "verify", sum_copy, "--engine", "all", "--repeat", "2")
    assert proved.returncode == 0, proved.stderr
    engines = json.loads((sum_copy / "certificate.json").read_text())["certificate"]["engines"]
    assert set(engines) == {"bubblewrap", "docker"}
    assert engines["bubblewrap"]["solutions"] == engines["docker"]["solutions"]
    for engine in engines:
        graded = assay("grade", RIGHT, "-c", sum_copy, "-o", "out", "--json", "--engine", engine, "--allow-unenforced")
        assert "certificate" not in graded.stderr


def test_an_engine_that_is_missing_is_told_before_anything_is_graded(
    assay: Assay, sum_copy: Path, tmp_path: Path
) -> None:
    tried = assay("challenge", "verify", sum_copy, "--engine", "all", DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert tried.returncode == 4
    assert "does not answer" in tried.stderr
    assert "as expected" not in tried.stderr
    assert not (sum_copy / "certificate.json").exists()
