"""Tokens: how many a prompt may have, what was spent, and what a tenant may spend."""

import pytest

SMALL_BUDGET = 480
USD = {"PROMPT_USD_PER_1M": "2.5", "COMPLETION_USD_PER_1M": "10"}
CENT_FRACTION = 1e-9


@pytest.mark.check("prompts-fit", points=3, skill="cost", visibility="hidden")
def test_prompts_fit(http, start_service, oracle, rng, corpora):
    """No prompt has more tokens than PROMPT_TOKEN_BUDGET, and the best passages are among those that fit."""
    service = start_service(env={"PROMPT_TOKEN_BUDGET": str(SMALL_BUDGET)})
    llm = service.companions["llm"]
    tenant, corpus = oracle.tenant(rng), oracle.corpus(rng)
    corpora.put(service.http, tenant, corpus.documents)
    asked = rng.sample(list(corpus.general()), 8)
    for fact, document in asked:
        corpora.right(
            corpora.reply(corpora.ask(service.http, tenant, fact.direct)), fact, document, "with a small budget"
        )
    longest = max((seen.prompt_tokens for seen in llm.seen), default=0)
    assert llm.seen, "the model was not asked"
    assert longest <= SMALL_BUDGET, f"a prompt may have {SMALL_BUDGET} tokens, one had {longest}"


@pytest.mark.check("usage-adds-up", points=2, skill="cost", visibility="hidden")
def test_usage_adds_up(start_service, oracle, rng, corpora):
    """/usage says what each tenant's answers took, in tokens as the model counted them and in dollars."""
    service = start_service(env=USD)
    llm, http = service.companions["llm"], service.http
    for questions in (3, 1):
        tenant, fact = oracle.tenant(rng), oracle.fact(rng)
        document = oracle.document(rng, fact)
        corpora.put(http, tenant, [document])
        llm.seen.clear()
        llm.fail(500)
        replies = [corpora.reply(corpora.ask(http, tenant, fact.direct)) for _ in range(questions)]
        counted = [seen for seen in llm.seen if seen.said is not None]
        assert len(counted) == questions, f"{questions} questions were asked, the model answered {len(counted)}"
        spent = (sum(one.prompt_tokens for one in counted), sum(one.completion_tokens for one in counted))
        said = (sum(one.prompt_tokens for one in replies), sum(one.completion_tokens for one in replies))
        assert said == spent, (
            f"the model counted {spent} tokens (prompt, completion), the answers' usage adds up to {said}"
        )
        usage = http.get("/usage", headers=corpora.headers(tenant))
        corpora.status(usage, 200)
        total = tuple(usage.pick(name, type=int) for name in ("prompt_tokens", "completion_tokens"))
        assert total == spent, f"the model counted {spent} tokens (prompt, completion), /usage says {total}"
        cost = usage.pick("cost_usd", type=float)
        expected = (spent[0] * 2.5 + spent[1] * 10) / 1e6
        assert abs(cost - expected) <= CENT_FRACTION, f"cost_usd should be {expected:.9f}, but is {cost!r}"


@pytest.mark.check("tenant-budget", points=3, skill="cost", visibility="hidden")
def test_tenant_budget(start_service, oracle, rng, corpora):
    """A tenant that has spent TENANT_TOKEN_BUDGET gets 429 and costs nothing more; its neighbours go on."""
    service = start_service(env={"TENANT_TOKEN_BUDGET": "1000"})
    llm, http = service.companions["llm"], service.http
    fact = oracle.fact(rng)
    document = oracle.document(rng, fact)
    spender, saver = oracle.tenant(rng), oracle.tenant(rng)
    for tenant in (spender, saver):
        corpora.put(http, tenant, [document])
    spent = 0
    while spent < 1000:
        reply = corpora.reply(corpora.ask(http, spender, fact.direct))
        corpora.right(reply, fact, document, f"with {spent} of 1000 tokens spent")
        assert reply.prompt_tokens > 0, "an answer takes tokens, its usage says 0"
        spent += reply.prompt_tokens + reply.completion_tokens
    llm.seen.clear()
    corpora.error(corpora.ask(http, spender, fact.direct), 429, "budget_exhausted")
    assert not llm.seen, "a tenant without tokens should cost nothing, but the model was asked"
    assert corpora.search(http, spender, fact.direct, 5), "searching takes no tokens"
    corpora.right(
        corpora.reply(corpora.ask(http, saver, fact.direct)), fact, document, "a neighbour has spent its tokens"
    )
