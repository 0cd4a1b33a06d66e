"""Rows in, the same rows with entities out: what ``stages.predict`` does, in constant memory."""

from __future__ import annotations

import collections
import contextlib
import itertools
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from typing import IO, Any, NamedTuple

import msgspec
import numpy as np

from stages.corpus.files import whole_file
from stages.corpus.labels import TAGS, bio, project
from stages.corpus.rows import REFUSALS, Faults, open_data
from stages.errors import UserError
from stages.models.tagging import Tagger, Tagging

CHUNK = 2048
"""Rows in memory at once."""


class Predicted(NamedTuple):
    """One row as it is written, and its words' probabilities, ``(words, labels)`` or None."""

    row: dict[str, Any]
    probabilities: np.ndarray | None


class _Asked(NamedTuple):
    row: dict[str, Any]
    tokens: list[str]
    offsets: list[tuple[int, int]] | None
    gold: list[str] | None


def predict(tagger: Tagger, lines: Iterable[bytes], name: str) -> Iterator[Predicted]:
    """Tag JSON rows of ``tokens`` or ``text``; as many rows as lines, in order.

    Each row keeps its keys and gets ``pred`` (BIO names, one a token), ``entities`` (``type``,
    ``start``, ``end``, ``text``, ``score``: token offsets for a row of tokens, character offsets for
    a row of text, end exclusive), ``tokens`` where it had none, ``gold`` where ``ner_tags`` is
    given, and then ``loss`` (mean cross-entropy in nats) over ``decisions`` words or spans.

    Raises:
        UserError: lines are no such rows; names ``name``, line, field and value of the first 20, and counts the rest.
    """
    faults = Faults()
    asked = _read_all(lines, name, faults)
    while chunk := list(itertools.islice(asked, CHUNK)):
        if faults.count:
            collections.deque(asked, maxlen=0)  # the others are named, too
            break
        gold = [row.gold for row in chunk]
        known = [project(tags or ["O"] * len(row.tokens), tagger.types) for tags, row in zip(gold, chunk, strict=True)]
        taggings = tagger.tag([row.tokens for row in chunk], known if any(tags is not None for tags in gold) else None)
        for row, tagging in zip(chunk, taggings, strict=True):
            yield _answer(row, tagging)
    faults.check()


def _read_all(lines: Iterable[bytes], name: str, faults: Faults) -> Iterator[_Asked]:
    for number, line in enumerate(lines, 1):
        try:
            yield _read(line)
        except UserError as error:
            faults.add(f"{name}:{number}", str(error))


def _read(line: bytes) -> _Asked:
    try:
        row = msgspec.json.decode(line)
    except REFUSALS as error:
        raise UserError(f"not valid JSON ({error}): {line[:60]!r}") from None
    if not isinstance(row, dict) or not ("tokens" in row or "text" in row):
        raise UserError(f'expected a row {{"tokens": [words]}} or {{"text": "..."}}, found {line[:60]!r}')
    if "tokens" in row:
        tokens, offsets = row["tokens"], None
        if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
            raise UserError(f"field tokens: expected a list of words, found {str(tokens)[:60]!r}")
    else:
        if not isinstance(row["text"], str):
            raise UserError(f"field text: expected text, found {str(row['text'])[:60]!r}")
        tokens, offsets = words(row["text"])
    return _Asked(row, tokens, offsets, _gold(row, tokens))


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


def words(text: str) -> tuple[list[str], list[tuple[int, int]]]:
    """``text`` as words, each with its character offsets, by spaCy's English rules; white space is no word."""
    found = [token for token in _english()(text) if not token.is_space]
    return [token.text for token in found], [(token.idx, token.idx + len(token.text)) for token in found]


@cache
def _english() -> Any:
    import spacy

    return spacy.blank("en").tokenizer


def _answer(asked: _Asked, tagging: Tagging) -> Predicted:
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
    return Predicted(row, tagging.probabilities)


def _entity(asked: _Asked, kind: str, start: int, end: int, score: float) -> dict[str, Any]:
    if asked.offsets is None:
        text = " ".join(asked.tokens[start:end])
    else:
        start, end = asked.offsets[start][0], asked.offsets[end - 1][1]
        text = asked.row["text"][start:end]
    return {"type": kind, "start": start, "end": end, "text": text, "score": round(score, 4)}


def predict_file(tagger: Tagger, source: str, target: str, kept: list[np.ndarray] | None = None) -> None:
    """Tag the JSON lines of ``source`` into ``target``; each row's probabilities are added to ``kept``.

    ``-`` is standard input or output; a file appears whole or not at all.

    Raises:
        UserError: ``source`` cannot be read, or a line of it is no row.
    """
    with contextlib.ExitStack() as open_files:
        if source == "-":
            lines: IO[bytes] = sys.stdin.buffer
        else:
            lines = open_files.enter_context(open_data(source))
        if target == "-":
            output: IO[bytes] = sys.stdout.buffer
        else:
            output = open_files.enter_context(whole_file(target, "wb"))
        encoder = msgspec.json.Encoder()
        for row, probabilities in predict(tagger, lines, "standard input" if source == "-" else source):
            output.write(encoder.encode(row) + b"\n")
            if kept is not None and probabilities is not None:
                kept.append(probabilities)
        output.flush()
