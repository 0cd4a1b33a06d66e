"""Predictions as they lie on disk: one JSON object a sentence, read whole and checked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import IO, Annotated, Any, Literal

import msgspec

from stages.corpus.labels import TAGS
from stages.corpus.rows import REFUSALS, DataError, open_data
from stages.errors import UserError

Tag = Literal[TAGS]  # type: ignore[valid-type]

WAYS_OUT = {
    "tokens": "write the sentence as a list of words",
    "gold": "write one BIO tag name a word, such as B-PER (MultiNERD's fifteen types, or O)",
    "pred": "write one BIO tag name a word, such as B-PER (MultiNERD's fifteen types, or O)",
    "row": "write the sentence's number or name, or leave the field out",
    "loss": "write a number (the mean over the row's decisions), or leave the field out",
    "decisions": "write a whole number from 0 up, or leave the field out",
    "unscored": "write the reason why there is no score, as the only row of the file",
}


class PredictionError(UserError):
    """Predictions that cannot be scored or compared; names file, line, field, value and the way out."""


class Row(msgspec.Struct, gc=False):
    """One sentence: its words, and one gold and one predicted BIO tag a word.

    Attributes:
        row: what the sentence is called in its data set, where the file says it.
        loss: mean cross-entropy (nats) of the row's ``decisions``.
        decisions: how many things the model classified in this row (words, or spans).
        entities: the undecoded list of predicted entities; ``calibration`` reads their scores.
        text: present where the row came as text; its entities then count characters, not words.
    """

    tokens: list[str]
    gold: list[Tag]
    pred: list[Tag]
    row: int | str | None = None
    loss: float | None = None
    decisions: Annotated[int, msgspec.Meta(ge=0)] | None = None
    entities: msgspec.Raw = msgspec.Raw(b"null")
    text: Any = None


class Predictions(msgspec.Struct):
    """All rows of one file, in its order.

    Attributes:
        path: the file, for messages.
        rows: the sentences; empty only where ``unscored`` is set.
        lines: the line (from 1) of each row.
        unscored: why a baseline has no score, where its file says so instead of holding rows.
    """

    path: str
    rows: list[Row]
    lines: list[int]
    unscored: str | None = None

    @property
    def gold(self) -> list[list[str]]:
        """The gold tags, ``(sentences, words)``."""
        return [row.gold for row in self.rows]

    @property
    def pred(self) -> list[list[str]]:
        """The predicted tags, ``(sentences, words)``."""
        return [row.pred for row in self.rows]

    def at(self, i: int) -> str:
        """Where row ``i`` stands, as ``path:line``."""
        return f"{self.path}:{self.lines[i]}"


class _Unscored(msgspec.Struct):
    unscored: str | None = None


def read(path: str | Path) -> Predictions:
    """Read a predictions file: JSON lines with ``tokens``, ``gold`` and ``pred``; unknown fields are ignored.

    Blank lines are passed over. A file whose only row is ``{"unscored": "reason"}`` gives no rows and the reason.

    Raises:
        PredictionError: there is no such file or no row, a line is no JSON object, a field is missing or
            of the wrong kind, a tag is unknown, or ``tokens``, ``gold`` and ``pred`` differ in length.
    """
    found = Predictions(str(path), [], [])
    decoder = msgspec.json.Decoder(Row)
    with _open(path) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = decoder.decode(line)
            except REFUSALS as error:
                reason = _unscored(line)
                if reason is None or found.rows or next((rest for rest in file if rest.strip()), None):
                    raise PredictionError(_explain(f"{path}:{number}", line, error)) from None
                found.unscored = reason
                break
            if not len(row.tokens) == len(row.gold) == len(row.pred):
                raise PredictionError(_unequal(f"{path}:{number}", row))
            found.rows.append(row)
            found.lines.append(number)
    if not found.rows and found.unscored is None:
        raise PredictionError(f"{path}: holds no row, so there is nothing to score; did `stages.predict` finish?")
    return found


def _open(path: str | Path) -> IO[bytes]:
    try:
        return open_data(path)
    except DataError as error:
        raise PredictionError(f"{error}; `stages.predict` writes predictions") from None


def _unscored(line: bytes) -> str | None:
    try:
        return msgspec.json.decode(line, type=_Unscored).unscored
    except REFUSALS:
        return None


def _unequal(place: str, row: Row) -> str:
    words = len(row.tokens)
    field = "gold" if len(row.gold) != words else "pred"
    return (
        f"{place}: field {field!r}: value has {len(getattr(row, field))} tags for {words} tokens; "
        "write one tag a word (not a subword)"
    )


def _explain(place: str, line: bytes, error: Exception) -> str:
    """One line on what is wrong with ``line``: msgspec names the path, the value is looked up again."""
    try:
        value = msgspec.json.decode(line)
    except REFUSALS as broken:
        return f"{place}: not valid JSON: {broken}; write one JSON object a line"
    message = str(error)
    missing = re.search(r"missing required field `(\w+)`", message)
    if missing:
        field = missing[1]
        return f"{place}: field {field!r} is missing; {WAYS_OUT[field]}"
    where = re.search(r"`\$\.?(.*)`$", message)
    steps = re.findall(r"\w+", where[1]) if where else []
    if not steps:
        return f"{place}: value {_short(value)}: expected a JSON object with tokens, gold and pred"
    for step in steps:
        value = value[int(step)] if isinstance(value, list) else value[step]
    dotted = where[1] if where else ""
    what = message.split(" - at ")[0]
    return f"{place}: field {dotted!r}: value {_short(value)}: {what}; {WAYS_OUT.get(steps[0], 'correct it')}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
