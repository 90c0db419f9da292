"""What ends a run early. Messages name files and columns, never what stands in a row."""


class UnusableInput(Exception):
    """The inputs, or an earlier run's results, cannot be worked with: exit code 3."""
