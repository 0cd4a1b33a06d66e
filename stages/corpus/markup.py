r"""The sample's readable markup: ``[Marie Curie|PER] was born in [Warsaw|LOC] .``

One sentence a line, its words separated by single spaces, an entity in brackets with its type.
Lines that begin with ``# `` are comments; empty lines are allowed. A backslash takes the meaning
from ``[``, ``]``, ``|``, ``\``, a leading ``#`` and white space inside a word (``\n`` and ``\r`` are
line feed and carriage return). The language is not written: it is that of the file's name.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path

from stages.corpus.labels import TAG_IDS, TAGS, TYPES, bio, spans
from stages.corpus.rows import DataError, Faults, Row, open_data

_WORD = r"(?:[^\\\[\]|\s]|\\[\\\[\]|#nr\s])+"
_WORDS = rf"{_WORD}(?: {_WORD})*"
_CHUNK = re.compile(rf"(?:\[(?P<entity>{_WORDS})\|(?P<type>{'|'.join(TYPES)})\]|(?P<word>{_WORD}))(?: (?=\S)|\Z)")
_SOME_WORD = re.compile(rf"(?:{_WORD})?")
_SOME_ENTITY = re.compile(rf"\[(?:{_WORDS})?")
_SOME_TYPE = re.compile(r"[^\\\[\]|\s]*")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_SPECIAL = re.compile(r"[\\\[\]|\s]")
_LINE_ENDS = {"n": "\n", "r": "\r"}


class MarkupError(DataError):
    """One malformed line: ``column`` (from 1, in characters) and what to do."""

    def __init__(self, index: int, what: str) -> None:
        super().__init__(what)
        self.column = index + 1


def read_markup(path: str | Path, lang: str, faults: Faults | None = None) -> Iterator[Row]:
    """The sentences of a markup file in order, as rows of the language ``lang``.

    Malformed lines go to ``faults``, for the caller to ``check``; without it they are raised after
    the last sentence.

    Raises:
        DataError: no such file; or, without ``faults``, malformed lines, as ``file:line:column``.
    """
    found = Faults() if faults is None else faults
    with open_data(path) as file:
        for number, raw in enumerate(file, 1):
            try:
                line = raw.decode("utf-8").rstrip("\r\n")
                if line and line != "#" and not line.startswith("# "):
                    yield parse(line, lang)
            except UnicodeDecodeError as error:
                found.add(
                    f"{path}:{number}", f"not UTF-8 ({error.reason} at byte {error.start}); save the file as UTF-8"
                )
            except MarkupError as error:
                found.add(f"{path}:{number}:{error.column}", str(error))
    if faults is None:
        found.check()


def parse(line: str, lang: str) -> Row:
    """The row that one line of markup (without its end) stands for.

    Raises:
        MarkupError: the line is malformed.
    """
    if line.startswith("#"):
        raise MarkupError(0, r"'#' begins neither a comment (write '# ') nor a word (write '\#')")
    tokens: list[str] = []
    tags: list[int] = []
    position = 0
    while position < len(line) or not tokens:
        chunk = _CHUNK.match(line, position)
        if chunk is None:
            raise _fault(line, position)
        words = re.findall(_WORD, chunk["entity"] or chunk["word"])
        tokens += [_ESCAPE.sub(lambda escape: _LINE_ENDS.get(escape[1], escape[1]), word) for word in words]
        kind = chunk["type"]
        tags += [TAG_IDS[f"B-{kind}"], *[TAG_IDS[f"I-{kind}"]] * (len(words) - 1)] if kind else [0]
        position = chunk.end()
    return Row(tokens, tags, lang)  # type: ignore[arg-type]


def render(row: Row) -> str:
    """The line of markup (without its end) that ``parse`` reads as ``row``.

    Raises:
        DataError: the tags are no legal BIO (an I- that continues nothing), which markup cannot say.
    """
    tags = [TAGS[tag] for tag in row.ner_tags]
    entities = spans(tags)
    if bio(entities, len(tags)) != tags:
        raise DataError(f"tags {' '.join(tags)}: an I- tag continues no entity, which markup cannot say")
    words = [_SPECIAL.sub(_escaped, token) for token in row.tokens]
    if words[0].startswith("#"):
        words[0] = "\\" + words[0]
    for kind, start, end in entities:
        words[start] = "[" + words[start]
        words[end - 1] += f"|{kind}]"
    return " ".join(words)


def _escaped(special: re.Match[str]) -> str:
    return "\\" + {"\n": "n", "\r": "r"}.get(special[0], special[0])


def _fault(line: str, start: int) -> MarkupError:
    """Why no word or entity that is followed by a space or the end begins at ``start``."""
    if not line.startswith("[", start):
        return _stray(line, _end(_SOME_WORD, line, start))
    bar = _end(_SOME_ENTITY, line, start)
    if not line.startswith("|", bar):
        return _stray_inside(line, bar, start)
    if bar == start + 1:
        return MarkupError(bar, "an entity without words; write [words|TYPE]")
    close = _end(_SOME_TYPE, line, bar + 1)
    kind = line[bar + 1 : close]
    if kind not in TYPES:
        near = difflib.get_close_matches(kind.upper(), TYPES, n=1)
        hint = f"did you mean {near[0]}?" if near else f"the types are {', '.join(TYPES)}"
        return MarkupError(bar + 1, f"{kind!r} is no entity type; {hint}")
    if not line.startswith("]", close):
        return MarkupError(close, f"']' should follow the type {kind}")
    if line[close + 1 : close + 2] not in ("", " "):
        return MarkupError(close + 1, "something touches the ']' before it; put a space between them")
    return _stray(line, close + 1)


def _stray(line: str, at: int) -> MarkupError:
    """What is wrong with the character at ``at``, outside brackets."""
    advice = {
        "[": r"'[' inside a word; put a space before the entity, or write \[ for the sign",
        "]": r"']' without its '['; write [words|TYPE], or \] for the sign",
        "|": r"'|' outside an entity; write [words|TYPE], or \| for the sign",
    }
    sign = line[at : at + 1]
    return MarkupError(at, advice.get(sign) or _stray_anywhere(line, at))


def _stray_inside(line: str, at: int, start: int) -> MarkupError:
    """What is wrong with the character at ``at``, inside the brackets that open at ``start``."""
    advice = {
        "": f"the '[' of column {start + 1} is never closed; write [words|TYPE], or \\[ for the sign",
        "[": r"'[' inside an entity, and entities do not nest; close the first, or write \[ for the sign",
        "]": "the entity has no type; write [words|TYPE]",
    }
    at += line.startswith(" [", at)
    sign = line[at : at + 1]
    return MarkupError(at, advice[sign] if sign in advice else _stray_anywhere(line, at))


def _stray_anywhere(line: str, at: int) -> str:
    if line.startswith("\\", at):
        return r"a backslash that escapes nothing; write \\ for the sign"
    return "white space that separates no two words; write one space between words and none at the ends"


def _end(pattern: re.Pattern[str], line: str, start: int) -> int:
    """Where a pattern that may match nothing stops matching."""
    found = pattern.match(line, start)
    return found.end() if found else start
