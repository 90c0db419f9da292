"""Source as normalised tokens: what stays of a program when names, literals, comments and layout are taken off. Pure.

Bounded, for the source is the candidate's: at most `MOST_FILES` files of at most `MOST_FILE_BYTES` each and
`MOST_BYTES` in all are read, and at most `MOST_TOKENS` tokens made of them. What is beyond is left out, and said so.
Only languages whose lexers take no more than linear time on hostile input are read (a shell's here documents, for
one, take quadratic time); Python and SQL are what challenges ask for.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pygments.lexer import Lexer
    from pygments.token import _TokenType

MOST_FILES: Final = 400
MOST_FILE_BYTES: Final = 128 << 10
MOST_BYTES: Final = 512 << 10
MOST_TOKENS: Final = 40_000
"""Some 4,000 lines of Python, ten times what the challenges ask for."""

_LEXERS: Final = {".py": "python", ".pyi": "python", ".sql": "sql"}
_AS_IT_IS: Final = {"stripnl": False, "ensurenl": False}
_BLANKS: Final = re.compile(r"[^\S\n]+")
NAME: Final = "name"
TEXT: Final = "text"
NUMBER: Final = "number"


@dataclass(frozen=True, slots=True)
class TokenisedFile:
    """One file's tokens, and of each the line it stands on, counted from 1."""

    path: str
    tokens: tuple[str, ...]
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tokenised:
    files: tuple[TokenisedFile, ...]
    cut: bool
    """Whether something was left out that may have been source."""


def tokenised(contents: Mapping[str, bytes]) -> Tokenised:
    """The source files among `contents` (bytes by path) as tokens, by path. Binary files are no source."""
    paths = sorted(path for path, content in contents.items() if _language(path) and b"\0" not in content[:1024])
    files: list[TokenisedFile] = []
    bytes_left, tokens_left, cut = MOST_BYTES, MOST_TOKENS, len(paths) > MOST_FILES
    for path in paths[:MOST_FILES]:
        head = contents[path][: min(MOST_FILE_BYTES, bytes_left)]
        bytes_left -= len(head)
        file, whole = _tokenised(path, head, tokens_left)
        tokens_left -= len(file.tokens)
        cut = cut or not whole or len(head) < len(contents[path])
        files.append(file)
    return Tokenised(tuple(files), cut)


def _tokenised(path: str, content: bytes, limit: int) -> tuple[TokenisedFile, bool]:
    """A file of at most `limit` tokens, and whether that is all of it."""
    text, numbers = _packed(content.decode("utf-8", "replace"))
    tokens: list[str] = []
    lines: list[int] = []
    seen = row = 0
    for at, token in _normalised(path, text):
        if len(tokens) == limit:
            return TokenisedFile(path, tuple(tokens), tuple(lines)), False
        row += text.count("\n", seen, at)
        seen = at
        tokens.append(token)
        lines.append(numbers[row])
    return TokenisedFile(path, tuple(tokens), tuple(lines)), True


def _packed(text: str) -> tuple[str, list[int]]:
    """The text without empty lines and long blanks, over which lexers take quadratic time, and its lines' numbers."""
    rows = [(number, line) for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1) if line.strip()]
    return "\n".join(_BLANKS.sub(" ", line) for _, line in rows), [number for number, _ in rows] or [1]


def _normalised(path: str, text: str) -> Iterator[tuple[int, str]]:
    """Where each token starts, and what stands for it; the pieces of one literal count as one token."""
    last = ""
    for at, kind, piece in _lexer(_language(path)).get_tokens_unprocessed(text):
        token = _token(kind, piece)
        if token and not (token == last == TEXT):
            yield at, token
        # Between two literals that stand side by side there is nothing but blanks: they are one to Python as well.
        last = token or last


def _token(kind: "_TokenType", piece: str) -> str:
    """What stands for a token; empty for what does not count."""
    if not piece.strip():
        return ""
    stand_in = _stand_in(kind)
    return piece.strip().lower() if stand_in is None else stand_in


@cache
def _stand_in(kind: "_TokenType") -> str | None:
    """What stands for every token of this kind; empty for what does not count, and None where it stands for itself."""
    from pygments import token

    table = (
        (token.Comment, ""),
        (token.String.Doc, ""),
        (token.String.Interpol, None),
        (token.String, TEXT),
        (token.Number, NUMBER),
        (token.Name.Builtin.Pseudo, NAME),
        (token.Name.Builtin, None),
        (token.Name.Exception, None),
        (token.Name, NAME),
        (token.Error, ""),
    )
    return next((stand_in for parent, stand_in in table if token.is_token_subtype(kind, parent)), None)


def _language(path: str) -> str:
    """The lexer for a file's ending, or nothing. It is never guessed from contents, which are the candidate's."""
    name = path.rsplit("/", 1)[-1].lower()
    return _LEXERS.get(name[name.rfind(".") :], "") if "." in name else ""


@cache
def _lexer(language: str) -> "Lexer":
    return _python() if language == "python" else _sql()


def _python() -> "Lexer":
    """Pygments' lexer without its rules for escapes by name and for fields within literals.

    They look for an end as far as the file goes, at each of as many beginnings as one likes. A literal is one token
    here whatever is in it; only the expressions of an f-string are more, and stay.
    """
    from pygments.lexer import include
    from pygments.lexers.python import PythonLexer
    from pygments.token import String

    plain = [(r"[^\\\'\"\n]+", String), (r"[\'\"\\]", String)]
    rules = {"stringescape": [include("bytesescape")], "strings-single": plain, "strings-double": plain}
    lexer: Lexer = type("LinearPythonLexer", (PythonLexer,), {"tokens": PythonLexer.tokens | rules})(**_AS_IT_IS)
    return lexer


def _sql() -> "Lexer":
    from pygments.lexers.sql import SqlLexer

    return SqlLexer(**_AS_IT_IS)
