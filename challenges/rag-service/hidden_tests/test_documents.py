"""Documents come, change and go; what was said before is not said again."""

import pytest


@pytest.mark.check("documents-listed", points=2, skill="freshness", visibility="public")
def test_documents_listed(http, oracle, rng, corpora):
    """Putting says whether a document is new, the list has them by id, and deleting what is not there is a 404."""
    tenant = oracle.tenant(rng)
    documents = oracle.documents(rng, oracle.facts(rng, 3))
    corpora.put(http, tenant, documents)
    corpora.replace(http, tenant, documents[0])
    corpora.delete(http, tenant, documents[1])
    again = http.request("DELETE", f"/documents/{documents[1].id}", headers=corpora.headers(tenant))
    corpora.error(again, 404, "not_found")
    listed = http.get("/documents", headers=corpora.headers(tenant))
    corpora.status(listed, 200)
    left = sorted((documents[0], documents[2]), key=lambda one: one.id)
    expected = [{"id": one.id, "title": one.title} for one in left]
    assert listed.pick("documents", type=list) == expected, f"expected {expected}, got {listed.text[:300]}"


@pytest.mark.check("updates-count", points=4, skill="freshness", visibility="hidden")
def test_updates_count(http, llm, oracle, rng, corpora):
    """Once a document was replaced, questions get its new answer, and nothing of the old text is left anywhere."""
    tenant = oracle.tenant(rng)
    facts = oracle.facts(rng, 6)
    documents = oracle.documents(rng, facts)
    corpora.put(http, tenant, documents)
    old, document = facts[0], documents[0]
    corpora.right(corpora.reply(corpora.ask(http, tenant, old.direct)), old, document, "before the update")
    new = old.changed(rng)
    updated = _with_text(document, document.text.replace(old.statement, new.statement), new)
    corpora.replace(http, tenant, updated)
    llm.seen.clear()
    corpora.right(corpora.reply(corpora.ask(http, tenant, old.direct)), new, updated, "after the update")
    _nowhere(http, llm, corpora, tenant, old, "was replaced")
    other = facts[5]
    moved_on = _with_text(document, f"{other.changed(rng).title} is a matter for later.", other)
    corpora.replace(http, tenant, moved_on)
    gone = corpora.reply(corpora.ask(http, tenant, old.direct))
    corpora.nothing(gone, "the sentence was taken out of its document")
    _nowhere(http, llm, corpora, tenant, old, "was taken out")


@pytest.mark.check("deletes-forget", points=3, skill="freshness", visibility="hidden")
def test_deletes_forget(http, llm, oracle, rng, corpora):
    """Once a document was deleted, nothing of it is found, answered or sent to the model."""
    tenant = oracle.tenant(rng)
    documents = oracle.documents(rng, oracle.facts(rng, 4))
    corpora.put(http, tenant, documents)
    gone, kept = documents[:2], documents[2:]
    for document in documents:
        fact = document.facts[0]
        corpora.right(corpora.reply(corpora.ask(http, tenant, fact.direct)), fact, document, "before the delete")
    for document in gone:
        corpora.delete(http, tenant, document)
    llm.seen.clear()
    for document in gone:
        fact = document.facts[0]
        corpora.nothing(corpora.reply(corpora.ask(http, tenant, fact.direct)), f"{document.id} was deleted")
        _nowhere(http, llm, corpora, tenant, fact, "was deleted")
    for document in kept:
        fact = document.facts[0]
        corpora.right(corpora.reply(corpora.ask(http, tenant, fact.direct)), fact, document, "another was deleted")


def _with_text(document, text, fact):
    return type(document)(document.id, document.title, text, (fact,))


def _nowhere(http, llm, corpora, tenant, fact, why):
    """Neither a search nor a prompt holds the statement."""
    for _, passage in corpora.search(http, tenant, fact.direct, 20):
        assert fact.statement not in " ".join(passage.split()), f"{fact.statement!r} {why}, but a search still finds it"
    for seen in llm.seen:
        text = " ".join(seen.prompt.text.split()) if seen.prompt else ""
        assert fact.statement not in text, f"{fact.statement!r} {why}, but was sent to the model"
