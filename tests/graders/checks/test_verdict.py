"""What a check raises says whose failure it is."""

import pytest

from assessments.outcome import Fault, Outcome
from graders.checks.errors import Unmeasured
from graders.checks.verdict import CheckStalled, decide
from graders.http import BadAnswer


def raised(call: object) -> BaseException:
    with pytest.raises(BaseException) as caught:
        call()  # type: ignore[operator]
    return caught.value


ROWS = [
    (AssertionError("200 expected"), None, Fault.WRONG_ANSWER),
    (raised(lambda: pytest.fail("no")), None, Fault.WRONG_ANSWER),
    (BadAnswer("garbage"), None, Fault.MALFORMED_ANSWER),
    (BadAnswer("nothing came", Fault.NO_ANSWER), None, Fault.NO_ANSWER),
    (BadAnswer("nothing came", Fault.NO_ANSWER), ("exit code 1", Fault.DIED), Fault.DIED),
    (BadAnswer("nothing came", Fault.NO_ANSWER), ("out of memory", Fault.OUT_OF_MEMORY), Fault.OUT_OF_MEMORY),
    (BadAnswer("garbage"), ("exit code 1", Fault.DIED), Fault.MALFORMED_ANSWER),
    (raised(lambda: pytest.skip("later")), None, Fault.CHECK_SKIPPED),
    (raised(lambda: pytest.xfail("later")), None, Fault.CHECK_SKIPPED),
    (KeyError("prediction"), None, Fault.CHECK_CRASHED),
    (TypeError("not a number"), None, Fault.CHECK_CRASHED),
    (RecursionError(), None, Fault.CHECK_CRASHED),
    (SystemExit(0), None, Fault.CHECK_CRASHED),
    (KeyboardInterrupt(), None, Fault.CHECK_CRASHED),
    (CheckStalled(), None, Fault.CHECK_STALLED),
    (Unmeasured("no peak"), None, Fault.NOT_MEASURED),
    (Unmeasured("no peak"), ("exit code 1", Fault.DIED), Fault.NOT_MEASURED),
]


@pytest.mark.parametrize(("error", "ended", "fault"), ROWS)
def test_each_exception_has_one_owner(error: BaseException, ended: tuple[str, Fault] | None, fault: Fault) -> None:
    assert decide(error, "test_x.py:1", ended).fault is fault


def test_no_exception_is_a_pass() -> None:
    assert all(decide(error, "x", ended).outcome is not Outcome.PASSED for error, ended, _ in ROWS)


def test_an_assertion_without_words_is_told_by_its_place() -> None:
    assert decide(AssertionError(), "test_x.py:1", None).message == "an assertion without words failed at test_x.py:1"


def test_half_a_surrogate_pair_in_a_message_is_written_as_an_escape() -> None:
    assert decide(AssertionError("got \ud800"), "x", None).message == "got \\ud800"


def test_a_long_message_is_bounded() -> None:
    assert len(decide(AssertionError("x" * 10**6), "x", None).message) == 2000
