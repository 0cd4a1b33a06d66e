"""Every sentence of a directory with the line it stands on, bad ones noted and passed over."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from stages.corpus.labels import TAGS, Span, spans
from stages.corpus.markup import read_markup
from stages.corpus.rows import Faults, Row, open_data, read_rows

KINDS = {
    "unknown tag id": "an unknown tag id",
    "unequal lengths": "each token needs one tag",
    "a field is missing": " is missing",
    "broken JSON": "not valid JSON",
    "an empty word or sentence": "empty",
    "a wrong language": "lang is",
}
"""What a fault is called, and what its message holds; the message itself may quote the sentence."""


class BadRow(NamedTuple):
    """A row that cannot be read: its line (from 1), what is wrong with it, and the tag id, where that is the fault."""

    line: int
    kind: str
    tag_id: int | None


class Sentence(NamedTuple):
    """A good row: its line (from 1), words, BIO tag names, and its entities by the strict rule."""

    line: int
    tokens: list[str]
    tags: list[str]
    entities: list[Span]


class Part(NamedTuple):
    """One file: split, path, good sentences, and bad rows."""

    split: str
    path: Path
    sentences: list[Sentence]
    bad: list[BadRow]

    @property
    def name(self) -> str:
        """The file as people call it, ``test/test_en.jsonl``."""
        return f"{self.path.parent.name}/{self.path.name}"

    def at(self, index: int) -> str:
        """Where sentence ``index`` stands, as ``file:line``."""
        return f"{self.name}:{self.sentences[index].line}"


class _Noted(Faults):
    """Faults as bad rows, all of them, without the words that a message may quote."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[BadRow] = []

    def add(self, place: str, what: str) -> None:
        numbers = re.findall(r":(\d+)", place)
        line = int(numbers[-2] if place.count(":") > 1 and len(numbers) > 1 else numbers[-1])
        kind = next((name for name, sign in KINDS.items() if sign in what), "malformed")
        unknown = re.search(r"is (-?\d+), an unknown tag id", what)
        self.rows.append(BadRow(line, kind, int(unknown[1]) if unknown else None))


def read_part(split: str, path: Path, lang: str = "en") -> Part:
    """Read a file of rows or of markup to its end, whatever is wrong with single rows.

    Raises:
        DataError: the file cannot be opened.
    """
    noted = _Noted()
    markup = path.suffix == ".txt"
    rows: list[Row] = list((read_markup if markup else read_rows)(path, lang, faults=noted))
    bad = {row.line for row in noted.rows}
    lines = [number for number in _lines(path, markup) if number not in bad]
    sentences = []
    for line, row in zip(lines, rows, strict=True):
        tags = [TAGS[i] for i in row.ner_tags]
        sentences.append(Sentence(line, row.tokens, tags, spans(tags)))
    return Part(split, path, sentences, noted.rows)


def _lines(path: Path, markup: bool) -> list[int]:
    """The numbers of the lines that should hold a sentence: in markup, neither comments nor empty lines."""
    with open_data(path) as file:
        return [
            number
            for number, raw in enumerate(file, 1)
            if not markup or (raw.rstrip(b"\r\n") not in (b"", b"#") and not raw.startswith(b"# "))
        ]
