"""Hits and mistakes a sentence and type: what every figure and every comparison adds up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stages.corpus.labels import TYPES, spans

TP, FP, FN = range(3)


def counts(gold: Sequence[Sequence[str]], pred: Sequence[Sequence[str]], types: Sequence[str] = TYPES) -> np.ndarray:
    """Count true positives, false positives and false negatives by the strict IOB2 rule.

    A predicted entity is right when type, first and last word are those of a gold entity. Both sides are
    cut to ``types``, so a right or wrong entity of another type counts nowhere.

    Args:
        gold: BIO tag names, ``(sentences, words)``.
        pred: the same shape.
        types: the types to count, in the order of the second axis.

    Returns:
        int64, ``(sentences, types, 3)``, the last axis being TP, FP, FN.
    """
    column = {kind: i for i, kind in enumerate(types)}
    table = np.zeros((len(gold), len(types), 3), dtype=np.int64)
    for i, (gold_tags, pred_tags) in enumerate(zip(gold, pred, strict=True)):
        right, given = set(spans(gold_tags)), set(spans(pred_tags))
        for cell, group in ((TP, right & given), (FP, given - right), (FN, right - given)):
            for span in group:
                if span.type in column:
                    table[i, column[span.type], cell] += 1
    return table


def f1(table: np.ndarray) -> np.ndarray:
    """F1 = 2·TP / (2·TP + FP + FN) along the last axis; 0 where there is nothing to find and nothing found.

    Zero, not one, is seqeval's ``zero_division=0``. The result has the shape of ``table`` without its last axis.
    """
    twice = 2.0 * table[..., TP]
    below = twice + table[..., FP] + table[..., FN]
    found: np.ndarray = np.divide(twice, below, out=np.zeros_like(below), where=below > 0)
    return found
