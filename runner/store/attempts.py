"""The ledger of gradings: who takes which, who lost it, and what came of it.

    waiting -> running -> ended          its scorecard landed, in the same transaction
                  |         '-> void     a canary failed after it, and another attempt waits (see `canaries`)
                  |-> waiting            its owner let go of it, died, or met a failure of ours
                  |-> held               that happened too often: an operator looks, and resumes

An attempt is taken with a token that goes up each time. Whoever comes back with an older one has lost it: what they
bring is thrown away, so a grading lands once.

No clock decides who is dead. An owner on this host holds a lock as long as it lives. Of one on another host only its
beat is seen: whoever waits for it watches whether that goes on (see `Watch`).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, func, select, update

from assessments.cohort import AttemptState
from runner.reports.text import shown
from runner.store import scorecards
from runner.store.audit import Action, Doing, append
from runner.store.schema import ATTEMPTS, SUBMISSIONS
from runner.store.scorecards import Sealed

MAX_FAULTS = 3
"""So many failures of ours, and a grading waits for the operator."""
MAX_DEATHS = 5
"""So many runners that died over it, and it may be what kills them. A machine that is switched off kills one, too."""


_PROBLEM_BYTES = 4_000


@dataclass(frozen=True, slots=True)
class Claim:
    """A grading that is its owner's to do."""

    attempt_id: int
    token: int
    submission_id: int
    seed: int
    regrade_id: int | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many attempts there are in each state."""

    waiting: int = 0
    running: int = 0
    held: int = 0
    ended: int = 0

    @property
    def total(self) -> int:
        return self.waiting + self.running + self.held + self.ended

    @property
    def open(self) -> int:
        """Still to be graded without anybody's help."""
        return self.waiting + self.running


@dataclass
class Watch:
    """Which owners of other hosts still live: one whose beat stood still for `patience_s` of our own time does not."""

    patience_s: float = 60.0
    clock: Callable[[], float] = time.monotonic
    _seen: dict[int, tuple[int, int, float]] = field(default_factory=dict)

    def still(self, attempt_id: int, token: int, beat: int) -> bool:
        """Whether this attempt's owner has shown no sign of life for that long, while we watched."""
        now, seen = self.clock(), self._seen.get(attempt_id)
        if seen is None or seen[:2] != (token, beat):
            self._seen[attempt_id] = (token, beat, now)
            return False
        return now - seen[2] >= self.patience_s


def claim(
    connection: Connection, cohort_id: int, owner: str, doing: Doing, regrade_id: int | None = None
) -> Claim | None:
    """Take the next one that waits, those first that failed least often. None: there is none."""
    row = connection.execute(
        select(ATTEMPTS)
        .where(of(cohort_id, regrade_id), ATTEMPTS.c.state == AttemptState.WAITING)
        .order_by(ATTEMPTS.c.faults + ATTEMPTS.c.deaths, ATTEMPTS.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if row is None:
        return None
    connection.execute(
        update(ATTEMPTS)
        .where(ATTEMPTS.c.id == row.id)
        .values(state=AttemptState.RUNNING, owner=owner, token=row.token + 1, beat=0, started_at=doing.at)
    )
    return Claim(row.id, row.token + 1, row.submission_id, row.seed, row.regrade_id)


def beat(connection: Connection, claims: list[Claim]) -> None:
    """Show that the owner of these lives."""
    for one in claims:
        connection.execute(update(ATTEMPTS).where(_mine(one)).values(beat=ATTEMPTS.c.beat + 1))


def end(connection: Connection, one: Claim, sealed: Sealed, doing: Doing, *, vouched: bool = True) -> bool:
    """Land the scorecard; unless it is `vouched` for, a canary is to come after it.

    False: somebody else has taken the grading since, and nothing was written.
    """
    values = {"state": AttemptState.ENDED, "problem": "", "ended_at": doing.at, "vouched": vouched}
    ended = connection.execute(update(ATTEMPTS).where(_mine(one)).values(values))
    if ended.rowcount != 1:
        return False
    scorecards.write(connection, sealed, one.attempt_id, one.submission_id)
    if one.regrade_id is None:
        scorecards.counts(connection, one.submission_id, sealed.id)
    append(
        connection,
        doing,
        Action.GRADED,
        f"submission {one.submission_id}",
        attempt=one.attempt_id,
        regrade=one.regrade_id,
        scorecard=sealed.id,
        digest=sealed.digest,
    )
    return True


def release(connection: Connection, one: Claim) -> None:
    """Put it back as if nobody had taken it: its owner was told to stop."""
    connection.execute(update(ATTEMPTS).where(_mine(one)).values(state=AttemptState.WAITING, owner=""))


def fail(connection: Connection, one: Claim, problem: str, doing: Doing, *, for_good: bool = False) -> bool:
    """Put it back after a failure of ours, or hold it after too many, or one that will not mend. True: it is held."""
    problem = shown(problem, _PROBLEM_BYTES).text  # a database takes no NUL and no half characters
    faults = connection.scalar(select(ATTEMPTS.c.faults).where(_mine(one)))
    if faults is None:
        return False
    held = for_good or faults + 1 >= MAX_FAULTS
    state = AttemptState.HELD if held else AttemptState.WAITING
    connection.execute(
        update(ATTEMPTS).where(_mine(one)).values(state=state, owner="", faults=faults + 1, problem=problem)
    )
    if held:
        append(connection, doing, Action.HELD, f"submission {one.submission_id}", attempt=one.attempt_id)
    return held


def take_back(
    connection: Connection, cohort_id: int, is_dead: Callable[[str], bool | None], watch: Watch, doing: Doing
) -> int:
    """Put back what dead owners had taken; gives how many. `is_dead` None: nobody here can tell."""
    running = connection.execute(
        select(ATTEMPTS)
        .where(ATTEMPTS.c.cohort_id == cohort_id, ATTEMPTS.c.state == AttemptState.RUNNING)
        .order_by(ATTEMPTS.c.id)
    ).all()
    count, held_ones = 0, []
    for row in running:
        dead = is_dead(row.owner)
        if dead is False or (dead is None and not watch.still(row.id, row.token, row.beat)):
            continue
        deaths = row.deaths + 1
        held = deaths >= MAX_DEATHS
        problem = f"{deaths} runners died while they graded it; it may be what kills them" if held else ""
        taken = connection.execute(
            update(ATTEMPTS)
            .where(ATTEMPTS.c.id == row.id, ATTEMPTS.c.token == row.token, ATTEMPTS.c.state == AttemptState.RUNNING)
            .values(state=AttemptState.HELD if held else AttemptState.WAITING, owner="", deaths=deaths, problem=problem)
        ).rowcount
        count += taken
        if held and taken:
            held_ones.append(row)
    for row in held_ones:  # last: the log is locked from here on, and who waits for it may have a row we would wait for
        append(connection, doing, Action.HELD, f"submission {row.submission_id}", attempt=row.id)
    return count


def resume(connection: Connection, cohort_id: int, doing: Doing, name: str) -> int:
    """Put back all that are held, with nothing held against them; gives how many."""
    resumed = connection.execute(
        update(ATTEMPTS)
        .where(ATTEMPTS.c.cohort_id == cohort_id, ATTEMPTS.c.state == AttemptState.HELD)
        .values(state=AttemptState.WAITING, faults=0, deaths=0, problem="")
    ).rowcount
    if resumed:
        append(connection, doing, Action.RESUMED, f"cohort {name}", gradings=resumed)
    return resumed


def count(connection: Connection, cohort_id: int, regrade_id: int | None = None) -> Counts:
    """How the gradings of a cohort stand, or those of one of its regrades."""
    rows = connection.execute(
        select(ATTEMPTS.c.state, func.count())
        .where(of(cohort_id, regrade_id), ATTEMPTS.c.state != AttemptState.VOID)
        .group_by(ATTEMPTS.c.state)
    )
    return Counts(**{row[0]: row[1] for row in rows})


def held_problems(connection: Connection, cohort_id: int) -> list[tuple[str, str, str]]:
    """Candidate, challenge and problem of each grading that is held."""
    query = (
        select(SUBMISSIONS.c.candidate, SUBMISSIONS.c.challenge, ATTEMPTS.c.problem)
        .join(ATTEMPTS, ATTEMPTS.c.submission_id == SUBMISSIONS.c.id)
        .where(ATTEMPTS.c.cohort_id == cohort_id, ATTEMPTS.c.state == AttemptState.HELD)
        .order_by(ATTEMPTS.c.id)
    )
    return [(row.candidate, row.challenge, row.problem) for row in connection.execute(query)]


def of(cohort_id: int, regrade_id: int | None) -> ColumnElement[bool]:
    """The attempts of a cohort's own gradings, or of one of its regrades."""
    mine = ATTEMPTS.c.regrade_id.is_(None) if regrade_id is None else ATTEMPTS.c.regrade_id == regrade_id
    return (ATTEMPTS.c.cohort_id == cohort_id) & mine


def _mine(one: Claim) -> ColumnElement[bool]:
    """The attempt, as long as it is still this owner's."""
    return (
        (ATTEMPTS.c.id == one.attempt_id) & (ATTEMPTS.c.token == one.token) & (ATTEMPTS.c.state == AttemptState.RUNNING)
    )
