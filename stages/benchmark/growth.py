"""The rows of growth: how speed changes with the number of sentences and with their length."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from stages.benchmark.figures import speeds
from stages.benchmark.plan import BATCH, Plan
from stages.benchmark.quality import own_span_marker, own_token_classifier
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
    """Speeds at one, two, four and eight times the sentences; stock SpanMarker at one and two times only."""
    points = []
    for times in TIMES:
        sentences = pick(plan.corpus.train, BASE * times)
        points += _points(plan, sentences, {"sentences": len(sentences)}, with_stock=times in STOCK_TIMES)
    return _row(points, f"stock SpanMarker at {' and '.join(map(str, STOCK_TIMES))} times only, as it takes minutes")


def by_words(plan: Plan) -> dict[str, Any]:
    """Speeds at sentences of 10 to 250 words of a single subword each, so that no side cuts any."""
    from stages.models.encoder import load_tokenizer  # here, so that the waiting process need not load torch

    tokenizer = load_tokenizer(plan.span_marker.encoder, plan.span_marker.encoder_revision)
    points = []
    for words in LENGTHS:
        sentences = of_length(plan.corpus.train, words, max(LEAST, WORDS // words), tokenizer)
        points += _points(plan, sentences, {"words": words, "sentences": len(sentences)}, with_stock=True)
    return _row(points, "every side at every length")


def _points(plan: Plan, sentences: list[Sentence], size: dict[str, int], with_stock: bool) -> list[dict[str, Any]]:
    """One point a task: sentences a second of each side, one run after one to warm up."""
    points = []
    for task, sides in _tasks(plan, sentences).items():
        if not with_stock and "token" not in task:
            sides = {name: side for name, side in sides.items() if name != "peer"}
        tracks = race(sides, 1, plan.threads)
        points.append({"task": task, **size, **{name: statistics.median(speeds(tracks[name])) for name in sides}})
    return points


def _tasks(plan: Plan, sentences: list[Sentence]) -> dict[str, dict[str, Side]]:
    """The sides of each task: ours (in both modes) and the peer."""
    span, token = (
        part.model_copy(update={"batch_size": BATCH}) for part in (plan.mode("exact"), plan.token_classifier)
    )
    span_model, token_model = own_span_marker(plan), own_token_classifier(plan)
    once = {"sentences": sentences, "passes": 1, "bf16": False}
    asked = {"model": span_model, **once}
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
            "peer": Side(f"{STOCK}:Prediction", {"model": span_model, "sentences": sentences}),
        },
        "token training": {
            "ours": Side(f"{OURS}:Training", {"settings": token, **once}),
            "peer": Side(f"{PLAIN}:Training", plain),
        },
        "token prediction": {
            "ours": Side(f"{OURS}:Prediction", {"model": token_model, "mode": None, **once}),
            "peer": Side(f"{PLAIN}:Prediction", {"model": token_model, **plain}),
        },
    }


def _row(points: Sequence[dict[str, Any]], note: str) -> dict[str, Any]:
    """A row of points has no single ratio: each point has its own."""
    return {
        "peer": PEER,
        "precision": {"ours": "fp32", "peer": "fp32"},
        "unit": "sentences per second",
        "ratio": None,
        "points": list(points),
        "note": note,
    }
