"""The one hidden check of the smallest challenge. CANARY-3f9d: this line must never reach a candidate."""

import pytest


@pytest.mark.check("sum-is-right", points=1, skill="correctness", visibility="hidden")
def test_sum_is_right(run_job, rng):
    """The sum of two numbers is printed."""
    first, second = rng.randrange(10**6), rng.randrange(10**6)
    result = run_job(stdin=f"{first} {second}\n".encode())
    assert result.exit_code == 0, f"exit code 0 was expected, {result.exit_code} came"
    printed = result.stdout.decode("utf-8", "replace").strip()
    assert printed == str(first + second), f"{first} {second} should give {first + second}, gave {printed[:100]!r}"
