"""Reads a TOML file into a pydantic model, with every problem worded for who wrote it: file, field, fix."""

import difflib
import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from assessments.errors import AssayError

_Model = TypeVar("_Model", bound=BaseModel)


def read_toml(path: Path, model: type[_Model], invalid: type[AssayError], *, absent: str, described_by: str) -> _Model:
    """The file as the model has it.

    `absent` is said where there is no file; `described_by` is the command that prints the schema. Raises `invalid`.
    """
    try:
        data = tomllib.loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError as error:
        raise invalid(f"{path}: there is no such file; {absent}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise invalid(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise invalid(f"{path}: is not TOML: {error}") from error
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise invalid(f"{path}: {problem}" for problem in _problems(error, model, described_by)) from error


def _problems(error: ValidationError, model: type[BaseModel], described_by: str) -> list[str]:
    problems = []
    for item in error.errors(include_url=False, include_input=False):
        location = item["loc"]
        field = ".".join(str(part) for part in location)
        if item["type"] == "extra_forbidden":
            problems.append(f"{field}: is not a key of the manifest{_nearest(location, model)}")
        elif item["type"] == "missing":
            problems.append(f"{field}: is missing; add it ({described_by} describes it)")
        else:
            text = item["msg"].removeprefix("Value error, ")
            problems += [f"{field}: {part}" if field else part for part in text.split("; ")]
    return problems


def _nearest(location: tuple[int | str, ...], top: type[BaseModel]) -> str:
    """The likeliest key the author meant, from the fields of the table that `location` is in."""
    model: type[BaseModel] | None = top
    for part in location[:-1]:
        if isinstance(part, int) or model is None:
            continue
        model = _table_of(model, part)
    known = list(model.model_fields) if model else []
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; it can hold {', '.join(known)}"


def _table_of(model: type[BaseModel], field: str) -> type[BaseModel] | None:
    annotation = model.model_fields[field].annotation
    for candidate in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None
