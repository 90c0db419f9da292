"""The key that this store signs with: whoever has its public half can tell a receipt or scorecard of ours from others.

keys/signing.pem   private (mode 0600); whoever can read it can sign, so it stays on the grading host
keys/signing.pub   public: give it to whoever checks

Ed25519 (RFC 8032). What is signed is the name of the kind of thing and the SHA-256 of its bytes, so that a signature
of one kind proves nothing of another.
"""

import base64
import binascii
import hashlib
import json
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from assessments.errors import InfrastructureError, UsageError

PRIVATE, PUBLIC = "signing.pem", "signing.pub"


class Kind(StrEnum):
    """What a signature is of."""

    RECEIPT = "receipt"
    SCORECARD = "scorecard"


@dataclass(frozen=True, slots=True)
class Verifier:
    """Checks signatures of one key."""

    key: Ed25519PublicKey

    @property
    def id(self) -> str:
        """The key's name: the beginning of the SHA-256 of its 32 bytes."""
        return hashlib.sha256(self.key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]

    def signed(self, kind: Kind, content: bytes, signature: str) -> bool:
        """Whether this key signed these bytes as one of this kind."""
        try:
            self.key.verify(base64.b64decode(signature, validate=True), _message(kind, content))
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs."""

    key: Ed25519PrivateKey

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.key.public_key())

    def sign(self, kind: Kind, content: bytes) -> str:
        """The signature, in base64."""
        return base64.b64encode(self.key.sign(_message(kind, content))).decode("ascii")


def signer(folder: Path) -> Signer:
    """The key in this folder, made if there is none. Raises InfrastructureError."""
    path = folder / PRIVATE
    try:
        if not path.exists():
            _make(folder)
        key = load_pem_private_key(path.read_bytes(), password=None)
        if isinstance(key, Ed25519PrivateKey) and not (folder / PUBLIC).exists():
            _write_public(folder, key)  # who made the key may have been killed before it came to this
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no private key"
        raise InfrastructureError(
            f"{path}: the signing key cannot be used: {reason}; put it back from a backup"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InfrastructureError(f"{path}: is no Ed25519 key; put it back from a backup")
    return Signer(key)


def verifier(path: Path) -> Verifier:
    """The public key in this file. Raises UsageError."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise UsageError(
            f"{path}: the public key cannot be read: {error.strerror}; name the signer's {PUBLIC}"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{path}: is no public key; name the signer's {PUBLIC}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"{path}: is no Ed25519 key; name the signer's {PUBLIC}")
    return Verifier(key)


def canonical(stated: object) -> bytes:
    """The bytes of a statement that are signed: the same for the same fields, however they were written."""
    return json.dumps(stated, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    unfinished = folder / f".{PRIVATE}-{os.getpid()}"
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(unfinished, folder / PRIVATE)  # of two processes that make one at once, the first one's counts
    except FileExistsError:
        return
    finally:
        unfinished.unlink()
    _write_public(folder, key)


def _write_public(folder: Path, key: Ed25519PrivateKey) -> None:
    """The whole file or none."""
    unfinished = folder / f".{PUBLIC}-{os.getpid()}"
    unfinished.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    unfinished.replace(folder / PUBLIC)


def _message(kind: Kind, content: bytes) -> bytes:
    return f"assay {kind} {hashlib.sha256(content).hexdigest()}".encode("ascii")
