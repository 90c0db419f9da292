"""The wheel and the sdist: what is in them, and a grading by the wheel installed in a fresh environment."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from uv import find_uv_bin

REPOSITORY = Path(__file__).resolve().parents[2]
SUM = REPOSITORY / "tests/sample_challenges/add-numbers"
PACKAGES = {"assessments", "graders", "runner", "challenges"}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, timeout=120)
    return folder


def test_the_wheel_holds_the_four_packages_and_their_data(dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == PACKAGES
    assert {
        "runner/engines/seccomp/x86_64.bpf",
        "runner/engines/seccomp/aarch64.bpf",
        "challenges/inference-api/challenge.toml",
        "challenges/inference-api/data/model/model.onnx",
        "challenges/inference-api/hidden_tests/oracle.py",
        "assessments/roles/ai-engineer.toml",
        "runner/certify/template/job/hidden_tests/judges.py.template",
        "runner/certify/template/service/challenge.toml.template",
        "runner/certify/template/service/environment/requirements.lock.template",
    } <= names
    assert any(name.startswith("runner/reports/templates/") for name in names)
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def test_the_sdist_holds_the_packages_and_no_tests(dist: Path) -> None:
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        tops = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    # hatchling adds .gitignore, and PKG-INFO is the sdist's own.
    assert tops == PACKAGES | {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "PKG-INFO", ".gitignore"}


def test_the_installed_wheel_grades(dist: Path, tmp_path: Path, built_state: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    uv, python = find_uv_bin(), tmp_path / "venv/bin/python"
    install = [uv, "pip", "install", "--quiet", "--python", str(python)]
    lock = REPOSITORY / "requirements/run.lock"
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, str(tmp_path / "venv")],
        [*install, "--require-hashes", "-r", str(lock)],
        [*install, "--no-deps", str(wheel)],
    ):
        subprocess.run(command, check=True, timeout=300)
    done = subprocess.run(
        [tmp_path / "venv/bin/assay", "grade", SUM / "solutions/accepted/reference", "-c", SUM, "--allow-unenforced"],
        cwd=tmp_path,
        env={**os.environ, "ASSAY_STATE": str(built_state)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "100%" in done.stdout
