"""Tar archives, plain and gzipped: hostile ones are refused by entry or rule, ordinary ones are read."""

import gzip
import io
import struct
import subprocess
import tarfile
import tracemalloc
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from assessments.errors import InvalidSubmission
from runner.intake import IntakeLimits, receive
from runner.intake.gzip_stream import GzipStream, NotOneGzip, TooLong
from runner.intake.tar_archive import unpacked_cap_bytes

MIB = 1024 * 1024
END = bytes(1024)


def header(
    name: bytes = b"main.py",
    *,
    size: int | bytes = 0,
    kind: bytes = b"0",
    mode: int = 0o644,
    target: bytes = b"",
    magic: bytes = b"ustar\x0000",
    prefix: bytes = b"",
    raw: Mapping[int, bytes] | None = None,
) -> bytes:
    """One header block, its checksum right; `raw` puts bytes at offsets."""
    size_field = size if isinstance(size, bytes) else b"%011o\0" % size
    block = bytearray(512)
    for offset, value in (
        (0, name),
        (100, b"%07o\0" % mode),
        (108, b"0001750\0"),
        (116, b"0001750\0"),
        (124, size_field),
        (136, b"00000000000\0"),
        (148, b" " * 8),
        (156, kind),
        (157, target),
        (257, magic),
        (345, prefix),
        *(raw or {}).items(),
    ):
        block[offset : offset + len(value)] = value
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def member(name: bytes = b"main.py", data: bytes = b"print()\n", kind: bytes = b"0", **fields: bytes | int) -> bytes:
    return header(name, size=len(data), kind=kind, **fields) + data + bytes(-len(data) % 512)  # type: ignore[arg-type]


def record(key: bytes, value: bytes) -> bytes:
    body = b" " + key + b"=" + value + b"\n"
    length = len(body)
    while len(b"%d" % length) + len(body) != length:
        length = len(b"%d" % length) + len(body)
    return b"%d" % length + body


def pax(*records: tuple[bytes, bytes], kind: bytes = b"x") -> bytes:
    return member(b"././@PaxHeader", b"".join(record(*pair) for pair in records), kind)


def base256(value: int) -> bytes:
    return b"\x80" + value.to_bytes(11, "big")


def gzipped(tar: bytes) -> bytes:
    return gzip.compress(tar, mtime=0)


def bomb_gz(size_bytes: int, header_block: bytes) -> bytes:
    """A gzipped tar with zeros after its header: one deflated mebibyte again and again (its checksum is never met)."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, 31)
    start = deflater.compress(header_block) + deflater.flush(zlib.Z_FULL_FLUSH)
    zeros = deflater.compress(bytes(MIB)) + deflater.flush(zlib.Z_FULL_FLUSH)
    return start + zeros * (size_bytes // MIB) + deflater.flush()


GOOD = member() + END

HOSTILE: dict[str, tuple[Callable[[], bytes] | bytes, str]] = {
    "climbs out": (member(b"../../evil") + END, r'"../../evil" has ".."'),
    "absolute": (member(b"/etc/x") + END, r'"/etc/x" is an absolute path'),
    "absolute root folder": (header(b"/", kind=b"5") + GOOD, r'"/" is an absolute path'),
    "drive": (member(b"C:\\x") + END, r"starts with a drive letter"),
    "climbs out by prefix": (member(b"evil", prefix=b"..") + END, r'"../evil" has ".."'),
    "climbs out by pax": (pax((b"path", b"../evil")) + GOOD, r'"../evil" has ".."'),
    "climbs out by long name": (member(b"././@LongLink", b"../" * 60 + b"x\0", b"L") + GOOD, r'has ".."'),
    "NUL in a pax path": (pax((b"path", b"main.py\0x")) + GOOD, r'"main.py\\x00x" has a control character'),
    "newline in the name": (member(b"a\nb") + END, r'"a\\nb" has a control character'),
    "bidi": (member("a\u2066b".encode()) + END, r'"a\\u2066b" has an invisible'),
    "not UTF-8": (member(b"\xff\xfe") + END, r"has a name that is not UTF-8"),
    "lone surrogate": (member(b"\xed\xa0\x80") + END, r"has a name that is not UTF-8"),
    "empty name": (member(b"") + END, r'"" has an empty name'),
    "symbolic link": (header(b"l", kind=b"2", target=b"/etc/passwd") + GOOD, r'"l" is a symbolic link'),
    "write through a link": (
        header(b"d", kind=b"2", target=b"/tmp") + member(b"d/evil") + END,
        r'"d" is a symbolic link',
    ),
    "hard link": (member() + header(b"l", kind=b"1", target=b"main.py") + END, r'"l" is a hard link'),
    "hard link with data": (member(b"l", kind=b"1", target=b"../../x") + END, r'"l" is a hard link'),
    "character device": (header(b"d", kind=b"3") + GOOD, r'"d" is a device'),
    "block device": (header(b"d", kind=b"4") + GOOD, r'"d" is a device'),
    "pipe": (header(b"p", kind=b"6") + GOOD, r'"p" is a named pipe'),
    "contiguous": (member(kind=b"7") + END, r"is of the unusual tar type b'7'"),
    "multi-volume": (member(kind=b"M") + END, r"is of the unusual tar type b'M'"),
    "volume label": (header(b"v", kind=b"V") + GOOD, r"is of the unusual tar type b'V'"),
    "unknown type": (member(kind=b"\x1b") + END, r"is of the unusual tar type b'\\x1b'"),
    "GNU sparse": (header(b"s", kind=b"S", size=512) + bytes(512) + END, r'"s" is a sparse file'),
    "pax sparse": (pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.name", b"x")) + GOOD, r"describes a sparse file"),
    "pax real size": (pax((b"SCHILY.realsize", b"99999999999")) + GOOD, r"describes a sparse file"),
    "pax size that lies": (pax((b"size", b"0")) + GOOD, r'"main.py" has two different sizes'),
    "pax size that is huge": (pax((b"size", b"9" * 18)) + GOOD, r'"main.py" has two different sizes'),
    "pax size that is none": (pax((b"size", b"-1")) + GOOD, r'"size" has a pax record that is not known'),
    "NUL before the size": (header(size=b"\0" + b"0" * 9 + b"1\0") + END, r'"main.py" has no size'),
    "mode that is no number": (header(raw={100: b"rwxr-xr"}) + END, r'"main.py" has a mode, an owner or a time'),
    "time that is no number": (header(raw={136: b"1\x002"}) + END, r'"main.py" has a mode, an owner or a time'),
    "negative binary size": (header(size=b"\xff" * 12) + END, r'"main.py" has no size'),
    "binary size": (header(size=base256(8)) + bytes(512) + END, r'"main.py" has no size'),
    "no size": (header(size=bytes(12)) + END, r'"main.py" has no size'),
    "size beyond the file": (header(size=1 * MIB) + END, r'"main.py" is cut off|cut off within this entry'),
    "size beyond the cap": (header(b"big", size=60 * MIB) + END, r'"big" would bring the submission to more than 50'),
    "global path": (pax((b"path", b"evil"), kind=b"g") + GOOD, r"has a global header that changes"),
    "global size": (pax((b"size", b"1"), kind=b"g") + GOOD, r"has a global header that changes"),
    "unknown pax record": (pax((b"GNU.dumpdir", b"Ymain.py")) + GOOD, r'"GNU.dumpdir" has a pax record'),
    "link target of a file": (pax((b"linkpath", b"/etc/passwd")) + GOOD, r'"main.py" is no link but names'),
    "long target of a file": (member(b"@LongLink", b"/etc\0", b"K") + GOOD, r'"main.py" is no link but names'),
    "path twice in pax": (pax((b"path", b"a"), (b"path", b"b")) + GOOD, r"says one thing twice"),
    "two pax headers": (pax((b"path", b"a")) + pax((b"path", b"b")) + GOOD, r"two headers that say the same"),
    "pax path and long name": (pax((b"path", b"a")) + member(b"L", b"b\0", b"L") + GOOD, r"two headers that say"),
    "long name and pax path": (member(b"L", b"b\0", b"L") + pax((b"path", b"a")) + GOOD, r'"path" has a pax record'),
    "pax header at the end": (member() + pax((b"path", b"a")) + END, r"ends with a header that belongs to no entry"),
    "damaged pax": (member(b"x", b"9999 path=x\n", b"x") + GOOD, r"has a damaged pax header"),
    "pax length of zero": (member(b"x", b"0 path=x\n", b"x") + GOOD, r"has a damaged pax header"),
    "pax without a value": (member(b"x", b"6 abc\n", b"x") + GOOD, r"has a damaged pax header"),
    "huge pax header": (member(b"x", record(b"comment", b"c" * 70_000), b"x") + GOOD, r"is a header of 68 KiB"),
    "huge long name": (member(b"L", b"n" * 70_000, b"L") + GOOD, r"is a header of 68 KiB"),
    "pax bomb": (lambda: header(b"x", kind=b"x", size=1 << 32) + END, r'"x" is a header of'),
    "folder with data": (member(b"f/", kind=b"5") + END, r'"f" is a folder that holds data'),
    "old file that ends in a slash": (member(b"f/", b"", kind=b"\0") + GOOD, r'"f/" has an empty part'),
    "neither POSIX nor GNU": (member(magic=b"ustar\x0100", prefix=b"a") + END, r"is one of an outdated format"),
    "GNU with a prefix": (member(magic=b"ustar  \0", prefix=b"a") + END, r"is one of an outdated format"),
    "v7": (member(magic=bytes(8)) + END, r"is one of an outdated format"),
    "wrong checksum": (b"evil.py" + GOOD[7:], r"has a damaged header"),
    "duplicate": (member() + member(data=b"other") + END, r'"main.py" is in there twice'),
    "case collision": (member(b"a") + member(b"A") + END, r'"A" differs from "a"'),
    "NFC collision": (member("é".encode()) + member("e\u0301".encode()) + END, r"differs from"),
    "file and folder": (member(b"a") + member(b"a/b") + END, r'"a/b" is \(or lies below\)'),
    "too deep": (member(b"x", prefix=b"d/" * 50 + b"d") + END, r"lies 52 levels deep"),
    "too many": (b"".join(header(b"%d" % i) for i in range(2001)) + END, r"holds more than 2000 files"),
    "too many left out": (
        b"".join(header(b".venv/%d" % i) for i in range(2001)) + END,
        r"holds more than 2000 files",
    ),
    "too many folders": (b"".join(header(b"/".join([b"%d" % i] * 16)) for i in range(200)) + END, r"more than 2000"),
    "data after the end": (GOOD + member(b"hidden.py") + END, r"has data after its end"),
    "no end": (member(), r"is cut off"),
    "cut within a file": (member(data=b"x" * 600)[:-300], r'"main.py" is cut off within this entry'),
    "empty file": (b"", r"is cut off, or is not a tar archive"),
    "text": (b"hello " * 200, r"is not a tar archive"),
    "no files": (END, r"holds no files"),
}


@pytest.mark.parametrize("suffix", ["tar", "tar.gz"])
@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_tar_is_refused_by_name_and_writes_nothing(case: str, suffix: str, tmp_path: Path) -> None:
    made, message = HOSTILE[case]
    tar = made() if callable(made) else made
    path = tmp_path / f"hostile.{suffix}"
    path.write_bytes(tar if suffix == "tar" else gzipped(tar))

    with pytest.raises(InvalidSubmission, match=message) as refused:
        receive(path)

    assert all(problem.isprintable() for problem in refused.value.problems)
    assert list(tmp_path.iterdir()) == [path]


HOSTILE_GZIP: dict[str, tuple[bytes, str]] = {
    "trailing garbage": (gzipped(GOOD) + b"garbage", r"has data after the end of its gzip stream"),
    "trailing zeros": (gzipped(GOOD) + bytes(100), r"has data after the end of its gzip stream"),
    "second member": (gzipped(GOOD) + gzipped(GOOD), r"has data after the end of its gzip stream"),
    "far trailing garbage": (gzipped(GOOD) + b"x" * 200_000, r"has data after the end of its gzip stream"),
    "cut": (gzipped(GOOD)[:-9], r"is cut off"),
    "wrong checksum": (gzipped(GOOD)[:-8] + bytes(8), r"is not a gzip file, or is a damaged one"),
    "plain tar": (GOOD, r"is not a gzip file"),
    "empty": (b"", r"is cut off"),
}


@pytest.mark.parametrize("case", HOSTILE_GZIP)
def test_a_hostile_gzip_is_refused(case: str, tmp_path: Path) -> None:
    data, message = HOSTILE_GZIP[case]
    path = tmp_path / "hostile.tgz"
    path.write_bytes(data)

    with pytest.raises(InvalidSubmission, match=message):
        receive(path)


@pytest.mark.parametrize(
    "first",
    [
        header(b"bomb", size=300 * MIB),
        header(b".venv/bomb", size=300 * MIB),
        header(b"bomb", kind=b"2", size=300 * MIB),
        GOOD,
    ],
    ids=["a file", "a file left out", "a link with data", "padding"],
)
def test_a_gzip_bomb_is_never_inflated_beyond_the_cap(first: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bomb.tar.gz"
    path.write_bytes(bomb_gz(300 * MIB, first))
    assert path.stat().st_size < MIB

    tracemalloc.start()
    try:
        with pytest.raises(InvalidSubmission, match="more than 50 MiB"):
            receive(path)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak_bytes < 4 * MIB, "a bomb is passed over piece by piece, not held"


def test_the_gzip_stream_counts_what_it_inflates_and_stops_at_its_cap() -> None:
    stream = GzipStream(bomb_gz(10 * MIB, b""), cap_bytes=MIB)
    assert stream.read(100) == bytes(100)
    assert stream.produced_bytes == 100

    with pytest.raises(TooLong):
        stream.read(5 * MIB)
    assert stream.produced_bytes == MIB + 1


def test_a_stream_of_exactly_the_cap_is_read_to_its_end() -> None:
    stream = GzipStream(gzipped(bytes(5000)), cap_bytes=5000)
    assert stream.read(6000) == bytes(5000)
    stream.finish()


def test_a_stream_that_was_not_read_to_its_end_is_not_finished() -> None:
    stream = GzipStream(gzipped(bytes(5000)), cap_bytes=5000)
    stream.read(4999)
    with pytest.raises(NotOneGzip):
        stream.finish()


def test_a_tar_within_the_limits_is_within_the_cap_of_the_stream() -> None:
    limits = IntakeLimits(total_bytes=3 * MIB, entries=50)
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        for number in range(50):
            info = tarfile.TarInfo("é" * 100 + str(number))
            info.size = 3 * MIB // 50
            archive.addfile(info, io.BytesIO(bytes(info.size)))
    assert len(tar.getvalue()) <= unpacked_cap_bytes(limits)


@pytest.mark.parametrize("tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_format_that_python_writes_is_read(tar_format: int, tmp_path: Path) -> None:
    names = ["main.py", "deep/" * 10 + "file.py", "n" * 90 + "/" + "m" * 60]
    if tar_format != tarfile.USTAR_FORMAT:
        names += ["é" * 55, "l" * 119]
    path = tmp_path / "good.tar"
    with tarfile.open(path, "w", format=tar_format) as archive:
        folder = tarfile.TarInfo("deep")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(name)
            info.mtime = 1.5 if tar_format == tarfile.PAX_FORMAT else 1
            archive.addfile(info, io.BytesIO(b"x" * len(name)))

    assert receive(path).contents == {name: b"x" * len(name) for name in sorted(names)}


@pytest.mark.parametrize("tar_format", ["gnu", "pax", "ustar", "oldgnu"])
def test_what_the_system_s_tar_packs_is_read(tar_format: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "pkg").mkdir(parents=True)
    (source / "main.py").write_text("print()\n")
    (source / "pkg" / ("n" * 99)).write_text("x")
    path = tmp_path / "good.tar.gz"
    subprocess.run(["tar", f"--format={tar_format}", "-czf", path, "-C", source, "."], check=True)

    assert receive(path).contents == {"main.py": b"print()\n", "pkg/" + "n" * 99: b"x"}


@pytest.mark.parametrize(
    "tar",
    [
        member(mode=0o7777) + END,
        member(mode=0) + END,
        member(kind=b"\0") + END,
        header(b"./", kind=b"5") + member(b"./main.py") + END,
        header(b".", kind=b"5") + member() + END,
        header(b"d/", kind=b"5") + header(b"d", kind=b"5") + member() + END,
        pax((b"comment", b"f" * 40), kind=b"g") + member() + END,
        pax((b"SCHILY.xattr.security.capability", b"\x01\0\n\xff"), (b"uid", b"0")) + member() + END,
        pax((b"path", b"main.py"), (b"size", b"8")) + member(b"shortened") + END,
        member(b"././@LongLink", b"main.py\0", b"L") + member(b"shortened") + END,
        member() + bytes(512),
        member() + bytes(10240),
        member(b".venv/python", b"", b"2", target=b"/usr/bin/python3") + member() + END,
        member(b"K", b"/usr/" * 50, b"K") + member(b"venv/x", b"", b"2", target=b"/usr") + member() + END,
    ],
)
def test_modes_owners_attributes_and_harmless_variants_change_nothing(tar: bytes, tmp_path: Path) -> None:
    path = tmp_path / "good.tar"
    path.write_bytes(tar)

    assert receive(path).contents == {"main.py": b"print()\n"}


def test_a_checksum_field_of_any_length_is_only_read_as_octal(tmp_path: Path) -> None:
    path = tmp_path / "odd.tar"
    block = bytearray(header())
    block[148:156] = struct.pack("<Q", 0)
    path.write_bytes(bytes(block) + END)

    with pytest.raises(InvalidSubmission, match="damaged header"):
        receive(path)
