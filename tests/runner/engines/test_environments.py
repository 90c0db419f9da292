"""Environments: exactly what the lock says, copies only, no code run on the host, and the right one is blamed."""

import hashlib
import stat
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assessments.errors import InfrastructureError, InvalidChallenge
from runner.engines.environments import Environment, ensure_environment


@pytest.fixture
def wheels(tmp_path, monkeypatch) -> Path:
    """A folder that is the installer's only package index."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    return folder


def make_wheel(wheels: Path, name: str, files: Mapping[str, str], *, metadata: str = "", mode: int = 0o644) -> str:
    """Write a wheel, version 1.0, and give the line that locks it."""
    path = wheels / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    parts = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{metadata}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for target, content in {**parts, f"{info}/RECORD": "".join(f"{part},,\n" for part in parts)}.items():
            entry = zipfile.ZipInfo(target)
            entry.external_attr = (stat.S_IFREG | mode) << 16
            archive.writestr(entry, content)
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


@pytest.fixture
def ensure(tmp_path, rootfs) -> Callable[..., Environment]:
    """Installs a lock of the given lines into a state folder of this test's own."""

    def run(*lines: str, say: Callable[[str], None] = print) -> Environment:
        lock = tmp_path / "requirements.lock"
        lock.write_text("".join(f"{line}\n" for line in lines))
        return ensure_environment(lock, tmp_path / "state", rootfs, say)

    return run


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_real_lock_gives_packages_that_import_in_a_sandbox(in_a_box):
    assert in_a_box("import fastapi, numpy, onnxruntime, uvicorn; print(numpy.arange(4).sum())").split() == ["6"]


def test_no_file_is_linked_to_the_installers_cache(service_environment):
    files = files_under(service_environment.site_packages)
    assert len(files) > 1000
    assert not [path for path in files if path.is_symlink() or path.stat().st_nlink != 1]


def test_modes_come_from_us_and_not_from_the_wheel(ensure, wheels):
    line = make_wheel(wheels, "loose", {"loose/__init__.py": "", "loose/data/tool": "x"}, mode=0o6777)
    environment = ensure(line)
    for path in [environment.site_packages, *environment.site_packages.rglob("*")]:
        assert not path.is_symlink()
        expected = {0o755} if path.is_dir() else {0o644, 0o755}
        assert stat.S_IMODE(path.stat().st_mode) in expected, f"{path} has mode {path.stat().st_mode:o}"


def test_every_module_is_compiled_under_the_path_it_has_in_the_sandbox(ensure, wheels, rootfs):
    line = make_wheel(wheels, "compiled", {"compiled.py": "x = 1", "template.py": "{{ not python }}"})
    environment = ensure(line)
    (compiled,) = environment.site_packages.glob("__pycache__/compiled.*.pyc")
    assert compiled.read_bytes()[4:8] == (1).to_bytes(4, "little")
    assert f"{rootfs.site_packages}/compiled.py".encode() in compiled.read_bytes()


def test_the_installers_scripts_are_left_out(ensure, wheels):
    points = "tool-1.0.dist-info/entry_points.txt"
    environment = ensure(make_wheel(wheels, "tool", {"tool.py": "", points: "[console_scripts]\ntool = tool:main\n"}))
    assert sorted(path.name for path in environment.site_packages.iterdir()) == [
        "__pycache__",
        "tool-1.0.dist-info",
        "tool.py",
    ]


@pytest.mark.parametrize("lines", [(), ("# nothing",), ("", "  # indented", "")])
def test_an_empty_lock_gives_an_empty_environment_without_the_installer(ensure, monkeypatch, lines):
    monkeypatch.setenv("UV_CACHE_DIR", "/proc/nowhere")
    said: list[str] = []
    environment = ensure(*lines, say=said.append)
    assert not list(environment.site_packages.iterdir())
    assert not said


def test_the_same_lock_is_installed_once(ensure, wheels):
    line = make_wheel(wheels, "once", {"once.py": ""})
    said: list[str] = []
    environments = [ensure(line, say=said.append) for _ in range(2)]
    assert environments[0] == environments[1]
    assert len([text for text in said if "installing" in text]) == 1


def test_any_change_of_the_lock_is_another_environment(ensure, wheels):
    line = make_wheel(wheels, "once", {"once.py": ""})
    assert ensure(line).digest != ensure("# comment", line).digest


def test_runs_that_want_it_at_once_get_the_same_one(rootfs, wheels, tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text(make_wheel(wheels, "shared", {"shared.py": ""}))
    with ThreadPoolExecutor(4) as pool:
        tasks = [pool.submit(ensure_environment, lock, tmp_path / "state", rootfs, print) for _ in range(4)]
    environments = {task.result() for task in tasks}
    assert len(environments) == 1
    assert len([path for path in (tmp_path / "state/environments").iterdir() if path.name != ".lock"]) == 1


def test_a_wheel_that_is_not_the_locked_one_is_refused(ensure, wheels):
    line = make_wheel(wheels, "swapped", {"swapped.py": "x = 1"})
    make_wheel(wheels, "swapped", {"swapped.py": "x = 'evil'"})
    with pytest.raises(InvalidChallenge, match=r"requirements\.lock: it cannot be installed.*(?s:.*)[Hh]ash"):
        ensure(line)


def test_a_failed_installation_leaves_nothing(ensure, wheels, tmp_path):
    with pytest.raises(InvalidChallenge):
        ensure("absent==1.0 --hash=sha256:" + 64 * "0")
    assert [path.name for path in (tmp_path / "state/environments").iterdir()] == [".lock"]


def test_a_dependency_that_the_lock_forgot_is_the_challenges_fault(ensure, wheels):
    line = make_wheel(wheels, "needy", {"needy.py": ""}, metadata="Requires-Dist: forgotten\n")
    with pytest.raises(InvalidChallenge, match="forgotten"):
        ensure(line)


def test_a_package_that_would_have_to_be_built_is_refused(ensure, wheels):
    (wheels / "source-1.0.tar.gz").write_bytes(b"never opened")
    with pytest.raises(InvalidChallenge, match="lock it again"):
        ensure("source==1.0 --hash=sha256:" + hashlib.sha256(b"never opened").hexdigest())


@pytest.mark.parametrize(
    "line",
    [
        "flask",
        "flask>=3",
        "-r /etc/shadow",
        "--index-url https://packages.example/simple",
        "flask @ https://packages.example/flask.whl --hash=sha256:" + 64 * "0",
        "./local.whl --hash=sha256:" + 64 * "0",
        "-e .",
        "flask==3.0 --hash=md5:" + 32 * "0",
        "flask==3.0 --hash=sha256:" + 64 * "0" + " --config-settings=x",
    ],
)
def test_a_line_that_is_not_a_pinned_package_is_named(ensure, line):
    with pytest.raises(InvalidChallenge) as refusal:
        ensure("# fine", line)
    assert len(refusal.value.problems) == 1
    assert "requirements.lock:2:" in refusal.value.problems[0]


def test_all_wrong_lines_are_named_at_once(ensure):
    with pytest.raises(InvalidChallenge) as refusal:
        ensure("flask", "--no-index", "django>5")
    assert len(refusal.value.problems) == 3


def test_a_pin_without_a_hash_is_refused(ensure, wheels):
    make_wheel(wheels, "bare", {"bare.py": ""})
    with pytest.raises(InvalidChallenge, match="hash"):
        ensure("bare==1.0")


def test_a_missing_lock_is_the_challenges_fault(tmp_path, rootfs):
    with pytest.raises(InvalidChallenge, match=r"absent\.lock: the lock cannot be read"):
        ensure_environment(tmp_path / "absent.lock", tmp_path / "state", rootfs, print)


def test_an_index_out_of_reach_is_the_machines_fault_and_says_what_to_look_at(ensure, monkeypatch, tmp_path):
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(InfrastructureError, match="see that a package index can be reached"):
        ensure("flask==3.0.0 --hash=sha256:" + 64 * "0")
