"""The answer: does System B beat System A, on what both are asked?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stages.scoring import alignment, disagreements
from stages.scoring.counts import counts, f1
from stages.scoring.paired import Difference, compare_counts, holm
from stages.scoring.predictions import Predictions, read
from stages.scoring.verdict import verdict


def compare(
    a_files: Sequence[str | Path],
    b_files: Sequence[str | Path],
    resamples: int = 10_000,
    confidence: float = 0.95,
    seed: int = 0,
    examples: int = 20,
    names: tuple[str, str] = ("A", "B"),
) -> dict[str, Any]:
    """Compare two runs, or two groups of runs that differ only in their seed; fractions are unrounded.

    Every ``difference`` is B minus A in F1, strict IOB2, micro. The keys:

    - ``common``: both sides on the sentences that both have and the types that both know: ``sentences``,
      ``types``, ``a_f1``, ``b_f1``, ``difference``, ``interval`` [low, high], ``p_value``, and ``b_minus_a`` and
      ``a_minus_b``, the same difference read in both directions.
    - ``only_a``, ``only_b``: sentences that B lacks, that A lacks.
    - ``headline``: each side on its own types and its own sentences, as the comparison is usually published.
    - ``explained``: the headline difference as a sum: ``sentences`` (what goes when both are scored on the
      common sentences), ``types`` (what goes when both are asked for the shared types too), ``left`` (the common
      difference); ``share`` is the explained part of the whole, None where the headline difference is 0.
    - ``per_type``: as ``common`` for each shared type that occurs, with ``support`` (gold entities) and
      ``p_corrected`` (Holm, over these types).
    - ``seeds``: for each side ``f1`` of every file on common ground, their ``mean`` and ``spread`` (standard
      deviation, None for one file).
    - ``disagreements``, ``outside``: see ``stages.scoring.disagreements``.
    - ``settings``: ``resamples``, ``confidence``, ``seed``. ``verdict``: the answer in plain sentences, in which the
      two sides are called ``names``.

    Raises:
        PredictionError: a file cannot be read, or the two sides cannot be paired (``alignment.align``).
        ValueError: a side has no file.
    """
    if not a_files or not b_files:
        raise ValueError("each side needs at least one predictions file")
    a, b = [read(path) for path in a_files], [read(path) for path in b_files]
    common = alignment.align(a, b)
    a_table = np.stack([counts(common.gold, pred, common.types) for pred in common.a])
    b_table = np.stack([counts(common.gold, pred, common.types) for pred in common.b])
    whole = compare_counts(a_table.sum(axis=2), b_table.sum(axis=2), resamples, confidence, seed)
    headline = _own_ground(a, b)
    result: dict[str, Any] = {
        "common": {
            "sentences": len(common.gold),
            "types": list(common.types),
            **_difference(whole),
            **_directions(whole),
        },
        "only_a": common.only_a,
        "only_b": common.only_b,
        "headline": headline,
        "explained": _explained(headline["difference"], a, b, common, whole),
        "per_type": _per_type(common.types, a_table, b_table, resamples, confidence, seed),
        "seeds": {"a": _seeds(whole.a_seeds), "b": _seeds(whole.b_seeds)},
        "disagreements": disagreements.disagreements(common, examples),
        "outside": disagreements.outside(a[0], b[0], common),
        "settings": {"resamples": resamples, "confidence": confidence, "seed": seed},
    }
    return {"verdict": verdict(result, names), **result}


def _difference(found: Difference) -> dict[str, Any]:
    return {
        "a_f1": found.a_f1,
        "b_f1": found.b_f1,
        "difference": found.difference,
        "interval": [found.low, found.high],
        "p_value": found.p_value,
    }


def _directions(found: Difference) -> dict[str, Any]:
    return {
        "b_minus_a": {"difference": found.difference, "interval": [found.low, found.high]},
        "a_minus_b": {"difference": -found.difference, "interval": [-found.high, -found.low]},
    }


def _own_ground(a: Sequence[Predictions], b: Sequence[Predictions]) -> dict[str, float]:
    """Each side's mean F1 on all types and sentences of its own files."""
    a_f1 = float(np.mean([_f1(file, range(len(file.rows))) for file in a]))
    b_f1 = float(np.mean([_f1(file, range(len(file.rows))) for file in b]))
    return {"a_f1": a_f1, "b_f1": b_f1, "difference": b_f1 - a_f1}


def _f1(file: Predictions, rows: Sequence[int]) -> float:
    """Strict micro F1 over all fifteen types on some rows of a file."""
    chosen = [file.rows[i] for i in rows]
    return float(f1(counts([row.gold for row in chosen], [row.pred for row in chosen]).sum(axis=(0, 1))))


def _explained(
    headline: float, a: Sequence[Predictions], b: Sequence[Predictions], common: alignment.Common, whole: Difference
) -> dict[str, float | None]:
    same_sentences = float(
        np.mean([_f1(file, common.b_rows) for file in b]) - np.mean([_f1(file, common.a_rows) for file in a])
    )
    return {
        "sentences": headline - same_sentences,
        "types": same_sentences - whole.difference,
        "left": whole.difference,
        "share": (headline - whole.difference) / headline if headline else None,
    }


def _per_type(
    types: Sequence[str], a: np.ndarray, b: np.ndarray, resamples: int, confidence: float, seed: int
) -> dict[str, dict[str, Any]]:
    """The paired comparison of each type that occurs at all; arrays are ``(files, sentences, types, 3)``."""
    found: dict[str, dict[str, Any]] = {}
    for i, kind in enumerate(types):
        if a[:, :, i].any() or b[:, :, i].any():
            one = compare_counts(a[:, :, i], b[:, :, i], resamples, confidence, seed)
            found[kind] = {"support": int(a[0, :, i, ::2].sum()), **_difference(one)}
    for part, corrected in zip(found.values(), holm([part["p_value"] for part in found.values()]), strict=True):
        part["p_corrected"] = corrected
    return found


def _seeds(values: Sequence[float]) -> dict[str, Any]:
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"f1": list(values), "mean": float(np.mean(values)), "spread": spread}
