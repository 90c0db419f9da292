"""The table of failures: complete, and only a candidate's own failures cost points."""

from assessments.outcome import FAULTS, Fault, Outcome, Owner


def test_every_fault_has_its_consequence() -> None:
    assert set(FAULTS) == set(Fault)


def test_only_the_candidates_own_failures_count_as_failed() -> None:
    for fault, consequence in FAULTS.items():
        failed = consequence.outcome is Outcome.FAILED
        assert failed == (consequence.owner is Owner.CANDIDATE), fault


def test_only_the_infrastructures_failures_are_tried_again() -> None:
    """A control's failure leaves all else decided, which must stand; a host tells no more when it is asked again."""
    final = {Fault.CONTROL_FAILED, Fault.NOT_MEASURED}
    for fault, consequence in FAULTS.items():
        ours = consequence.owner is Owner.INFRASTRUCTURE
        assert consequence.retry == (ours and fault not in final), fault


def test_no_fault_is_ever_a_pass() -> None:
    assert Outcome.PASSED not in {consequence.outcome for consequence in FAULTS.values()}
