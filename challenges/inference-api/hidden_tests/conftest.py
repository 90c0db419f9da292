"""What the checks share: how to ask for a prediction, and what a right answer looks like.

What the model would answer is asked by the checks that are about just that (`prediction`, `batch`). All others take the
service by its own word: what it answers when nothing else is going on (`quiet`) is what it should answer in batches,
under load and while it stops. So one wrong column costs a candidate the checks about the model and hides nothing else.

Everything is given through the fixture `expect`, so that the test files import nothing from each other.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

TOLERANCE = 1e-5
"""The brief's: how far a probability may be from the model's."""

SHOWN_CHARACTERS = 300

LOOKED_AT = 4
"""How many customers are asked about before a service counts as one that predicts."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the service said about one customer. `id` is whatever stood there, None if nothing did."""

    probability: float
    churn: bool
    id: Any


class Expectations:
    """Builders of requests, and assertions about answers that fail with a sentence a person can read."""

    @staticmethod
    def body(customer: Any, identifier: str | None = None) -> dict[str, Any]:
        """The JSON of one instance; without an identifier there is no `id` at all."""
        return {"features": customer} if identifier is None else {"id": identifier, "features": customer}

    @staticmethod
    def instances(customers: Sequence[Any], identifiers: Sequence[str] | None = None) -> dict[str, Any]:
        """The JSON of a batch."""
        if identifiers is None:
            return {"instances": [{"features": customer} for customer in customers]}
        rows = zip(identifiers, customers, strict=True)
        return {"instances": [{"id": identifier, "features": customer} for identifier, customer in rows]}

    @staticmethod
    def answered(answer: Any) -> Any:
        """The response of one exchange of a burst; raises the exchange's own failure."""
        if isinstance(answer, Exception):
            raise answer
        return answer

    # The service's own answers

    def single(self, answer: Any) -> Prediction:
        """The prediction in an answer to /predict; it has to have the brief's form, and may say anything."""
        response = self.answered(answer)
        self.status(response, 200)
        response.pick("model_version", type=str)
        return self._read(_Parsed(response.json(), response.text), ())

    def rows(self, answer: Any, count: int) -> list[Prediction]:
        """The `count` predictions in an answer to /predict/batch; they have to have the brief's form."""
        response = self.answered(answer)
        self.status(response, 200)
        given = len(response.pick("predictions", type=list))
        assert given == count, f"expected {count} predictions, one for each instance; got {given}"
        response.pick("model_version", type=str)
        parsed = _Parsed(response.json(), response.text)
        return [self._read(parsed, ("predictions", index)) for index in range(count)]

    def quiet(self, http: Any, customers: Sequence[Any]) -> list[Prediction]:
        """What the service says about these customers one after the other; it must tell some of them apart."""
        own = [self.single(http.post("/predict", json=self.body(customer))) for customer in customers]
        self.tells_apart(own)
        return own

    def predicts(self, http: Any, model: Any, rng: Any) -> None:
        """The service gives very different customers different probabilities: without that a check proves nothing."""
        self.quiet(http, model.unlike_customers(rng, LOOKED_AT))

    @staticmethod
    def tells_apart(own: Sequence[Prediction]) -> None:
        """Not all of the probabilities are the same."""
        probabilities = [prediction.probability for prediction in own]
        assert max(probabilities) - min(probabilities) > TOLERANCE, (
            f"{len(own)} very different customers should not all have the same probability, but all have "
            f"{probabilities[0]!r}"
        )

    @staticmethod
    def same(given: Prediction, own: Prediction, where: str) -> None:
        """The service still says what it said before (about the id nothing is asked here)."""
        assert abs(given.probability - own.probability) <= TOLERANCE, (
            f"{where}: probability should be {own.probability!r} (within {TOLERANCE}), which the service itself gives "
            f"this customer, but is {given.probability!r}"
        )
        assert given.churn == own.churn, (
            f"{where}: churn should be {own.churn}, as the service itself says of this customer, but is {given.churn}"
        )

    def same_rows(self, given: Sequence[Prediction], own: Sequence[Prediction], where: str) -> None:
        """The service still says what it said before, row by row."""
        for index, (now, before) in enumerate(zip(given, own, strict=True)):
            self.same(now, before, f"{where}, prediction {index}")

    # The model's answers

    def prediction(self, answer: Any, model: Any, customer: Any, identifier: str | None = None) -> None:
        """The answer to /predict is the model's for this customer, with the id and the model's version."""
        response = self.answered(answer)
        self.status(response, 200)
        self._same_prediction(response, (), model, customer, identifier)
        version = response.pick("model_version", type=str)
        assert version == model.version, f"model_version should be {model.version!r}, but is {version!r}"

    def batch(
        self, answer: Any, model: Any, customers: Sequence[Any], identifiers: Sequence[str] | None = None
    ) -> None:
        """The answer to /predict/batch has one prediction for each customer, at the customer's own place."""
        response = self.answered(answer)
        self.status(response, 200)
        count = len(response.pick("predictions", type=list))
        assert count == len(customers), f"expected {len(customers)} predictions, one for each instance; got {count}"
        version = response.pick("model_version", type=str)
        assert version == model.version, f"model_version should be {model.version!r}, but is {version!r}"
        document = response.json()
        for index, customer in enumerate(customers):
            identifier = None if identifiers is None else identifiers[index]
            self._same_prediction(_Parsed(document, response.text), ("predictions", index), model, customer, identifier)

    # Refusals

    def error(
        self, answer: Any, status: int | Collection[int], code: str | Collection[str], fields: Sequence[str] = ()
    ) -> None:
        """The answer is an error of this status and code, in the brief's form, that names these fields."""
        response = self.answered(answer)
        self.status(response, status)
        self._json_content(response)
        codes = {code} if isinstance(code, str) else set(code)
        given = response.pick("error", "code", type=str)
        assert given in codes, f"error.code should be {' or '.join(sorted(codes))}, but is {given!r}"
        message = response.pick("error", "message", type=str)
        assert message.strip(), "error.message should say in words what is wrong, but is empty"
        named = self.named_fields(response)
        missing = [field for field in fields if field not in named]
        assert not missing, f"error.details should name {', '.join(missing)}; it names {', '.join(named) or 'nothing'}"

    def named_fields(self, response: Any) -> list[str]:
        """The `field` of each entry of error.details."""
        details = response.pick("error", "details", type=list)
        for index in range(len(details)):
            response.pick("error", "details", index, "problem", type=str)
        return [response.pick("error", "details", index, "field", type=str) for index in range(len(details))]

    def status(self, response: Any, status: int | Collection[int]) -> None:
        allowed = {status} if isinstance(status, int) else set(status)
        wanted = " or ".join(str(one) for one in sorted(allowed))
        assert response.status in allowed, (
            f"expected status {wanted}, got {response.status} with {response.text[:SHOWN_CHARACTERS]!r}"
        )

    @staticmethod
    def _json_content(response: Any) -> None:
        kind = response.headers.get("content-type", "")
        assert kind.split(";")[0].strip().lower() == "application/json", (
            f"Content-Type should be application/json, is {kind!r}"
        )

    def _same_prediction(
        self, response: Any, at: tuple[Any, ...], model: Any, customer: Any, identifier: str | None
    ) -> None:
        where = f"prediction {at[1]} of the batch: " if at else ""
        expected = model.probability(customer)
        probability = response.pick(*at, "probability", type=float)
        assert abs(probability - expected) <= TOLERANCE, (
            f"{where}probability should be {expected:.6f} (within {TOLERANCE}), but is {probability!r}"
        )
        churn = response.pick(*at, "churn", type=bool)
        assert churn == (expected >= model.threshold), (
            f"{where}churn should be {expected >= model.threshold} for probability {expected:.4f} "
            f"and threshold {model.threshold}, but is {churn}"
        )
        given = None if identifier is None else response.pick(*at, "id", type=str)
        assert given == identifier, f"{where}id should be {identifier!r}, but is {given!r}"

    @staticmethod
    def _read(parsed: "_Parsed", at: tuple[Any, ...]) -> Prediction:
        probability = parsed.pick(*at, "probability", type=float)
        assert 0 <= probability <= 1, f"a probability should lie between 0 and 1, but is {probability!r}"
        churn = parsed.pick(*at, "churn", type=bool)
        return Prediction(probability, churn, parsed.pick(*at, type=dict).get("id"))


class _Parsed:
    """A response parsed once: a batch of a thousand rows is read without parsing it for each value."""

    def __init__(self, document: Any, text: str) -> None:
        self._document = document
        self._text = text

    def pick(self, *path: Any, type: Any) -> Any:  # noqa: A002 - the name the response's own pick has
        value = self._document
        for step in path:
            inside = isinstance(value, dict) and step in value
            inside = inside or (isinstance(value, list) and isinstance(step, int) and step < len(value))
            assert inside, f"the answer has no {'.'.join(map(str, path))}: {self._text[:SHOWN_CHARACTERS]!r}"
            value = value[step]
        wanted = (int, float) if type is float else type
        right = isinstance(value, wanted) and (type is bool or not isinstance(value, bool))
        assert right, f"{'.'.join(map(str, path))} should be of type {type.__name__}, but is {str(value)[:80]!r}"
        return value


@pytest.fixture
def expect() -> Expectations:
    return Expectations()
