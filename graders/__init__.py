"""Floor 2, what judges: the grader process, the hidden tests' fixtures, the bounded HTTP client."""
