"""What submissions are given besides their own files: data sets, companions, a state; on every engine."""

import shutil
import tempfile
from pathlib import Path

from assessments.manifest import read_challenge
from assessments.outcome import Outcome
from assessments.scorecard import Scorecard
from runner.bench import open_bench
from runner.engines.choose import EngineName, Wish
from runner.grade import Order, grade

SAMPLES = Path(__file__).resolve().parents[1] / "sample_challenges"


def graded(name: str, engine: EngineName, state: Path, files: dict[str, str] | None = None) -> Scorecard:
    challenge = read_challenge(SAMPLES / name)
    folder = challenge.folder / "solutions/accepted/reference"
    if files:
        folder = Path(tempfile.mkdtemp(prefix="submission-", dir=state))
        for path, text in files.items():
            (folder / path).write_text(text)
    with open_bench(state, print, Wish(engine)) as bench:
        return grade(Order(folder, "somebody", seed=7, unenforced_allowed=True), challenge, bench).scorecard


def messages(scorecard: Scorecard) -> dict[str, str]:
    return {result.check.id: result.message for result in scorecard.results if result.outcome is not Outcome.PASSED}


def test_a_service_speaks_with_its_companion_and_goes_on_from_its_state(engine: EngineName, own_state: Path) -> None:
    scorecard = graded("ask-neighbour", engine, own_state)
    assert messages(scorecard) == {}
    assert scorecard.points.earned == 5


def test_what_it_asked_its_companion_is_evidence(own_state: Path) -> None:
    scorecard = graded("ask-neighbour", EngineName.BUBBLEWRAP, own_state)
    (faults,) = (result for result in scorecard.results if result.check.id == "says-when-nobody-is-there")
    assert [(one.companion, one.path, one.status) for one in faults.evidence] == [
        ("neighbour", "/say", None),
        ("", "/ask", 502),
        ("neighbour", "/say", 200),
        ("", "/ask", 502),
        ("", "/ask", 502),
        ("neighbour", "/say", 200),
        ("", "/ask", 200),
    ]
    assert [one.error for one in faults.evidence if one.companion] == [
        "the companion sent bytes that need be no HTTP, on cue",
        "the companion cut the connection after 1 of 2 pieces, on cue",
        None,
    ]


def test_a_broker_serves_each_instance_and_outlives_it(engine: EngineName, own_state: Path) -> None:
    scorecard = graded("count-words", engine, own_state)
    assert messages(scorecard) == {}
    assert scorecard.points.earned == 3


def test_who_leaves_the_broker_alone_fails_for_it(own_state: Path) -> None:
    honest = (SAMPLES / "count-words/solutions/accepted/reference/main.py").read_text()
    assert "while True:" in honest
    scorecard = graded(
        "count-words",
        EngineName.BUBBLEWRAP,
        own_state,
        {"main.py": honest.replace("while True:", "for _ in range(1):")},
    )
    outcomes = {result.check.id: result.outcome for result in scorecard.results}
    assert outcomes == {"counts": Outcome.PASSED, "comes-back": Outcome.FAILED, "takes-over": Outcome.PASSED}


ONE_MORE = """

@check("{name}")
def test_{name}(service):
    \"\"\"One more.\"\"\"
    {body}
"""
ONE_MORE_CHECK = """
[[checks]]
id = "{name}"
points = 1
skill = "operations"
visibility = "hidden"
time_limit_s = 40
"""


def graded_with(
    name: str, state: Path, folder: Path, edits: dict[str, tuple[str, str]], more: dict[str, str]
) -> Scorecard:
    """The reference, graded on a copy of a sample with edits of its files and more checks of the shared service."""
    shutil.copytree(SAMPLES / name, folder)
    for path, (old, new) in edits.items():
        text = (folder / path).read_text()
        assert old in text
        (folder / path).write_text(text.replace(old, new))
    (tests,) = (folder / "hidden_tests").glob("test_*.py")
    with (folder / "challenge.toml").open("a") as manifest, tests.open("a") as hidden:
        for check, body in more.items():
            manifest.write(ONE_MORE_CHECK.format(name=check))
            hidden.write(ONE_MORE.format(name=check, body=body))
    with open_bench(state, print, Wish(EngineName.BUBBLEWRAP)) as bench:
        reference = folder / "solutions/accepted/reference"
        order = Order(reference, "somebody", unenforced_allowed=True, controlled=False)  # it would be its own control
        return grade(order, read_challenge(folder), bench).scorecard


def test_a_broker_that_does_not_start_is_not_the_submissions_fault(own_state: Path, tmp_path: Path) -> None:
    edits = {"challenge.toml": ('"--port", "4222"', '"--port", "none"')}
    more = {f"more{number}": "assert service" for number in range(7)}
    scorecard = graded_with("count-words", own_state, tmp_path / "count-words", edits, more)
    assert len(scorecard.results) == 10
    assert {result.outcome for result in scorecard.results} == {Outcome.ERRORED}
    assert all("the companion 'broker' did not start" in message for message in messages(scorecard).values())


def test_a_broker_that_is_gone_is_no_matter_of_the_next_check(own_state: Path, tmp_path: Path) -> None:
    more = {
        "ends": 'service.companions["broker"].stop()',
        "unplugs": 'Listener(service.companions["broker"]); service.unplug("broker")',
        "finds": 'assert Listener(service.companions["broker"]).loud(b"new") == b"NEW"',
        "breaks": 'service.companions["broker"].stop(); Listener(service.companions["broker"])',
    }
    scorecard = graded_with("count-words", own_state, tmp_path / "count-words", {}, more)
    assert messages(scorecard) == {"breaks": "the companion 'broker' accepts no connection"}
    assert scorecard.results[-1].outcome is Outcome.FAILED


def test_a_companion_that_breaks_is_the_challenges_fault(own_state: Path, tmp_path: Path) -> None:
    edits = {"hidden_tests/companions.py": ("self.asked.append(", "self.broken.append(")}
    scorecard = graded_with("ask-neighbour", own_state, tmp_path / "ask-neighbour", edits, {})
    outcomes = {result.check.id: result.outcome for result in scorecard.results}
    assert outcomes["asks"] is Outcome.ERRORED
    assert Outcome.FAILED not in outcomes.values()
    assert "the companion 'neighbour' broke: AttributeError" in messages(scorecard)["asks"]


SLURPS = """
import json
import shutil
from pathlib import Path

earlier = Path("/inputs/earlier/tally.json")
tally = json.loads(earlier.read_text()) if earlier.is_file() else {}
for path in Path("/inputs/texts").iterdir():
    if path.is_file():
        tally[path.name] = tally.get(path.name, 0) + len(path.read_text().splitlines())
Path("/outputs/tally.json").write_text(json.dumps(tally))
"""


def test_a_sandbox_cannot_read_what_a_data_set_is_called(engine: EngineName, own_state: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SAMPLES / "tally-files", tmp_path / "tally-files"))
    tests = folder / "hidden_tests/test_tally.py"
    text = tests.read_text()
    assert 'scratch / f"texts-' in text
    tests.write_text(text.replace('scratch / f"texts-', 'scratch / f"telltale-'))
    spy = own_state / f"spy-{engine}"
    spy.mkdir()
    (spy / "main.py").write_text("print(open('/proc/self/mountinfo').read(), flush=True)\n" + SLURPS)
    with open_bench(own_state, print, Wish(engine)) as bench:
        order = Order(spy, "somebody", unenforced_allowed=True, measures=False)
        scorecard = grade(order, read_challenge(folder), bench).scorecard
    assert scorecard.points.earned == 2, messages(scorecard)
    assert all(" /inputs/texts " in run.stdout.text for run in scorecard.runs)
    assert not [run for run in scorecard.runs if "telltale" in run.stdout.text or "files-" in run.stdout.text]


def test_a_job_is_measured_run_by_run_beside_the_reference(own_state: Path) -> None:
    scorecard = graded("tally-files", EngineName.BUBBLEWRAP, own_state, {"main.py": SLURPS})
    by_id = {result.check.id: result for result in scorecard.results}
    assert by_id["counts-lines"].outcome is Outcome.PASSED, by_id["counts-lines"].message
    assert by_id["goes-on"].outcome is Outcome.PASSED, by_id["goes-on"].message
    memory = by_id["counts-in-little-memory"]
    assert memory.outcome is Outcome.FAILED, memory.message
    assert "Peak memory was" in memory.message
    (measurement,) = scorecard.measurements
    assert {len(block.latency_us) for block in measurement.blocks} == {1}
    assert all(block.memory_bytes and block.cpu_s for block in measurement.blocks)


def test_a_real_program_stands_beside_a_service_and_only_sees_its_port(engine: EngineName, own_state: Path) -> None:
    scorecard = graded("watched-service", engine, own_state)
    assert messages(scorecard) == {}
    assert {run.purpose.split()[0] for run in scorecard.runs} == {"service"}


RULED = """

@pytest.mark.check("is-ruled", points=1, skill="operations", visibility="hidden")
def test_is_ruled(service, start_companion, submitted):
    \"\"\"Prometheus starts with the rules of the submission.\"\"\"
    ruled = CONFIG + b"rule_files: [/inputs/config/alerts.yml]\\n"
    theirs = {"prometheus.yml": ruled, "alerts.yml": submitted("alerts.yml")}
    ours = theirs | {"alerts.yml": b"groups: []"}
    start_companion("prometheus", {"config": theirs}, beside=service, instead={"config": ours})


@pytest.mark.check("is-beside-nothing", points=1, skill="operations", visibility="hidden")
def test_is_beside_nothing(start_companion):
    \"\"\"Beside what is no service nothing can stand.\"\"\"
    start_companion("prometheus", beside="the service")
"""
RULED_CHECK = """
[[checks]]
id = "{}"
points = 1
skill = "operations"
visibility = "hidden"
time_limit_s = 100
"""


def test_a_program_that_only_the_submissions_files_stop_is_its_failure(own_state: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SAMPLES / "watched-service", tmp_path / "watched-service"))
    with (folder / "challenge.toml").open("a") as manifest:
        manifest.write(RULED_CHECK.format("is-ruled") + RULED_CHECK.format("is-beside-nothing"))
    with (folder / "hidden_tests/test_watched.py").open("a") as tests:
        tests.write(RULED)
    broken = Path(shutil.copytree(folder / "solutions/accepted/reference", own_state / "broken-rules"))
    (broken / "alerts.yml").write_text("groups: nonsense\n")
    with open_bench(own_state, print, Wish(EngineName.BUBBLEWRAP)) as bench:
        scorecard = grade(Order(broken, "somebody", unenforced_allowed=True), read_challenge(folder), bench).scorecard
    outcomes = {result.check.id: result.outcome for result in scorecard.results}
    assert outcomes == {
        "is-scraped": Outcome.PASSED,
        "rules-are-sound": Outcome.FAILED,
        "is-ruled": Outcome.FAILED,
        "is-beside-nothing": Outcome.ERRORED,
    }, messages(scorecard)
    assert "with what the submission gives it, the companion 'prometheus'" in messages(scorecard)["is-ruled"]


SQUATS = """

def squat():
    # The companion's port is free while it is unplugged: who takes it would play the companion from then on.
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", 9100))
        listener.listen()
        KEPT.append(listener)
    except OSError:
        listener.close()


KEPT = []
os.symlink("/proc/self/environ", os.path.join(os.environ["STATE_DIR"], "secrets"))
"""


def test_who_plays_its_own_companion_or_links_its_state_fails_for_it(own_state: Path) -> None:
    honest = (SAMPLES / "ask-neighbour/solutions/accepted/reference/main.py").read_text()
    reply = "            self.reply(502"
    assert reply in honest
    hostile = honest.replace(reply, f"            squat()\n{reply}").replace(
        "import threading\n", "import socket\nimport threading\n"
    )
    hostile = hostile.replace("\n\ndef said(", f"{SQUATS}\n\ndef said(", 1)
    scorecard = graded("ask-neighbour", EngineName.BUBBLEWRAP, own_state, {"main.py": hostile})
    outcomes = {result.check.id: result.outcome for result in scorecard.results}
    failed = {name for name, outcome in outcomes.items() if outcome is Outcome.FAILED}
    assert failed == {"says-when-nobody-is-there", "remembers"}
    assert set(outcomes.values()) == {Outcome.PASSED, Outcome.FAILED}
    assert "itself listens on the port of its companion 'neighbour'" in messages(scorecard)["says-when-nobody-is-there"]
    assert "secrets: neither a file nor a folder" in messages(scorecard)["remembers"]


LOADED = """
[[plans]]
id = "asks"
scenario = "open"
rate_per_s = 40
pairs_min = 5
warm_up_s = 0.2
tries = 1
pairs_max = 6

[[checks]]
id = "asks-in-time"
points = 1
skill = "correctness"
visibility = "after"

[checks.budget]
plan = "asks"
metric = "p95"
limit = 2
gone_at = 4
"""
ASKS_IN_TIME = '''

@pytest.mark.check("asks-in-time", points=1, skill="correctness", visibility="after")
def test_asks_in_time(measure, seed):
    """An ask is answered in time, with what the neighbour says."""
    from graders.http import Request
    from graders.load import Ask

    def ask(numbers):
        word = f"{numbers.getrandbits(64):x}"

        def judge(answer):
            assert answer.text == f"{seed}:{word}"

        return Ask(Request("POST", "/ask", json=word), judge)

    measure(ask)
'''


def test_under_load_companions_answer_from_a_process_of_their_own(own_state: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SAMPLES / "ask-neighbour", tmp_path / "ask-neighbour"))
    with (folder / "challenge.toml").open("a") as manifest:
        manifest.write(LOADED)
    with (folder / "hidden_tests/test_neighbour.py").open("a") as tests:
        tests.write(ASKS_IN_TIME)
    with open_bench(own_state, print, Wish(EngineName.BUBBLEWRAP)) as bench:
        order = Order(folder / "solutions/accepted/reference", "somebody", seed=7, unenforced_allowed=True)
        scorecard = grade(order, read_challenge(folder), bench).scorecard
    (measured,) = [result for result in scorecard.results if result.check.budget]
    assert measured.outcome is not Outcome.ERRORED, measured.message
    assert measured.outcome is not Outcome.FAILED, measured.message
    blocks = scorecard.measurements[0].blocks
    assert sum(len(block.failures) for block in blocks) == 0
    assert sum(len(block.latency_us) for block in blocks) > 100
