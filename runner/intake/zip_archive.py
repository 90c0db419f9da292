"""Reading a submission from a ZIP archive, strictly: every byte of the file must have one meaning.

    entry 1: local header, name, extra, data [, data descriptor]
    entry 2: ...
    central directory: a record for each entry
    end record [, comment]

`zipfile` is made to read whatever it can, and how much that is differs between versions of Python (data before the
first entry, names cut at NUL, overlapping entries, a central directory that disagrees with the headers). An archive
that two programs can read differently is refused here, so a submission is the same wherever it is looked at.
"""

import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from runner.intake.folder import refusal
from runner.intake.names import tidy
from runner.intake.tree import Tree

_END: Final = struct.Struct("<4s4H2LH")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_END_MARK: Final = b"PK\x05\x06"
_CENTRAL_MARK: Final = b"PK\x01\x02"
_LOCAL_MARK: Final = b"PK\x03\x04"
_DESCRIPTOR_MARK: Final = b"PK\x07\x08"
_COMMENT_BYTES: Final = 0xFFFF
_IN_ZIP64: Final = 0xFFFFFFFF
"""A 32-bit field whose value is in the ZIP64 extra field instead."""

_NEWEST_VERSION: Final = 63
_STORED: Final = 0
_DEFLATED: Final = 8
_ENCRYPTED_FLAGS: Final = 0x0001 | 0x0040 | 0x2000
_DESCRIPTOR_FLAG: Final = 0x0008
_PATCH_FLAG: Final = 0x0020
_REPARSE_POINT: Final = 0x0400
"""The DOS attribute by which Windows marks links."""
_ZIP64_EXTRA: Final = 0x0001
_UNICODE_PATH_EXTRA: Final = 0x7075

_AGAIN: Final = "Pack it again with an ordinary zip tool."


@dataclass(frozen=True, slots=True)
class _Member:
    """A record of the central directory."""

    name: str
    flags: int
    method: int
    crc: int
    packed_bytes: int
    size_bytes: int
    attributes: int
    offset: int
    extra: bytes

    @property
    def mode(self) -> int:
        """The Unix mode, 0 where the packer wrote none."""
        return self.attributes >> 16


def gather_zip(data: bytes, tree: Tree) -> None:
    """Read every file of the archive into `tree`. Raises InvalidSubmission when its structure makes no sense."""
    members, directory_offset = _central_directory(data, tree)
    wanted = [(path, member) for member in members if (path := _wanted(member, tree)) is not None]
    tree.raise_if_refused()
    starts = _layout(data, members, directory_offset, tree)
    for path, member in wanted:
        tree.reserve(path, member.size_bytes)
    for path, member in wanted:
        start = starts[member.offset]
        contents = _inflate(memoryview(data)[start : start + member.packed_bytes], member, tree)
        if contents is not None:
            tree.keep(path, contents)


def _central_directory(data: bytes, tree: Tree) -> tuple[list[_Member], int]:
    """The records of the central directory and where it starts."""
    end = _end_record(data, tree)
    _, disk, directory_disk, here, count, directory_bytes, offset, _ = _END.unpack_from(data, end)
    if count == 0xFFFF or _IN_ZIP64 in (directory_bytes, offset) or data[max(0, end - 20) :][:4] == b"PK\x06\x07":
        tree.stop(f"is in the ZIP64 format, which is for far larger archives. {_AGAIN}")
    if disk or directory_disk or here != count:
        tree.stop("is one part of a split archive. Pack everything into one file.")
    if count > tree.limits.entries:
        tree.stop(
            f"holds {count} entries; at most {tree.limits.entries} are allowed."
            " Leave out what is not yours to hand in, such as virtual environments, caches and data."
        )
    if offset + directory_bytes != end:
        tree.stop(f"does not have its central directory where its end record says. {_AGAIN}")
    members = list(_records(data, offset, end, tree))
    if len(members) != count:
        tree.stop(f"lists {len(members)} entries but says that there are {count}. {_AGAIN}")
    return members, offset


def _end_record(data: bytes, tree: Tree) -> int:
    """Where the end record is. Exactly one may fit, so that a comment cannot pass for a second one."""
    fitting = []
    lowest = max(0, len(data) - _END.size - _COMMENT_BYTES)
    position = data.rfind(_END_MARK, lowest)
    while position >= 0:
        if position + _END.size <= len(data):
            comment_bytes = _END.unpack_from(data, position)[-1]
            if position + _END.size + comment_bytes == len(data):
                fitting.append(position)
        position = data.rfind(_END_MARK, lowest, position + len(_END_MARK) - 1)
    if not fitting:
        tree.stop(f"is not a complete ZIP archive, or has data after its end. {_AGAIN}")
    if len(fitting) > 1:
        tree.stop(f"has more than one end record. {_AGAIN}")
    return fitting[0]


def _records(data: bytes, position: int, end: int, tree: Tree) -> Iterator[_Member]:
    while position < end:
        if position + _CENTRAL.size > end or data[position : position + 4] != _CENTRAL_MARK:
            tree.stop(f"has a damaged central directory. {_AGAIN}")
        fields = _CENTRAL.unpack_from(data, position)
        flags, method, _, _, crc, packed, size, name_bytes, extra_bytes, comment_bytes, disk = fields[3:14]
        _, attributes, offset = fields[14:]
        name_end = position + _CENTRAL.size + name_bytes
        position, started = name_end + extra_bytes + comment_bytes, position
        name = data[started + _CENTRAL.size : name_end].decode("utf-8", "surrogateescape")
        if fields[2] & 0xFF > _NEWEST_VERSION:
            tree.stop(f"needs a newer version of ZIP than there is. {_AGAIN}", entry=name)
        if position > end or disk:
            tree.stop(f"has a damaged central directory. {_AGAIN}", entry=name)
        extra = data[name_end : name_end + extra_bytes]
        yield _Member(name, flags, method, crc, packed, size, attributes, offset, extra)


def _wanted(member: _Member, tree: Tree) -> str | None:
    """The path of a file to unpack; None for a folder, a dropping, or what is refused."""
    name, folder = tidy(member.name)
    if folder and name == ".":
        return None
    path = tree.enter(name, folder=folder)
    if path is None:
        return None
    fault = _fault(member, folder=folder)
    if fault:
        tree.refuse(path, fault)
    return None if fault or folder else path


def _fault(member: _Member, *, folder: bool) -> str | None:
    kind = stat.S_IFMT(member.mode)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return refusal(member.mode)
    if member.attributes & _REPARSE_POINT:
        return refusal(stat.S_IFLNK)
    if kind and (kind == stat.S_IFDIR) != folder:
        return f"is a file by its name and a folder by its mode, or the reverse. {_AGAIN}"
    if member.flags & _ENCRYPTED_FLAGS:
        return "is encrypted. Pack it without a password."
    if member.method not in {_STORED, _DEFLATED} or member.flags & _PATCH_FLAG:
        return f"is compressed by method {member.method}; only deflate and none are read. {_AGAIN}"
    if _IN_ZIP64 in (member.size_bytes, member.packed_bytes, member.offset):
        return "says that it is 4 GiB or larger. Leave it out."
    if folder and (member.size_bytes or member.packed_bytes > 2):
        return f"is a folder that holds data. {_AGAIN}"
    if member.method == _STORED and member.packed_bytes != member.size_bytes:
        return f"is stored as it is but has two sizes. {_AGAIN}"
    if _other_name(member.extra, member.name):
        return f"has a second, different name in its Unicode field. {_AGAIN}"
    return None


def _layout(data: bytes, members: list[_Member], directory_offset: int, tree: Tree) -> dict[int, int]:
    """Where the data of each entry starts, by the entry's offset.

    The entries must fill the file up to the central directory: none overlaps another (a few kilobytes of shared data
    can stand for gigabytes), and nothing lies before, between or after them.
    """
    in_order = sorted(members, key=lambda member: member.offset)
    if (in_order[0].offset if in_order else directory_offset) != 0:
        tree.stop(f"has data before its first entry. {_AGAIN}")
    limits = [*(member.offset for member in in_order[1:]), directory_offset]
    return {
        member.offset: _data_start(data, member, limit, tree) for member, limit in zip(in_order, limits, strict=False)
    }


def _data_start(data: bytes, member: _Member, limit: int, tree: Tree) -> int:
    """Check an entry's own header against the central directory, and that the entry ends where the next begins."""
    header_end = member.offset + _LOCAL.size
    if header_end > limit or data[member.offset : member.offset + 4] != _LOCAL_MARK:
        tree.stop(f"overlaps another entry or has no header of its own. {_AGAIN}", entry=member.name)
    _, _, flags, method, _, _, crc, packed, size, name_bytes, extra_bytes = _LOCAL.unpack_from(data, member.offset)
    start: int = header_end + name_bytes + extra_bytes
    end = start + member.packed_bytes
    if end > limit:
        tree.stop(f"overlaps another entry. {_AGAIN}", entry=member.name)
    name = data[header_end : header_end + name_bytes].decode("utf-8", "surrogateescape")
    extra = data[header_end + name_bytes : start]
    if name != member.name or _other_name(extra, member.name):
        tree.stop(f"has another name in its own header than in the central directory. {_AGAIN}", entry=member.name)
    streamed = bool(flags & _DESCRIPTOR_FLAG)
    agreed = method == member.method and not (flags ^ member.flags) & (_ENCRYPTED_FLAGS | _DESCRIPTOR_FLAG)
    sizes = _local_sizes(packed, size, extra)
    agreed &= (crc, *sizes) == (member.crc, member.packed_bytes, member.size_bytes) or (
        streamed and (crc, *sizes) == (0, 0, 0)
    )
    if not agreed:
        tree.stop(f"is described differently in its own header and in the central directory. {_AGAIN}", member.name)
    if data[end:limit] not in (_descriptors(member) if streamed else (b"",)):
        tree.stop(f"is followed by data that belongs to no entry. {_AGAIN}", entry=member.name)
    return start


def _local_sizes(packed: int, size: int, extra: bytes) -> tuple[int, int]:
    """The sizes in a local header, which packers that stream write in a ZIP64 field even for small files."""
    field = next((value for tag, value in _extra_fields(extra) if tag == _ZIP64_EXTRA), b"")
    if packed == size == _IN_ZIP64 and len(field) == 16:
        size, packed = struct.unpack("<QQ", field)
    return packed, size


def _descriptors(member: _Member) -> tuple[bytes, ...]:
    """Every form in which the descriptor after an entry's data may be written."""
    short = struct.pack("<3L", member.crc, member.packed_bytes, member.size_bytes)
    long = struct.pack("<LQQ", member.crc, member.packed_bytes, member.size_bytes)
    return short, long, _DESCRIPTOR_MARK + short, _DESCRIPTOR_MARK + long


def _other_name(extra: bytes, name: str) -> bool:
    """Whether a Unicode path field, which some programs prefer, names the entry differently."""
    return any(
        tag == _UNICODE_PATH_EXTRA and value[5:].decode("utf-8", "surrogateescape") != name
        for tag, value in _extra_fields(extra)
    )


def _extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position + 4 <= len(extra):
        tag, length = struct.unpack_from("<HH", extra, position)
        yield tag, extra[position + 4 : position + 4 + length]
        position += 4 + length


def _inflate(packed: memoryview, member: _Member, tree: Tree) -> bytes | None:
    """The contents of an entry; never more than one byte beyond the size it states is inflated."""
    if member.method == _STORED:
        contents, whole = bytes(packed), True
    else:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            contents = inflater.decompress(packed, member.size_bytes + 1)
        except zlib.error:
            tree.refuse(member.name, f"has damaged data. {_AGAIN}")
            return None
        whole = inflater.eof and not inflater.unused_data
    if len(contents) != member.size_bytes or not whole:
        tree.refuse(member.name, f"does not unpack to the {member.size_bytes} bytes it says it has. {_AGAIN}")
        return None
    if zlib.crc32(contents) != member.crc:
        tree.refuse(member.name, f"does not match its checksum. {_AGAIN}")
        return None
    return contents
