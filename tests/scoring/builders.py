"""Predictions made by hand, and at random, for the tests of scoring."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from stages.corpus.labels import TYPES
from stages.scoring.predictions import Predictions, Row
from stages.scoring.scores import score_all


def predictions(*sentences: tuple[str, str], path: str = "made.jsonl") -> Predictions:
    """One row a (gold, pred) pair of tags parted by spaces; the words are w0, w1, …"""
    rows = []
    for gold, pred in sentences:
        tags = gold.split()
        rows.append(Row([f"w{i}" for i in range(len(tags))], tags, pred.split()))
    return Predictions(path, rows, list(range(1, len(rows) + 1)))


def per_type(made: Predictions) -> dict[str, dict[str, Any]]:
    """The strict figures of each type, see ``score_all``."""
    return score_all(made)[1]


def random_tags(rng: random.Random, length: int, types: tuple[str, ...] = TYPES[:4]) -> list[str]:
    """Any tags in any order, illegal transitions among them."""
    tags = ["O", *(f"{prefix}-{kind}" for kind in types for prefix in "BI")]
    return rng.choices(tags, weights=[4, *([1, 2] * len(types))], k=length)


def noisy(rng: random.Random, tags: list[str], rate: float = 0.2, types: tuple[str, ...] = TYPES[:4]) -> list[str]:
    """The same tags with a share of them replaced by random ones."""
    return [rng.choice(random_tags(rng, 1, types)) if rng.random() < rate else tag for tag in tags]


def random_predictions(seed: int, sentences: int, types: tuple[str, ...] = TYPES[:4]) -> Predictions:
    """Random gold, and predictions that are mostly right."""
    rng = random.Random(seed)
    rows = []
    for _ in range(sentences):
        gold = random_tags(rng, rng.randint(1, 20), types)
        rows.append(Row([f"w{i}" for i in range(len(gold))], gold, noisy(rng, gold, types=types)))
    return Predictions("random.jsonl", rows, list(range(1, sentences + 1)))


def ordinary_predictions(seed: int, sentences: int) -> Predictions:
    """Sentences as MultiNERD has them: 21 words, about 1.5 entities of one to three words, one in fifteen mistaken."""
    rng = random.Random(seed)
    rows = []
    for _ in range(sentences):
        gold, pred = ["O"] * 21, ["O"] * 21
        for start in rng.sample(range(0, 20, 5), rng.randint(0, 3)):
            kind, length = rng.choice(TYPES), rng.randint(1, 3)
            gold[start : start + length] = [f"B-{kind}", *[f"I-{kind}"] * (length - 1)]
            if rng.random() < 0.95:
                given = kind if rng.random() < 0.98 else rng.choice(TYPES)
                pred[start : start + length] = [f"B-{given}", *[f"I-{given}"] * (length - 1)]
        rows.append(Row([f"w{i}" for i in range(21)], gold, pred))
    return Predictions("ordinary.jsonl", rows, list(range(1, sentences + 1)))


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Rows as JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def row(gold: str, pred: str, **more: Any) -> dict[str, Any]:
    """One row as a file has it; tags parted by spaces, words w0, w1, …"""
    tags = gold.split()
    return {"tokens": [f"w{i}" for i in range(len(tags))], "gold": tags, "pred": pred.split(), **more}


def published(system: str) -> Path:
    """The published predictions of a system, or a skipped test where they are not at hand."""
    if "MULTINERD_DIR" not in os.environ:
        pytest.skip("MULTINERD_DIR is unset, so the published predictions beside it are not at hand")
    path = Path(os.environ["MULTINERD_DIR"]).parent / "published-predictions" / f"roberta-base-{system}.jsonl"
    if not path.exists():
        pytest.skip(f"there is no {path.name} beside MULTINERD_DIR")
    return path
