"""The root filesystem of a sandbox, closed over the Python that runs Assay: nothing is downloaded to make one.

    <state>/rootfs/
      <digest16>/            a finished one: the root of every sandbox, mounted read-only
        bin/sh               the host's /bin/sh
        sbin/hold            the same, for all to run and for none to read
        opt/python/          interpreter, standard library, an empty site-packages to mount an environment on
        lib/, lib64/, usr/   the shared libraries these need, and the ones that wheels expect
        etc/                 users, hosts, name lookup by files, UTC
        submission/, ...     empty: mount points
      <key16>.json           which one belongs to this Python, and the host's libraries it was made from

Everything in it is readable by all, writable by its owner alone, and a copy: no inode is the host's own.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath, PurePosixPath

from assessments.errors import InfrastructureError
from runner.engines.folders import READABLE, make_folder

BUILDER = 3
"""Raised whenever this file makes something else of the same host: no older root filesystem is used then."""

Say = Callable[[str], None]
"""Takes one line of progress, for people."""

PYTHON_HOME = PurePosixPath("/opt/python")
HOLD = "/sbin/hold"

_MOUNT_POINTS = (
    *("proc", "dev", "tmp", "run", "home", "var/tmp"),
    *("submission", "assets", "inputs", "packages", "outputs", "state"),
)
_SCRATCH = ("tmp", "outputs", "state")
_NOT_FOR_SANDBOXES = shutil.ignore_patterns(
    *("test", "tests", "idle_test", "idlelib", "tkinter", "turtledemo", "turtle.py", "ensurepip", "config-*"),
    *("site-packages", "dist-packages", "__pycache__", "sitecustomize.py", "usercustomize.py", "EXTERNALLY-MANAGED"),
    *("_tkinter.*", "_test*.so", "_ctypes_test.*", "xxlimited*.so"),
)
_WHEELS_EXPECT = (
    *("libstdc++.so.6", "libgcc_s.so.1", "libgomp.so.1", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1"),
    *("libutil.so.1", "libresolv.so.2", "libnss_files.so.2"),
)
_COMPILE_TIMEOUT_S = 300
_BUILD_WAIT_S = 600
_ETC = {
    "passwd": "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/bin/sh\n",
    "group": "root:x:0:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
_UTC = 2 * (b"TZif2" + bytes(15 + 4 * 4) + b"\0\0\0\1\0\0\0\4" + bytes(6) + b"UTC\0") + b"\nUTC0\n"
"""A compiled time zone (RFC 8536): no transitions, one type, named UTC."""


@dataclass(frozen=True, slots=True)
class Rootfs:
    """A finished root filesystem. `digest` is over what it was made of, the same wherever that is the same."""

    path: Path
    python_version: str
    """Three numbers, such as 3.11.7."""
    digest: str

    @property
    def site_packages(self) -> str:
        """Where in the sandbox an environment is mounted to be on `sys.path`."""
        (library,) = _inside(self.path, PYTHON_HOME / "lib").glob("python3.*")
        return str(PYTHON_HOME / "lib" / library.name / "site-packages")


def ensure_rootfs(state: Path, say: Say) -> Rootfs:
    """The root filesystem for the running Python, built when `state` has none: some seconds once, then milliseconds.

    Safe to call from many processes at once. Raises InfrastructureError.
    """
    folder = state / "rootfs"
    key = _key()
    if found := _find(folder, key):
        return found
    with sole_builder(folder, say) as workshop:
        return _find(folder, key) or _build(folder, key, workshop, say)


@contextlib.contextmanager
def sole_builder(folder: Path, say: Say) -> Iterator[Path]:
    """Makes the caller the only one who builds in `folder`, and gives it an empty place to build in.

    What is finished is renamed from there to its name, so that others see it whole or not at all; what a killed
    builder left is removed by the next one. The block's failures with files and programs become InfrastructureErrors.
    """
    try:
        make_folder(folder, READABLE)
        with (folder / ".lock").open("a") as lock:
            _wait_for(lock.fileno(), folder, say)
            for abandoned in folder.glob(".building-*"):
                shutil.rmtree(abandoned, ignore_errors=True)
            with tempfile.TemporaryDirectory(prefix=".building-", dir=folder, ignore_cleanup_errors=True) as workshop:
                yield Path(workshop)
    except (OSError, subprocess.SubprocessError) as error:
        msg = f"{folder}: cannot build there: {error}; free some space, or choose another state folder"
        raise InfrastructureError(msg) from error


def _wait_for(lock: int, folder: Path, say: Say) -> None:
    deadline = time.monotonic() + _BUILD_WAIT_S
    said = False
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                msg = f"{folder}: another run has been building there for {_BUILD_WAIT_S} s; end it and try again"
                raise InfrastructureError(msg) from None
        else:
            return
        if not said:
            say(f"waiting for another run that builds in {folder}")
            said = True
        time.sleep(0.05)


def compile_folder(folder: Path, seen_as: str) -> bool:
    """Compile all Python under `folder`, which the sandbox sees as `seen_as`; False when some file does not compile.

    The .pyc files are never compared with their source, so that timestamps do not matter.
    """
    command = [str(_interpreter()), "-I", "-m", "compileall", "-qq", "-j0", "--invalidation-mode", "unchecked-hash"]
    try:
        done = subprocess.run(
            [*command, "-s", folder, "-p", seen_as, folder],
            capture_output=True,
            check=False,
            timeout=_COMPILE_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        msg = f"compiling Python files took over {_COMPILE_TIMEOUT_S} s; try again when the machine is less busy"
        raise InfrastructureError(msg) from None
    return done.returncode == 0


def open_to_all(folder: Path) -> None:
    """Everything under `folder` readable by all and writable by its owner alone, whatever wheels and umask said."""
    for place, _, names in os.walk(folder):
        Path(place).chmod(0o755)
        for path in (Path(place) / name for name in names):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)


@dataclass(frozen=True, slots=True)
class _Source:
    """A file of the host, recognisable without reading it."""

    path: str
    size_bytes: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> "_Source":
        status = path.stat()
        return cls(str(path), status.st_size, status.st_mtime_ns)


def _interpreter() -> Path:
    """The real interpreter, behind virtual environments and links."""
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def _standard_library() -> Path:
    return Path(os.__file__).resolve().parent


def _library_name() -> str:
    return _standard_library().name


def _libc() -> str:
    try:
        version = os.confstr("CS_GNU_LIBC_VERSION")
    except (ValueError, OSError):
        version = None
    if not version:
        msg = (
            "sandboxes need a Python that is linked with glibc, and this one is not; use one from a glibc distribution"
        )
        raise InfrastructureError(msg)
    return version


def _build_of_python() -> list[str]:
    return [sys.version, platform.machine(), _libc(), str(BUILDER)]


def _key() -> str:
    """What tells this Python from others within a millisecond: its place, size and times instead of its bytes."""
    files = [_Source.of(_interpreter()), _Source.of(_standard_library() / "os.py")]
    told = json.dumps([_build_of_python(), [asdict(file) for file in files]])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _find(folder: Path, key: str) -> Rootfs | None:
    """The finished root filesystem, unless a library it was copied from has changed since."""
    try:
        record = json.loads((folder / f"{key}.json").read_bytes())
        found = Rootfs(folder / record["digest"][:16], record["python_version"], record["digest"])
        current = all(_Source.of(Path(source["path"])) == _Source(**source) for source in record["sources"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if current and found.path.is_dir() else None


def _build(folder: Path, key: str, workshop: Path, say: Say) -> Rootfs:
    version = platform.python_version()
    say(f"building the sandboxes' root filesystem from Python {version}")
    started = time.monotonic()
    root = workshop / "root"
    root.mkdir()
    sources = _fill(root, say)
    digest = _digest(root)
    if not compile_folder(_inside(root, PYTHON_HOME / "lib"), str(PYTHON_HOME / "lib")):
        msg = f"the standard library of {_interpreter()} does not compile; reinstall this Python"
        raise InfrastructureError(msg)
    open_to_all(root)
    # Who runs a file that he may not read gets a process that he cannot look into: process 1 of a container.
    _inside(root, HOLD).chmod(0o711)
    for name in _SCRATCH:
        (root / name).chmod(0o1777)  # a container engine gives what it mounts there the mode of what was there before
    finished = folder / digest[:16]
    if not finished.exists():
        root.rename(finished)
    record = {"digest": digest, "python_version": version, "sources": [asdict(source) for source in sources]}
    (workshop / "record").write_text(json.dumps(record))
    (workshop / "record").chmod(0o644)
    (workshop / "record").replace(folder / f"{key}.json")
    say(f"root filesystem ready in {time.monotonic() - started:.1f} s")
    return Rootfs(finished, version, digest)


def _fill(root: Path, say: Say) -> list[_Source]:
    """Copy everything in; the shared libraries and the shell, which the key does not cover, are returned."""
    _lay_out(root)
    home = _inside(root, PYTHON_HOME)
    library = home / "lib" / _library_name()
    shutil.copytree(
        _standard_library(),
        library,
        ignore=_NOT_FOR_SANDBOXES,
        copy_function=shutil.copyfile,
        ignore_dangling_symlinks=True,
    )
    _forget_the_old_place(library)
    (library / "site-packages").mkdir()
    (home / "lib/python3").mkdir()
    (home / "lib/python3/dist-packages").symlink_to(f"../{_library_name()}/site-packages")  # where Debian's looks
    if sys.platlibdir != "lib":
        (home / sys.platlibdir).symlink_to("lib")
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    _copy_program(_interpreter(), home / "bin" / name)
    for link in ("python", "python3"):
        (home / "bin" / link).symlink_to(name)
    shell = Path("/bin/sh").resolve()
    for place in ("/bin/sh", HOLD):
        _copy_program(shell, _inside(root, place))
    modules = [_standard_library() / "lib-dynload" / path.name for path in library.glob("lib-dynload/*.so")]
    return [_Source.of(shell), *_copy_libraries(root, [_interpreter(), shell, *modules], say)]


def _lay_out(root: Path) -> None:
    for name in ("bin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True)
        if Path("/", name).is_symlink():
            (root / name).symlink_to(f"usr/{name}")
        else:
            (root / name).mkdir()
    for name in (*_MOUNT_POINTS, "etc", "opt/python/bin", "usr/share/zoneinfo/Etc"):
        (root / name).mkdir(parents=True)
    for name, text in _ETC.items():
        (root / "etc" / name).write_text(text)
    for name in ("etc/localtime", "usr/share/zoneinfo/UTC", "usr/share/zoneinfo/Etc/UTC"):
        (root / name).write_bytes(_UTC)
    for locale in Path("/usr/lib/locale").glob("C.[uU][tT][fF]*8"):
        shutil.copytree(locale, _inside(root, locale), copy_function=shutil.copyfile)


def _forget_the_old_place(library: Path) -> None:
    """Python's record of its own build names folders of the host; the sandbox's Python lives in its own."""
    prefix = sys.base_prefix
    if prefix in ("/usr", "/usr/local"):  # not telling, and part of other paths
        return
    for path in (*library.glob("_sysconfig*"), *library.glob("build-details.json")):
        path.write_text(path.read_text().replace(prefix, str(PYTHON_HOME)))


def _copy_libraries(root: Path, files: list[Path], say: Say) -> list[_Source]:
    """Copy what `files` need to where their loader looks for it: without a cache, only in folders it knows by itself.

    Libraries of the system keep their paths; others, such as a libpython in somebody's home, go to Python's own lib.
    All have a name in the folder of libc, where every loader looks.
    """
    libc = _needed([_interpreter()]).get("libc.so.6")
    if libc is None:
        msg = f"ldd names no libc for {_interpreter()}: sandboxes need a dynamically linked Python; use another build"
        raise InfrastructureError(msg)
    expected = _expected_by_wheels(libc.parent, say)
    needed = _needed([*files, *expected.values()]) | expected
    places = {name: _place(name, source) for name, source in needed.items()}
    for name, source in needed.items():
        _copy_program(source, _inside(root, places[name]))
    for name, place in places.items():
        link = _inside(root, libc.with_name(name))
        if not link.exists():
            link.symlink_to(os.path.relpath(_inside(root, place).resolve(), link.parent.resolve()))
    return [_Source.of(source) for source in needed.values()]


_LDD_LINE = re.compile(r"^\t(?:\S+ => )?(/.+/(?P<name>[^/]+)) \(0x[0-9a-f]+\)$", re.MULTILINE)


def _needed(files: Iterable[Path]) -> dict[str, Path]:
    """Every shared library that `files` are loaded with, by file name, as the host's loader finds it."""
    ldd = shutil.which("ldd")
    if ldd is None:
        msg = "ldd is not on the PATH; install it (Debian and Ubuntu: apt-get install libc-bin)"
        raise InfrastructureError(msg)
    environment = {**os.environ, "LC_ALL": "C"}
    answer = subprocess.run([ldd, *files], capture_output=True, text=True, check=False, timeout=60, env=environment)
    return {match["name"]: Path(match[1]) for match in _LDD_LINE.finditer(answer.stdout)}


def _expected_by_wheels(folder: Path, say: Say) -> dict[str, Path]:
    """The libraries that binary wheels take for granted, as far as this host has them."""
    folders = (folder, Path("/usr") / folder.relative_to("/"), Path("/usr/lib64"), Path("/usr/lib"))
    found = {}
    for name in _WHEELS_EXPECT:
        path = next((place / name for place in folders if (place / name).exists()), None)
        if path:
            found[name] = path
        elif name == "libstdc++.so.6":
            say(f"note: {name} is not on this machine; packages that need it will not import in a sandbox")
    return found


def _place(name: str, source: Path) -> PurePosixPath:
    of_the_system = re.match(r"/(lib\w*|usr/lib\w*|nix/store|gnu/store)/", str(source))
    return PurePosixPath(source) if of_the_system else PYTHON_HOME / "lib" / name


def _inside(root: Path, path: PurePath | str) -> Path:
    return root / PurePath(path).relative_to("/")


def _copy_program(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755)


def _digest(root: Path) -> str:
    """Over the build of Python and every path and content; not over compiled files, which may differ by chance."""
    told = hashlib.sha256(json.dumps(_build_of_python()).encode())
    for path in sorted(root.rglob("*")):
        if path.is_symlink():
            content = f"link {path.readlink()}"
        elif path.is_file():
            content = f"file {path.stat().st_size} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        else:
            content = "folder"
        told.update(f"{path.relative_to(root)}\0{content}\n".encode())
    return told.hexdigest()
