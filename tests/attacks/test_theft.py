"""Finding hidden tests and answers: nothing hidden is ever seen by a sandbox, or by the candidate afterwards."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from assessments.challenge import Challenge
from assessments.scorecard import Scorecard
from runner.bench import Bench
from runner.reports.html import Audience

Graded = Callable[..., Scorecard]
Words = Callable[[Scorecard], str]
CANARY = "CANARY-"
"""Stands in the hidden tests of the one sample challenge, and in the hidden asset of the other."""

TABLE = {
    "HID the environment of its launcher": ("""
        try: say(len(open("/proc/1/environ", "rb").read()))
        except PermissionError: say(0)""", "0"),
    "HID variables": ("say(*sorted(os.environ))",
        "HOME LANG OMP_NUM_THREADS PATH PWD PYTHONDONTWRITEBYTECODE PYTHONUNBUFFERED"),
    "HID processes of others": ("""
        say({int(name) for name in os.listdir("/proc") if name.isdigit()} == {1, os.getpid()})""", "True"),
    "HID ways out through a process's folders": ("""
        say(*{os.readlink(f"/proc/{pid}/{door}") for pid in ("self", os.getpid()) for door in ("root", "cwd")}
            - {"/submission"}, attempt(os.readlink, "/proc/1/cwd") in ("done", "EACCES"))""", "/ True"),
    "HID the assets of nobody": ("say(*os.listdir('/assets'), *os.listdir('/state'), *os.listdir('/inputs'))", ""),
    "HID folders around its own": ("say(*sorted(os.listdir('/submission')), attempt(os.listdir, '/submission/../..'))",
        "main.py done"),
    "HID homes": ("say(*os.listdir('/home'), *os.listdir('/var/tmp'), os.path.exists('/root'))", "False"),
    "HID callers that hold the answer": ("""
        import gc, inspect
        secret = "".join(("CANARY", "-"))
        held = gc.get_referents(*gc.get_objects())
        say(len(inspect.stack()), sum(secret in one for one in held if isinstance(one, str) and one is not secret))""",
        "1 0"),
    "HID the grader's own packages": ("""
        from importlib.util import find_spec
        packages = ("assessments", "graders", "runner", "pytest", "_pytest", "docker")
        say(*(find_spec(package) for package in packages))""", "None"),
    "HID compiled leftovers": ("say(*(path for path in files() if path.endswith('.pyc') and '/opt/' not in path))", ""),
    "HID histories of version control": ("say(*(path for path in files() if '/.git' in path or '/.hg' in path))", ""),
    "HID caches of installers": ("""
        say(*(path for path in files() if '/.cache/' in path or '/pip/cache' in path or path.endswith('.whl')))""", ""),
}  # fmt: skip


@pytest.mark.parametrize(("code", "said"), TABLE.values(), ids=TABLE.keys())
def test_it_finds_no_more_than(attempted: Callable[[str], str], code: str, said: str) -> None:
    assert attempted(code) == said


SEARCH = """
    def search(path):
        try:
            if b"CANARY" + b"-" in open(path, "rb").read(1 << 20): say("found in", path)
        except OSError: pass
    for path in files():
        if stat.S_ISREG(os.lstat(path).st_mode): search(path)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for one in ("environ", "cmdline", "maps", "mountinfo", "status", "stat"): search(f"/proc/{pid}/{one}")
    try:
        for row in open("/proc/1/maps"):
            first, last = (int(end, 16) for end in row.split()[0].split("-"))
            memory = open("/proc/1/mem", "rb", 0)
            try:
                memory.seek(first)
                if b"CANARY" + b"-" in memory.read(last - first): say("found in memory")
            except (OSError, OverflowError): pass
    except OSError: pass
    say("searched")
"""


@pytest.mark.attack("HID", "hidden tests in any file, process or memory")
def test_hidden_tests_are_nowhere_in_a_sandbox(job: Graded, everything_printed: Words) -> None:
    assert everything_printed(job(SEARCH)) == "searched\n"


@pytest.mark.attack("HID", "other submissions and the state folder")
def test_other_submissions_and_the_state_folder_are_nowhere_in_a_sandbox(
    job: Graded, bench: Bench, sum_challenge: Challenge, everything_printed: Words
) -> None:
    places = [bench.state, bench.run.folder, bench.rootfs.path, sum_challenge.folder, Path.home(), Path("/work")]
    scorecard = job(f"say(*[path for path in {list(map(str, places))} if os.path.exists(path)])")
    assert everything_printed(scorecard) == "\n"


@pytest.mark.attack("HID", "the seed of the hidden inputs")
def test_the_seed_is_nowhere_in_a_sandbox(job: Graded) -> None:
    seed = 7_230_194_885_116_204_331
    looks = """
        told = [open(f"/proc/{pid}/{one}", "rb").read() for pid in (os.getpid(), os.getppid()) for one in
                ("environ", "cmdline", "mountinfo") if os.access(f"/proc/{pid}/{one}", os.R_OK) and pid != 1]
        say(told, dict(os.environ), sys.argv, sys.stdin.read())"""
    printed = job(looks, seed=seed).runs[0].stdout.text
    assert "environ" in printed or "LANG" in printed
    assert str(seed) not in printed
    assert f"{seed:x}" not in printed


@pytest.mark.attack("HID", "names of hidden assets among the mounts")
def test_what_is_mounted_does_not_tell_which_asset_it_is(service: Graded, everything_printed: Words) -> None:
    scorecard = service("print(open('/proc/self/mountinfo').read(), flush=True)")
    assert "/assets/words" in everything_printed(scorecard)
    assert "other-words" not in everything_printed(scorecard)


@pytest.mark.attack("HID", "hidden inputs carried to the candidate by logs and answers")
def test_what_only_hidden_checks_show_a_service_never_reaches_the_candidate(
    service: Graded, pages: Callable[[Scorecard], dict[Audience, str]]
) -> None:
    tells = """
        print(asset, flush=True); print(asset, file=sys.stderr, flush=True)
        def hostile(connection, body): connection.sendall(ok(asset))
        def ok(body): return b"HTTP/1.1 200 OK\\r\\nX: %s\\r\\n\\r\\n%s" % (asset.strip(), asset + body)"""
    scorecard = service(tells)
    seen_by_itself = [run.purpose for run in scorecard.runs if CANARY in run.stdout.text]
    assert len(seen_by_itself) == 1, "only the instance that got the hidden asset may know it"
    assert CANARY not in pages(scorecard)[Audience.CANDIDATE]


@pytest.mark.attack("HID", "hidden inputs of a job in what it prints")
def test_what_a_job_prints_of_a_hidden_input_never_reaches_the_candidate(
    job: Graded, pages: Callable[[Scorecard], dict[Audience, str]]
) -> None:
    shown = pages(
        job("given = sys.stdin.read(); say('SEEN', given); print('SEEN', given, file=sys.stderr); os._exit(3)")
    )
    assert "SEEN" in shown[Audience.INTERVIEWER]
    assert "SEEN" not in shown[Audience.CANDIDATE]


@pytest.mark.attack("HID", "hidden inputs by how long hidden checks took")
def test_how_long_a_hidden_check_took_never_reaches_the_candidate(
    job: Graded, pages: Callable[[Scorecard], dict[Audience, str]]
) -> None:
    """A job can take as long as it likes over an input, and so tell it, wherever a duration is shown."""
    quick, slow = job("say(0)"), job("time.sleep(0.4); say(0)")
    otherwise_the_same = replace(slow, id=quick.id, graded_at=quick.graded_at, submission=quick.submission)
    shown = Audience.CANDIDATE
    assert pages(quick)[shown] == pages(otherwise_the_same)[shown]


@pytest.mark.attack("HID", "where the host keeps its folders, in the list of mounts")
@pytest.mark.residual
def test_the_list_of_mounts_names_folders_of_the_host(attempted: Callable[[str], str], bench: Bench) -> None:
    """Names only: no way leads there, as another attack here tries."""
    assert bench.run.id in attempted("say(open('/proc/self/mountinfo').read())")
