"""The rows of growth: how speed changes with the number of sentences and with their length."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from stages.benchmark.figures import speeds
from stages.benchmark.plan import BATCH, Plan
from stages.benchmark.quality import own_span_marker, own_token_classifier, trained_at
from stages.benchmark.race import Side, race
from stages.benchmark.sentences import Sentence, of_length, pick
from stages.benchmark.speed import OURS, PLAIN, STOCK

TIMES = (1, 2, 4, 8)
BASE = 32
"""Sentences at one times."""
STOCK_TIMES = (1, 2)
"""Stock SpanMarker is measured at these times only: it needs half a second to train on a sentence."""
LENGTHS = (10, 25, 50, 100, 250)
"""Words of a sentence."""
WORDS = 800
"""Words in all at each length, and in any case ``LEAST`` sentences."""
LEAST = 4

PEER = "stock span_marker; the plain token classifier; each as in its row above"


def by_sentences(plan: Plan) -> dict[str, Any]:
    """Speeds at one, two, four and eight times the sentences; stock SpanMarker at one and two times only.

    Raises:
        UserError: a side refuses its work, or its process ends.
    """
    models, points = _models(plan), []
    for times in TIMES:
        sentences = pick(plan.corpus.train, BASE * times)
        points += _points(plan, models, sentences, {"sentences": len(sentences)}, with_stock=times in STOCK_TIMES)
    note = f"stock SpanMarker at {' and '.join(map(str, STOCK_TIMES))} times only, as it takes minutes"
    return _row(points, models, note)


def by_words(plan: Plan) -> dict[str, Any]:
    """Speeds at sentences of 10 to 250 words of a single subword each, so that no side cuts any.

    Raises:
        UserError: no word of the data is a single subword; a side refuses its work, or its process ends.
    """
    from stages.models.encoder import load_tokenizer  # here, so that the waiting process need not load torch

    tokenizer = load_tokenizer(plan.span_marker.encoder, plan.span_marker.encoder_revision)
    models, points = _models(plan), []
    for words in LENGTHS:
        sentences = of_length(plan.corpus.train, words, max(LEAST, WORDS // words), tokenizer)
        points += _points(plan, models, sentences, {"words": words, "sentences": len(sentences)}, with_stock=True)
    return _row(points, models, "every side at every length")


class _Models(NamedTuple):
    """What predicts: a directory of each family, and the commits that they were trained at."""

    span_marker: Path
    token_classifier: Path
    commits: set[str]


def _models(plan: Plan) -> _Models:
    (span, of_span), (token, of_token) = own_span_marker(plan), own_token_classifier(plan)
    return _Models(span, token, of_span | of_token)


def _points(
    plan: Plan, models: _Models, sentences: list[Sentence], size: dict[str, int], with_stock: bool
) -> list[dict[str, Any]]:
    """One point a task: sentences a second of each side, one run after one to warm up."""
    points = []
    for task, sides in _tasks(plan, models, sentences).items():
        if not with_stock and "token" not in task:
            sides = {name: side for name, side in sides.items() if name != "peer"}
        tracks = race(sides, 1, plan.threads)
        points.append({"task": task, **size, **{name: statistics.median(speeds(tracks[name])) for name in sides}})
    return points


def _tasks(plan: Plan, models: _Models, sentences: list[Sentence]) -> dict[str, dict[str, Side]]:
    """The sides of each task: ours (in both modes) and the peer."""
    span, token = (
        part.model_copy(update={"batch_size": BATCH}) for part in (plan.mode("exact"), plan.token_classifier)
    )
    once = {"sentences": sentences, "passes": 1, "bf16": False}
    asked = {"model": models.span_marker, **once}
    selective = span.model_copy(update={"mode": "selective"})
    plain = {"settings": token, "sentences": sentences}
    return {
        "training": {
            "ours": Side(f"{OURS}:Training", {"settings": span, **once}),
            "ours, selective": Side(f"{OURS}:Training", {"settings": selective, **once}),
            "peer": Side(f"{STOCK}:Training", {"settings": span, "sentences": sentences}),
        },
        "prediction": {
            "ours": Side(f"{OURS}:Prediction", {"mode": "exact", **asked}),
            "ours, selective": Side(f"{OURS}:Prediction", {"mode": "selective", **asked}),
            "peer": Side(f"{STOCK}:Prediction", {"model": models.span_marker, "sentences": sentences}),
        },
        "token training": {
            "ours": Side(f"{OURS}:Training", {"settings": token, **once}),
            "peer": Side(f"{PLAIN}:Training", plain),
        },
        "token prediction": {
            "ours": Side(f"{OURS}:Prediction", {"model": models.token_classifier, "mode": None, **once}),
            "peer": Side(f"{PLAIN}:Prediction", {"model": models.token_classifier, **plain}),
        },
    }


def _row(points: Sequence[dict[str, Any]], models: _Models, note: str) -> dict[str, Any]:
    """A row of points has no single ratio: each point has its own."""
    return {
        "peer": PEER,
        "precision": {"ours": "fp32", "peer": "fp32"},
        "unit": "sentences per second",
        "ratio": None,
        "points": list(points),
        "note": note,
        **trained_at(models.commits),
    }
