"""What comparison.json says beyond the comparison itself: errors, breakdowns and calibration of both sides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stages.corpus.labels import SYSTEMS, TAGS
from stages.corpus.rows import read_rows
from stages.scoring import breakdowns, calibration
from stages.scoring.alignment import Common, align, system_of
from stages.scoring.errors import error_counts, matches
from stages.scoring.predictions import Predictions, Row


def details(a: Predictions, b: Predictions, train: breakdowns.Mentions | None = None) -> dict[str, Any]:
    """Errors, breakdowns and calibration of one file a side; unrounded.

    The first two are on common ground (the sentences and types that both sides have), so that A and B can be set
    side by side; ``calibration`` is over each side's whole file, since scores belong to its own answers.

    - ``asked``: the types that ``a`` and ``b`` each know.
    - ``errors``: for ``a`` and ``b`` one record a type and ``all``: ``type``, ``right``, and a count a kind of error.
    - ``by_length``, ``by_sentence_length``, and with ``train`` ``by_seen``, ``by_frequency``: for ``a`` and ``b``
      one record a group: ``group``, ``gold``, ``predicted``, ``right``, ``precision``, ``recall``, ``f1``.
    - ``calibration``: for ``a`` and ``b`` the expected calibration ``error`` and the ``bins``, or None without scores.

    Raises:
        PredictionError: the sides cannot be paired, or scores do not belong to their predictions.
    """
    common = align([a], [b])
    found: dict[str, dict[str, Any]] = {"errors": {}, "by_length": {}, "by_sentence_length": {}}
    for side, pred in (("a", common.a[0]), ("b", common.b[0])):
        matched = matches(_on_common_ground(common, pred), common.types)
        found["errors"][side] = _records(error_counts(matched))
        found["by_length"][side] = _records(breakdowns.by_length(matched))
        found["by_sentence_length"][side] = _records(breakdowns.by_sentence_length(matched))
        if train is not None:
            found.setdefault("by_seen", {})[side] = _records(breakdowns.by_seen(matched, train))
            found.setdefault("by_frequency", {})[side] = _records(breakdowns.by_frequency(matched, train))
    asked = {side: list(SYSTEMS[system_of(file)]) for side, file in (("a", a), ("b", b))}
    return {"asked": asked, **found, "calibration": {"a": _calibration(a), "b": _calibration(b)}}


def training_mentions(path: str | Path) -> breakdowns.Mentions:
    """How often the rows of a training file hold each mention with each type.

    Raises:
        DataError: the file is missing, or a row of it is bad.
    """
    return breakdowns.mentions((row.tokens, [TAGS[i] for i in row.ner_tags]) for row in read_rows(path))


def _on_common_ground(common: Common, pred: list[list[str]]) -> Predictions:
    rows = [Row(*one) for one in zip(common.tokens, common.gold, pred, strict=True)]
    return Predictions("common ground", rows, list(range(1, len(rows) + 1)))


def _calibration(side: Predictions) -> dict[str, Any] | None:
    scores = calibration.entity_scores(side)
    if scores is None:
        return None
    table = calibration.reliability(*scores)
    return {"error": calibration.expected_calibration_error(table), "bins": _records(table)}


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as plain dicts of plain Python values, NaN as None: what JSON can hold."""
    plain = table.astype(object).where(table.notna(), None)
    return [
        {str(name): value.item() if isinstance(value, np.generic) else value for name, value in row.items()}
        for row in plain.to_dict(orient="records")
    ]
