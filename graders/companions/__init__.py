"""Companions that the grader answers: servers in a sandbox's own network, whose word is the hidden tests'."""

from graders.companions.messages import Answer, Asked, Companion

__all__ = ["Answer", "Asked", "Companion"]
