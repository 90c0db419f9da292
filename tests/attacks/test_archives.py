"""Archives made to do harm when they are unpacked: each is refused by name, and nothing is ever written."""

import gzip
import io
import re
import stat
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from assessments.errors import InvalidSubmission
from assessments.scorecard import Scorecard
from runner.intake import receive, write_tree

MB = 1 << 20
Built = tuple[str, bytes]


def zipped(*members: tuple[str, bytes], mode: int = 0) -> Built:
    """A ZIP archive of names and contents; `mode` is that of each member."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings(action="ignore"):
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, mode << 16
            archive.writestr(info, content)
    return "hostile.zip", file.getvalue()


def tarred(*members: tuple[str, bytes], packed: bool = False, **fields: object) -> Built:
    """A tar archive of names and contents; `fields` are those of each member."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for field, value in fields.items():
                setattr(info, field, value)
            archive.addfile(info, io.BytesIO(content))
    return ("hostile.tar.gz", gzip.compress(file.getvalue())) if packed else ("hostile.tar", file.getvalue())


def linked(kind: bytes, target: str) -> Built:
    return tarred(("x", b""), type=kind, linkname=target)


def replaced(built: Built, old: bytes, new: bytes) -> Built:
    assert old in built[1]
    return built[0], built[1].replace(old, new)


def lying_zip() -> Built:
    """One mebibyte that says in both its headers that it is ten bytes."""
    return replaced(zipped(("x", bytes(MB))), struct.pack("<L", MB), struct.pack("<L", 10))


def overlapping_zip() -> Built:
    """Two records of the directory over one and the same entry."""
    name, content = zipped(("a.py", b"x" * 9999), ("b.py", b"x" * 9999))
    start = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", start + 1)
    return name, content[: second + 42] + bytes(4) + content[second + 46 :]


def wide_tar() -> Built:
    """A member said to be larger than the archive is."""
    info = tarfile.TarInfo("x")
    info.size = MB
    return "hostile.tar", info.tobuf() + bytes(1024)


def encrypted_zip() -> Built:
    """A member whose flags in the directory, and in its own header, say that it is encrypted."""
    name, content = zipped(("x", b"x"))
    return name, re.sub(rb"(PK\x01\x02....|PK\x03\x04..)\0\0", rb"\1" + b"\1\0", content, flags=re.DOTALL)


def twice(built: Built) -> Built:
    return built[0], built[1] * 2


def gzip_bomb() -> Built:
    """Half a gibibyte in half a megabyte."""
    info = tarfile.TarInfo("x")
    info.size = 512 * MB
    deflater = zlib.compressobj(9, zlib.DEFLATED, 31)
    start = deflater.compress(info.tobuf()) + deflater.flush(zlib.Z_FULL_FLUSH)
    zeros = deflater.compress(bytes(MB)) + deflater.flush(zlib.Z_FULL_FLUSH)
    return "hostile.tar.gz", start + zeros * 512 + deflater.flush()


HOSTILE: dict[str, tuple[Callable[[], Built], str]] = {
    "ARC a path upwards": (lambda: zipped(("../../evil", b"x")), r'has "\.\."'),
    "ARC a path upwards behind a folder": (lambda: tarred(("a/../../evil", b"x")), r'has "\.\."'),
    "ARC a path upwards with backslashes": (lambda: zipped(("..\\evil", b"x")), "backslash"),
    "ARC a path from the root": (lambda: tarred(("/etc/cron.d/x", b"x")), "absolute path"),
    "ARC a drive letter": (lambda: zipped(("C:/x.py", b"x")), "drive letter"),
    "ARC a symbolic link": (lambda: linked(tarfile.SYMTYPE, "/etc/passwd"), "symbolic link"),
    "ARC a symbolic link in a ZIP": (lambda: zipped(("x", b"/etc/passwd"), mode=stat.S_IFLNK | 0o777), "symbolic link"),
    "ARC a hard link": (lambda: linked(tarfile.LNKTYPE, "../../etc/passwd"), "hard link"),
    "ARC a device": (lambda: tarred(("x", b""), type=tarfile.BLKTYPE, devmajor=8), "device"),
    "ARC a named pipe": (lambda: tarred(("x", b""), type=tarfile.FIFOTYPE), "named pipe"),
    "ARC a socket": (lambda: zipped(("x", b""), mode=stat.S_IFSOCK | 0o777), "socket"),
    "ARC a sparse file": (lambda: tarred(("x", bytes(512)), type=tarfile.GNUTYPE_SPARSE), "sparse file"),
    "ARC a type that nobody knows": (lambda: tarred(("x", b""), type=b"~"), "unusual tar type"),
    "ARC a bomb": (lambda: zipped(*((f"{n}", bytes(9 * MB)) for n in range(6))), "more than 50 MiB"),
    "ARC a bomb that lies about its size": (lying_zip, "does not unpack to the 10 bytes"),
    "ARC a bomb in gzip": (gzip_bomb, "more than 50 MiB"),
    "ARC members that share their bytes": (overlapping_zip, "overlaps another entry"),
    "ARC a member larger than its archive": (wide_tar, "cut off"),
    "ARC a second archive behind the first": (lambda: twice(tarred(("x", b"x"))), "after its end"),
    "ARC a second archive behind the first, in gzip": (
        lambda: twice(tarred(("x", b"x"), packed=True)), "after the end"),
    "ARC a second archive behind the first, in a ZIP": (lambda: twice(zipped(("x", b"x"))), "central directory"),
    "ARC the same name twice": (lambda: zipped(("main.py", b"good"), ("main.py", b"evil")), "in there twice"),
    "ARC names that differ in capitals only": (lambda: zipped(("main.py", b""), ("Main.py", b"")), "differs from"),
    "ARC names that differ in composition only": (lambda: tarred(("\u00e9", b""), ("e\u0301", b"")), "differs from"),
    "ARC a file that is a folder too": (lambda: tarred(("a", b""), ("a/b", b"")), "lies below"),
    "ARC a name that reads backwards": (lambda: zipped(("a\u202egnp.py", b"x")), "invisible"),
    "ARC a name with orders for a terminal": (lambda: tarred(("\x1b]0;x\x07", b"x")), "control character"),
    "ARC a name cut by a zero": (
        lambda: replaced(zipped(("main.py?.txt", b"x")), b"main.py?", b"main.py\0"), "control character"),
    "ARC a name that is no text": (lambda: tarred(("x\udcff", b"x")), "not UTF-8"),
    "ARC a path of many folders": (lambda: zipped(("d/" * 119 + "x", b"x")), "levels deep"),
    "ARC a name of 250 letters": (lambda: tarred(("n" * 250, b"x")), "250 bytes"),
    "ARC entries without number": (lambda: zipped(*((f"{n}", b"") for n in range(2001))), "2000"),
    "ARC an encrypted member": (encrypted_zip, "is encrypted"),
    "ARC no archive at all": (lambda: ("hostile.zip", b"MZ" + bytes(999)), "not a complete ZIP"),
}  # fmt: skip


@pytest.mark.parametrize(("build", "problem"), HOSTILE.values(), ids=HOSTILE.keys())
def test_it_is_refused_by_name_and_nothing_is_written(build: Callable[[], Built], problem: str, tmp_path: Path) -> None:
    name, content = build()
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidSubmission, match=problem) as refused:
        receive(tmp_path / name)
    assert all(one.isprintable() for one in refused.value.problems)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.attack("ARC", "modes and owners that change who one is")
def test_modes_and_owners_are_never_applied(tmp_path: Path) -> None:
    name, content = tarred(("main.py", b"x"), mode=0o7777, uid=0, gid=0)
    (tmp_path / name).write_bytes(content)
    (tmp_path / "out").mkdir()
    write_tree(receive(tmp_path / name).contents, tmp_path / "out")
    assert stat.S_IMODE((tmp_path / "out/main.py").stat().st_mode) == 0o444


@pytest.mark.attack("ARC", "links in a folder that is handed in")
def test_links_in_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("x")
    (tmp_path / "x").symlink_to("/etc/passwd")
    with pytest.raises(InvalidSubmission, match="symbolic link"):
        receive(tmp_path)


OBEYED = ("-rf", "@file", "--help", "Dockerfile", ".dockerignore", "Makefile", "requirements.txt", ".gitattributes")


@pytest.mark.attack("ARC", "names and files that tools obey")
def test_names_that_tools_obey_are_files_like_any_other(job: Callable[..., Scorecard]) -> None:
    scorecard = job("say(*sorted(os.listdir()))", dict.fromkeys(OBEYED, "--evil\n"))
    assert scorecard.runs[0].stdout.text.split() == sorted([*OBEYED, "main.py"])
