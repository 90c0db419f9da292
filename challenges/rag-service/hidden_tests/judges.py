"""The judges of five checks, apart from asking: judge_data holds answers that they must accept, and must refuse.

A file of judge_data has what was put and what is right where a judge needs to know, and the answer as it came.
"""

from types import SimpleNamespace

from conftest import Corpora

from graders.http import Response


def make_judges(challenge_folder):
    corpora = Corpora()

    def answered(answer):
        document = SimpleNamespace(**answer["document"])
        fact = SimpleNamespace(statement=answer["statement"])
        corpora.grounded(corpora.reply(Response.recorded(answer["response"])), fact, document)

    def unanswered(answer):
        corpora.nothing(corpora.reply(Response.recorded(answer["response"])), "nothing answers the question")

    def searched(answer):
        corpora.results(Response.recorded(answer["response"]), answer["k"])

    def streamed(answer):
        document = SimpleNamespace(**answer["document"])
        fact = SimpleNamespace(statement=answer["statement"])
        events = corpora.events(Response.recorded(answer["response"]))
        corpora.right(corpora.last_reply(events), fact, document)

    def refused(answer):
        corpora.error(Response.recorded(answer["response"]), 400, "tenant_required")

    return {
        "answer-and-citation": answered,
        "no-answer-no-guess": unanswered,
        "search-form": searched,
        "streams": streamed,
        "tenant-needed": refused,
    }
