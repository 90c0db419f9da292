"""The judges of four checks, apart from running: judge_data holds results that they must accept, and must refuse.

A file of judge_data has the inputs as lines, and a file of the results as a run could have left it.
"""

from datetime import date

from conftest import FEATURES, MONEY, Pipeline
from oracle import make_oracle

from assessments.observation import Usage
from graders.target import JobResult


def make_judges(challenge_folder):
    oracle = make_oracle(challenge_folder, seed=0)
    compare = Pipeline(None, oracle)

    def of_run(answer):
        """What was left, and what should have been."""
        given = {
            kind: {name: text.encode() for name, text in answer[kind].items()}
            for kind in ("events", "reference", "left")
        }
        expected = oracle.expect(given["events"], given["reference"], date.fromisoformat(answer["as_of"]))
        return JobResult(0, b"", b"", 0.0, Usage(None, None, None), given["left"]), expected

    return {
        "everyday-features": lambda answer: compare.features(*of_run(answer), FEATURES),
        "money-is-exact": lambda answer: compare.features(*of_run(answer), MONEY, exact=True),
        "quarantine-reasons": lambda answer: compare.quarantine(*of_run(answer)),
        "numbers-add-up": lambda answer: compare.summary(*of_run(answer)),
    }
