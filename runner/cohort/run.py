"""A run: lanes that take one grading after the other from the ledger, until none is left.

Every lane is alone with its submission; what one of them does to its lane stays there. Timed checks queue for the
quiet lane (see `runner.quiet`), in which nothing else of ours runs on this host. Stopped at any moment, by whatever,
the next run goes on: what had not landed is graded again, and what had is not.
"""

import contextlib
import os
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from assessments.challenge import Challenge
from assessments.errors import AssayError, InfrastructureError
from assessments.scorecard import Scorecard
from assessments.submission import Digest
from runner.bench import Bench
from runner.cohort.canary import EVERY, NAME, failed_by_canary, is_needed, require_judged
from runner.cohort.owner import is_dead, owner_of, place_of
from runner.cohort.progress import Event, EventKind
from runner.grade import Order, grade
from runner.intake import Archive
from runner.lanes import run_lanes
from runner.reports.summary import score_text
from runner.reports.wording import count
from runner.store import attempts, canaries, cohorts, regrades, submissions
from runner.store.attempts import Claim, Counts, Watch
from runner.store.audit import doing_now
from runner.store.canaries import Session
from runner.store.cohorts import Kept
from runner.store.scorecards import seal
from runner.store.store import Store
from runner.store.submissions import Stored

Tell = Callable[[Event], None]
_BEAT_S = 5.0
_POLL_S = 1.0
_LANE_BYTES = 300 * 1024**2
"""What a lane needs beside its sandbox: the grader, the reference's sandbox in part, buffers."""
_SPARE_BYTES = 512 * 1024**2
MAX_IN_A_ROW = 12
"""So many failures of ours with no grading between them, and it is not the submissions: the run ends."""
_PAUSES_MAX = 60
_OTHER_FILES = (
    "the challenge's files were changed, or a regrade accepted, while it was graded: the scores would not compare"
)


@dataclass(frozen=True, slots=True)
class Work:
    """What a run has to do."""

    kept: Kept
    challenges: Mapping[str, Challenge]
    lanes: int
    regrade_id: int | None = None
    unenforced_allowed: bool = False
    measures: bool = True
    canary_every: int = EVERY
    pause_s: float = 1.0
    """After a failure of ours, so that an engine can come back; twice as long after each further one in a row."""


@dataclass(frozen=True, slots=True)
class Stop:
    """How a run is told to end: `drain` lets the lanes finish what they have begun."""

    drain: threading.Event = field(default_factory=threading.Event)


def lanes_for(challenges: Mapping[str, Challenge], wanted: int | None) -> int:
    """As many lanes as were asked for; else one a core, as far as there is memory for their sandboxes."""
    if wanted is not None:
        return wanted
    most = max((one.limits.memory_bytes for one in challenges.values()), default=0)
    by_memory = (_available_bytes() - _SPARE_BYTES) // (most + _LANE_BYTES)
    return max(1, min(len(os.sched_getaffinity(0)), by_memory))


def run(store: Store, bench: Bench, work: Work, tell: Tell, stop: Stop) -> Counts:
    """Grade what waits, and give how all gradings of the cohort, or of the regrade, stand at the end.

    Raises InfrastructureError when the store fails, or everything does: what had not landed then is graded again by the
    next run.
    """
    for challenge in work.challenges.values():
        bench.environment(challenge)  # installed before the first clock starts
    lanes = _Lanes(store, bench, work, tell, stop)
    with lanes.beating():
        lanes.look_for_unvouched()
        while not lanes.ending:
            lanes.take_back()
            standing = lanes.count()
            if not standing.open:
                break
            if standing.waiting:
                run_lanes(lanes.lane, range(min(work.lanes, standing.waiting)), bench, work.lanes)
            else:
                stop.drain.wait(_POLL_S)  # others grade the rest; should they die, it is ours
        if not lanes.ending:
            run_lanes(lanes.last_canary, list(work.challenges), bench, lanes=1)
    standing = lanes.count()
    tell(Event(EventKind.FINISHED, counts=standing))
    if lanes.why_ended:
        way_out = f"go on when that is mended: assay cohort resume {work.kept.cohort.name}"
        raise InfrastructureError([*lanes.why_ended, way_out])
    return standing


def pause_s(in_a_row: int, first_s: float) -> float:
    """How long a lane rests after so many failures of ours in a row. Pure."""
    return first_s * min(2 ** (in_a_row - 1), _PAUSES_MAX) if in_a_row else 0.0


class _Lanes:
    """The lanes of one run, and what each holds."""

    def __init__(self, store: Store, bench: Bench, work: Work, tell: Tell, stop: Stop) -> None:
        self._store, self._bench, self._work, self._tell, self._stop = store, bench, work, tell, stop
        self._owner = owner_of(store.folder, bench.run)
        self._watch = Watch()
        self._held: dict[int, Claim] = {}
        self._in_a_row = 0
        self._unvouched: Counter[str] = Counter()
        """By challenge, how many gradings a canary has still to vouch for."""
        self._counting = threading.Lock()
        self.why_ended: list[str] = []
        """What made the run end before its time."""

    @property
    def ending(self) -> bool:
        """Whether nothing more is to be begun: on an interrupted bench it would fail at once, and so over and over."""
        return self._stop.drain.is_set() or self._bench.interrupted

    def count(self) -> Counts:
        with self._store.database.reading() as connection:
            return attempts.count(connection, self._work.kept.id, self._work.regrade_id)

    def take_back(self) -> None:
        """Let what dead runners had begun wait again."""

        def dead(owner: str) -> bool | None:
            return False if owner == self._owner else is_dead(self._store.folder, self._bench.state, owner)

        with self._store.database.writing() as connection:
            number = attempts.take_back(connection, self._work.kept.id, dead, self._watch, doing_now())
        if number:
            self._tell(Event(EventKind.TAKEN_BACK, text=str(number)))

    def lane(self, number: int) -> None:
        """Take one after the other until none waits, or the run is to end."""
        while not self.ending:
            with self._store.database.writing() as connection:
                claim = attempts.claim(connection, self._work.kept.id, self._owner, doing_now(), self._work.regrade_id)
                if claim is None:
                    return
                submission = submissions.stored(connection, claim.submission_id)
            self._held[number] = claim
            try:
                problem = self._one(number, claim, submission)
            finally:
                del self._held[number]
            self._in_a_row = self._in_a_row + 1 if problem else 0
            if self._in_a_row >= MAX_IN_A_ROW:
                self._end(f"{MAX_IN_A_ROW} failures of ours in a row, so the run has ended; the last one: {problem}")
            elif self._is_canary_due(submission.challenge):
                self._sing(number, submission.challenge)
            self._stop.drain.wait(pause_s(self._in_a_row, self._work.pause_s))

    def _one(self, number: int, claim: Claim, submission: Stored) -> str:
        """Grade one, and give what failed that might not fail the next time; nothing where nothing did."""
        started = time.monotonic()

        def tell(kind: EventKind, *, score: str = "", text: str = "") -> None:
            seconds = None if kind is EventKind.STARTED else time.monotonic() - started
            self._tell(Event(kind, number, submission.candidate, submission.challenge, seconds, score, text))

        tell(EventKind.STARTED)
        try:
            scorecard = self._graded(claim, submission)
            sealed = seal(scorecard, self._store.signer)
        except Exception as error:  # noqa: BLE001 one submission, whatever it does to its lane, must not stop the rest
            if self._bench.interrupted:
                self._release(claim)
                return ""
            problem, for_good = _problem(error)
            kind = self._failed(claim, problem, for_good=for_good)
            tell(kind, text=problem)
            return "" if for_good else problem
        with self._store.database.writing() as connection:
            if scorecard.challenge.digest != self._held_to(connection, submission.challenge):
                held = attempts.fail(connection, claim, _OTHER_FILES, doing_now(), for_good=True)
                tell(EventKind.HELD if held else EventKind.LOST, text=_OTHER_FILES)
                return ""
            needs_canary = self._needs_canary(submission.challenge)
            landed = attempts.end(connection, claim, sealed, doing_now(), vouched=not needs_canary)
        if landed and needs_canary:
            with self._counting:
                self._unvouched[submission.challenge] += 1
        tell(EventKind.GRADED if landed else EventKind.LOST, score=score_text(scorecard))
        return ""

    def _graded(self, claim: Claim, submission: Stored) -> Scorecard:
        challenge = self._work.challenges[submission.challenge]
        archive = Archive(self._store.artefacts.get(submission.digest), submission.format, submission.origin)
        order = Order(
            archive,
            submission.candidate,
            seed=claim.seed,
            unenforced_allowed=self._work.unenforced_allowed,
            measures=self._work.measures,
        )
        scorecard = grade(order, challenge, self._bench).scorecard
        require_judged(scorecard)
        return scorecard

    def look_for_unvouched(self) -> None:
        """Count what an earlier run left without a canary. Where nothing is measured, there is none to come, either."""
        if not self._work.measures:
            return
        with self._store.database.reading() as connection:
            for challenge in self._work.challenges:
                self._unvouched[challenge] = len(canaries.unvouched(connection, self._session(challenge)))

    def last_canary(self, challenge: str) -> None:
        """One that follows the last grading of the run."""
        if self._unvouched[challenge] and not self._stop.drain.is_set():
            self._sing(0, challenge)

    def _needs_canary(self, challenge: str) -> bool:
        return self._work.measures and is_needed(self._work.challenges[challenge])

    def _is_canary_due(self, challenge: str) -> bool:
        """True for one lane only: whoever is told so grades it."""
        with self._counting:
            if self._unvouched[challenge] < self._work.canary_every:
                return False
            self._unvouched[challenge] = 0
            return True

    def _sing(self, number: int, challenge: str) -> None:
        """Grade the canary. What was graded before it began is vouched for, or void with all that has come since."""
        session, started = self._session(challenge), time.monotonic()
        with self._store.database.reading() as connection:
            before = canaries.unvouched(connection, session)
        self._tell(Event(EventKind.STARTED, number, NAME, challenge))
        try:
            failed = failed_by_canary(
                self._work.challenges[challenge],
                self._bench,
                submissions.seed_of(self._work.kept, challenge),
                unenforced_allowed=self._work.unenforced_allowed,
            )
        except AssayError as error:
            if self._bench.interrupted:
                return
            self._end(f"the canary of {challenge} could not be graded: {'; '.join(error.problems)}")
            return
        with self._store.database.writing() as connection:
            if failed:
                voided = canaries.void(connection, session, failed, doing_now())
            else:
                canaries.vouch(connection, session, before, doing_now())
        text = f"failed {', '.join(failed)}" if failed else "did not fail"
        self._tell(Event(EventKind.CANARY, number, NAME, challenge, time.monotonic() - started, text=text))
        if failed:
            self._end(
                f"ALARM: the reference solution of {challenge} {text}. What was graded since it last did not fail does "
                f"not count any more, and {count(voided, 'grading')} will be made again; is this host busy, or slower "
                "at times? If not, the challenge is wrong"
            )

    def _session(self, challenge: str) -> Session:
        return Session(self._work.kept, challenge, place_of(self._store.folder), self._work.regrade_id)

    def _end(self, why: str) -> None:
        self.why_ended.append(why)
        self._stop.drain.set()

    def _held_to(self, connection: Connection, challenge: str) -> Digest | None:
        """The challenge's files that this grading must have been made with. None: nobody wants it any more."""
        if self._work.regrade_id is None:
            return cohorts.pinned(connection, self._work.kept.id).get(challenge)
        return regrades.pinned(connection, self._work.regrade_id).get(challenge)

    def _failed(self, claim: Claim, problem: str, *, for_good: bool) -> EventKind:
        with self._store.database.writing() as connection:
            held = attempts.fail(connection, claim, problem, doing_now(), for_good=for_good)
        return EventKind.HELD if held else EventKind.FAILED

    def _release(self, claim: Claim) -> None:
        with self._store.database.writing() as connection:
            attempts.release(connection, claim)

    @contextlib.contextmanager
    def beating(self) -> Iterator[None]:
        """Show other hosts that this runner lives, for as long as the block lasts."""
        ended = threading.Event()
        thread = threading.Thread(target=self._beat, args=(ended,), name="assay-beat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _beat(self, ended: threading.Event) -> None:
        while not ended.wait(_BEAT_S):
            claims = list(self._held.values())
            # The lanes meet a failure of the store, too, and end the run.
            with contextlib.suppress(InfrastructureError), self._store.database.writing() as connection:
                attempts.beat(connection, claims)


def _problem(error: Exception) -> tuple[str, bool]:
    """What to tell the operator, and whether trying again is of no use."""
    if isinstance(error, InfrastructureError):
        return "; ".join(error.problems), False
    if isinstance(error, AssayError):  # the challenge's, or bytes that intake took once and takes no more
        return "; ".join(error.problems), True
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"a fault in Assay itself: {type(error).__name__}: {error} ({last.name}, line {last.lineno})", False


def _available_bytes() -> int:
    """What the kernel says can be had without swapping (proc(5), MemAvailable)."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, figure = line.partition(":")
        if name == "MemAvailable":
            return int(figure.split()[0]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
