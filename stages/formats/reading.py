"""Input formats of ``stages.predict``: each is a function from the bytes of a file or stream to rows to ask about."""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, get_args

import msgspec

from stages.corpus.labels import TAGS
from stages.corpus.rows import REFUSALS, Faults
from stages.errors import UserError
from stages.formats.sentences import split, stream

InputFormat = Literal["jsonl", "text", "lines"]

LONGEST = 1 << 23
"""Bytes of one line at most, where a line is a row: two long novels."""
PIECE = 1 << 16
"""Bytes read at once, where a line is no row."""


class Asked(NamedTuple):
    """A row to ask about.

    Attributes:
        row: its keys as they are written again.
        tokens: its words.
        sentences: in words, end exclusive; the model reads each by itself.
        gold: BIO tag names, one a word, or None.
        text: what the words come from; None where the row came in words.
        begin: where ``text`` begins in what offsets are counted in, in characters.
        offsets: of each word, in characters, end exclusive; None without ``text``.
    """

    row: dict[str, Any]
    tokens: list[str]
    sentences: list[tuple[int, int]]
    gold: list[str] | None = None
    text: str | None = None
    begin: int = 0
    offsets: list[tuple[int, int]] | None = None


Reader = Callable[[Iterable[bytes], str, Faults], Iterator[Asked]]
"""From :func:`pieces`, the name of their source, and where faults are noted as ``name:line``."""


def read_jsonl(lines: Iterable[bytes], name: str, faults: Faults) -> Iterator[Asked]:
    """Lines of ``{"tokens": [words]}`` or ``{"text": "..."}``, a row each; ``ner_tags`` become ``gold``."""
    return _read_lines(_row, lines, name, faults)


def read_lines(lines: Iterable[bytes], name: str, faults: Faults) -> Iterator[Asked]:
    """Lines of text, a row each, also the empty ones: a log, say. As ``{"text": line}`` is."""
    return _read_lines(_line, lines, name, faults)


def read_text(pieces: Iterable[bytes], name: str, faults: Faults) -> Iterator[Asked]:
    """Prose, a row for each sentence, which may go over line ends, but over no blank line: a book, say.

    A row has the keys ``sentence`` and ``start``; offsets are counted from the beginning of the whole text.

    Raises:
        UserError: the text is not UTF-8; names the line.
    """
    for sentence in stream(_decoded(pieces, name)):
        row = {"sentence": sentence.text, "start": sentence.start}
        whole = [(0, len(sentence.words))]
        yield Asked(row, sentence.words, whole, None, sentence.text, sentence.start, sentence.offsets)


READERS: dict[InputFormat, Reader] = {"jsonl": read_jsonl, "text": read_text, "lines": read_lines}
SUFFIXES: dict[str, InputFormat] = {".txt": "text", ".log": "lines"}
"""What a file is taken for by its name; any other is ``jsonl``."""
assert set(READERS) == set(get_args(InputFormat))


def format_of(source: str) -> InputFormat:
    """The format that the name of a file tells."""
    return SUFFIXES.get(Path(source).suffix.lower(), "jsonl")


def pieces(file: IO[bytes], kind: InputFormat) -> Iterator[bytes]:
    """The bytes of ``file``, past a byte order mark, as the reader of ``kind`` takes them: lines, or just pieces.

    No piece is larger than a fixed size: a line past ``LONGEST`` comes in several.
    """
    parts = iter(lambda: file.read(PIECE) if kind == "text" else file.readline(LONGEST), b"")
    return itertools.chain((part.removeprefix(codecs.BOM_UTF8) for part in itertools.islice(parts, 1)), parts)


def _read_lines(read: Callable[[bytes], Asked], lines: Iterable[bytes], name: str, faults: Faults) -> Iterator[Asked]:
    number, is_rest = 1, False
    for line in lines:
        is_cut = len(line) >= LONGEST and not line.endswith(b"\n")
        try:
            if is_cut and not is_rest:
                raise UserError(
                    f"a line of more than {LONGEST >> 20} MiB: a row has to fit in memory; divide it, "
                    "or read a text without line ends with --input-format text"
                )
            if not is_cut and not is_rest:
                yield read(line)
        except UserError as error:
            faults.add(f"{name}:{number}", str(error))
        is_rest = is_cut
        number += not is_cut


def _row(line: bytes) -> Asked:
    try:
        row = msgspec.json.decode(line)
    except REFUSALS as error:
        raise UserError(f"not valid JSON ({error}): {line[:60]!r}") from None
    if not isinstance(row, dict) or not ("tokens" in row or "text" in row):
        raise UserError(f'expected a row {{"tokens": [words]}} or {{"text": "..."}}, found {line[:60]!r}')
    if "tokens" in row:
        tokens = row["tokens"]
        if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
            raise UserError(f"field tokens: expected a list of words, found {str(tokens)[:60]!r}")
        return Asked(row, tokens, [(0, len(tokens))], _gold(row, tokens))
    if not isinstance(row["text"], str):
        raise UserError(f"field text: expected text, found {str(row['text'])[:60]!r}")
    asked = _text(row, row["text"])
    return asked._replace(gold=_gold(row, asked.tokens))


def _line(line: bytes) -> Asked:
    try:
        text = line.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise UserError(_not_utf8(error)) from None
    return _text({"text": text}, text)


def _text(row: dict[str, Any], text: str) -> Asked:
    tokens, offsets, sentences = split(text)
    return Asked(row, tokens, sentences or [(0, 0)], None, text, 0, offsets)


def _gold(row: dict[str, Any], tokens: list[str]) -> list[str] | None:
    ids = row.get("ner_tags")
    if ids is None:
        return None
    if not isinstance(ids, list) or len(ids) != len(tokens):
        found = len(ids) if isinstance(ids, list) else repr(ids)
        raise UserError(f"field ner_tags: {found} tags for {len(tokens)} tokens; give one id a token")
    unknown = [i for i in ids if not (isinstance(i, int) and 0 <= i < len(TAGS))]
    if unknown:
        raise UserError(f"field ner_tags: unknown id {unknown[0]!r}; MultiNERD's ids are 0 to {len(TAGS) - 1}")
    return [TAGS[i] for i in ids]


def _decoded(pieces: Iterable[bytes], name: str) -> Iterator[str]:
    """UTF-8 as text; a character may lie in two pieces."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    for piece, is_last in itertools.chain(zip(pieces, itertools.repeat(False), strict=False), [(b"", True)]):
        try:
            yield decoder.decode(piece, final=is_last)
        except UnicodeDecodeError as error:
            line += error.object.count(b"\n", 0, error.start)
            raise UserError(f"{name}:{line}: {_not_utf8(error)}") from None
        line += piece.count(b"\n")


def _not_utf8(error: UnicodeDecodeError) -> str:
    return (
        f"not UTF-8 ({error.reason}: {error.object[error.start : error.end]!r}); "
        "convert it, for example with iconv -f latin1 -t utf-8"
    )
