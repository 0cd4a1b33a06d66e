"""All tables of one run, ready to be written as CSV."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from stages.corpus.labels import TYPES
from stages.scoring import breakdowns, calibration
from stages.scoring.errors import confusion, error_counts, errors, matches
from stages.scoring.predictions import Predictions


def tables(
    predictions: Predictions,
    types: Sequence[str] = TYPES,
    train: breakdowns.Mentions | None = None,
) -> dict[str, pd.DataFrame]:
    """The tables of one run by name; write each with ``to_csv(path, index=False, float_format="%.4f")``.

    Always: ``errors`` (every mistake with its sentence), ``error_counts``, ``confusion``, ``by_length``,
    ``by_sentence_length``. With ``train`` (``breakdowns.mentions``): ``by_seen``, ``by_frequency``. Where entities
    have scores: ``calibration``.

    Raises:
        PredictionError: entities do not belong to these predictions.
    """
    matched = matches(predictions, types)
    found = {
        "errors": errors(matched),
        "error_counts": error_counts(matched),
        "confusion": confusion(matched),
        "by_length": breakdowns.by_length(matched),
        "by_sentence_length": breakdowns.by_sentence_length(matched),
    }
    if train is not None:
        found["by_seen"] = breakdowns.by_seen(matched, train)
        found["by_frequency"] = breakdowns.by_frequency(matched, train)
    scores = calibration.entity_scores(predictions)
    if scores is not None:
        found["calibration"] = calibration.reliability(*scores)
    return found
