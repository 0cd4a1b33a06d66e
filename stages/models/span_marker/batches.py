"""From prepared sentences to the tensors of one batch, by arrays: no Python loop over spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from stages.models.subwords import ragged_arange


def all_spans(words: np.ndarray, longest: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every span of up to ``longest`` words of sentences of ``words`` ``(sentences,)`` words.

    Returns first and last word of each span, ``(spans,)`` each, both inclusive and counted over the
    whole batch, and the number of spans of each sentence. Sentence by sentence, by first word, then by
    last word: the order in which ``span_marker`` asks.
    """
    left = np.repeat(np.cumsum(words), words) - np.arange(words.sum())
    counts = np.minimum(left, longest)
    first = np.repeat(np.arange(len(counts)), counts)
    per_sentence = np.minimum(longest, words)
    spans = per_sentence * words - per_sentence * (per_sentence - 1) // 2
    return first, first + ragged_arange(counts), spans


@dataclass(frozen=True)
class Collator:
    """Makes a batch of the rows of :func:`~stages.models.span_marker.preparation.prepare`.

    A row may hold ``span_first`` and ``span_last``, the words (inclusive) of the spans to ask about,
    grouped in any order; without them every span of up to ``entity_words`` words is asked about.
    Labels are made where the rows hold gold entities; a gold entity that is not asked about is
    left out, as in ``span_marker``.
    """

    pad_token_id: int
    entity_words: int

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        """The keyword arguments of :meth:`SpanMarker.forward` for these rows.

        ``B`` sentences, ``T`` subwords in the longest, ``W`` words and ``N`` spans in all: ``input_ids`` and
        ``attention_mask`` ``(B, T)``; ``word_first`` and ``word_last`` ``(W,)``, subword positions; ``span_first``
        and ``span_last`` ``(N,)``, indices of words; ``span_sentence`` ``(N,)``, ascending; ``labels`` ``(N,)``.
        """
        words = np.array([len(row["word_first"]) for row in rows])
        base = np.cumsum(words) - words
        if "span_first" in rows[0]:
            counts = np.array([len(row["span_first"]) for row in rows])
            shift = np.repeat(base, counts)
            first, last = _join(rows, "span_first") + shift, _join(rows, "span_last") + shift
        else:
            first, last, counts = all_spans(words, self.entity_words)
        ids, mask = self._text(rows)
        batch = {
            "input_ids": ids,
            "attention_mask": mask,
            "word_first": _join(rows, "word_first"),
            "word_last": _join(rows, "word_last"),
            "span_first": first,
            "span_last": last,
            "span_sentence": np.repeat(np.arange(len(rows)), counts),
        }
        if "gold_label" in rows[0]:
            batch["labels"] = _labels(rows, base, int(words.sum()), first, last)
        return {name: torch.from_numpy(array) for name, array in batch.items()}

    def _text(self, rows: Sequence[Mapping[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
        lengths = np.array([len(row["input_ids"]) for row in rows])
        mask = np.arange(lengths.max()) < lengths[:, None]
        ids = np.full(mask.shape, self.pad_token_id)
        ids[mask] = _join(rows, "input_ids")
        return ids, mask


def _join(rows: Sequence[Mapping[str, Any]], name: str) -> np.ndarray:
    return np.concatenate([np.asarray(row[name], dtype=np.int64) for row in rows])


def _labels(
    rows: Sequence[Mapping[str, Any]], base: np.ndarray, words: int, first: np.ndarray, last: np.ndarray
) -> np.ndarray:
    """The label of each span ``(N,)``: that of the gold entity of the same words, else 0 (O)."""
    shift = np.repeat(base, [len(row["gold_label"]) for row in rows])
    gold = (_join(rows, "gold_first") + shift) * words + _join(rows, "gold_last") + shift
    order = np.argsort(gold)
    asked = first * words + last
    labels = np.zeros(len(asked), dtype=np.int64)
    if len(gold):
        place = np.minimum(np.searchsorted(gold[order], asked), len(gold) - 1)
        hit = gold[order][place] == asked
        labels[hit] = _join(rows, "gold_label")[order][place[hit]]
    return labels
