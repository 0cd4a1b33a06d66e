"""Rows in, the same rows with entities out: what ``stages.predict`` does, in constant memory."""

from __future__ import annotations

import collections
import contextlib
import itertools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from stages.corpus.labels import Span, bio, project
from stages.corpus.rows import Faults, open_data
from stages.formats.reading import READERS, Asked, InputFormat, Reader, pieces, read_jsonl
from stages.formats.writing import WRITERS, OutputFormat, Predicted
from stages.models.tagging import Tagger, Tagging

CHUNK = 2048
"""Rows in memory at once."""
WORDS = 1 << 17
"""Words in memory at once, or one row: as many as 2048 rows seldom have."""


def predict(tagger: Tagger, lines: Iterable[bytes], name: str, read: Reader = read_jsonl) -> Iterator[Predicted]:
    """Tag what ``read`` makes of ``lines``, in order; of JSON lines and lines of text, a row for each line.

    Each row keeps its keys and gets ``pred`` (BIO names, one a token), ``entities`` (``type``,
    ``start``, ``end``, ``text``, ``score``: token offsets for a row of tokens, character offsets for
    text, end exclusive), ``tokens`` where it had none, ``gold`` where ``ner_tags`` is
    given, and then ``loss`` (mean cross-entropy in nats) over ``decisions`` words or spans.

    Raises:
        UserError: lines are no such rows; names ``name``, line, field and value of the first 20, and counts the rest.
    """
    faults = Faults()
    asked = read(lines, name, faults)
    for chunk in _chunks(asked):
        if faults.count:
            collections.deque(asked, maxlen=0)  # the others are named, too
            break
        yield from map(_answer, chunk, _tag(tagger, chunk))
    faults.check()


def _chunks(rows: Iterable[Asked]) -> Iterator[list[Asked]]:
    chunk: list[Asked] = []
    words = 0
    for row in rows:
        chunk.append(row)
        words += len(row.tokens)
        if len(chunk) >= CHUNK or words >= WORDS:
            yield chunk
            chunk, words = [], 0
    if chunk:
        yield chunk


def _tag(tagger: Tagger, rows: list[Asked]) -> Iterator[Tagging]:
    """The answer for each row, from those for its sentences."""
    sentences = [row.tokens[first:last] for row in rows for first, last in row.sentences]
    known = None
    if any(row.gold is not None for row in rows):
        tags = [project(row.gold or ["O"] * len(row.tokens), tagger.types) for row in rows]
        known = [one[first:last] for one, row in zip(tags, rows, strict=True) for first, last in row.sentences]
    taggings = iter(tagger.tag(sentences, known))
    for row in rows:
        yield _joined(row.sentences, list(itertools.islice(taggings, len(row.sentences))))


def _joined(sentences: list[tuple[int, int]], taggings: list[Tagging]) -> Tagging:
    """The answers for the sentences of a row as one for the row."""
    if len(taggings) == 1:
        return taggings[0]
    entities = [
        Span(kind, first + start, first + end)
        for (first, _), tagging in zip(sentences, taggings, strict=True)
        for kind, start, end in tagging.entities
    ]
    tables = [tagging.probabilities for tagging in taggings if tagging.probabilities is not None]
    losses = [tagging.loss * tagging.decisions for tagging in taggings if tagging.loss is not None]
    decisions = sum(tagging.decisions for tagging in taggings)
    return Tagging(
        entities,
        [score for tagging in taggings for score in tagging.scores],
        np.concatenate(tables) if tables else None,
        sum(losses) / max(decisions, 1) if losses else None,
        decisions,
    )


def _answer(asked: Asked, tagging: Tagging) -> Predicted:
    row = dict(asked.row)
    row["tokens"] = asked.tokens
    if asked.gold is not None:
        row["gold"] = asked.gold
    if asked.gold is not None and tagging.loss is not None:
        row["loss"], row["decisions"] = round(tagging.loss, 6), tagging.decisions
    row["pred"] = bio(tagging.entities, len(asked.tokens))
    row["entities"] = [
        _entity(asked, kind, start, end, score)
        for (kind, start, end), score in zip(tagging.entities, tagging.scores, strict=True)
    ]
    return Predicted(row, tagging.probabilities, asked)


def _entity(asked: Asked, kind: str, start: int, end: int, score: float) -> dict[str, Any]:
    if asked.text is None or asked.offsets is None:
        text = " ".join(asked.tokens[start:end])
    else:
        start, end = asked.offsets[start][0], asked.offsets[end - 1][1]
        text = asked.text[start - asked.begin : end - asked.begin]
    return {"type": kind, "start": start, "end": end, "text": text, "score": round(score, 4)}


def predict_file(
    tagger: Tagger,
    source: str,
    target: str,
    kept: list[np.ndarray] | None = None,
    reads: InputFormat = "jsonl",
    writes: OutputFormat = "jsonl",
) -> None:
    """Tag ``source`` into ``target``; each row's probabilities are added to ``kept``.

    ``-`` is standard input or output; a file appears whole or not at all. A terminal on standard error shows how
    far it is.

    Raises:
        UserError: ``source`` cannot be read, or a line of it is no row.
    """
    with contextlib.ExitStack() as open_files:
        file = sys.stdin.buffer if source == "-" else open_files.enter_context(open_data(source))
        name = "standard input" if source == "-" else source
        rows = predict(tagger, _shown(pieces(file, reads), source, target), name, READERS[reads])
        WRITERS[writes](rows if kept is None else _keeping(rows, kept), target)


def _keeping(rows: Iterable[Predicted], kept: list[np.ndarray]) -> Iterator[Predicted]:
    for made in rows:
        if made.probabilities is not None:
            kept.append(made.probabilities)
        yield made


def _shown(parts: Iterable[bytes], source: str, target: str) -> Iterator[bytes]:
    """``parts`` with a bar of how much is read, where standard error is a terminal and no rows go to one."""
    total = None if source == "-" else Path(source).stat().st_size or None
    hidden = True if target == "-" and sys.stdout.isatty() else None  # None: hidden unless standard error is a terminal
    with tqdm(desc=source, total=total, unit="B", unit_scale=True, disable=hidden) as bar:
        for part in parts:
            bar.update(len(part))
            yield part
