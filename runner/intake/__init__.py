"""Intake: what a candidate handed in (a folder, an archive, a git revision) becomes a submission, safely."""

from runner.intake.limits import IntakeLimits
from runner.intake.receive import Archive, Received, receive, unpack
from runner.intake.tree import pack
from runner.intake.write import write_tree

__all__ = ["Archive", "IntakeLimits", "Received", "pack", "receive", "unpack", "write_tree"]
