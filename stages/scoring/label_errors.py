"""Where a model and the gold tags disagree so firmly that the gold is the likelier error; and scores without copies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stages.corpus.audit_duplicates import near_pairs
from stages.corpus.labels import TAGS
from stages.scoring.counts import counts, f1
from stages.scoring.predictions import PredictionError, Predictions

COLUMNS = ("row", "word", "given", "suggested", "score")


def label_errors(predictions: Predictions, probabilities: np.ndarray, labels: Sequence[str]) -> pd.DataFrame:
    """The words whose gold tag is likely wrong, likeliest first, by confident learning (Northcutt et al. 2021).

    cleanlab estimates from out-of-sample probabilities how many words of each gold tag are of another, and takes
    the words with the least probability of their gold tag. Predictions on a model's own training sentences say nothing.

    Args:
        probabilities: of every word of all rows in turn, ``(words, labels)``.
        labels: the BIO tag name of each column, ``(labels,)``.

    Returns:
        ``row`` (the row's own name, else its line from 1), ``word`` (index from 0), ``given`` and ``suggested`` tags,
        ``score`` (probability of the given tag, 0 to 1; the lower, the likelier an error).

    Raises:
        PredictionError: the two files have different words, or gold holds a tag that is no column.
    """
    from cleanlab.filter import find_label_issues

    given = _given(predictions, probabilities, labels)
    # cleanlab wants every class to occur: columns without gold words are kept out of the estimate.
    present = np.unique(given)
    if len(present) < 2:
        return pd.DataFrame(columns=list(COLUMNS))
    own = probabilities[:, present].astype(np.float64)
    own /= np.maximum(own.sum(axis=1, keepdims=True), 1e-12)
    classes = np.searchsorted(present, given)
    issues = find_label_issues(
        classes, own, filter_by="confident_learning", return_indices_ranked_by="self_confidence", n_jobs=1
    )
    word_rows = np.repeat(np.arange(len(predictions.rows)), [len(row.tokens) for row in predictions.rows])
    starts = np.cumsum([0, *(len(row.tokens) for row in predictions.rows)])
    suggested = own.argmax(axis=1)
    records = []
    for i in issues:
        row = int(word_rows[i])
        name = predictions.rows[row].row
        tags = (labels[present[classes[i]]], labels[present[suggested[i]]])
        records.append(
            (predictions.lines[row] if name is None else name, int(i - starts[row]), *tags, float(own[i, classes[i]]))
        )
    return pd.DataFrame(records, columns=list(COLUMNS))


def read_probabilities(path: str | Path) -> tuple[np.ndarray, list[str]]:
    """The arrays ``probabilities`` ``(words, labels)`` and ``labels`` (BIO tag names) of an NPZ file.

    Raises:
        PredictionError: no such file, or not these arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            probabilities, labels = stored["probabilities"], [str(name) for name in stored["labels"]]
    except (OSError, KeyError, ValueError) as error:
        raise PredictionError(f"{path}: no NPZ with the arrays probabilities and labels ({error})") from None
    if probabilities.ndim != 2 or probabilities.shape[1] != len(labels):
        raise PredictionError(
            f"{path}: probabilities are {probabilities.shape} for {len(labels)} labels; one column a label"
        )
    unknown = sorted(set(labels) - set(TAGS))
    if unknown:
        raise PredictionError(f"{path}: label {unknown[0]!r} is no BIO tag of MultiNERD")
    return probabilities, labels


def without_duplicates(predictions: Predictions, train: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Strict micro F1 on all sentences and on those without an exact or near copy in ``train``.

    Near is ``audit_duplicates.NEAR``. Keys: ``sentences``, ``f1``, ``sentences_without_duplicates``,
    ``f1_without_duplicates``; fractions are unrounded.
    """
    kept = [i for i, copied in enumerate(_copied([row.tokens for row in predictions.rows], train)) if not copied]
    return {
        "sentences": len(predictions.rows),
        "f1": _f1(predictions, range(len(predictions.rows))),
        "sentences_without_duplicates": len(kept),
        "f1_without_duplicates": _f1(predictions, kept),
    }


def _copied(sentences: Sequence[Sequence[str]], train: Sequence[Sequence[str]]) -> list[bool]:
    """Whether each sentence has an exact or near copy in ``train``."""
    known = {tuple(words) for words in train}
    unique = list(dict.fromkeys([*map(tuple, sentences), *known]))
    number = {words: i for i, words in enumerate(unique)}
    near = {i for pair in near_pairs(unique) for i, other in (pair, pair[::-1]) if unique[other] in known}
    return [tuple(words) in known or number[tuple(words)] in near for words in sentences]


def _given(predictions: Predictions, probabilities: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """The column of each word's gold tag, ``(words,)``."""
    columns = {tag: i for i, tag in enumerate(labels)}
    found = []
    for i, row in enumerate(predictions.rows):
        for tag in row.gold:
            if tag not in columns:
                raise PredictionError(
                    f"{predictions.at(i)}: field 'gold': value {tag!r} is no label of the probabilities"
                )
            found.append(columns[tag])
    if len(found) != len(probabilities):
        raise PredictionError(
            f"{predictions.path}: {len(found)} words, but probabilities of {len(probabilities)}; "
            "give the files of one run"
        )
    return np.array(found, dtype=np.int64)


def _f1(predictions: Predictions, rows: Sequence[int]) -> float:
    chosen = [predictions.rows[i] for i in rows]
    return (
        float(f1(counts([row.gold for row in chosen], [row.pred for row in chosen]).sum(axis=(0, 1))))
        if chosen
        else 0.0
    )
