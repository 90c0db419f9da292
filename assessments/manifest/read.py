"""Reads a challenge's folder: the manifest's bytes in, a `Challenge` or a full list of problems out."""

from pathlib import Path

from assessments.budget import Budget, Plan
from assessments.challenge import Asset, Baseline, Challenge, Entry, Limits
from assessments.check import Check, CheckId
from assessments.companion import Companion, Program
from assessments.errors import InvalidChallenge
from assessments.manifest.schema import (
    ChallengeManifest,
    CheckTable,
    CompanionTable,
    EntryTable,
    LimitsTable,
    PlanTable,
)
from assessments.manifest.toml_file import read_toml

MANIFEST = "challenge.toml"
REFERENCE = "solutions/accepted/reference"
COMPANIONS = "hidden_tests/companions.py"
_MB = 1024 * 1024
_MARGIN_S = 30.0


def read_challenge(folder: Path) -> Challenge:
    """The challenge in `folder`. Raises InvalidChallenge that names file, field and fix of every problem."""
    manifest = read_toml(
        folder / MANIFEST,
        ChallengeManifest,
        InvalidChallenge,
        absent=f"a challenge's folder holds a {MANIFEST}",
        described_by="assay challenge schema",
    )
    challenge = _challenge(folder, manifest)
    problems = _missing_files(challenge)
    if manifest.id != folder.name:
        problems.append(
            f"{folder / MANIFEST}: id: is '{manifest.id}', the folder is '{folder.name}'; make them the same"
        )
    if problems:
        raise InvalidChallenge(problems)
    return challenge


def _challenge(folder: Path, manifest: ChallengeManifest) -> Challenge:
    return Challenge(
        folder=folder,
        id=manifest.id,
        version=manifest.version,
        title=manifest.title,
        summary=manifest.summary,
        roles=tuple(manifest.roles),
        skills=tuple(manifest.skills),
        time_minutes=manifest.time_minutes,
        pass_mark=manifest.pass_mark,
        lock_file=manifest.environment.lock,
        entry=_entry(manifest.entry),
        limits=_limits(manifest.limits),
        assets=tuple(Asset(asset.name, asset.folder, asset.mount, asset.hidden) for asset in manifest.assets),
        checks=tuple(_check(manifest, check) for check in manifest.checks),
        plans=tuple(_plan(plan) for plan in manifest.plans),
        companions=tuple(_companion(companion) for companion in manifest.companions),
        baseline=Baseline(**manifest.baseline.model_dump()),
    )


def _check(manifest: ChallengeManifest, table: CheckTable) -> Check:
    budget, limit_s = None, table.time_limit_s
    if table.budget:
        budget = Budget(**table.budget.model_dump())
        plan = next(_plan(plan) for plan in manifest.plans if plan.id == budget.plan)
        # Measuring ends itself; whoever makes its last turn long must not run into the check's own limit.
        limit_s = plan.most_s(manifest.entry.start_timeout_s) + 2 * (plan.block_s + plan.timeout_s) + _MARGIN_S
    return Check(CheckId(table.id), table.points, table.skill, table.visibility, limit_s, budget)


def _plan(table: PlanTable) -> Plan:
    return Plan(**table.model_dump())


def _companion(table: CompanionTable) -> Companion:
    program = Program(
        command=tuple(table.command),
        packages=tuple(table.packages),
        ready_path=table.ready_path,
        start_timeout_s=table.start_timeout_s,
        memory_bytes=table.memory_mb * _MB,
        serves=table.serves,
    )
    return Companion(table.id, table.port, program if table.command else None, table.scheme)


def _entry(table: EntryTable) -> Entry:
    return Entry(
        kind=table.kind,
        command=tuple(table.command),
        required_files=tuple(table.required_files),
        port=table.port,
        ready_path=table.ready_path,
        start_timeout_s=table.start_timeout_s,
        state=table.state,
    )


def _limits(table: LimitsTable) -> Limits:
    return Limits(
        memory_bytes=table.memory_mb * _MB,
        processes=table.processes,
        cpus=table.cpus,
        scratch_bytes=table.scratch_mb * _MB,
        output_bytes=table.output_kb * 1024,
        open_files=table.open_files,
        job_s=table.job_s,
    )


def _missing_files(challenge: Challenge) -> list[str]:
    wanted = [
        ("the brief", "brief.md", False),
        ("the starter", "starter", True),
        ("the hidden tests", "hidden_tests", True),
        ("environment.lock", challenge.lock_file, False),
        *([("the reference solution, which budgets are measured against", REFERENCE, True)] if challenge.plans else []),
        *(
            [("what answers for its companions", COMPANIONS, False)]
            if any(companion.program is None for companion in challenge.companions)
            else []
        ),
        *((f"assets: '{asset.name}'", asset.folder, True) for asset in challenge.assets),
    ]
    return [
        f"{challenge.folder / path}: {what} is missing; add this {'folder' if is_folder else 'file'}"
        for what, path, is_folder in wanted
        if not ((challenge.folder / path).is_dir() if is_folder else (challenge.folder / path).is_file())
    ]
