"""The problems found in one submission, worded for a person and safe to print on a terminal."""

from typing import Final, NoReturn

from assessments.errors import InvalidSubmission

SHOWN_PROBLEMS: Final = 20
_SHOWN_CHARACTERS: Final = 80


def shown(name: str, limit: int = _SHOWN_CHARACTERS) -> str:
    """An untrusted name in quotes: everything but printable characters escaped, cut in the middle when long."""
    if len(name) > limit:
        kept = (limit - 1) // 2
        name = f"{name[:kept]}…{name[-kept:]}"
    return '"' + "".join(map(_shown_character, name)) + '"'


def _shown_character(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


class Problems:
    """Problems of the submission called `origin`, collected so that a candidate can mend them all at once.

    At most `SHOWN_PROBLEMS` are kept, the rest are counted: a hostile archive cannot make the message long.
    """

    def __init__(self, origin: str) -> None:
        self._where = shown(origin)
        self._found: list[str] = []
        self._more = 0

    def add(self, entry: str | None, what: str) -> None:
        """Note what is wrong and how to mend it, about one entry or (None) about the whole."""
        if len(self._found) == SHOWN_PROBLEMS:
            self._more += 1
            return
        subject = f"{shown(entry)} " if entry is not None else ""
        self._found.append(f"{self._where}: {subject}{what}")

    def stop(self, entry: str | None, what: str) -> NoReturn:
        """Raise InvalidSubmission with this problem first and those found before it after it."""
        found, self._found = self._found, []
        self.add(entry, what)
        self._found.extend(found[: SHOWN_PROBLEMS - 1])
        self._more += len(found[SHOWN_PROBLEMS - 1 :])
        raise self._error()

    def raise_if_any(self) -> None:
        """Raise InvalidSubmission if anything was noted."""
        if self._found:
            raise self._error()

    def _error(self) -> InvalidSubmission:
        more = [f"{self._where}: and {self._more} more problems like these."] if self._more else []
        return InvalidSubmission([*self._found, *more])
