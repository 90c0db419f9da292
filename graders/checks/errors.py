"""Failures of a check that are the challenge's own."""


class ChallengeError(Exception):
    """The check asked for something that does not exist."""
