"""Two million rows, measured beside the reference solution in turns: see [[plans]] and the budgets in challenge.toml.

The results of every run are compared with what they should be: what is quick because it left something out does not
count.
"""

import pytest

from graders.target import Run


@pytest.fixture
def large_run(oracle, scratch, pipeline, every_feature):
    """Makes one run over the large data set, and the judge of what it left."""

    def make(rng):
        large = oracle.large(scratch)

        def judge(result):
            pipeline.exit_code(result, 0)
            if result.file("features.csv") != large.features_csv:
                pipeline.features(result, large, every_feature)
            pipeline.summary(result, large)

        inputs = {"events": large.events, "reference": large.reference}
        return Run(args=pipeline.arguments(large.as_of), inputs=inputs, judge=judge)

    return make


@pytest.mark.check("time-of-two-million", points=4, skill="performance", visibility="after")
def test_time_of_two_million(measure, large_run):
    """Two million rows take at most three times as long as they take our own pipeline."""
    measure(large_run)


@pytest.mark.check("cpu-of-two-million", points=2, skill="performance", visibility="after")
def test_cpu_of_two_million(measure, large_run):
    """Two million rows cost at most three times the CPU time that they cost our own pipeline."""
    measure(large_run)


@pytest.mark.check("memory-of-two-million", points=4, skill="performance", visibility="after")
def test_memory_of_two_million(measure, large_run):
    """Over two million rows the pipeline holds at most twice the memory of our own."""
    measure(large_run)
