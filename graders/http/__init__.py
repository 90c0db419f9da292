"""A small HTTP/1.1 client for talking to hostile services: everything it reads has a bound and a deadline."""

from graders.http.client import Client
from graders.http.messages import UNSET, BadAnswer, Request, Response

__all__ = ["UNSET", "BadAnswer", "Client", "Request", "Response"]
