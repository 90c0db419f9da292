"""Hidden tests: pytest files that run in the grader's process, with fixtures that reach the submission from outside."""
