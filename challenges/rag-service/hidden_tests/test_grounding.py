"""Answers that the documents bear out, citations that exist, and no answer where there is none."""

import pytest

ANSWERED_RIGHTLY = 0.7
QUESTIONS = 24


@pytest.mark.check("answer-and-citation", points=4, skill="grounding", visibility="public")
def test_answer_and_citation(http, llm, oracle, rng, corpora):
    """A question in the document's own words gets the document's answer, and a citation that bears it out."""
    tenant = oracle.tenant(rng)
    documents = oracle.documents(rng, oracle.facts(rng, 4))
    corpora.put(http, tenant, documents)
    for document in documents:
        fact = document.facts[0]
        corpora.grounded(corpora.reply(corpora.ask(http, tenant, fact.direct)), fact, document)


@pytest.mark.check("questions-in-other-words", points=5, skill="grounding", visibility="hidden")
def test_questions_in_other_words(http, llm, oracle, rng, corpora):
    """Over a corpus of fifty documents, most questions in other words are answered rightly, with the right citation."""
    tenant, corpus = oracle.tenant(rng), oracle.corpus(rng)
    corpora.put(http, tenant, corpus.documents)
    asked = rng.sample(list(corpus.general()), QUESTIONS)
    questions = [fact.asked(rng) for fact, _ in asked]
    answers = http.burst([corpora.asking(tenant, question) for question in questions], concurrency=4)
    wrong = []
    for (fact, document), question, answer in zip(asked, questions, answers, strict=True):
        try:
            corpora.grounded(corpora.reply(corpora.answered_at_all(answer)), fact, document)
        except AssertionError as error:
            wrong.append(f"{question!r}: {error}")
    right = QUESTIONS - len(wrong)
    assert right >= ANSWERED_RIGHTLY * QUESTIONS, (
        f"{ANSWERED_RIGHTLY:.0%} of {QUESTIONS} questions should be answered rightly, {right} were; such as {wrong[0]}"
    )


@pytest.mark.check("no-answer-no-guess", points=4, skill="grounding", visibility="hidden")
def test_no_answer_no_guess(http, llm, oracle, rng, corpora):
    """What no document says is not answered, however alike what they do say."""
    tenant, corpus = oracle.tenant(rng), oracle.corpus(rng)
    corpora.put(http, tenant, corpus.documents)
    for fact in corpus.absent:
        for question in (fact.direct, fact.asked(rng)):
            corpora.nothing(corpora.reply(corpora.ask(http, tenant, question)), f"no document answers {question!r}")
    fact, document = rng.choice(list(corpus.general()))
    corpora.right(corpora.reply(corpora.ask(http, tenant, fact.direct)), fact, document)


@pytest.mark.check("no-documents-no-model", points=1, skill="grounding", visibility="after")
def test_no_documents_no_model(http, llm, oracle, rng, corpora):
    """A tenant without documents gets no answer, and the model is not asked in vain."""
    tenant, fact = oracle.tenant(rng), oracle.fact(rng)
    reply = corpora.reply(corpora.ask(http, tenant, fact.direct))
    corpora.nothing(reply, "a tenant without documents")
    assert not llm.seen, f"the model should not be asked without a document, but was {len(llm.seen)} times"
    assert (reply.prompt_tokens, reply.completion_tokens) == (0, 0), "nothing was asked, so usage should be 0"
    document = oracle.document(rng, fact)
    corpora.put(http, tenant, [document])
    corpora.right(corpora.reply(corpora.ask(http, tenant, fact.direct)), fact, document, "with its first document")


@pytest.mark.check("made-up-sources", points=3, skill="grounding", visibility="hidden")
def test_made_up_sources(http, llm, oracle, rng, corpora):
    """A source that the model was not given is not cited, and an answer that has no other is none."""
    tenant, fact = oracle.tenant(rng), oracle.fact(rng)
    document = oracle.document(rng, fact)
    corpora.put(http, tenant, [document])
    llm.cite_stray(beside_the_source=True)
    reply = corpora.reply(corpora.ask(http, tenant, fact.direct))
    corpora.right(reply, fact, document, "beside a made-up source")
    strangers = [identifier for identifier, _ in reply.citations if identifier != document.id]
    assert not strangers, f"the tenant has no document {strangers[0][:80]!r}, but it was cited"
    llm.cite_stray(beside_the_source=False)
    corpora.nothing(corpora.reply(corpora.ask(http, tenant, fact.direct)), "with nothing but a made-up source")
    corpora.right(corpora.reply(corpora.ask(http, tenant, fact.direct)), fact, document, "afterwards")


@pytest.mark.check("made-up-answers", points=2, skill="grounding", visibility="hidden")
def test_made_up_answers(http, llm, oracle, rng, corpora):
    """An answer that does not stand in the passage it cites is none."""
    tenant, fact = oracle.tenant(rng), oracle.fact(rng)
    document = oracle.document(rng, fact)
    corpora.put(http, tenant, [document])
    llm.misquote()
    corpora.nothing(corpora.reply(corpora.ask(http, tenant, fact.direct)), "the model gave a number that is not there")
    corpora.right(corpora.reply(corpora.ask(http, tenant, fact.direct)), fact, document, "afterwards")
