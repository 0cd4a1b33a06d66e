"""From the probabilities of spans to entities and a loss, as ``span_marker`` decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stages.corpus.labels import Span
from stages.models.span_marker.preparation import Gold


class Answer(NamedTuple):
    """What was asked of one sentence, and the reply.

    Attributes:
        first, last: words of each span, both inclusive, ``(N,)``.
        log_probabilities: ``(N, labels)``, label 0 is O.
        bare: ``(N,)``, whether the span begins or ends with a word that has no subword.
    """

    first: np.ndarray
    last: np.ndarray
    log_probabilities: np.ndarray
    bare: np.ndarray


def merge(answers: Sequence[Answer], labels: int) -> Answer:
    """The answers of a sentence's windows as one; empty where there is none."""
    if len(answers) == 1:
        return answers[0]
    nothing = np.zeros(0, dtype=np.int64)
    empty = Answer(nothing, nothing, np.zeros((0, labels), dtype=np.float32), nothing.astype(bool))
    return Answer(*(np.concatenate(parts) for parts in zip(empty, *answers, strict=True)))


def decode(answer: Answer, names: Sequence[str]) -> tuple[list[Span], list[float]]:
    """Entities in order, and the probability of each.

    Each span has its likeliest label. Spans with another label than O are taken by falling probability,
    equal ones by first and then by last word, each only where it shares no word with one taken before.
    ``names`` holds the labels by id.
    """
    best = answer.log_probabilities.argmax(-1)
    candidates = np.flatnonzero((best != 0) & ~answer.bare)
    scores = np.exp(answer.log_probabilities[candidates, best[candidates]])
    order = np.lexsort((answer.last[candidates], answer.first[candidates], -scores))
    taken: set[int] = set()
    chosen: list[tuple[Span, float]] = []
    for i in order:
        span = candidates[i]
        words = range(int(answer.first[span]), int(answer.last[span]) + 1)
        if taken.isdisjoint(words):
            taken.update(words)
            chosen.append((Span(names[best[span]], words.start, words.stop), min(float(scores[i]), 1.0)))
    chosen.sort(key=lambda item: item[0].start)
    return [span for span, _ in chosen], [score for _, score in chosen]


def loss(answer: Answer, gold: Gold) -> float:
    """Mean cross-entropy (nats) over the spans asked about; 0 where there are none."""
    if not len(answer.first):
        return 0.0
    labels = {
        (first, last): label
        for first, last, label in zip(gold.first.tolist(), gold.last.tolist(), gold.label.tolist(), strict=True)
    }
    truth = [labels.get(span, 0) for span in zip(answer.first.tolist(), answer.last.tolist(), strict=True)]
    return float(-answer.log_probabilities[np.arange(len(truth)), truth].mean(dtype=np.float64))
