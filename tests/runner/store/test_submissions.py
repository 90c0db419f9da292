"""A submission is recorded before its receipt is given, and the receipt can be checked later."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from assessments.errors import UsageError
from runner.signed import receipt as check_receipt
from runner.store import submissions
from runner.store.cohorts import Kept
from runner.store.signing import Kind, canonical
from runner.store.store import Store
from runner.store.submissions import Recorded, seed_of

HandIn = Callable[..., Recorded]


def test_a_receipt_names_the_exact_bytes_and_is_signed(store: Store, hand_in: HandIn, tmp_path: Path) -> None:
    given = json.loads(hand_in("ann").receipt)
    stated = given["receipt"]
    assert store.artefacts.get(stated["digest"]) == b"work"
    assert (stated["candidate"], stated["challenge"], stated["cohort"]) == ("ann", "serve", "spring")
    key = store.signer.verifier
    assert key.signed(Kind.RECEIPT, canonical(stated), given["signature"])
    assert not key.signed(Kind.SCORECARD, canonical(stated), given["signature"]), "of one kind says nothing of another"
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(given))
    assert check_receipt(file, key).problems == ()
    stated["candidate"] = "bob"
    file.write_text(json.dumps(given))
    assert "was changed" in check_receipt(file, key).problems[0]


def test_the_same_bytes_again_are_no_second_submission(store: Store, kept: Kept, hand_in: HandIn) -> None:
    first, again = hand_in("ann"), hand_in("ann")
    assert (first.again, again.again) == (False, True)
    assert again.receipt == first.receipt
    with store.database.reading() as connection:
        assert len(list(submissions.listed(connection, kept))) == 1


def test_no_more_is_taken_than_the_assessment_allows(hand_in: HandIn) -> None:
    hand_in("ann", content=b"one")
    hand_in("ann", content=b"two")
    hand_in("ann", "watch", content=b"three")
    with pytest.raises(UsageError, match="handed in 2 times already; 2 are allowed"):
        hand_in("ann", content=b"four")


def test_all_of_a_cohort_meet_the_same_hidden_data_and_no_challenge_tells_of_another(kept: Kept) -> None:
    assert seed_of(kept, "serve") == seed_of(kept, "serve")
    assert seed_of(kept, "serve") != seed_of(kept, "watch")
    assert 0 <= seed_of(kept, "serve") < 2**63
