"""Speed and thrift, measured beside the reference solution in turns: see [[plans]] and the budgets in challenge.toml.

Questions are about the corpus that the service loads by itself, and no two are the same: an answer that was remembered
is of no use.
"""

import pytest

from graders.load import Ask


@pytest.fixture
def one_question(oracle, corpora):
    """Makes one question about the sample corpus, and the judge of its answer."""

    def make(rng):
        fact = rng.choice(oracle.sample)
        question = f"{fact.direct} (Case {rng.getrandbits(48):x})"

        def judge(response):
            reply = corpora.reply(response)
            assert fact.statement in " ".join(reply.answer.split()), (
                f"the sample corpus says {fact.statement!r}, but the answer is {reply.answer[:200]!r}"
            )

        return Ask(corpora.asking("sample", question), judge)

    return make


@pytest.mark.check("p95-under-load", points=3, skill="performance", visibility="after")
def test_p95_under_load(measure, one_question):
    """Under a steady load, 95 of 100 answers come within twice the time our own service takes."""
    measure(one_question)


@pytest.mark.check("cpu-per-answer", points=2, skill="performance", visibility="after")
def test_cpu_per_answer(measure, one_question):
    """Under a steady load, an answer costs at most twice the CPU time it costs our own service."""
    measure(one_question)
