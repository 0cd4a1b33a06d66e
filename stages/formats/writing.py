"""Output formats of ``stages.predict``: each is a function that writes tagged rows as they come, keeping none."""

from __future__ import annotations

import contextlib
import csv
import html
import itertools
import logging
import os
import re
import signal
import sys
from codecs import getwriter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, get_args

import msgspec
import numpy as np

from stages.corpus.files import telling, whole_file
from stages.corpus.labels import TYPES, spans
from stages.formats.reading import Asked
from stages.signals import status

OutputFormat = Literal["jsonl", "conll", "csv", "displacy", "spacy"]

log = logging.getLogger(__name__)

DOC_BIN_WORDS = 1 << 21
"""Words after which another DocBin is begun: spaCy holds one whole in memory, some 300 MB."""

COLOURS = {kind: f"hsl({360 * i // len(TYPES)} 80% 84%)" for i, kind in enumerate(TYPES)}
"""Of each type's entities on a page."""

EMPTY = "_"
"""What stands for an empty word where there can be none."""

DEVICES = ("/dev/", "/proc/")
"""Where a name may lead to a file that is somebody else's standard output: it is written, and not replaced."""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Entities</title></head>
<body style="font: 16px/1.5 system-ui, sans-serif; max-width: 54rem; margin: 2rem auto; padding: 0 1rem">
"""


class Predicted(NamedTuple):
    """A row as it is written, its words' probabilities, ``(words, labels)`` or None, and what was asked."""

    row: dict[str, Any]
    probabilities: np.ndarray | None
    asked: Asked


Writer = Callable[[Iterable[Predicted], str], None]
"""Writes rows to a file, which appears whole or not at all, or to ``-``, standard output."""


def jsonl(rows: Iterable[Predicted], target: str) -> None:
    """One JSON object a row, with all its keys."""
    encode = msgspec.json.Encoder().encode
    with _opened(target) as file:
        for made in rows:
            file.write(encode(made.row) + b"\n")


def conll(rows: Iterable[Predicted], target: str) -> None:
    """Word and BIO tag, one word a line, a blank line after each sentence, as CoNLL-2003's first and last columns.

    The columns stand a space apart: white space inside a word of the input becomes ``_``, and so does an empty word.
    """
    with _opened(target) as file:
        for made in rows:
            for first, last in made.asked.sentences:
                words, tags = made.asked.tokens[first:last], made.row["pred"][first:last]
                lines = [f"{_column(word)} {tag}\n" for word, tag in zip(words, tags, strict=True)]
                file.write("".join([*lines, "\n" if lines else ""]).encode())


def _column(word: str) -> str:
    return re.sub(r"\s", "_", word) or EMPTY


def csv_table(rows: Iterable[Predicted], target: str) -> None:
    """One entity a line: the number of its row, from 1, and what ``entities`` says of it."""
    fields = ("start", "end", "type", "text", "score")
    with _opened(target) as file:
        table = csv.writer(getwriter("utf-8")(file), quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        table.writerow(("row", *fields))
        for number, made in enumerate(rows, 1):
            table.writerows((number, *(entity[field] for field in fields)) for entity in made.row["entities"])


def page(rows: Iterable[Predicted], target: str) -> None:
    """A page of its own (HTML) with each row's text and its entities marked, by spaCy's displaCy."""
    from spacy import displacy

    with _opened(target) as file:
        file.write(_PAGE.encode())
        for made in rows:
            text, offsets = _as_text(made.asked)
            entities = [
                {"start": offsets[start][0], "end": offsets[end - 1][1], "label": html.escape(kind)}
                for kind, start, end in spans(made.row["pred"])
            ]
            marked = displacy.render(
                {"text": text, "ents": entities, "title": None},
                style="ent", manual=True, jupyter=False, options={"colors": COLOURS},
            )  # fmt: skip
            file.write(marked.encode() + b"\n")
        file.write(b"</body>\n</html>\n")


def _as_text(asked: Asked) -> tuple[str, list[tuple[int, int]]]:
    """A row's text, words joined by spaces where it came in words, and where in it each word lies."""
    if asked.text is not None and asked.offsets is not None:
        return asked.text, [(start - asked.begin, end - asked.begin) for start, end in asked.offsets]
    starts = itertools.accumulate((len(word) + 1 for word in asked.tokens), initial=0)
    offsets = [(start, start + len(word)) for start, word in zip(starts, asked.tokens, strict=False)]
    return " ".join(asked.tokens), offsets


def doc_bin(rows: Iterable[Predicted], target: str) -> None:
    """spaCy's DocBin, one Doc a row, with entities and sentences; ``Doc.text`` is the row's text.

    A DocBin is held whole in memory until it is written. So there is another after so many words: ``x.spacy`` is
    followed by ``x-2.spacy``, ``x-3.spacy`` and so on, and they appear when all are written. Of an earlier
    answer that had more, the others stay, and one line says so. An empty word becomes ``_``.
    """
    import spacy
    from spacy.tokens import DocBin

    more = iter(rows)
    with contextlib.ExitStack() as files:
        number, words = 1, DOC_BIN_WORDS
        while words >= DOC_BIN_WORDS:
            vocabulary = spacy.blank("en").vocab  # with this part's words only
            docs = DocBin(attrs=["ENT_IOB", "ENT_TYPE", "SENT_START"])
            words = 0
            while words < DOC_BIN_WORDS and (made := next(more, None)) is not None:
                docs.add(_doc(made, vocabulary))
                words += len(made.asked.tokens)
            if not len(docs) and number > 1:
                break
            files.enter_context(_opened(_part(target, number))).write(docs.to_bytes())
            number += 1
    if target != "-" and Path(later := _part(target, number)).exists():
        log.warning("%s is of another answer: this one ends with %s", later, _part(target, number - 1))


def _part(target: str, number: int) -> str:
    path = Path(target)
    return target if number == 1 else str(path.with_name(f"{path.stem}-{number}{path.suffix}"))


def _doc(made: Predicted, vocabulary: Any) -> Any:
    from spacy.tokens import Doc, Span

    asked = made.asked
    words, spaces, places = _words_and_spaces(*_as_text(asked))
    doc = Doc(vocabulary, words=words, spaces=spaces)
    starts = {0, *(places[first] for first, last in asked.sentences[1:])}
    for token in doc:
        token.is_sent_start = token.i in starts
    doc.set_ents(
        [Span(doc, places[start], places[end - 1] + 1, label=kind) for kind, start, end in spans(made.row["pred"])]
    )
    return doc


def _words_and_spaces(text: str, offsets: Sequence[tuple[int, int]]) -> tuple[list[str], list[bool], list[int]]:
    """Words of a ``Doc`` whose text is ``text``, whether a space follows each, and where the words at ``offsets`` are.

    As ``spacy.util.get_words_and_spaces``, which searches the rest of the text for each word anew.
    """
    words: list[str] = []
    spaces: list[bool] = []
    places: list[int] = []

    def fill(between: str) -> None:
        if words and between.startswith(" "):
            spaces[-1], between = True, between[1:]
        if between:  # more than the one space that a word can have behind it
            words.append(between)
            spaces.append(False)

    at = 0
    for start, end in offsets:
        fill(text[at:start])
        places.append(len(words))
        words.append(text[start:end] or EMPTY)
        spaces.append(False)
        at = end
    fill(text[at:])
    return words, spaces, places


WRITERS: dict[OutputFormat, Writer] = {
    "jsonl": jsonl, "conll": conll, "csv": csv_table, "displacy": page, "spacy": doc_bin,
}  # fmt: skip
assert set(WRITERS) == set(get_args(OutputFormat))


@contextlib.contextmanager
def _opened(target: str) -> Iterator[IO[bytes]]:
    """A file to write, whole or not at all; standard output; or what is no file, such as a pipe or /dev/null."""
    with telling(target):
        path = Path(target)
        is_stream = path.exists() and not (path.is_file() or path.is_dir())
    if target != "-" and not is_stream and not target.startswith(DEVICES):
        with whole_file(target, "wb") as file:
            yield file
        return
    try:
        with telling("standard output" if target == "-" else target):
            if target == "-":
                yield sys.stdout.buffer
                sys.stdout.buffer.flush()
            else:
                with path.open("wb") as file:
                    yield file
    except BrokenPipeError:  # its reader has what it wanted, as `head` has: that is no fault
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(status(signal.SIGPIPE)) from None
