"""What a cohort costs: submissions a minute, the runner's memory, resuming, and the page of a thousand candidates.

    python benchmarks/cohort.py [--submissions N] [--rounds N] [--only PART]

throughput   submissions a minute on one lane and on two, beside a plain loop over bare sandbox runs, in turns
memory       resident memory of the runner and its nursery while a cohort of trivial submissions is graded
resume       `assay cohort resume` on that finished cohort, as a process, from start to end
page         the page of 1,000 candidates with 42 checks each: from the store to the file, its size, and how long a
             click on a column keeps Chromium from doing anything else
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from small_cohorts import ADD, NAME, SAMPLES, assay, running, write_adders, write_role

from assessments.challenge import Challenge
from assessments.check import CheckResult
from assessments.manifest import read_challenge
from assessments.manifest.read_assessment import read_assessment
from assessments.outcome import Outcome
from assessments.scorecard import Scorecard, score, skill_scores
from assessments.submission import Digest, Submission
from runner.bench import Bench, open_bench
from runner.cohort.add import add
from runner.cohort.files import files_of_starter
from runner.cohort.make import make_cohort
from runner.cohort.pages import write_pages
from runner.cohort.run import Stop, Work, run
from runner.engines.choose import EngineName, Wish
from runner.engines.protocol import Mount, SandboxSpec
from runner.grade import Order, grade
from runner.insights.similarity import fingerprint
from runner.intake import pack
from runner.store import attempts, fingerprints, submissions
from runner.store.audit import doing_now
from runner.store.scorecards import seal
from runner.store.store import Store, open_store
from runner.submissions_file import read_submissions

_IN_A_ROUND = 40
_LANES = (1, 2)
_CANDIDATES = 1_000
_AT = (100, 1_000, 5_000, 10_000)
"""After so many gradings the memory is read."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=10_000, help="of the cohort that memory and resume are of")
    parser.add_argument("--rounds", type=int, default=3, help="of throughput")
    parser.add_argument("--only", choices=["throughput", "memory", "page"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="assay-cohort-benchmark-", dir="/var/tmp") as scratch:
        folder = Path(scratch)
        folder.chmod(0o711)
        if options.only in (None, "throughput"):
            _throughput(folder / "throughput", options.rounds)
        if options.only in (None, "memory"):
            _memory(folder / "memory", options.submissions)
        if options.only in (None, "page"):
            _page(folder / "page")
    return 0


def _throughput(folder: Path, rounds: int) -> None:
    folder.mkdir(mode=0o711)
    challenge = read_challenge(SAMPLES / ADD)
    paces: dict[str, list[float]] = {"bare": [], **{f"{lanes} lanes": [] for lanes in _LANES}}
    with (
        open_store(folder / "state") as store,
        open_bench(folder / "state", _silent, Wish(EngineName.BUBBLEWRAP)) as bench,
    ):
        environment = bench.environment(challenge)
        _bare(bench, challenge, folder, 3)
        for number in range(rounds):
            paces["bare"].append(_pace(lambda: _bare(bench, challenge, folder, _IN_A_ROUND)))
            for lanes in _LANES:
                work = _cohort_work(store, challenge, folder / f"{number}-{lanes}", lanes)
                paces[f"{lanes} lanes"].append(_pace(lambda work=work: run(store, bench, work, _deaf, Stop())))
    del environment
    print(f"submissions a minute of {ADD}, medians of {rounds} rounds of {_IN_A_ROUND}:")
    bare = statistics.median(paces["bare"])
    for name, each in paces.items():
        pace = statistics.median(each)
        print(f"  {name:8} {pace:7.0f}   {pace / bare:.2f} of a plain loop over bare sandbox runs")


def _pace(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return 60 * _IN_A_ROUND / (time.monotonic() - started)


def _bare(bench: Bench, challenge: Challenge, folder: Path, number: int) -> None:
    """Runs of a right submission with nothing around them: no grader, no intake, no store."""
    work = folder / "bare"
    work.mkdir(mode=0o755, exist_ok=True)
    (work / "main.py").write_text("print(sum(map(int, input().split())))\n")
    spec = SandboxSpec(
        purpose="bare",
        command=challenge.entry.command,
        folder="/submission",
        mounts=(Mount(work, "/submission"),),
        limits=challenge.limits,
        stdin=b"1 2\n",
        environment=bench.environment(challenge),
    )
    for _ in range(number):
        sandbox = bench.engine.start(spec)
        sandbox.wait(challenge.limits.job_s)
        sandbox.kill()


def _cohort_work(store: Store, challenge: Challenge, folder: Path, lanes: int) -> Work:
    """A cohort of one round, handed in."""
    listed = read_submissions(write_adders(folder, _IN_A_ROUND), (ADD,))
    assessment = read_assessment(write_role(folder, (ADD,)))
    doing = doing_now()
    kept = make_cohort(
        store, f"round-{folder.name}", assessment, doing, challenges=SAMPLES, seed=1, uncertified_allowed=True
    )
    for one in listed:
        add(store, kept, one, challenge, doing)
    return Work(kept, {ADD: challenge}, lanes, unenforced_allowed=True)


def _memory(folder: Path, number: int) -> None:
    folder.mkdir(mode=0o711)
    state = folder / "state"
    assay(state, "cohort", "new", NAME, "-a", write_role(folder, (ADD,)), "--seed", 1, "--allow-uncertified")
    started = time.monotonic()
    assay(state, "cohort", "add", NAME, write_adders(folder / "submissions", number))
    print(f"{number:,} submissions taken in: {number / (time.monotonic() - started):.0f} a second")
    started, seen = time.monotonic(), {}
    how = ("--engine", "bubblewrap", "--allow-unenforced", "--json")
    with running(state, "cohort", "run", NAME, *how) as process:
        assert process.stdout
        graded = 0
        for line in process.stdout:
            graded += json.loads(line)["kind"] == "graded"
            if graded in _AT and graded not in seen:
                seen[graded] = _resident_bytes(process.pid)
    took_s = time.monotonic() - started
    print(f"{graded:,} graded in {took_s:.0f} s, {60 * graded / took_s:.0f} a minute; resident memory:")
    first = seen[min(seen)]
    for after, (runner, nursery) in seen.items():
        print(
            f"  after {after:6,}: runner {runner / 2**20:6.1f} MiB ({runner / first[0]:.2f} times the first), "
            f"nursery {nursery / 2**20:6.1f} MiB ({nursery / first[1]:.2f})"
        )
    started = time.monotonic()
    assay(state, "cohort", "resume", NAME, *how)
    print(f"resume of the finished cohort: {time.monotonic() - started:.2f} s as a process")
    started = time.monotonic()
    assay(state, "db", "check")
    print(f"db check of it: {time.monotonic() - started:.1f} s")


def _resident_bytes(pid: int) -> tuple[int, int]:
    """The runner's resident memory, and that of its lasting children together."""
    own, children = _rss(pid), 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            children += _rss(int(child))
    return own, children


def _rss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS")), 0)


def _page(folder: Path) -> None:
    folder.mkdir(mode=0o711)
    with open_store(folder / "state") as store:
        kept = _thousand(store, folder)
        started = time.monotonic()
        page = write_pages(store, kept, folder / "pages", _silent, reports=False)
        took_s = time.monotonic() - started
    size = page.stat().st_size
    print(f"the page of {_CANDIDATES:,} candidates: {took_s:.2f} s from the store, {size / 1e6:.2f} MB")
    _sort_in_a_browser(page)


def _thousand(store: Store, folder: Path):  # type: ignore[no-untyped-def]
    """A cohort of a thousand, with the scorecard of one real grading made into a thousand by chance."""
    challenge = read_challenge(Path(__file__).resolve().parents[1] / "challenges/inference-api")
    challenges = challenge.folder.parent
    kept = make_cohort(
        store,
        "thousand",
        read_assessment(write_role(folder, (challenge.id,))),
        doing_now(),
        challenges=challenges,
        seed=1,
        uncertified_allowed=True,
    )
    with open_bench(folder / "state", _silent, Wish(EngineName.BUBBLEWRAP)) as bench:
        source = challenge.folder / "solutions/accepted/reference"
        graded = grade(Order(source, "one", unenforced_allowed=True, measures=False), challenge, bench)
    for number in range(_CANDIDATES):
        chance = random.Random(number)
        contents = {path: b"# %d\n" % number + data for path, data in graded.received.contents.items()}
        archive = pack(contents)
        digest = store.artefacts.put(archive)
        submission = Submission(
            digest, Digest(f"{number:064x}"), f"{number}.tar", "tar", graded.received.submission.files
        )
        doing = doing_now()
        prints = fingerprint(contents, files_of_starter(store, kept, challenge.id))  # as when it is handed in
        with store.database.writing() as connection:
            fingerprints.keep(connection, digest, kept.starters[challenge.id], prints)
            submissions.record(
                connection, kept, f"candidate {number:04}", challenge.id, submission, doing, store.signer
            )
            claim = attempts.claim(connection, kept.id, "benchmark", doing)
            assert claim
            card = _by_chance(graded.scorecard, chance, submission, f"{number:032x}")
            assert attempts.end(connection, claim, seal(card, store.signer), doing)
    return kept


def _by_chance(card: Scorecard, chance: random.Random, submission: Submission, card_id: str) -> Scorecard:
    able = chance.gauss(0.7, 0.2)
    results = tuple(_result(one, chance, able) for one in card.results)
    skills = tuple(dict.fromkeys(one.check.skill for one in results))
    return replace(
        card,
        id=card_id,
        submission=submission,
        candidate=submission.origin,
        results=results,
        points=score(results),
        skills=skill_scores(skills, results),
    )


def _result(one: CheckResult, chance: random.Random, able: float) -> CheckResult:
    outcome = Outcome.PASSED if chance.random() < able else Outcome.FAILED
    return replace(one, outcome=outcome, fault=None, message="")


def _sort_in_a_browser(page: Path) -> None:
    from playwright.sync_api import sync_playwright  # only needed for this part

    script = """async () => {
        const long = [];
        const note = list => long.push(...list.getEntries().map(entry => entry.duration));
        new PerformanceObserver(note).observe({type: 'longtask'});
        const times = [];
        for (const button of document.querySelectorAll('th button')) {
            const started = performance.now();
            button.click();
            await new Promise(requestAnimationFrame);
            await new Promise(requestAnimationFrame);
            times.push(performance.now() - started);
        }
        await new Promise(done => setTimeout(done, 300));
        return {times, long};
    }"""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        opened = browser.new_page()
        opened.goto(page.resolve().as_uri())
        found = opened.evaluate(script)
        browser.close()
    times = sorted(found["times"])
    longest = max(found["long"], default=0)
    print(
        f"sorting by each of {len(times)} columns in Chromium, click to painted: {statistics.median(times):.0f} ms in "
        f"the middle, {times[-1]:.0f} ms at most; longest task that kept it busy: {longest:.0f} ms"
    )


def _silent(_line: str) -> None:
    pass


def _deaf(_event: object) -> None:
    pass


if __name__ == "__main__":
    sys.exit(main())
