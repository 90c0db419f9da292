"""Checks by a real Prometheus: it has a network of its own, in which the submission's port leads to the submission."""

import time

import pytest

CONFIG = b"""
global: {scrape_interval: 200ms}
scrape_configs: [{job_name: service, static_configs: [{targets: ["127.0.0.1:8000"]}]}]
"""


@pytest.mark.check("is-scraped", points=1, skill="operations", visibility="hidden")
def test_is_scraped(service, start_companion):
    """Prometheus knows the answer."""
    prometheus = start_companion("prometheus", {"config": {"prometheus.yml": CONFIG}}, beside=service)
    deadline = time.monotonic() + 15
    found = []
    while not found and time.monotonic() < deadline:
        found = prometheus.http.get("/api/v1/query?query=answer").json()["data"]["result"]
    assert found, "Prometheus saw no gauge 'answer'"
    assert found[0]["value"][1] == "42"


@pytest.mark.check("rules-are-sound", points=1, skill="operations", visibility="hidden")
def test_rules_are_sound(run_tool, submitted):
    """Promtool accepts the rules."""
    rules = {"alerts.yml": submitted("alerts.yml")}
    command = ["/packages/usr/bin/promtool", "check", "rules", "/inputs/rules/alerts.yml"]
    result = run_tool("prometheus", command, {"rules": rules})
    assert result.exit_code == 0, result.stderr.decode("utf-8", "replace")[-300:]
