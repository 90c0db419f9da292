"""Finds out what this machine can and cannot do, by trying it."""
