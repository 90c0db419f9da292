"""Properties: whatever comes in, only the project's own errors come out, and no more than the limits allow."""

import io
import subprocess
import tarfile
import zipfile
from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from assessments.errors import InvalidSubmission
from runner.intake import IntakeLimits, names, receive, unpack, write_tree
from runner.intake.receive import Received
from runner.intake.tree import pack

SMALL = IntakeLimits(archive_bytes=20_000, total_bytes=20_000, entries=30, depth=4, path_bytes=60, name_bytes=30)
FEW = settings(derandomize=True, max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(derandomize=True, max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))

NAME = st.text(
    st.characters(exclude_categories=("Cc", "Cf", "Cs", "Cn", "Zl", "Zp"), exclude_characters="/\\"),
    min_size=1,
    max_size=8,
)
PATH = st.lists(NAME, min_size=1, max_size=4).map("/".join)
TREES = st.dictionaries(PATH, st.binary(max_size=300), min_size=1, max_size=8)


def plain(contents: Mapping[str, bytes]) -> bool:
    """Whether a tree of random names keeps the rules, so that every format must take it as it is."""
    taken: dict[str, tuple[str, bool]] = {}
    for path in contents:
        if any(names.unsafe(path)) or any(names.oversize(path, SMALL)) or names.left_out(path):
            return False
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            node = ("/".join(parts[:depth]), depth < len(parts))
            if taken.setdefault(names.collision_key(node[0]), node) != node:
                return False
    return len(taken) <= SMALL.entries


def zipped(contents: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return packed.getvalue()


def tarred(contents: Mapping[str, bytes], mode: str, tar_format: int) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode, format=tar_format) as archive:  # type: ignore[call-overload]
        for name, data in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()


@FEW
@given(contents=TREES)
def test_a_random_tree_is_the_same_through_every_archive_format_and_the_disk(
    contents: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    assume(plain(contents))
    folder = tmp_path_factory.mktemp("round") / "tree"
    write_tree(contents, folder)
    through = [
        receive(folder, limits=SMALL),
        unpack(zipped(contents), "zip", "a.zip", limits=SMALL),
        unpack(zipped(contents, zipfile.ZIP_STORED), "zip", "a.zip", limits=SMALL),
        unpack(tarred(contents, "w", tarfile.PAX_FORMAT), "tar", "a.tar", limits=SMALL),
        unpack(tarred(contents, "w:gz", tarfile.GNU_FORMAT), "tar.gz", "a.tar.gz", limits=SMALL),
    ]

    assert all(dict(received.contents) == contents for received in through)
    assert len({received.submission.tree_digest for received in through}) == 1


@settings(FEW, max_examples=8)
@given(contents=TREES)
def test_a_random_tree_is_the_same_through_git(
    contents: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    assume(plain(contents))
    folder = tmp_path_factory.mktemp("git") / "tree"
    write_tree(contents, folder)
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for arguments in (("init", "-q"), ("add", "-Af"), (*who, "commit", "-q", "-m", "x")):
        subprocess.run(["git", "-C", folder, "-c", "core.autocrlf=false", *arguments], check=True)
    committed = receive(folder, revision="HEAD", limits=SMALL)

    assert dict(committed.contents) == contents


@FEW
@given(one=TREES, other=TREES)
def test_two_trees_share_a_digest_only_if_they_are_the_same(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    assume(plain(one) and plain(other))
    digests = [unpack(pack(tree), "tar", "x", limits=SMALL).submission.tree_digest for tree in (one, other)]
    assert (digests[0] == digests[1]) == (one == other)


def unpack_or_refuse(data: bytes, archive_format: str) -> Received | None:
    """What came of it, held to the limits and, for what was taken in, to be safe to write."""
    try:
        received = unpack(data, archive_format, "random", limits=SMALL)
    except InvalidSubmission as refused:
        problems = refused.problems
    else:
        problems = ()
    assert len(problems) <= 21
    assert all(problem.isprintable() and len(problem) < 2000 for problem in problems)
    if problems:
        return None
    assert received.submission.total_bytes <= SMALL.total_bytes
    assert 0 < len(received.contents) <= SMALL.entries
    assert plain(received.contents)
    return received


@MANY
@given(data=st.binary(max_size=3000), archive_format=st.sampled_from(["zip", "tar", "tar.gz"]))
def test_random_bytes_are_refused_with_a_clear_error(data: bytes, archive_format: str) -> None:
    assert unpack_or_refuse(data, archive_format) is None


CONTENTS = {"main.py": b"print('hello')\n" * 9, "pkg/größe.txt": bytes(range(256)), "-rf": b"", "l" * 29: b"\0" * 700}
GOOD = {
    "zip": zipped(CONTENTS),
    "tar": tarred(CONTENTS, "w", tarfile.PAX_FORMAT)[:8192],
    "tar.gz": tarred(CONTENTS, "w:gz", tarfile.GNU_FORMAT),
}


@MANY
@given(
    archive_format=st.sampled_from(list(GOOD)),
    flips=st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), min_size=1, max_size=4),
)
def test_flipped_bits_are_refused_or_read_within_the_rules(archive_format: str, flips: list[tuple[int, int]]) -> None:
    data = bytearray(GOOD[archive_format])
    for position, bits in flips:
        data[position % len(data)] ^= bits
    unpack_or_refuse(bytes(data), archive_format)


@MANY
@given(archive_format=st.sampled_from(list(GOOD)), start=st.integers(0, 10_000), length=st.integers(1, 600))
def test_a_cut_or_a_repeated_piece_is_refused_or_read_within_the_rules(
    archive_format: str, start: int, length: int
) -> None:
    data = GOOD[archive_format]
    start %= len(data)
    unpack_or_refuse(data[:start] + data[start + length :], archive_format)
    unpack_or_refuse(data[:start] + data[start : start + length] * 2 + data[start + length :], archive_format)


@MANY
@given(
    flips=st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), min_size=1, max_size=3),
    stored=st.booleans(),
)
def test_a_zip_that_is_taken_in_is_read_the_same_by_the_standard_library(
    flips: list[tuple[int, int]], stored: bool
) -> None:
    data = bytearray(zipped(CONTENTS, zipfile.ZIP_STORED) if stored else GOOD["zip"])
    for position, bits in flips:
        data[position % len(data)] ^= bits
    received = unpack_or_refuse(bytes(data), "zip")
    if received is None or received.left_out:
        return
    with zipfile.ZipFile(io.BytesIO(bytes(data)), metadata_encoding="utf-8") as archive:
        files = {
            info.filename.removeprefix("./"): archive.read(info) for info in archive.infolist() if not info.is_dir()
        }
    assert files == dict(received.contents)


@MANY
@given(flips=st.lists(st.tuples(st.integers(0, 4096), st.integers(1, 255)), min_size=1, max_size=3), fix=st.booleans())
def test_a_tar_that_is_taken_in_is_read_the_same_by_the_standard_library(
    flips: list[tuple[int, int]], fix: bool
) -> None:
    """With the first header's checksum mended in half of the cases, so that changes get past it."""
    data = bytearray(GOOD["tar"])
    for position, bits in flips:
        data[position % len(data)] ^= bits
    if fix:
        data[148:156] = b" " * 8
        data[148:156] = b"%06o\0 " % sum(data[:512])
    received = unpack_or_refuse(bytes(data), "tar")
    if received is None or received.left_out:
        return
    with tarfile.open(fileobj=io.BytesIO(bytes(data)), encoding="utf-8") as archive:
        files = {
            info.name.removeprefix("./"): archive.extractfile(info).read()  # type: ignore[union-attr]
            for info in archive.getmembers()
            if info.isfile()
        }
    assert files == dict(received.contents)
