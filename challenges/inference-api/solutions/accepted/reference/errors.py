"""Everything that can go wrong with a request, in the one shape the brief asks for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one value; `field` is its path, for instance instances[3].features.contract."""

    field: str
    problem: str


class ApiError(Exception):
    def __init__(self, status: int, code: str, message: str, problems: list[Problem] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.problems = problems or []

    def body(self) -> dict:
        details = [{"field": problem.field, "problem": problem.problem} for problem in self.problems]
        return {"error": {"code": self.code, "message": self.message, "details": details}}


def invalid_json(reason: str) -> ApiError:
    return ApiError(400, "invalid_json", f"The body is not valid JSON: {reason}.")


def body_too_large(limit: int) -> ApiError:
    return ApiError(413, "body_too_large", f"The body is larger than {limit} bytes.")


def batch_too_large(rows: int, limit: int) -> ApiError:
    return ApiError(413, "batch_too_large", f"The batch has {rows} rows; at most {limit} are allowed.")


def unsupported_media_type() -> ApiError:
    return ApiError(415, "unsupported_media_type", "Send JSON with Content-Type: application/json.")


def validation_failed(problems: list[Problem]) -> ApiError:
    return ApiError(422, "validation_failed", f"{len(problems)} value(s) were refused.", problems)


def not_ready() -> ApiError:
    return ApiError(503, "not_ready", "The model is not loaded.")
