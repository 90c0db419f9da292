"""Versions of the timed service that differ from its reference in known ways."""

import re
from pathlib import Path

REFERENCE = Path(__file__).parent / "timed-service/solutions/accepted/reference/main.py"


def version(**changed: object) -> dict[str, str]:
    """A submission whose constants are changed: `TIMES=2.0` does twice the work."""
    text = REFERENCE.read_text()
    for name, value in changed.items():
        text, found = re.subn(rf"^{name} = .*$", f"{name} = {value!r}", text, flags=re.MULTILINE)
        if found != 1:
            msg = f"the timed service has no constant {name}"
            raise ValueError(msg)
    return {"main.py": text}


def cheat(name: str, **changed: object) -> dict[str, str]:
    """A version that tries to look faster than it is, by its code or by its constants alone."""
    head, serve, tail = version(**changed)["main.py"].partition("if BURNS:\n")
    trick = "" if changed and name not in CHEATS else f"{SHARED}{CHEATS[name]}\n\n"
    return {"main.py": f"{head}{trick}{serve}{tail}"}


SHARED = """
import collections
import queue

later = queue.SimpleQueue()


def prove(text):
    return hashlib.pbkdf2_hmac("sha256", text.encode(), b"assay", ROUNDS).hex()


class Prover(Prover):
    def body(self):
        return self.rfile.read(int(self.headers["content-length"]))

"""
"""What the cheats are made of; each goes on with the class."""

CHEATS = {
    # Only the form of an answer. The work is done when nobody waits for it any more.
    "answers first, computes later": """
    def do_POST(self):
        self.answer({"proof": "0" * 64})
        later.put(self.body().decode())


def compute():
    while True:
        prove(later.get())


threading.Thread(target=compute, daemon=True).start()
""",
    # A right answer after a third of the work; the rest is done behind the next requests' backs.
    "answers, then does the rest": """
    def do_POST(self):
        super().do_POST()
        later.put("more")


def compute():
    while True:
        for text in 2 * [later.get()]:
            prove(text)


threading.Thread(target=compute, daemon=True).start()
""",
    # The rest is left for when nobody asks, which is the reference's turn; and it notes how long it was kept still.
    "works in the reference's turns": """
    def do_POST(self):
        global asked
        asked = time.monotonic()
        super().do_POST()


def compute():
    seen = time.monotonic()
    while True:
        if time.monotonic() - asked > 0.05:
            prove("ahead")
        time.sleep(0.005)
        seen, before = time.monotonic(), seen
        if seen - before > 0.25:
            print(f"still {seen - before:.3f}", flush=True)


asked = time.monotonic()
threading.Thread(target=compute, daemon=True).start()
""",
    # Three times the work, but for what it was asked before.
    "remembers answers": """
    def do_POST(self):
        text = json.loads(self.body())["of"]
        with one_at_a_time:
            if text in known:
                print("remembered", flush=True)
            else:
                known[text] = [prove(text) for _ in range(3)][0]
        self.answer({"proof": known[text]})


known = {}
""",
    # Right while it is tried, quick and wrong once it is timed.
    "knows a load when it sees one": """
    def do_POST(self):
        recent.append(time.monotonic())
        if len(recent) == recent.maxlen and recent[-1] - recent[0] < 1:
            self.body()
            self.answer({"proof": "0" * 64})
        else:
            super().do_POST()


recent = collections.deque(maxlen=10)
""",
    # Quick for whom it serves. Of the others it refuses half, and hangs up on half.
    "turns away who would have to wait": """
    def do_POST(self):
        global turned_away
        if one_at_a_time.locked():
            turned_away += 1
            self.close_connection = True
            if turned_away % 2:
                self.send_error(503)
        else:
            super().do_POST()


turned_away = 0
""",
}
