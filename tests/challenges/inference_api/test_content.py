"""What the challenge's files say about each other holds."""

from typing import Any


def test_a_mistake_in_the_probabilities_costs_checks_about_the_model_only(
    manifest: dict[str, Any], expected: dict[str, Any]
) -> None:
    skills = {check["id"]: check["skill"] for check in manifest["checks"]}
    for fault in ("columns-swapped", "columns-as-received", "batch-order-lost", "threshold-of-one-half"):
        failed = expected["broken"][fault]["must_fail"]
        assert len(failed) <= 5
        assert {skills[check] for check in failed} == {"correctness"}
