"""The submission's source, highlighted. Pure: bytes in, spans out; the template escapes and colours them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from runner.reports.text import visible, weight

if TYPE_CHECKING:
    from pygments.lexer import Lexer
    from pygments.token import _TokenType

_LEXERS: Final = {
    ".cfg": "ini",
    ".dockerfile": "docker",
    ".ini": "ini",
    ".json": "json",
    ".py": "python",
    ".pyi": "python",
    ".sh": "bash",
    ".sql": "sql",
    ".toml": "toml",
    ".yaml": "yaml",
    ".yml": "yaml",
}
"""Lexers by a file's ending. Nothing is guessed from contents, which are the candidate's."""
_LONGEST_LINE: Final = 400
_BLANKS: Final = re.compile(r"\s{500}")
"""More blanks in a row than any source has; lexers take quadratic time over them."""
_SPAN_BYTES: Final = len('<span class="k"></span>')
_LINE_BYTES: Final = len('<span class="l"></span>\n')


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of one line; `css` is its class, empty for plain text."""

    css: str
    text: str


Line = tuple[Span, ...]


def decoded(content: bytes) -> str:
    """Source as text with `\\n` line ends and nothing hidden in it; bytes that are not UTF-8 become escapes."""
    return visible(content.decode("utf-8", "backslashreplace"), lines=True)


def highlighted(path: str, text: str) -> tuple[Line, ...]:
    """Source lines with their spans; `text` as `decoded` gives it. Long lines are shortened and say so."""
    return tuple(_lines(path, "\n".join(_shortened(line) for line in text.removesuffix("\n").split("\n"))))


def line_weight(line: Line) -> int:
    """The bytes a line takes in the page."""
    return _LINE_BYTES + sum(weight(span.text) + (_SPAN_BYTES if span.css else 0) for span in line)


def _shortened(line: str) -> str:
    rest = len(line) - _LONGEST_LINE
    return f"{line[:_LONGEST_LINE]} [{rest:,} characters more]" if rest > 0 else line


def _lines(path: str, text: str) -> Iterator[Line]:
    line: list[Span] = []
    for css, piece in _pieces(path, text):
        first, *others = piece.split("\n")
        _append(line, css, first)
        for other in others:
            yield tuple(line)
            line = []
            _append(line, css, other)
    yield tuple(line)


def _append(line: list[Span], css: str, text: str) -> None:
    if not text:
        return
    if line and line[-1].css == css:
        line[-1] = Span(css, line[-1].text + text)
    else:
        line.append(Span(css, text))


def _pieces(path: str, text: str) -> Iterator[tuple[str, str]]:
    lexer = _lexer(path)
    if lexer is None or _BLANKS.search(text):
        yield "", text
        return
    for kind, piece in lexer.get_tokens(text):
        yield _css(kind), piece


def _lexer(path: str) -> "Lexer | None":
    from pygments.lexers import get_lexer_by_name

    name = path.rsplit("/", 1)[-1].lower()
    ending = ".dockerfile" if name == "dockerfile" else name[name.rfind(".") :] if "." in name else ""
    if ending not in _LEXERS:
        return None
    return get_lexer_by_name(_LEXERS[ending], stripnl=False, ensurenl=False)


@cache
def _css(kind: "_TokenType") -> str:
    """The class of a token. A handful suffices for reading, and keeps the page small and its contrast provable."""
    from pygments import token

    table = (
        (token.Comment, "c"),
        (token.String.Doc, "c"),
        (token.String, "s"),
        (token.Number, "n"),
        (token.Keyword, "k"),
        (token.Operator.Word, "k"),
        (token.Name.Function, "f"),
        (token.Name.Class, "f"),
        (token.Name.Decorator, "d"),
        (token.Name.Tag, "k"),
        (token.Name.Builtin, "b"),
        (token.Name.Exception, "b"),
    )
    return next((css for parent, css in table if token.is_token_subtype(kind, parent)), "")
