"""Checks of the echo service, one for each thing a check can do."""

import pytest

from graders.http import Request, Response


@pytest.mark.check("echoes", points=2, skill="correctness", visibility="public")
def test_echoes(http, rng):
    """What was sent comes back."""
    sent = {"number": rng.randrange(10**9), "text": "zwölf"}
    response = http.post("/echo", json=sent, timeout_s=1)
    assert response.status == 200, f"200 was expected, {response.status} came"
    assert response.json() == sent, "the JSON that was sent should come back"


@pytest.mark.check("says-the-word", points=1, skill="correctness", visibility="after")
def test_says_the_word(http, oracle):
    """The word comes from the assets."""
    assert http.get("/word").text.strip() == oracle["words"], "the word of the asset was expected"


@pytest.mark.check("says-the-other-word", points=1, skill="correctness", visibility="hidden")
def test_says_the_other_word(start_service, oracle):
    """Another asset gives another word."""
    service = start_service(assets={"words": "other-words"})
    assert service.http.get("/word").text.strip() == oracle["other-words"], "the word of the other asset was expected"


@pytest.mark.check("ends-when-told", points=1, skill="operations", visibility="hidden")
def test_ends_when_told(start_service):
    """SIGTERM ends the service, with exit code 0."""
    service = start_service()
    assert service.alive
    service.signal("TERM")
    run = service.wait(5)
    assert run is not None, "the service was still running 5 s after SIGTERM"
    assert run.exit_code == 0, f"exit code 0 was expected, {run.exit_code} came"


@pytest.mark.check("answers-many", points=1, skill="operations", visibility="hidden")
def test_answers_many(http, service):
    """Many requests at once each get their own answer."""
    answers = http.burst([Request("POST", "/echo", json=number) for number in range(40)])
    values = [answer.json() if isinstance(answer, Response) else str(answer) for answer in answers]
    assert values == list(range(40)), "each request should get its own answer"
    assert service.startup_s > 0
