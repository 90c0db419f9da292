"""The neighbour: says a word for each ask, as it is told to."""

import json

from graders.companions import Answer, Asked


class Neighbour:
    """Its answers, and what it was asked."""

    def __init__(self, seed):
        self.seed = seed
        self.asked = []
        self.next = []

    def answer(self, request: Asked) -> Answer:
        self.asked.append((request.method, request.target, json.loads(request.body)))
        return self.next.pop(0) if self.next else Answer(body=f"{self.seed}:{self.asked[-1][2]}".encode())


def make_companions(challenge_folder, seed):
    """The neighbour of one instance."""
    del challenge_folder
    return {"neighbour": Neighbour(seed)}
