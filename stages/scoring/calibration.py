"""Does a score of .9 come true nine times in ten? Reliability tables and the expected calibration error."""

from __future__ import annotations

import msgspec
import numpy as np
import pandas as pd

from stages.corpus.labels import spans
from stages.scoring.predictions import PredictionError, Predictions

BINS = 10


class _Entity(msgspec.Struct):
    type: str
    score: float | None = None


_decoder: msgspec.json.Decoder[list[_Entity] | None] = msgspec.json.Decoder(list[_Entity] | None)


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> pd.DataFrame:
    """Group answers by their confidence, in bins of equal width over [0, 1] (Guo et al. 2017).

    Args:
        confidence: probabilities, ``(answers,)``.
        right: whether each answer is right, ``(answers,)``.

    Returns:
        One row a bin: ``low``, ``high`` (its edges; the lower belongs to it, the last bin holds 1), ``answers``,
        ``confidence`` (their mean) and ``accuracy`` (the share that is right), NaN in an empty bin.
    """
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    answers = np.bincount(index, minlength=bins)
    safe = np.where(answers, answers, 1)
    empty = answers == 0
    return pd.DataFrame(
        {
            "low": np.arange(bins) / bins,
            "high": np.arange(1, bins + 1) / bins,
            "answers": answers,
            "confidence": np.where(empty, np.nan, np.bincount(index, confidence, bins) / safe),
            "accuracy": np.where(empty, np.nan, np.bincount(index, right, bins) / safe),
        }
    )


def expected_calibration_error(table: pd.DataFrame) -> float:
    """The mean gap |accuracy - confidence| over all answers of a reliability table (Naeini et al. 2015); 0 for none."""
    gap = (table["accuracy"] - table["confidence"]).abs() * table["answers"]
    return float(gap.sum() / max(1, table["answers"].sum()))


def entity_scores(predictions: Predictions) -> tuple[np.ndarray, np.ndarray] | None:
    """The score of every predicted entity and whether it is right (strict), each ``(entities,)``.

    Scores say nothing of entities that were not predicted. None where the file gives no scores.

    Raises:
        PredictionError: a row's ``entities`` are not the entities of its ``pred``, or a score is no probability.
    """
    confidence: list[float] = []
    right: list[bool] = []
    given = [_entities(predictions, i) for i in range(len(predictions.rows))]
    if all(entities is None or all(one.score is None for one in entities) for entities in given):
        return None
    for i, (row, entities) in enumerate(zip(predictions.rows, given, strict=True)):
        found = spans(row.pred)
        if [one.type for one in entities or ()] != [span.type for span in found]:
            raise PredictionError(
                f"{predictions.at(i)}: field 'entities': value {[one.type for one in entities or ()]} is not what "
                f"'pred' says, {[span.type for span in found]}; let `stages.predict` write both"
            )
        gold = set(spans(row.gold))
        for span, one in zip(found, entities or (), strict=True):
            confidence.append(_probability(predictions.at(i), one.score))
            right.append(span in gold)
    return np.array(confidence), np.array(right)


def _entities(predictions: Predictions, i: int) -> list[_Entity] | None:
    try:
        return _decoder.decode(predictions.rows[i].entities)
    except msgspec.DecodeError as error:
        raise PredictionError(
            f"{predictions.at(i)}: field 'entities': value {bytes(predictions.rows[i].entities)[:60]!r}: {error}; "
            "write a list of objects with type, start, end, text and score, or leave the field out"
        ) from None


def _probability(place: str, score: float | None) -> float:
    if score is None or not 0 <= score <= 1:
        raise PredictionError(
            f"{place}: field 'entities': value of a score is {score}: expected a probability from 0 to 1; "
            "give every entity its score, or none"
        )
    return score
