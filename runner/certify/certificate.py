"""A challenge's certificate: what was proved of which files, on which engines, when.

<challenge>/certificate.json

    {
      "format": 1,
      "digest": "<SHA-256 over format and certificate, in canonical form>",
      "certificate": { ... the fields of `Certificate` ... }
    }

The digest notices accidents; it is no signature. A certificate is current as long as the challenge's files, its
solutions and its judge_data are those that it names.
"""

import contextlib
import hashlib
import json
import os
import shlex
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Final, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as validated

from assessments.challenge import Challenge
from assessments.errors import InfrastructureError, InvalidChallenge
from assessments.outcome import Outcome
from assessments.scorecard import EngineRef, EnvironmentRef, Host
from assessments.submission import Digest
from runner import catalogue
from runner.certify.agreement import Flakiness
from runner.certify.verify import Row
from runner.challenge_files import CERTIFICATE, ChallengeDigests, challenge_digests

FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class CertifiedSolution:
    """One solution on one engine. A check that stands nowhere was passed in every grading."""

    gradings: int
    share_min: float
    share_max: float
    """The least and the most that it earned, of all points."""
    failed: Mapping[str, int]
    """Check -> in how many of the gradings; so in the next three."""
    inconclusive: Mapping[str, int]
    errored: Mapping[str, int]
    unmeasured: Mapping[str, int]
    """Budgets that were left aside: of a solution that is not there to show anything of them."""


@dataclass(frozen=True, slots=True)
class CertifiedEngine:
    """An engine that the certificate holds on, and what every solution did there."""

    engine: EngineRef
    environment: EnvironmentRef
    solutions: Mapping[str, CertifiedSolution]


@dataclass(frozen=True, slots=True)
class Certificate:
    """All that was found. There is one only where nothing was wrong."""

    challenge: str
    version: str
    certified_at: str
    """RFC 3339, UTC."""
    assay: str
    digests: ChallengeDigests
    host: Host
    repeat: int
    """How often each accepted solution was graded on each engine; the others twice in all."""
    checks: tuple[str, ...]
    flakiness: Flakiness
    graded_again: int
    """Gradings that left something undecided, do not count, and were made again."""
    judge_data: Mapping[str, Mapping[str, int]]
    """Check -> how many answers its judge accepts and refuses, rightly."""
    engines: Mapping[str, CertifiedEngine]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Current:
    """There is a certificate, and it is about the files that are there."""

    certificate: Certificate


@dataclass(frozen=True, slots=True)
class Stale:
    """There is a certificate, and it says nothing of the challenge as it is."""

    reason: str


@dataclass(frozen=True, slots=True)
class Missing:
    """There is none."""

    reason: str = "it has none"


@validated(frozen=True, config=ConfigDict(extra="forbid", allow_inf_nan=False))
class _Document:
    format: Literal[1]
    digest: Digest
    certificate: Certificate


def certificate_of(challenge: Challenge, engine: str | None = None) -> Current | Stale | Missing:
    """How the challenge stands; with `engine`, on that engine."""
    path = challenge.folder / CERTIFICATE
    try:
        certificate = load(path.read_bytes())
    except FileNotFoundError:
        return Missing()
    except (OSError, ValueError) as error:
        return Stale(f"{CERTIFICATE} cannot be read: {error}")
    found, stated = challenge_digests(challenge.folder), certificate.digests
    if certificate.problems:
        return Stale("it states problems")
    for what, now, then in (
        ("the challenge has", found.challenge, stated.challenge),
        ("its solutions have", found.solutions, stated.solutions),
        ("its judge_data has", found.judge_data, stated.judge_data),
    ):
        if now != then:
            return Stale(f"{what} changed since {certificate.certified_at[:10]}")
    if engine is not None and engine not in certificate.engines:
        return Stale(f"it holds on {', '.join(certificate.engines)}, and not on {engine}")
    return Current(certificate)


def warning(challenge: Challenge, engine: str | None = None) -> str | None:
    """What to tell somebody who grades without a current certificate, with the command that makes one."""
    match certificate_of(challenge, engine):
        case Current():
            return None
        case Stale(reason) | Missing(reason):
            return (
                f"{challenge.id} has no current certificate ({reason}): nothing shows that its checks tell right from "
                f"wrong; run: assay challenge verify {_shell_name(challenge)}"
            )


def require_certificate(challenge: Challenge, engine: str | None = None) -> Certificate:
    """For whoever must not go on without one, such as a cohort. Raises InvalidChallenge with the command to run."""
    match certificate_of(challenge, engine):
        case Current(certificate):
            return certificate
        case _:
            raise InvalidChallenge(warning(challenge, engine) or f"{challenge.id}: its certificate just changed")


def issue(
    challenge: Challenge,
    digests: ChallengeDigests,
    rows: Sequence[Row],
    *,
    host: Host,
    repeat: int,
    flakiness: Flakiness,
    graded_again: int,
    judge_data: Mapping[str, Mapping[str, int]],
) -> Certificate:
    """The certificate of a sound challenge, from its gradings. Pure but for the date."""
    return Certificate(
        challenge=challenge.id,
        version=challenge.version,
        certified_at=datetime.now(UTC).isoformat(timespec="seconds"),
        assay=host.assay,
        digests=digests,
        host=host,
        repeat=repeat,
        checks=tuple(str(check.id) for check in challenge.checks),
        flakiness=flakiness,
        graded_again=graded_again,
        judge_data=judge_data,
        engines={
            engine: _certified_engine(tuple(of_engine))
            for engine, of_engine in groupby(sorted(rows, key=_engine_name), key=_engine_name)
        },
    )


def write(certificate: Certificate, challenge: Challenge) -> None:
    """Put it beside the manifest, whole or not at all. Raises InfrastructureError where that cannot be done."""
    path = challenge.folder / CERTIFICATE
    try:
        for left in challenge.folder.glob(f"{CERTIFICATE}.*"):  # by a process that was killed while it wrote
            left.unlink(missing_ok=True)
        handle, name = tempfile.mkstemp(prefix=f"{CERTIFICATE}.", dir=challenge.folder)
        unfinished = Path(name)
        with contextlib.ExitStack() as unless_done:
            unless_done.callback(unfinished.unlink, missing_ok=True)
            with os.fdopen(handle, "wb") as file:
                file.write(dump(certificate))
                file.flush()
                os.fsync(file.fileno())
            unfinished.chmod(0o644)
            unfinished.replace(path)
            unless_done.pop_all()
    except OSError as error:
        raise InfrastructureError(f"{path}: could not be written: {error.strerror}; nothing was changed") from error


def dump(certificate: Certificate) -> bytes:
    """The document: ASCII, the same bytes for the same certificate."""
    content = {
        "format": FORMAT,
        "certificate": _adapter().dump_python(_document(certificate), mode="json")["certificate"],
    }
    document = {"format": FORMAT, "digest": _digest(content), "certificate": content["certificate"]}
    return (json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False) + "\n").encode("ascii")


def load(data: bytes) -> Certificate:
    """Read a document back. Raises ValueError for what is none, or was changed after it was written."""
    try:
        content = json.loads(data)
        document = _adapter().validate_python(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        msg = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise ValueError(msg) from error
    if _digest({"format": content["format"], "certificate": content["certificate"]}) != document.digest:
        raise ValueError("its digest does not match its content, so it was changed by hand")
    return document.certificate


def _document(certificate: Certificate) -> _Document:
    return _Document(format=FORMAT, digest=Digest(""), certificate=certificate)


@cache
def _adapter() -> TypeAdapter[_Document]:
    return TypeAdapter(_Document)


def _digest(content: object) -> Digest:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return Digest(hashlib.sha256(canonical.encode("ascii")).hexdigest())


def _engine_name(row: Row) -> str:
    return row.engine.name


def _certified_engine(rows: Sequence[Row]) -> CertifiedEngine:
    by_solution: dict[str, list[Row]] = {}
    for row in rows:
        by_solution.setdefault(row.solution.label, []).append(row)
    return CertifiedEngine(
        rows[0].engine,
        rows[0].environment,
        {label: _certified_solution(of_solution) for label, of_solution in by_solution.items()},
    )


def _certified_solution(rows: Sequence[Row]) -> CertifiedSolution:
    def counted(outcome: Outcome) -> dict[str, int]:
        return dict(
            Counter(
                str(check)
                for row in rows
                for check, found in row.outcomes.items()
                if found is outcome and check not in row.unmeasured
            )
        )

    shares = [row.share for row in rows]
    return CertifiedSolution(
        gradings=len(rows),
        share_min=min(shares),
        share_max=max(shares),
        failed=counted(Outcome.FAILED),
        inconclusive=counted(Outcome.INCONCLUSIVE),
        errored=counted(Outcome.ERRORED),
        unmeasured=dict(Counter(str(check) for row in rows for check in row.unmeasured)),
    )


def _shell_name(challenge: Challenge) -> str:
    """The challenge as a command can name it: by its id where it ships, else by its folder."""
    shipped = catalogue.roots(None)[-1]
    if challenge.folder.parent == shipped:
        return challenge.id
    return shlex.quote(str(challenge.folder))
