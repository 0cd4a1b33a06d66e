"""The figures of one run with their intervals, for its model card: from predictions alone, so without torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from stages.corpus.files import read_json
from stages.corpus.labels import SPLITS, SYSTEMS
from stages.errors import UserError
from stages.reporting.card import Figure, Results
from stages.scoring.counts import FN, FP, TP, counts, f1
from stages.scoring.paired import resampled
from stages.scoring.predictions import read

PLAIN = ("macro_f1", "five_f1", "accuracy")
"""Figures of metrics.json that are told without an interval."""


def results(reports: Path, run: str, resamples: int, confidence: float, seed: int) -> Results:
    """What ``reports`` hold of ``run``: its figures on test, and how much data there was.

    Raises:
        UserError: a file is missing or cannot be read, or the run has no score.
    """
    folder, system = reports / "runs" / run, run[-1]
    metrics = read_json(folder / "metrics.json")
    predictions = read(folder / "predictions.jsonl")
    if predictions.unscored is not None:
        raise UserError(f"{folder}/predictions.jsonl: has no score: {predictions.unscored}")
    types = [kind for kind in SYSTEMS[system] if kind in read_json(folder / "per_type.json")]
    table = counts(predictions.gold, predictions.pred, types)
    draws = resampled(table, resamples, np.random.default_rng(seed))

    def figure(of: Callable[[np.ndarray], np.ndarray], whole: np.ndarray, drawn: np.ndarray) -> Figure:
        low, high = np.quantile(of(drawn), [(1 - confidence) / 2, (1 + confidence) / 2])
        return Figure(float(of(whole)), float(low), float(high))

    whole = table.sum(axis=0)
    support = whole[:, TP] + whole[:, FN]
    scores = {"precision": _precision, "recall": _recall, "f1": f1}
    return Results(
        scores={name: figure(of, whole.sum(axis=0), draws.sum(axis=1)) for name, of in scores.items()},
        per_type={kind: (figure(f1, whole[i], draws[:, i]), int(support[i])) for i, kind in enumerate(types)},
        plain={name: metrics[name] for name in PLAIN},
        confidence=confidence,
        splits=_splits(reports / "data" / f"{system}.csv"),
    )


def _precision(table: np.ndarray) -> np.ndarray:
    return _share(table[..., TP], table[..., FP])


def _recall(table: np.ndarray) -> np.ndarray:
    return _share(table[..., TP], table[..., FN])


def _share(right: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """right / (right + wrong), 0 where both are: seqeval's ``zero_division=0``."""
    right, whole = np.asarray(right, dtype=float), np.asarray(right + wrong, dtype=float)
    found: np.ndarray = np.divide(right, whole, out=np.zeros_like(whole), where=whole > 0)
    return found


def _splits(path: Path) -> list[tuple[str, int, int]]:
    try:
        rows = pd.read_csv(path).query("type == 'all'").set_index("split")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; `dvc repro` makes it") from None
    return [(split, int(rows.loc[split, "sentences"]), int(rows.loc[split, "entities"])) for split in SPLITS]
