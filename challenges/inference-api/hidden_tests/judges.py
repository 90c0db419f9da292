"""The judges of four checks, apart from asking: judge_data holds answers that they must accept, and must refuse.

A file of judge_data has the customers that were asked about, and the answer as it came.
"""

from conftest import Expectations
from oracle import make_oracle

from graders.http import Response


def make_judges(challenge_folder):
    model = make_oracle(challenge_folder, seed=0).current
    expect = Expectations()

    def prediction(answer):
        expect.prediction(Response.recorded(answer["response"]), model, answer["customer"], answer.get("id"))

    def batch(answer):
        expect.batch(Response.recorded(answer["response"]), model, answer["customers"], answer.get("ids"))

    def out_of_range(answer):
        expect.error(Response.recorded(answer["response"]), 422, "validation_failed", answer["fields"])

    def malformed(answer):
        expect.error(Response.recorded(answer["response"]), 400, "invalid_json")

    return {
        "predict-matches-model": prediction,
        "batch-matches-model": batch,
        "out-of-range": out_of_range,
        "malformed-json": malformed,
    }
