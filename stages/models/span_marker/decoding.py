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


def word_probabilities(answer: Answer, words: int, types: int) -> np.ndarray:
    """The span probabilities read as BIO tags of the words: ``(words, 1 + 2 * types)`` float32, rows sum to 1.

    A word's ``B-X`` is the sum over the spans of type X that begin at it, ``I-X`` over those that go on through
    it, and O what is left of 1. Spans are judged one by one, so that a sum can exceed 1; it is then scaled to 1.
    """
    spans = np.where(answer.bare[:, None], 0.0, np.exp(answer.log_probabilities[:, 1:]))
    table = np.zeros((words, 1 + 2 * types), dtype=np.float32)
    np.add.at(table[:, 1::2], answer.first, spans)
    for step in range(1, int((answer.last - answer.first).max(initial=0)) + 1):
        through = answer.first + step <= answer.last
        np.add.at(table[:, 2::2], answer.first[through] + step, spans[through])
    table /= np.maximum(table.sum(-1, keepdims=True), 1.0)
    table[:, 0] = 1.0 - table.sum(-1)
    return table


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
