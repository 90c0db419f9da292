"""The root filesystem: complete enough to run Python in, closed, the same for everybody, and built once."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assessments.errors import InfrastructureError
from runner.engines.rootfs import Rootfs, ensure_rootfs, open_to_all

REPOSITORY = Path(__file__).resolve().parents[3]
BUILD = """
import sys
from pathlib import Path
from runner.engines.rootfs import ensure_rootfs
built = ensure_rootfs(Path(sys.argv[1]), lambda line: print(line, file=sys.stderr))
print(built.path, built.python_version, built.digest)
"""
SYSTEM_PYTHON = Path("/usr/bin/python3")


def build_in_a_process(state: Path, python: str | Path = sys.executable, *, umask: int = 0o022) -> Rootfs:
    command = [python, "-c", BUILD, state]
    done = subprocess.run(
        command, env=_environment(), capture_output=True, text=True, check=False, timeout=120, umask=umask
    )
    assert done.returncode == 0, done.stderr
    path, version, digest = done.stdout.split()
    return Rootfs(Path(path), version, digest)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"}


def everything_under(folder: Path) -> list[Path]:
    return [Path(place) / name for place, folders, files in os.walk(folder) for name in (*folders, *files)]


def test_its_python_is_the_one_that_runs_assay(box):
    done = box.python("import platform, sys; print(platform.python_version(), sys.executable, sys.prefix)")
    version = sys.version.split()[0]
    assert done.stdout.split() == [version, "/opt/python/bin/python", "/opt/python"], done.stderr


def test_every_extension_module_of_the_standard_library_loads(box):
    code = """
import importlib, pathlib, sys
import ssl, sqlite3, json, ctypes, zlib, lzma, bz2, hashlib, decimal, uuid, multiprocessing, asyncio, unittest, venv
for path in sorted(pathlib.Path(json.__file__).parents[1].glob("lib-dynload/*.so")):
    importlib.import_module(path.name.partition(".")[0])
print("all of them")
"""
    done = box.python(code)
    assert done.stdout == "all of them\n", done.stderr


def test_time_names_and_locale_work_without_the_hosts_files(box):
    code = """
import grp, locale, pwd, socket, time, zoneinfo
print(pwd.getpwuid(65534).pw_name, grp.getgrgid(65534).gr_name, time.tzname[0], zoneinfo.ZoneInfo("UTC"))
print(locale.setlocale(locale.LC_CTYPE, ""), socket.gethostbyname("localhost"))
"""
    done = box.python(code)
    assert done.stdout.split() == ["nobody", "nogroup", "UTC", "UTC", "C.UTF-8", "127.0.0.1"], done.stderr


def test_the_shell_is_the_only_other_program(box):
    done = box.run(["/bin/sh", "-c", 'for folder in /bin /usr/bin /sbin /usr/sbin; do echo "$folder"/*; done'])
    names = {word for word in done.stdout.split() if not word.endswith("*")}
    assert names <= {"/bin/sh", "/usr/bin/sh", "/sbin/hold", "/usr/sbin/hold"}, names


def test_a_mounted_environment_is_on_the_path(box, visible_folder):
    (visible_folder / "mounted.py").write_text("answer = 42")
    open_to_all(visible_folder)
    done = box.python("import mounted; print(mounted.answer)", mounts={box.rootfs.site_packages: visible_folder})
    assert done.stdout == "42\n", done.stderr


ODD_MODES = {"tmp": {0o1777}, "outputs": {0o1777}, "state": {0o1777}, "sbin/hold": {0o711}}
"""Scratch space is mounted on all but the last; nobody but its owner may look into a process of that one."""


def test_nothing_in_it_can_be_written_by_others_or_raises_privileges(rootfs):
    for path in [rootfs.path, *everything_under(rootfs.path)]:
        if path.is_symlink():
            continue
        mode = path.lstat().st_mode
        assert stat.S_ISDIR(mode) or stat.S_ISREG(mode), f"{path} is neither a file nor a folder"
        expected = {0o755} if stat.S_ISDIR(mode) else {0o644, 0o755}
        expected = ODD_MODES.get(str(path.relative_to(rootfs.path)), expected)
        assert stat.S_IMODE(mode) in expected, f"{path} has mode {stat.S_IMODE(mode):o}"


def test_its_links_stay_inside(rootfs):
    for path in everything_under(rootfs.path):
        if path.is_symlink():
            assert path.resolve(strict=True).is_relative_to(rootfs.path), f"{path} leads out, to {path.readlink()}"


def test_no_file_of_it_is_a_file_of_the_host(rootfs):
    """A page of a file that host and sandbox shared could be poisoned in the page cache."""
    shared = [path for path in everything_under(rootfs.path) if path.is_file() and path.lstat().st_nlink != 1]
    assert not [path for path in shared if not path.is_symlink()]


def test_it_holds_no_packages_and_no_folders_of_the_hosts_users(rootfs):
    assert not list(Path(f"{rootfs.path}{rootfs.site_packages}").iterdir())
    assert not list((rootfs.path / "home").iterdir())
    assert not (rootfs.path / "root").exists()
    secrets = ("etc/shadow", "etc/resolv.conf", "etc/ssl", "etc/machine-id", "etc/hostname")
    assert not [name for name in secrets if (rootfs.path / name).exists()]


def test_python_does_not_tell_where_it_was_installed(box):
    done = box.python("import sysconfig; print(sysconfig.get_config_vars())")
    assert done.returncode == 0, done.stderr
    if sys.base_prefix not in ("/usr", "/usr/local"):
        assert sys.base_prefix not in done.stdout


def test_all_of_the_standard_library_is_compiled_for_good(rootfs):
    library = rootfs.path / "opt/python/lib"
    sources = [path for path in library.rglob("*.py") if not path.is_symlink()]
    compiled = list(library.rglob("*.pyc"))
    assert len(sources) > 300
    assert len(compiled) >= len(sources)
    unchecked_hash = (1).to_bytes(4, "little")
    assert all(path.read_bytes()[4:8] == unchecked_hash for path in compiled)


def test_a_finished_one_is_found_within_20_ms(built_state, rootfs):
    said: list[str] = []
    durations_s = []
    for _ in range(5):
        started = time.perf_counter()
        assert ensure_rootfs(built_state, said.append) == rootfs
        durations_s.append(time.perf_counter() - started)
    assert not said
    assert min(durations_s) < 0.02


def test_processes_that_want_it_at_once_get_the_same_one(tmp_path):
    with ThreadPoolExecutor(3) as pool:
        built = list(pool.map(lambda _: build_in_a_process(tmp_path), range(3)))
    assert len(set(built)) == 1
    assert sorted(path.suffix for path in (tmp_path / "rootfs").iterdir() if path.name != ".lock") == ["", ".json"]


def test_the_digest_does_not_depend_on_who_builds_where_and_when(tmp_path, rootfs):
    again = build_in_a_process(tmp_path, umask=0o077)
    assert again.digest == rootfs.digest
    test_nothing_in_it_can_be_written_by_others_or_raises_privileges(again)


def test_what_a_killed_build_left_is_removed_by_the_next_one(tmp_path):
    command = [sys.executable, "-c", BUILD, tmp_path]
    with subprocess.Popen(command, env=_environment(), stderr=subprocess.DEVNULL, start_new_session=True) as builder:
        deadline = time.monotonic() + 30
        while not list(tmp_path.glob("rootfs/.building-*/root/opt/python/lib/*/os.py")):
            assert time.monotonic() < deadline
            assert builder.poll() is None
            time.sleep(0.005)
        os.killpg(builder.pid, signal.SIGKILL)
    assert [path.name for path in (tmp_path / "rootfs").iterdir() if not path.name.startswith(".")] == []
    built = build_in_a_process(tmp_path)
    assert built.path.is_dir()
    assert not list(tmp_path.glob("rootfs/.building-*"))


def test_a_record_that_is_damaged_or_out_of_date_means_a_new_build(tmp_path):
    """Out of date: a library it was copied from has changed on the host since."""
    built = ensure_rootfs(tmp_path, print)
    (record,) = (tmp_path / "rootfs").glob("*.json")
    changed = json.loads(record.read_text())
    changed["sources"][0]["mtime_ns"] += 1
    for content in (json.dumps(changed), '{"digest": 1, "python_version": "3.11.2", "sources": []}'):
        record.write_text(content)
        said: list[str] = []
        assert ensure_rootfs(tmp_path, said.append) == built
        assert any("building" in line for line in said)


def test_a_state_folder_that_cannot_be_used_is_named_with_a_way_out(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InfrastructureError, match=r"file.*choose another state folder"):
        ensure_rootfs(tmp_path / "file", print)


@pytest.mark.skipif(not SYSTEM_PYTHON.exists(), reason="this host has no Python of its own")
def test_it_works_for_the_python_of_the_distribution(box, built_state, visible_folder):
    question = "import sys; print(sys.version_info >= (3, 11))"
    version = subprocess.run([SYSTEM_PYTHON, "-c", question], capture_output=True, check=False)
    if version.stdout != b"True\n":
        pytest.skip("the distribution's Python is older than 3.11")
    theirs = type(box)(box.program, build_in_a_process(built_state, SYSTEM_PYTHON))
    (visible_folder / "theirs.py").write_text("answer = 42")
    open_to_all(visible_folder)
    code = "import ssl, sqlite3, ctypes, sysconfig, theirs; print(sysconfig.get_path('stdlib'), theirs.answer)"
    done = theirs.python(code, mounts={theirs.rootfs.site_packages: visible_folder})
    assert done.stdout.split() == [str(Path(theirs.rootfs.site_packages).parent), "42"], done.stderr
