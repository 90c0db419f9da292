"""ZIP archives: hostile ones are refused by a message that names the entry or the rule; ordinary ones are read."""

import io
import stat
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from assessments.errors import InvalidSubmission
from runner.intake import IntakeLimits, receive

MIB = 1024 * 1024


@dataclass(frozen=True)
class Entry:
    """A ZIP entry written byte by byte; `local` and `central` override fields of either header, to lie."""

    name: bytes = b"main.py"
    data: bytes = b"print('hello')\n"
    method: int = 8
    flags: int = 0
    mode: int = 0o100644
    extra: bytes = b""
    descriptor: bytes = b""
    packed: bytes | None = None
    local: dict[str, int | bytes] = field(default_factory=dict)
    central: dict[str, int | bytes] = field(default_factory=dict)

    def payload(self) -> bytes:
        if self.packed is not None:
            return self.packed
        if self.method != 8:
            return self.data
        deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
        return deflater.compress(self.data) + deflater.flush()

    def fields(self) -> dict[str, int | bytes]:
        return {
            "name": self.name,
            "flags": self.flags,
            "method": self.method,
            "crc": zlib.crc32(self.data),
            "packed": len(self.payload()),
            "size": len(self.data),
            "extra": self.extra,
            "attributes": self.mode << 16,
        }


def local_header(entry: Entry) -> bytes:
    f = entry.fields() | entry.local
    numbers = (20, f["flags"], f["method"], 0, 0x21, f["crc"], f["packed"], f["size"], len(f["name"]), len(f["extra"]))
    return struct.pack("<4s5H3L2H", b"PK\x03\x04", *numbers) + f["name"] + f["extra"]


def central_record(entry: Entry, offset: int) -> bytes:
    f = entry.fields() | {"offset": offset} | entry.central
    head = (0x0314, f.get("version", 20), f["flags"], f["method"], 0, 0x21, f["crc"], f["packed"], f["size"])
    tail = (len(f["name"]), len(f["extra"]), 0, 0, 0, f["attributes"], f["offset"])
    return struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *head, *tail) + f["name"] + f["extra"]


def end_record(count: int, size: int, offset: int, comment: bytes = b"", here: int | None = None) -> bytes:
    return (
        struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count if here is None else here, count, size, offset, len(comment))
        + comment
    )


def raw_zip(*entries: Entry, before: bytes = b"", after: bytes = b"", comment: bytes = b"", more: int = 0) -> bytes:
    """An archive of the entries, with bytes before and after and a count that is `more` than there are."""
    body, central = before, b""
    for entry in entries:
        central += central_record(entry, len(body))
        body += local_header(entry) + entry.payload() + entry.descriptor
    return body + central + end_record(len(entries) + more, len(central), len(body), comment) + after


def overlapping() -> bytes:
    """Two central records over one and the same local entry, each with a name of its own."""
    entry = Entry(data=b"x" * 10_000)
    body = local_header(entry) + entry.payload()
    central = central_record(entry, 0) + central_record(replace(entry, name=b"copy.py"), 0)
    return body + central + end_record(2, len(central), len(body))


def quoted_overlap() -> bytes:
    """The better zip bomb: a first entry whose stored block covers the header of the second."""
    second = Entry(name=b"b.py", data=b"0" * 5000)
    inner = local_header(second) + second.payload()
    quoted = Entry(name=b"a.py", data=inner, method=0)
    body = local_header(quoted) + inner
    central = central_record(quoted, 0) + central_record(second, len(local_header(quoted)))
    return body + central + end_record(2, len(central), len(body))


def two_end_records() -> bytes:
    """A comment that is an end record of its own, so that two readers see two archives."""
    return raw_zip(Entry(), comment=end_record(0, 0, 0))


def with_gap() -> bytes:
    first = Entry(name=b"a.py")
    body = local_header(first) + first.payload() + b"hidden between entries"
    second = Entry(name=b"b.py")
    central = central_record(first, 0) + central_record(second, len(body))
    body += local_header(second) + second.payload()
    return body + central + end_record(2, len(central), len(body))


def zip64_end() -> bytes:
    body = local_header(Entry()) + Entry().payload()
    central = central_record(Entry(), 0)
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, len(central), len(body))
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(body) + len(central), 1)
    return body + central + end64 + locator + end_record(0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)


def unicode_path(name: bytes) -> bytes:
    value = b"\x01" + struct.pack("<L", 0) + name
    return struct.pack("<HH", 0x7075, len(value)) + value


def link_mode(kind: int) -> int:
    return kind | 0o777


DEFLATED = Entry().payload()


def deflated_zeros(mebibytes: int) -> bytes:
    """One deflated mebibyte again and again."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (deflater.compress(bytes(MIB)) + deflater.flush(zlib.Z_FULL_FLUSH)) * mebibytes + deflater.flush()


BOMB = deflated_zeros(200)
HONEST_SIZE: dict[str, int | bytes] = {"size": 200 * MIB}
FALSE_SIZE: dict[str, int | bytes] = {"size": 10}

HOSTILE: dict[str, tuple[Callable[[], bytes] | bytes, str]] = {
    "climbs out": (raw_zip(Entry(b"../../evil.py")), r'"../../evil.py" has ".."'),
    "climbs out later": (raw_zip(Entry(b"a/../../evil.py")), r'"a/../../evil.py" has ".."'),
    "absolute": (raw_zip(Entry(b"/etc/cron.d/x")), r'"/etc/cron.d/x" is an absolute path'),
    "root as a folder": (raw_zip(Entry(b"/", data=b"", method=0, mode=0)), r'"/" is an absolute path'),
    "drive": (raw_zip(Entry(b"C:/x.py")), r'"C:/x.py" starts with a drive letter'),
    "backslash": (raw_zip(Entry(b"..\\x.py")), r"has a backslash"),
    "NUL in the name": (raw_zip(Entry(b"main.py\0.txt")), r'"main.py\\x00.txt" has a control character'),
    "terminal escape": (raw_zip(Entry(b"\x1b]0;pwned\x07.py")), r'"\\x1b]0;pwned\\x07.py" has a control character'),
    "right-to-left override": (raw_zip(Entry("a\u202egnp.py".encode())), r'"a\\u202egnp.py" has an invisible'),
    "zero-width": (raw_zip(Entry("ma\u200bin.py".encode())), r"has an invisible"),
    "not UTF-8": (raw_zip(Entry(b"caf\xe9.py")), r'"caf\\udce9.py" has a name that is not UTF-8'),
    "empty name": (raw_zip(Entry(b"")), r'"" has an empty name'),
    "empty part": (raw_zip(Entry(b"a//b.py")), r"has an empty part"),
    "dots by normalisation": (raw_zip(Entry("\u2025/x.py".encode())), r"read as a slash or as dots"),
    "slash by normalisation": (raw_zip(Entry("a\uff0fb.py".encode())), r"read as a slash or as dots"),
    "trailing dot": (raw_zip(Entry(b"main.py.")), r'"main.py." has a part that ends in a dot'),
    "duplicate": (raw_zip(Entry(), Entry(data=b"other")), r'"main.py" is in there twice'),
    "case collision": (raw_zip(Entry(b"a.py"), Entry(b"A.py")), r'"A.py" differs from "a.py" only in capitals'),
    "folder case collision": (raw_zip(Entry(b"src/a"), Entry(b"SRC/b")), r'"SRC/b" differs from "src" only'),
    "NFKC collision": (raw_zip(Entry("\ufb01.py".encode()), Entry(b"fi.py")), r'"fi.py" differs from'),
    "file and folder": (raw_zip(Entry(b"a"), Entry(b"a/b.py")), r'"a/b.py" is \(or lies below\)'),
    "folder and file": (raw_zip(Entry(b"a/b.py"), Entry(b"a")), r'"a" is \(or lies below\)'),
    "too deep": (raw_zip(Entry(b"d/" * 119 + b"x")), r"lies 120 levels deep; at most 16"),
    "long name": (raw_zip(Entry(b"n" * 250)), r"has a name of 250 bytes; at most 120"),
    "long path": (raw_zip(Entry(b"/".join([b"p" * 100] * 3))), r"has a path of 302 bytes; at most 240"),
    "symbolic link": (raw_zip(Entry(b"l", b"/etc/passwd", mode=link_mode(stat.S_IFLNK))), r'"l" is a symbolic link'),
    "Windows link": (raw_zip(Entry(b"l", central={"attributes": 0x400})), r'"l" is a symbolic link'),
    "device": (raw_zip(Entry(b"d", mode=link_mode(stat.S_IFCHR))), r'"d" is a device'),
    "pipe": (raw_zip(Entry(b"p", mode=link_mode(stat.S_IFIFO))), r'"p" is a named pipe'),
    "socket": (raw_zip(Entry(b"s", mode=link_mode(stat.S_IFSOCK))), r'"s" is a socket'),
    "folder mode, file name": (raw_zip(Entry(b"f", mode=0o040755)), r'"f" is a file by its name'),
    "file mode, folder name": (raw_zip(Entry(b"f/", b"", mode=0o100644)), r'"f" is a file by its name'),
    "folder with data": (raw_zip(Entry(b"f/", mode=0o040755)), r'"f" is a folder that holds data'),
    "encrypted": (raw_zip(Entry(flags=1)), r'"main.py" is encrypted'),
    "strongly encrypted": (raw_zip(Entry(flags=0x41)), r'"main.py" is encrypted'),
    "bzip2": (raw_zip(Entry(method=12)), r'"main.py" is compressed by method 12'),
    "AES": (raw_zip(Entry(method=99)), r'"main.py" is compressed by method 99'),
    "second name in a field": (raw_zip(Entry(extra=unicode_path(b"../x"))), r'"main.py" has a second, different name'),
    "second name, local": (raw_zip(Entry(local={"extra": unicode_path(b"../x")})), r'"main.py" has another name'),
    "other name in header": (raw_zip(Entry(local={"name": b"evil.py"})), r'"main.py" has another name'),
    "other method in header": (raw_zip(Entry(local={"method": 0})), r'"main.py" is described differently'),
    "other size in header": (raw_zip(Entry(local={"size": 7})), r'"main.py" is described differently'),
    "smaller size than data": (
        raw_zip(Entry(local={"size": 3}, central={"size": 3})),
        r'"main.py" does not unpack to the 3 bytes',
    ),
    "larger size than data": (
        raw_zip(Entry(local={"size": 300}, central={"size": 300})),
        r'"main.py" does not unpack to the 300 bytes',
    ),
    "wrong checksum": (
        raw_zip(Entry(local={"crc": 1}, central={"crc": 1})),
        r'"main.py" does not match its checksum',
    ),
    "stored with two sizes": (raw_zip(Entry(method=0, central={"size": 1})), r'"main.py" is stored as it is'),
    "damaged data": (raw_zip(Entry(packed=b"\xff" * 20)), r'"main.py" has damaged data'),
    "data after deflate": (raw_zip(Entry(packed=DEFLATED + b"more")), r'"main.py" does not unpack to'),
    "cut deflate": (raw_zip(Entry(packed=DEFLATED[:-2])), r'"main.py" does not unpack to|has damaged data'),
    "4 GiB": (raw_zip(Entry(central={"size": 0xFFFFFFFF})), r'"main.py" says that it is 4 GiB'),
    "sizes that add up": (
        raw_zip(*(Entry(b"f%d" % i, b"", local={"size": 9 * MIB}, central={"size": 9 * MIB}) for i in range(6))),
        r'"f5" would bring the submission to more than 50 MiB',
    ),
    "bomb": (
        raw_zip(Entry(b"bomb", packed=BOMB, local=HONEST_SIZE, central=HONEST_SIZE)),
        r'"bomb" would bring the submission to more than 50 MiB',
    ),
    "bomb that lies": (
        raw_zip(Entry(b"bomb", packed=BOMB, local=FALSE_SIZE, central=FALSE_SIZE)),
        r'"bomb" does not unpack to the 10 bytes',
    ),
    "overlap": (overlapping, r"overlaps another entry"),
    "quoted overlap": (quoted_overlap, r'"a.py" overlaps another entry'),
    "offset beyond the file": (raw_zip(Entry(central={"offset": 9_000_000})), r"has data before its first entry"),
    "data before": (raw_zip(Entry(), before=b"#!/bin/sh\n"), r"has data before its first entry"),
    "data between": (with_gap, r'"a.py" is followed by data that belongs to no entry'),
    "data after": (raw_zip(Entry(), after=b"trailer"), r"has data after its end"),
    "two ends": (two_end_records, r"has more than one end record"),
    "false descriptor": (
        raw_zip(Entry(flags=8, descriptor=b"PK\x07\x08" + bytes(12))),
        r'"main.py" is followed by data',
    ),
    "ZIP64": (zip64_end, r"is in the ZIP64 format"),
    "future version": (raw_zip(Entry(central={"version": 84})), r'"main.py" needs a newer version of ZIP'),
    "split": (end_record(1, 0, 0, here=0), r"is one part of a split archive"),
    "count too high": (raw_zip(Entry(), more=1), r"lists 1 entries but says that there are 2"),
    "count too low": (raw_zip(Entry(), Entry(b"b"), more=-1), r"lists 2 entries but says that there are 1"),
    "too many entries": (
        raw_zip(*(Entry(b"%d" % i, b"", method=0) for i in range(2001))),
        r"holds 2001 entries; at most 2000",
    ),
    "cut": (raw_zip(Entry())[:-30], r"is not a complete ZIP archive"),
    "empty file": (b"", r"is not a complete ZIP archive"),
    "not a ZIP": (b"\x1f\x8b" + bytes(100), r"is not a complete ZIP archive"),
    "no files": (raw_zip(), r"holds no files"),
    "folders only": (raw_zip(Entry(b"src/", b"", method=0, mode=0o040755)), r"holds no files"),
    "droppings only": (raw_zip(Entry(b"__pycache__/x.pyc")), r"holds no files"),
    "way out by a dropping": (raw_zip(Entry(b".git/../../x"), Entry()), r'".git/../../x" has ".."'),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_zip_is_refused_by_name_and_writes_nothing(case: str, tmp_path: Path) -> None:
    made, message = HOSTILE[case]
    path = tmp_path / "hostile.zip"
    path.write_bytes(made() if callable(made) else made)

    with pytest.raises(InvalidSubmission, match=message) as refused:
        receive(path)

    assert all(problem.startswith('"hostile.zip": ') and problem.isprintable() for problem in refused.value.problems)
    assert list(tmp_path.iterdir()) == [path]


def test_a_zip_bomb_that_lies_is_inflated_no_further_than_it_says(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    path.write_bytes(raw_zip(Entry(b"bomb", packed=BOMB, local=FALSE_SIZE, central=FALSE_SIZE)))

    tracemalloc.start()
    try:
        with pytest.raises(InvalidSubmission):
            receive(path)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak_bytes < 4 * MIB


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    path.write_bytes(raw_zip(Entry(b"../a"), Entry(b"ok.py"), Entry(b"b", mode=0o120777), Entry(b"c", flags=1)))

    with pytest.raises(InvalidSubmission) as refused:
        receive(path)

    assert len(refused.value.problems) == 3


def test_a_flood_of_problems_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "flood.zip"
    path.write_bytes(raw_zip(*(Entry(b"../%d" % number) for number in range(500))))

    with pytest.raises(InvalidSubmission) as refused:
        receive(path)

    assert len(refused.value.problems) == 21
    assert "and 480 more problems" in refused.value.problems[-1]


@pytest.mark.parametrize(
    "entry",
    [
        Entry(),
        Entry(method=0),
        Entry(data=b""),
        Entry(b"./main.py"),
        Entry(mode=0),
        Entry(mode=0o106777),
        Entry(mode=0o100000),
        Entry(extra=unicode_path(b"main.py")),
    ],
    ids=lambda entry: repr(entry)[:60],
)
def test_harmless_variants_are_read(entry: Entry, tmp_path: Path) -> None:
    path = tmp_path / "good.zip"
    path.write_bytes(raw_zip(entry, comment=b"made by hand"))

    assert receive(path).contents == {"main.py": entry.data}


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("mark", [b"", b"PK\x07\x08"])
def test_streamed_entries_with_a_descriptor_are_read(mark: bytes, long: bool, tmp_path: Path) -> None:
    entry = Entry(flags=8, local={"crc": 0, "packed": 0, "size": 0})
    sizes = struct.pack("<QQ" if long else "<LL", len(entry.payload()), len(entry.data))
    entry = replace(entry, descriptor=mark + struct.pack("<L", zlib.crc32(entry.data)) + sizes)
    path = tmp_path / "streamed.zip"
    path.write_bytes(raw_zip(entry, replace(entry, name=b"b.py")))

    assert set(receive(path).contents) == {"main.py", "b.py"}


def test_the_standard_library_s_own_streamed_and_zip64_entries_are_read(tmp_path: Path) -> None:
    class Unseekable(io.RawIOBase):
        def __init__(self) -> None:
            self.written = b""

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.written += bytes(data)
            return len(data)

    target = Unseekable()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.py", "a" * 1000)
        with archive.open("b.py", "w", force_zip64=True) as member:
            member.write(b"b" * 1000)
    path = tmp_path / "streamed.zip"
    path.write_bytes(target.written)
    assert receive(path).contents == {"a.py": b"a" * 1000, "b.py": b"b" * 1000}

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("b.py", "w", force_zip64=True) as m:
        m.write(b"b" * 1000)
    assert receive(path).contents == {"b.py": b"b" * 1000}


def test_a_zip_from_macos_loses_its_droppings_and_keeps_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "mac.zip"
    link = Entry(b".venv/bin/python", b"/usr/bin/python3", mode=0o120777)
    path.write_bytes(
        raw_zip(Entry(), Entry(b"__MACOSX/._main.py"), Entry(b".DS_Store"), link, Entry(b"src/__pycache__/a.pyc"))
    )

    received = receive(path)

    assert set(received.contents) == {"main.py"}
    assert received.left_out == (".DS_Store", ".venv", "__MACOSX", "src/__pycache__")


def test_limits_can_just_be_reached(tmp_path: Path) -> None:
    path = tmp_path / "edge.zip"
    path.write_bytes(raw_zip(Entry(b"a/bb", b"12345"), Entry(b"c", b"12345")))
    limits = IntakeLimits(
        archive_bytes=path.stat().st_size, total_bytes=10, entries=3, depth=2, path_bytes=4, name_bytes=2
    )

    assert len(receive(path, limits=limits).contents) == 2
    for tighter in ("archive_bytes", "total_bytes", "entries", "depth", "path_bytes", "name_bytes"):
        with pytest.raises(InvalidSubmission):
            receive(path, limits=replace(limits, **{tighter: getattr(limits, tighter) - 1}))
