"""How much of their code submissions of one challenge have in common. Pure; a reason to look, never a verdict.

Source is made tokens (`tokens`: names, literals, comments and layout taken off), and tokens fingerprints
(`winnowing`). What the starter has is nobody's, and neither is what most of a cohort has: the brief's words and the
framework's forms. Fingerprints are numbers that are the same in every process, so they can be kept.

Measured on the challenges' accepted solutions and honest attempts, each of which goes its own way: of 11 pairs on one
challenge none shares more than 0.18 of its fingerprints (0.21 with runs of 10 tokens, 0.08 with 20). Copies keep 0.92
or more when names and literals are others and comments go, 0.82 or more when functions are reordered and laid out by
another hand, and 0.87 or more with a line put in before every tenth.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from runner.insights.tokens import TokenisedFile, tokenised
from runner.insights.winnowing import RUN, WINDOW, run_hashes, winnowed

METHOD: Final = 1
"""Changes with whatever changes fingerprints, so that kept ones of another method are not compared with new ones."""
LEAST_FINGERPRINTS: Final = 30
"""Submissions with fewer of their own, some 15 lines, are too short to compare: anybody may write the same ten."""
LEAST_COHORT: Final = 10
"""From so many submissions on, what more than half of them have counts as everybody's. In fewer, two copies would."""
MOST_OCCURRENCES: Final = 4
"""A run that stands more often in one submission is a repetition, and shows nothing side by side."""
MOST_MATCHES: Final = 100


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """What a submission is known by: at most some 10,000 numbers, fewer than half the tokens that are read of it."""

    values: frozenset[int]
    cut: bool = False
    """Whether the submission has more source than is read (see `tokens`): what is beyond is not compared."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two submissions, in the order of their names; `share` is of the fingerprints of the one that has fewer, 0 to 1.

    So what is copied shows however much of one's own was put around it.
    """

    first: str
    second: str
    share: float
    shared: int


@dataclass(frozen=True, slots=True)
class Match:
    """The same code on both sides. Lines count from 1; the last one is part of it."""

    first_path: str
    first_start: int
    first_end: int
    second_path: str
    second_start: int
    second_end: int


def fingerprint(contents: Mapping[str, bytes], starter: Mapping[str, bytes]) -> Fingerprints:
    """The fingerprints of a submission's source (bytes by path) without those of the starter's."""
    source = tokenised(contents)
    baseline = _all_hashes(starter)
    kept = (value for file in source.files for _, value in winnowed(run_hashes(file.tokens)))
    return Fingerprints(frozenset(value for value in kept if value not in baseline), source.cut)


def similar(fingerprints: Mapping[str, Fingerprints], least: float = 0.5) -> tuple[Pair, ...]:
    """The pairs that share at least `least`, most similar first.

    Goes by an index from fingerprints to those who have them, so it costs what is shared and not what is there. Half
    of a cohort or more that has the same code hides it; who handed in the very same bytes is found by digests.
    """
    common = _common(fingerprints)
    own = {name: each.values - common for name, each in sorted(fingerprints.items())}
    own = {name: values for name, values in own.items() if len(values) >= LEAST_FINGERPRINTS}
    owners: dict[int, list[str]] = defaultdict(list)
    pairs = []
    for second, values in own.items():
        shared_with = Counter(chain.from_iterable(owners[value] for value in values if value in owners))
        for first, shared in shared_with.items():
            share = shared / min(len(own[first]), len(values))
            if share >= least:
                pairs.append(Pair(first, second, share, shared))
        for value in values:
            owners[value].append(second)
    return tuple(sorted(pairs, key=lambda pair: (-pair.share, -pair.shared, pair.first, pair.second)))


def matches(first: Mapping[str, bytes], second: Mapping[str, bytes], starter: Mapping[str, bytes]) -> tuple[Match, ...]:
    """What two submissions have in common and the starter has not, by the first one's path and line.

    The longest `MOST_MATCHES` stretches; each line shows with its longest counterpart.
    """
    files, others = tokenised(first).files, tokenised(second).files
    baseline = _all_hashes(starter)
    stretches = _stretches(_places(files, baseline), _places(others, baseline))
    found = []
    for stretch in _longest(stretches):
        file, other = files[stretch.file], others[stretch.other_file]
        start, end = _ends(stretch, file.tokens, other.tokens)
        shift = stretch.other_start - stretch.start
        lines = file.lines[start], file.lines[end - 1], other.lines[start + shift], other.lines[end - 1 + shift]
        found.append(Match(file.path, *lines[:2], other.path, *lines[2:]))
    return _merged(found)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Equal tokens: `length` of them, from these places in these files on."""

    file: int
    other_file: int
    start: int
    other_start: int
    length: int


Places = Mapping[int, Sequence[tuple[int, int]]]
"""File and place of each run by its hash."""


def _all_hashes(contents: Mapping[str, bytes]) -> set[int]:
    # All, not the winnowed ones: what stands around a starter's line must not decide whether it is known.
    return {value for file in tokenised(contents).files for value in run_hashes(file.tokens)}


def _common(fingerprints: Mapping[str, Fingerprints]) -> frozenset[int]:
    if len(fingerprints) < LEAST_COHORT:
        return frozenset()
    having = Counter(chain.from_iterable(each.values for each in fingerprints.values()))
    return frozenset(value for value, count in having.items() if 2 * count > len(fingerprints))


def _places(files: Sequence[TokenisedFile], baseline: set[int]) -> Places:
    places: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, file in enumerate(files):
        for place, value in winnowed(run_hashes(file.tokens)):
            if value not in baseline:
                places[value].append((number, place))
    return {value: each for value, each in places.items() if len(each) <= MOST_OCCURRENCES}


def _stretches(places: Places, others: Places) -> Iterable[_Stretch]:
    """Common runs joined where they overlap in both files alike."""
    diagonals: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for value in places.keys() & others.keys():
        for file, place in places[value]:
            for other_file, other_place in others[value]:
                diagonals[file, other_file, other_place - place].append(place)
    for (file, other_file, shift), starts in diagonals.items():
        starts.sort()
        first = last = starts[0]
        for start in starts[1:]:
            if start > last + RUN:
                yield _Stretch(file, other_file, first, first + shift, last + RUN - first)
                first = start
            last = start
        yield _Stretch(file, other_file, first, first + shift, last + RUN - first)


def _longest(stretches: Iterable[_Stretch]) -> list[_Stretch]:
    """The longest ones, without those that say of either side only what a longer one has said."""
    told: tuple[set[tuple[int, int]], set[tuple[int, int]]] = set(), set()
    kept: list[_Stretch] = []
    for one in sorted(stretches, key=lambda one: (-one.length, one.file, one.start, one.other_file, one.other_start)):
        if len(kept) == MOST_MATCHES:
            break
        here = {(one.file, place) for place in range(one.start, one.start + one.length)}
        there = {(one.other_file, place) for place in range(one.other_start, one.other_start + one.length)}
        if here <= told[0] or there <= told[1]:
            continue
        told[0].update(here)
        told[1].update(there)
        kept.append(one)
    return kept


def _ends(stretch: _Stretch, tokens: Sequence[str], others: Sequence[str]) -> tuple[int, int]:
    """Where a stretch starts and ends once it has the tokens at its ends that no kept hash covers: under a window."""
    start, end, shift = stretch.start, stretch.start + stretch.length, stretch.other_start - stretch.start
    first = max(0, -shift, start - WINDOW)
    while start > first and tokens[start - 1] == others[start - 1 + shift]:
        start -= 1
    last = min(len(tokens), len(others) - shift, end + WINDOW)
    while end < last and tokens[end] == others[end + shift]:
        end += 1
    return start, end


def _merged(found: Iterable[Match]) -> tuple[Match, ...]:
    """Neighbours in both files are one match."""
    merged: list[Match] = []
    for match in sorted(found, key=lambda one: (one.first_path, one.second_path, one.first_start, one.second_start)):
        last = merged[-1] if merged else None
        if last is not None and _neighbours(last, match):
            merged[-1] = Match(
                last.first_path,
                last.first_start,
                max(last.first_end, match.first_end),
                last.second_path,
                last.second_start,
                max(last.second_end, match.second_end),
            )
        else:
            merged.append(match)
    return tuple(sorted(merged, key=lambda one: (one.first_path, one.first_start, one.second_path, one.second_start)))


def _neighbours(before: Match, after: Match) -> bool:
    return (
        (before.first_path, before.second_path) == (after.first_path, after.second_path)
        and after.first_start <= before.first_end + 1
        and before.second_start <= after.second_start <= before.second_end + 1
    )
