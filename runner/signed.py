"""Whether a receipt or a scorecard was signed by a key that somebody trusts.

signature.json beside a scorecard:  {"format": 1, "key": "<the key's name>", "signature": "<base64>"}
"""

import json
from dataclasses import dataclass
from pathlib import Path

from assessments.errors import UsageError
from assessments.scorecard import Scorecard
from runner.reports import document
from runner.reports.text import shown
from runner.store.signing import Kind, Signer, Verifier, canonical

_RECEIPT_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Signed:
    """What is to be said of a signature."""

    sentence: str
    problems: tuple[str, ...] = ()


def is_receipt(path: Path) -> bool:
    """Whether the file looks like a receipt, and not like a scorecard."""
    return path.is_file() and path.stat().st_size <= _RECEIPT_BYTES and "receipt" in (_parsed(path.read_bytes()) or {})


def receipt(path: Path, key: Verifier | None) -> Signed:
    """Check a receipt. Raises UsageError where there is no key to check it with."""
    content = _parsed(path.read_bytes()) or {}
    stated = content.get("receipt")
    if key is None:
        raise UsageError("there is no key here to check a receipt with; name the signer's public key with --key")
    if not key.signed(Kind.RECEIPT, canonical(stated), str(content.get("signature", ""))):
        return Signed("", (f"is not signed by the key {key.id}, or was changed after it was",))
    said = {name: shown(str(value), 200).text for name, value in stated.items()} if isinstance(stated, dict) else {}
    what = f"{said.get('digest')} was received on {said.get('received_at')} from {said.get('candidate')}"
    return Signed(f"{what} for {said.get('challenge')} of {said.get('cohort')}; signed by {key.id}")


def sign_scorecard(scorecard: Scorecard, signer: Signer) -> bytes:
    """The document that stands beside a scorecard."""
    signature = signer.sign(Kind.SCORECARD, document.dump(scorecard))
    return signature_document(signer.verifier.id, signature)


def signature_document(key_id: str, signature: str) -> bytes:
    return (json.dumps({"format": 1, "key": key_id, "signature": signature}, indent=1) + "\n").encode("ascii")


def scorecard(data: bytes, signature: bytes | None, key: Verifier | None) -> Signed:
    """Check the signature that stands beside a scorecard's document, if there is one.

    Over the bytes that are there: an older Assay knew fewer fields, and would have written them without the others.
    """
    if signature is None:
        return Signed("not signed")
    content = _parsed(signature) or {}
    if key is None:
        return Signed("signed, and there is no key here to check that with: name one with --key")
    if not key.signed(Kind.SCORECARD, data, str(content.get("signature", ""))):
        by = shown(str(content.get("key", "nobody")), 40).text
        return Signed("", (f"signature.json: says that {by} signed it; the key {key.id} did not sign these bytes",))
    return Signed(f"signed by {key.id}")


def _parsed(data: bytes) -> dict[str, object] | None:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
