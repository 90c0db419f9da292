"""Everything that can go wrong with a request, in the one shape the brief asks for."""


class ApiError(Exception):
    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}

    def body(self) -> dict:
        return {"error": {"code": self.code, "message": str(self)}}


def invalid(message: str) -> ApiError:
    return ApiError(422, "validation_failed", message)


def llm_unavailable(reason: str, retry_after_s: float | None = None) -> ApiError:
    headers = {} if retry_after_s is None else {"Retry-After": f"{retry_after_s:.0f}"}
    return ApiError(503, "llm_unavailable", f"The model gave no answer: {reason}.", headers)
