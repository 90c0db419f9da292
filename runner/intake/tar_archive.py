"""Reading a submission from a tar archive, plain or gzipped: a strict reader of regular files and folders.

    header (512 bytes) [, data, padded to 512]      for each entry, which a pax or GNU long-name header may precede
    ...
    two blocks of zeros, and zeros only from there on

`tarfile` takes a dozen kinds of entries and several ways to give one entry two names or sizes; here there is one.
A gzipped archive is inflated no further than the entries that were approved, and never beyond a cap.
"""

import io
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from runner.intake.folder import refusal
from runner.intake.gzip_stream import GzipStream, NotOneGzip, TooLong
from runner.intake.limits import IntakeLimits, size_text
from runner.intake.names import tidy
from runner.intake.tree import Tree

_BLOCK: Final = 512
_ZEROS: Final = bytes(_BLOCK)
_EXTENSION_BYTES: Final = 64 * 1024
"""Longest pax or long-name header: those that packers write are mostly under 1 KiB, with macOS attributes a few."""
_OVERHEAD_BYTES_PER_ENTRY: Final = 4096
_PADDING_BYTES: Final = 1024 * 1024

_OCTAL: Final = re.compile(rb" *([0-7]+)[ \0]*")
_UNUSED_NUMBER: Final = re.compile(rb" *[0-7]*[ \0]*|[\x80\xff].*", re.DOTALL)
_UNUSED_NUMBERS: Final = ((100, 108), (108, 116), (116, 124), (136, 148), (329, 337), (337, 345))
"""Mode, owner, group, time and device numbers: never applied, but other readers stop where they make no sense."""

_POSIX: Final = b"ustar\0"
_GNU: Final = b"ustar "
_FILE: Final = b"0"
_OLD_FILE: Final = b"\0"
_FOLDER: Final = b"5"
_PAX: Final = b"x"
_PAX_GLOBAL: Final = b"g"
_LONG_NAME: Final = b"L"
_LONG_TARGET: Final = b"K"
_SPARSE: Final = b"S"
_HARD_LINK: Final = b"1"
_KINDS: Final[Mapping[bytes, int]] = {b"2": stat.S_IFLNK, b"3": stat.S_IFCHR, b"4": stat.S_IFBLK, b"6": stat.S_IFIFO}

_HARMLESS_KEYS: Final = frozenset({"atime", "ctime", "mtime", "uid", "gid", "uname", "gname", "comment", "hdrcharset"})
_HARMLESS_PREFIXES: Final = ("LIBARCHIVE.", "SCHILY.xattr.", "SCHILY.acl.", "SCHILY.fflags", "RHT.", "MSWINDOWS.")
"""Pax records about times, owners and attributes, none of which is ever applied."""

_AGAIN: Final = "Pack it again with `tar --format=pax`."


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class _Header:
    name: str
    size_bytes: int
    kind: bytes


@dataclass(slots=True)
class _Extension:
    """What the headers before an entry say of it."""

    kinds: set[bytes] = field(default_factory=set)
    path: str | None = None
    size_bytes: int | None = None
    names_target: bool = False


def gather_tar(data: bytes, tree: Tree) -> None:
    """Read every file of a plain tar into `tree`. Raises InvalidSubmission when its structure makes no sense."""
    _gather(io.BytesIO(data), tree)


def gather_tar_gz(data: bytes, tree: Tree) -> None:
    """Read every file of a gzipped tar into `tree`, inflating no more than `unpacked_cap_bytes`."""
    stream = GzipStream(data, unpacked_cap_bytes(tree.limits))
    try:
        _gather(stream, tree)
        stream.finish()
    except NotOneGzip as error:
        tree.stop(f"{error}. Pack it again with `tar -czf`.")
    except TooLong:
        tree.stop(
            f"unpacks to more than {size_text(tree.limits.total_bytes)}. Leave out data, models and environments."
        )


def unpacked_cap_bytes(limits: IntakeLimits) -> int:
    """How long a tar within the limits can be: contents, headers and padding."""
    return limits.total_bytes + limits.entries * _OVERHEAD_BYTES_PER_ENTRY + _PADDING_BYTES


def _gather(stream: _Stream, tree: Tree) -> None:
    extension = _Extension()
    while (header := _next_header(stream, tree)) is not None:
        if header.kind in {_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_TARGET}:
            _extend(extension, header, _extension_data(stream, header, tree), tree)
            continue
        _gather_entry(stream, header, extension, tree)
        extension = _Extension()
    if extension.kinds:
        tree.stop(f"ends with a header that belongs to no entry. {_AGAIN}")


def _gather_entry(stream: _Stream, header: _Header, extension: _Extension, tree: Tree) -> None:
    full_name = extension.path if extension.path is not None else header.name
    if extension.size_bytes is not None and extension.size_bytes != header.size_bytes:
        tree.stop(f"has two different sizes in its headers. {_AGAIN}", entry=full_name)
    if header.kind == _SPARSE:
        tree.stop("is a sparse file. Pack it without `--sparse`.", entry=full_name)
    name, ended_in_slash = tidy(full_name)
    folder = header.kind == _FOLDER
    if folder and name == ".":
        path = None
    else:
        path = tree.enter(name if folder else name + "/" * ended_in_slash, folder=folder)
    fault = _fault(header, extension)
    if path is not None and fault is None and not folder:
        tree.reserve(path, header.size_bytes)
        tree.keep(path, _read_data(stream, header, tree))
        return
    if path is not None and fault is not None:
        tree.refuse(path, fault)
    _skip_data(stream, header, tree)


def _fault(header: _Header, extension: _Extension) -> str | None:
    """Why an entry that has a good name is refused all the same."""
    if header.kind == _HARD_LINK:
        return "is a hard link. Put the file itself in its place (`tar --hard-dereference`)."
    if header.kind in _KINDS:
        return refusal(_KINDS[header.kind])
    if header.kind not in {_FILE, _OLD_FILE, _FOLDER}:
        return f"is of the unusual tar type {header.kind!r}. Hand in files and folders only."
    if header.kind == _FOLDER and header.size_bytes:
        return f"is a folder that holds data. {_AGAIN}"
    if extension.names_target:
        return f"is no link but names the target of one. {_AGAIN}"
    return None


def _next_header(stream: _Stream, tree: Tree) -> _Header | None:
    """The next header; None at the end of the archive, which only zeros may follow."""
    block = stream.read(_BLOCK)
    if block == _ZEROS:
        while rest := stream.read(64 * 1024):
            if rest.count(0) != len(rest):
                tree.stop(f"has data after its end. {_AGAIN}")
        return None
    if len(block) < _BLOCK:
        tree.stop("is cut off, or is not a tar archive. Hand it in again, whole.")
    if block[257:263] not in {_POSIX, _GNU} or (block[257:263] == _GNU and any(block[345:500])):
        tree.stop(f"is not a tar archive, or is one of an outdated format. {_AGAIN}")
    checksum = _octal(block[148:156])
    if checksum != sum(block) - sum(block[148:156]) + 8 * ord(" "):
        tree.stop("has a damaged header. Hand it in again, whole.")
    name = _text(block[:100])
    if block[345] != 0:
        name = f"{_text(block[345:500])}/{name}"
    if not all(_UNUSED_NUMBER.fullmatch(block[start:end]) for start, end in _UNUSED_NUMBERS):
        tree.stop(f"has a mode, an owner or a time that is no number. {_AGAIN}", entry=name)
    size_bytes = _octal(block[124:136])
    if size_bytes is None:
        tree.stop(f"has no size, or one that is not written in octal digits. {_AGAIN}", entry=name)
    return _Header(name, size_bytes, block[156:157])


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _octal(field: bytes) -> int | None:
    """A number as tar headers write it; None for anything else, such as the binary form of huge or negative ones."""
    number = _OCTAL.fullmatch(field)
    return int(number[1], 8) if number else None


def _read_data(stream: _Stream, header: _Header, tree: Tree) -> bytes:
    """The data of an entry whose size was approved, without its padding."""
    data = stream.read(header.size_bytes)
    padding = -header.size_bytes % _BLOCK
    if len(data) != header.size_bytes or len(stream.read(padding)) != padding:
        tree.stop("is cut off within this entry. Hand it in again, whole.", entry=header.name)
    return data


def _skip_data(stream: _Stream, header: _Header, tree: Tree) -> None:
    """Pass over the data of an entry that is refused or left out, without keeping it."""
    left = header.size_bytes + -header.size_bytes % _BLOCK
    while left:
        passed = len(stream.read(min(left, 64 * 1024)))
        if not passed:
            tree.stop("is cut off within this entry. Hand it in again, whole.", entry=header.name)
        left -= passed


def _extension_data(stream: _Stream, header: _Header, tree: Tree) -> bytes:
    if header.size_bytes > _EXTENSION_BYTES:
        tree.stop(f"is a header of {size_text(header.size_bytes)}. {_AGAIN}", entry=header.name)
    return _read_data(stream, header, tree)


def _extend(extension: _Extension, header: _Header, data: bytes, tree: Tree) -> None:
    """Add what a header says of the entry after it."""
    if header.kind == _PAX_GLOBAL:
        if any(key != "comment" for key, _ in _records(data, tree)):
            tree.stop(f"has a global header that changes its entries. {_AGAIN}", entry=header.name)
        return
    if header.kind in extension.kinds or (header.kind == _LONG_NAME and extension.path is not None):
        tree.stop(f"has two headers that say the same thing of one entry. {_AGAIN}", entry=header.name)
    extension.kinds.add(header.kind)
    if header.kind == _LONG_TARGET:
        extension.names_target = True
    elif header.kind == _LONG_NAME:
        extension.path = _text(data)
    else:
        _apply_records(extension, header, data, tree)


def _apply_records(extension: _Extension, header: _Header, data: bytes, tree: Tree) -> None:
    records = list(_records(data, tree))
    if len({key for key, _ in records}) != len(records):
        tree.stop(f"has a pax header that says one thing twice. {_AGAIN}", entry=header.name)
    for key, value in records:
        if key == "path" and extension.path is None:
            extension.path = value
        elif key == "size" and value.isascii() and value.isdigit() and len(value) < 20:
            extension.size_bytes = int(value)
        elif key == "linkpath":
            extension.names_target = True
        elif key.startswith(("GNU.sparse.", "SCHILY.realsize")):
            tree.stop("describes a sparse file. Pack it without `--sparse`.", entry=header.name)
        elif key not in _HARMLESS_KEYS and not key.startswith(_HARMLESS_PREFIXES):
            tree.stop(f"has a pax record that is not known here or is given twice. {_AGAIN}", entry=key)


def _records(data: bytes, tree: Tree) -> Iterator[tuple[str, str]]:
    """The records of a pax header, each `length key=value newline`."""
    position = 0
    while position < len(data):
        digits, space, _ = data[position : position + 8].partition(b" ")
        length = int(digits) if space and digits.isdigit() else 0
        record = data[position : position + length]
        key, equals, value = record[len(digits) + 1 : -1].partition(b"=")
        if not (equals and key and len(record) == length and record.endswith(b"\n")):
            tree.stop(f"has a damaged pax header. {_AGAIN}")
        yield key.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape")
        position += length
