"""Reads `challenge.toml` into a `Challenge`; the pydantic models are its published JSON Schema."""

from assessments.manifest.read import read_challenge

__all__ = ["read_challenge"]
