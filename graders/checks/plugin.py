"""The pytest plugin of hidden tests: collects checks, gives them fixtures, and reports a verdict for each.

A check fails by AssertionError (a wrong answer) or BadAnswer (no proper answer): both are the candidate's. Whatever
else it raises is the challenge's own fault, and so are a skip, an expected failure and a run past the time limit.
"""

import os
import random
import signal
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from assessments.budget import Ruling
from assessments.check import Check, CheckId
from assessments.outcome import Fault, Outcome
from graders import wire
from graders.budgets import rule
from graders.checks import collection
from graders.checks.authored import load_oracle
from graders.checks.errors import ChallengeError
from graders.checks.instances import StartedProgram, StartedService, how_one_ended
from graders.checks.judge_data import try_judges
from graders.checks.measuring import Make, Measuring
from graders.checks.runner_link import RunnerLink
from graders.checks.scratch import Inputs
from graders.checks.shared_service import SharedService
from graders.checks.verdict import CheckStalled, Undecided, Verdict, decide
from graders.http import BadAnswer, Client
from graders.target import JobResult, RunJob, Service

_GRACE_S = 2.0
"""A check that waits on the submission is cut off by its client at its limit; past limit + grace the check stalls."""
_NEEDS_SHARED_SERVICE = {"service", "http"}


class HiddenTests:
    """The pytest plugin of a process that collects a challenge's hidden tests, and of the graders forked from it.

    `assigned` is called between collecting and running. It returns in each grader, with the link to its runner.
    """

    _link: RunnerLink
    _shared: SharedService
    _measuring: Measuring
    _checks: Mapping[CheckId, Check]

    def __init__(self, assigned: Callable[[], RunnerLink]) -> None:
        self._assigned = assigned
        self._collected: dict[str, wire.CollectedCheck] = {}
        self._measuring_ids: set[str] = set()
        self._problems: list[str] = []
        self._verdict: Verdict | None = None
        self._called = False
        self._began = 0.0
        self._public_so_far = True
        self._in_use: list[StartedService] = []
        self._ruling: Ruling | None = None
        self.link: RunnerLink | None = None
        """None until something was assigned."""
        self.internal_error = ""

    # Collection

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Public checks first: their evidence goes to the candidate, and must not echo what hidden ones sent.

        Measured ones last, whatever their visibility: from the first of them on nothing else may run on this host.
        """
        items.sort(key=lambda item: (collection.measures(item), not collection.is_public(item)))

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "check(id, *, points, skill, visibility): a check of the manifest")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._problems.append(f"{report.nodeid}: could not be collected: {report.longreprtext[-600:]}")
        elif report.skipped:
            self._problems.append(f"{report.nodeid}: skips itself; a hidden test may not")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            try:
                check = collection.declared_check(item)
            except ValueError as error:
                self._problems.append(f"{item.nodeid}: {error}")
                continue
            self._collected[item.nodeid] = check
            if collection.measures(item):
                self._measuring_ids.add(check.id)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Become a grader. Only now is it known what the manifest says, which is no hidden test's business."""
        link = self.link = self._link = self._assigned()
        self._shared = SharedService(link)
        self._measuring = Measuring(link)
        self._checks = {check.id: check for check in link.assignment.checks}
        checks = tuple(self._collected.values())
        problems = (
            *self._problems,
            *collection.differences(link.assignment.checks, checks),
            *collection.unmeasured(link.assignment.checks, self._measuring_ids),
        )
        link.tell(wire.Collected(checks=checks, problems=problems))
        if link.assignment.tries_judges:
            link.tell(try_judges(link.assignment.challenge_folder))
        if problems or link.assignment.only_collect:
            session.items.clear()  # with a problem no verdict could count
        elif link.assignment.only is not None:
            session.items[:] = [item for item in session.items if self._check_of(item).id in link.assignment.only]

    def pytest_internalerror(self, excrepr: object) -> None:
        self.internal_error = str(excrepr)[-600:]

    # One check

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._verdict = None
        self._called = False
        self._in_use = []
        os.umask(0o022)  # what it writes to the scratch folder is for sandboxes to read
        self._ruling = None
        self._link.witness.begin(None)
        self._began = time.monotonic()
        if not collection.is_public(item) and self._public_so_far:
            self._shared.stop()  # nor may the instance that public checks saw learn what hidden ones send
            self._public_so_far = False
        if collection.measures(item):
            self._shared.stop()
            if self._link.assignment.measures:
                self._measuring.begin()  # as long as it takes, before the check's clock starts
            self._began = time.monotonic()
        if _NEEDS_SHARED_SERVICE & set(getattr(item, "fixturenames", ())):
            self._in_use = [self._shared.get()]  # before the check's clock starts: a restart is not its doing
            self._in_use[0].broken_companions()  # those were earlier checks'
            self._began = time.monotonic()
        limit_s = self._check_of(item).time_limit_s
        self._link.witness.begin(self._began + limit_s)
        signal.signal(signal.SIGALRM, _stall)
        signal.setitimer(signal.ITIMER_REAL, limit_s + _GRACE_S)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if self._verdict is None and call.excinfo is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            error = call.excinfo.value
            unanswered = isinstance(error, BadAnswer) and error.fault is Fault.NO_ANSWER
            ended = how_one_ended(self._in_use) if unanswered else None
            place = call.excinfo.traceback[-1]
            self._verdict = decide(error, f"{Path(place.path).name}:{place.lineno + 1}", ended)
            broken = [words for service in self._in_use for words in service.broken_companions()]
            if broken and self._verdict.outcome is Outcome.FAILED:
                self._verdict = Verdict.of(Fault.CHECK_CRASHED, f"{broken[0]}; meanwhile: {self._verdict.message}")
        self._called = self._called or call.when == "call"
        if call.when == "teardown":
            self._report(item)
        return report

    def _report(self, item: pytest.Item) -> None:
        never_ran = Verdict.of(Fault.CHECK_CRASHED, "the check never ran")
        verdict = self._verdict or (Verdict.passed() if self._called else never_ran)
        ruling = verdict.ruling or (self._ruling if verdict.outcome is Outcome.PASSED else None)
        check = self._collected[item.nodeid]
        self._link.tell(
            wire.Checked(
                id=check.id,
                outcome=verdict.outcome,
                fault=verdict.fault,
                sentence=collection.sentence(item),
                message=verdict.message,
                evidence=self._link.witness.exchanges,
                duration_s=time.monotonic() - self._began,
                ruling=ruling,
            )
        )

    def _check_of(self, item: pytest.Item) -> Check:
        return self._checks[CheckId(self._collected[item.nodeid].id)]

    def pytest_sessionfinish(self) -> None:
        if self.link:
            self._shared.stop()

    # Fixtures

    @pytest.fixture
    def service(self) -> Service:
        """The shared instance of the submission's service."""
        return self._in_use[0] if self._in_use else self._shared.get()

    @pytest.fixture
    def http(self, service: Service) -> Client:
        """A client of the shared instance."""
        return service.http

    @pytest.fixture
    def start_service(self) -> Iterator[Callable[..., Service]]:
        """Starts further instances, each in a sandbox and network of its own, gone when the check ends."""
        started = 0

        def start(
            env: Mapping[str, str] | None = None,
            assets: Mapping[str, str] | None = None,
            wait_ready: bool = True,
            state: Mapping[str, bytes] | None = None,
            beside: Service | None = None,
        ) -> Service:
            nonlocal started
            served_as = _ours(beside)
            service = self._link.start_service(env or {}, assets or {}, state=state, beside=served_as)
            started += 1
            self._in_use.append(service)
            if wait_ready:
                service.await_ready()
            return service

        yield start
        for service in self._in_use[-started:] if started else ():
            service.stop()

    @pytest.fixture
    def run_job(self) -> RunJob:
        """Runs the submission's command once, in a fresh sandbox."""
        return self._link.run_job

    @pytest.fixture
    def start_companion(self) -> Iterator[Callable[..., StartedProgram]]:
        """Starts companions that are programs, each in a sandbox and network of its own, gone when the check ends.

        `start_companion(name, inputs, beside, instead)`: `instead` are inputs of our own, for where `inputs` hold
        something of the submission's. A program that starts with these and not with those has failed by the submission.
        """
        programs: list[StartedProgram] = []

        def start_once(name: str, inputs: Inputs, beside: Service | None) -> BadAnswer | None:
            programs.append(self._link.start_program(name, inputs, _ours(beside)))
            try:
                programs[-1].await_ready()
            except BadAnswer as error:
                return error
            return None

        def start(
            name: str, inputs: Inputs | None = None, beside: Service | None = None, instead: Inputs | None = None
        ) -> StartedProgram:
            failed = start_once(name, inputs or {}, beside)
            if failed is None:
                return programs[-1]
            self._link.witness.time_left(1)  # who has used it up has failed by that
            words = f"the companion '{name}' did not start: {failed}; it said: {programs[-1].logs()[-600:]}"
            if instead is not None and start_once(name, instead, beside) is None:
                raise BadAnswer(f"with what the submission gives it, {words}", Fault.MALFORMED_ANSWER) from failed
            raise ChallengeError(words) from failed

        yield start
        for program in programs:
            program.stop()

    @pytest.fixture
    def run_tool(self) -> Callable[..., JobResult]:
        """Runs a command beside a companion's packages to its end, in a sandbox of its own."""

        def run(name: str, command: Sequence[str], inputs: Inputs | None = None, timeout_s: float = 30) -> JobResult:
            return self._link.run_tool(name, command, inputs or {}, timeout_s)

        return run

    @pytest.fixture
    def scratch(self) -> Path:
        """The grader's own folder for data sets, empty at first and gone with the grading."""
        return self._link.scratch.folder

    @pytest.fixture
    def submitted(self) -> Callable[[str], bytes]:
        """One file of the submission, as data. Raises BadAnswer when it has no such file."""

        def read(path: str) -> bytes:
            folder, steps = self._link.assignment.submission, Path(path)
            if folder is None or steps.is_absolute() or ".." in steps.parts or not (folder / steps).is_file():
                raise BadAnswer(f"the submission has no file {path}")
            return (folder / steps).read_bytes()

        return read

    @pytest.fixture
    def measure(self, request: pytest.FixtureRequest) -> Callable[..., None]:
        """Measures what the check's budget limits, beside the reference solution, and passes only inside the limit.

        `measure(make_ask)`: random numbers in, one request and how to judge its answer out (`graders.load.Ask`); for a
        batch plan `measure(make_run)`, with one run (`graders.target.Run`); no argument for a start-up plan.
        """

        def hold(make: Make | None = None) -> None:
            check = self._check_of(request.node)
            if check.budget is None:
                msg = f"'{check.id}' has no budget in the manifest"
                raise ChallengeError(msg)
            if self._in_use:
                msg = f"'{check.id}' measures beside another instance of the service, which would disturb it"
                raise ChallengeError(msg)
            if self._link.assignment.only is not None:
                return  # what comes after it in the check is all that is asked of the reference
            if not self._link.assignment.measures:
                raise Undecided("nothing was measured in this grading")
            plan = next(plan for plan in self._link.assignment.plans if plan.id == check.budget.plan)
            self._ruling = rule(self._measuring.measured(plan, make), check.budget)
            if self._ruling.outcome is not Outcome.PASSED:
                raise Undecided(self._ruling.why, self._ruling)

        return hold

    @pytest.fixture
    def seed(self) -> int:
        """The seed of this grading, from which hidden inputs are made."""
        return self._link.assignment.seed

    @pytest.fixture
    def rng(self, request: pytest.FixtureRequest, seed: int) -> random.Random:
        """Random numbers from the seed and the check's id, the same however many checks ran before."""
        return random.Random(f"{seed}:{self._collected[request.node.nodeid].id}")  # noqa: S311 - reproducible on purpose

    @pytest.fixture(scope="session")
    def oracle(self) -> Any:
        """What `make_oracle(challenge_folder, seed)` in hidden_tests/oracle.py makes."""
        return load_oracle(self._link.assignment.challenge_folder, self._link.assignment.seed)


def _ours(beside: Service | None) -> StartedService | None:
    """What a check names as standing beside. Raises ChallengeError unless it is an instance of the service."""
    if isinstance(beside, StartedService | None):
        return beside
    msg = f"beside stands an instance of the service, and not a {type(beside).__name__}"
    raise ChallengeError(msg)


def _stall(_number: int, _frame: FrameType | None) -> None:
    raise CheckStalled
