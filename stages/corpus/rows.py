"""Rows of MultiNERD, read and written: ``{"tokens": [str], "ner_tags": [int], "lang": str}``, one a line.

Reading is typed and streams in constant memory; decoding and checking happen in C (msgspec), and
Python looks closer only at a line that was refused, to name field and value.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import IO, Annotated, Any, Literal

import msgspec

from stages.corpus.labels import LANGUAGES, TAGS
from stages.errors import UserError

NAMED_FAULTS = 20
"""Bad rows that one message names; the others are only counted."""

SHOWN = 60
"""Characters of a bad value that a message shows."""

Token = Annotated[str, msgspec.Meta(min_length=1)]
Tag = Annotated[int, msgspec.Meta(ge=0, le=len(TAGS) - 1)]
Language = Literal["de", "en", "es", "fr", "it", "nl", "pl", "pt", "ru", "zh"]


class DataError(UserError):
    """Data that cannot be used: names file, line, field and value of each fault, and the way out."""


class Row(msgspec.Struct, gc=False):
    """One sentence: its words, one tag id a word (MultiNERD's numbering), and its language."""

    tokens: Annotated[list[Token], msgspec.Meta(min_length=1)]
    ner_tags: list[Tag]
    lang: Language


class _Language(msgspec.Struct, gc=False):
    """A row of which only the language is wanted; the decoder passes over the rest."""

    lang: Language


class Faults:
    """Collects faults over one file or many, so that a person sees them together."""

    def __init__(self) -> None:
        self.count = 0
        self._named: list[str] = []

    @property
    def named(self) -> tuple[str, ...]:
        """The first 20, as ``place: what``."""
        return tuple(self._named)

    def add(self, place: str, what: str) -> None:
        """Note ``what`` is wrong at ``place`` (``file:line`` or ``file:line:column``)."""
        self.count += 1
        if len(self._named) < NAMED_FAULTS:
            self._named.append(f"{place}: {what}")

    def check(self) -> None:
        """Do nothing where nothing was added.

        Raises:
            DataError: names the first 20 faults in the order they were added, and counts the rest.
        """
        if self.count:
            rest = self.count - len(self._named)
            raise DataError("\n".join(self._named) + (f"\n… and {rest} more" if rest else ""))


REFUSALS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What the decoder raises for a bad line; RecursionError for brackets nested thousands deep."""

_decode = msgspec.json.Decoder(Row).decode
_peek = msgspec.json.Decoder(_Language).decode
_encode = msgspec.json.Encoder().encode


def read_rows(
    path: str | Path, lang: str | None = None, only: str | None = None, faults: Faults | None = None
) -> Iterator[Row]:
    """The good rows of a ``.jsonl`` file in order; keys other than the three are ignored.

    ``lang`` is the language that every row must have (None: any of the ten). With ``only``, rows of
    other languages are passed over, and nothing but their language is checked. Bad rows go to
    ``faults``, for the caller to ``check``; without it they are raised after the last row.

    Raises:
        DataError: no such file; or, without ``faults``, bad rows: broken JSON, a field missing or
            of the wrong type, an unknown tag id or language, unequal lengths, no or empty tokens.
    """
    found = Faults() if faults is None else faults
    with open_data(path) as file:
        for number, line in enumerate(file, 1):
            try:
                if only is not None and _peek(line).lang != only:
                    continue
                row = _decode(line)
            except REFUSALS as error:
                found.add(f"{path}:{number}", _explain(line, error))
                continue
            if len(row.tokens) != len(row.ner_tags):
                found.add(f"{path}:{number}", _unequal(len(row.tokens), len(row.ner_tags)))
            elif lang is not None and row.lang != lang:
                found.add(
                    f"{path}:{number}", f"lang is {row.lang!r} in a file of {lang!r} rows; mend lang or move the row"
                )
            else:
                yield row
    if faults is None:
        found.check()


def write_rows(file: IO[bytes], rows: Iterable[Row]) -> int:
    """Write ``rows`` to a binary file as canonical JSON lines and return how many.

    Canonical is compact, keys in the order tokens, ner_tags, lang, UTF-8 unescaped, ``\\n`` ends.
    """
    count = 0
    for row in rows:
        file.write(_encode(row) + b"\n")
        count += 1
    return count


def open_data(path: str | Path) -> IO[bytes]:
    """Open a data file for reading bytes, past the byte order mark that some editors write.

    Raises:
        DataError: it is missing, no file, or may not be read.
    """
    try:
        return _past_mark(Path(path).open("rb"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None


def _past_mark(file: BufferedReader) -> IO[bytes]:
    if file.peek(len(BOM_UTF8)).startswith(BOM_UTF8):  # a pipe cannot go back
        file.read(len(BOM_UTF8))
    return file


def _unequal(tokens: int, tags: int) -> str:
    return f"{tokens} tokens but {tags} ner_tags; each token needs one tag"


def _show(value: Any) -> str:
    """``value`` as JSON, cut to what fits in a message."""
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _explain(line: bytes, error: Exception) -> str:
    """What is wrong with a line that the decoder refused: field, value, and what to do."""
    if not line.strip():
        return "an empty line where a row should be; delete it"
    try:
        row = msgspec.json.decode(line)
    except REFUSALS as broken:
        start = line[:SHOWN].decode("utf-8", errors="replace").rstrip("\r\n")
        return f"not valid JSON ({broken}), the line begins {start!r}; mend or delete the line"
    if not isinstance(row, dict):
        return f'the row is {_show(row)}, not an object {{"tokens": […], "ner_tags": […], "lang": "…"}}'
    for field in ("tokens", "ner_tags", "lang"):
        if field not in row:
            near = f"; the row has {', '.join(map(repr, row))}" if row else ""
            return f"{field} is missing{near}; every row needs tokens, ner_tags and lang"
    return _bad_tokens(row["tokens"]) or _bad_tags(row["ner_tags"]) or _bad_lang(row["lang"]) or str(error)


def _bad_tokens(tokens: Any) -> str | None:
    if not isinstance(tokens, list):
        return f"tokens is {_show(tokens)}, not a list of words"
    if not tokens:
        return "tokens is []: an empty sentence; delete the row"
    for i, token in enumerate(tokens):
        if not isinstance(token, str):
            return f"tokens[{i}] is {_show(token)}, not text; write it in quotes"
        if not token:
            return f'tokens[{i}] is "": an empty word; delete it and its tag'
    return None


def _bad_tags(tags: Any) -> str | None:
    if not isinstance(tags, list):
        return f"ner_tags is {_show(tags)}, not a list of tag ids"
    for i, tag in enumerate(tags):
        if type(tag) is not int:
            return f"ner_tags[{i}] is {_show(tag)}, not a whole number; write MultiNERD's id of the tag"
        if not 0 <= tag < len(TAGS):
            return (
                f"ner_tags[{i}] is {tag}, an unknown tag id: MultiNERD's go from 0 to {len(TAGS) - 1} "
                "(other data sets, tner/multinerd among them, number the tags differently; renumber them)"
            )
    return None


def _bad_lang(lang: Any) -> str | None:
    if lang in LANGUAGES:
        return None
    return f"lang is {_show(lang)}, which is none of {', '.join(LANGUAGES)}"
