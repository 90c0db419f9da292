"""Tenants do not see each other, not even through the model or a cache."""

import pytest


@pytest.mark.check("tenants-apart", points=4, skill="isolation", visibility="hidden")
def test_tenants_apart(http, llm, oracle, rng, corpora):
    """The same id and the same question mean another document and another answer for another tenant."""
    first, second = oracle.tenant(rng), oracle.tenant(rng)
    own = oracle.document(rng, oracle.fact(rng))
    other_fact = own.facts[0].changed(rng)
    other = type(own)(own.id, own.title, own.text.replace(own.facts[0].statement, other_fact.statement), (other_fact,))
    corpora.put(http, first, [own])
    corpora.put(http, second, [other])
    for _ in range(2):
        for tenant, document in ((first, own), (second, other)):
            fact = document.facts[0]
            corpora.right(
                corpora.reply(corpora.ask(http, tenant, fact.direct)), fact, document, "with a namesake next door"
            )
    corpora.delete(http, first, own)
    corpora.nothing(
        corpora.reply(corpora.ask(http, first, own.facts[0].direct)), "the tenant's only document was deleted"
    )
    corpora.right(
        corpora.reply(corpora.ask(http, second, other_fact.direct)), other_fact, other, "the neighbour deleted"
    )


@pytest.mark.check("nothing-of-others", points=3, skill="isolation", visibility="hidden")
def test_nothing_of_others(http, llm, oracle, rng, corpora):
    """Nothing of another tenant's documents is found, listed, deleted or sent to the model."""
    owner, stranger = oracle.tenant(rng), oracle.tenant(rng)
    facts = oracle.facts(rng, 8)
    secrets, others = oracle.documents(rng, facts[:4]), oracle.documents(rng, facts[4:])
    corpora.put(http, owner, secrets)
    corpora.put(http, stranger, others)
    ids = {document.id for document in others}
    llm.seen.clear()
    for document in secrets:
        question = document.facts[0].direct
        found = {identifier for identifier, _ in corpora.search(http, stranger, question, 20)}
        assert found <= ids, "a search found a document of another tenant"
        corpora.nothing(corpora.reply(corpora.ask(http, stranger, question)), "the answer is another tenant's")
        missing = http.request("DELETE", f"/documents/{document.id}", headers=corpora.headers(stranger))
        corpora.error(missing, 404, "not_found")
    for seen in llm.seen:
        leaked = [
            one.id for one in secrets if seen.prompt and one.facts[0].statement in " ".join(seen.prompt.text.split())
        ]
        assert not leaked, f"{leaked[0]} belongs to another tenant, but was sent to the model"
    listed = http.get("/documents", headers=corpora.headers(stranger)).pick("documents", type=list)
    assert len(listed) == len(others), f"the tenant has {len(others)} documents, {len(listed)} were listed"
    for document in secrets:
        fact = document.facts[0]
        corpora.right(corpora.reply(corpora.ask(http, owner, fact.direct)), fact, document, "the owner still asks")


@pytest.mark.check("tenant-needed", points=2, skill="isolation", visibility="after")
def test_tenant_needed(http, oracle, rng, corpora):
    """A request that does not say whose it is, or says it in another form, is refused."""
    document = oracle.document(rng, oracle.fact(rng))
    for headers in ({}, {"X-Tenant": ""}, {"X-Tenant": "Not/A Tenant"}):
        asked = {"question": document.facts[0].direct}
        corpora.error(http.post("/ask", json=asked, headers=headers), 400, "tenant_required")
        corpora.error(http.post("/search", json={"query": "anything"}, headers=headers), 400, "tenant_required")
        corpora.error(http.get("/documents", headers=headers), 400, "tenant_required")
        put = http.request("PUT", f"/documents/{document.id}", json=document.body, headers=headers)
        corpora.error(put, 400, "tenant_required")
