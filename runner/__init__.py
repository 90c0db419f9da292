"""Floor 3, effects: intake, sandboxes, the grading flow, files, reports and the command line."""

__version__ = "0.1.0"
