"""From a word's probabilities to tags that can follow each other.

Each word's likeliest tag, taken for itself, can leave an ``I-X`` that continues nothing, and the strict rule takes
such an entity for none. Of all sequences without one, the likeliest is found by dynamic programming (Viterbi 1967),
with the words' probabilities taken as independent; where no ``I-X`` is orphaned, that is the likeliest tags anyway.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SMALLEST = 1e-12
"""A probability of 0 counts as this: a word is never without any legal tag."""


def followers(labels: Sequence[str]) -> np.ndarray:
    """Which label may follow which: ``(labels, labels)`` booleans, the first axis being the earlier word's.

    A sentence begins as if ``O`` came before it.
    """
    return np.array([[not after.startswith("I-") or before[2:] == after[2:] for after in labels] for before in labels])


def legal(table: np.ndarray, ends: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """The likeliest labels ``(words,)`` of all sentences whose every ``I-X`` follows ``B-X`` or ``I-X``.

    Args:
        table: probabilities of the words of all sentences, ``(words, labels)``.
        ends: ``(sentences,)``, where each sentence ends in it.
        labels: BIO names, ``O`` among them.
    """
    follows, outside = followers(labels), list(labels).index("O")
    best = table.argmax(-1)
    before = np.concatenate(([outside], best[:-1]))
    begins = np.concatenate(([0], ends[:-1]))
    before[begins[begins < len(best)]] = outside
    wrong = np.flatnonzero(~follows[before, best])
    for sentence in np.unique(np.searchsorted(ends, wrong, side="right")):
        words = slice(int(begins[sentence]), int(ends[sentence]))
        best[words] = _likeliest(table[words], follows, outside)
    return best


def _likeliest(table: np.ndarray, follows: np.ndarray, outside: int) -> np.ndarray:
    """Viterbi's sequence ``(words,)`` for one sentence of at least one word."""
    scores = np.log(table.clip(min=SMALLEST).astype(np.float64))
    barred = np.where(follows, 0.0, -np.inf)
    reached = scores[0] + barred[outside]
    earlier = []
    for score in scores[1:]:
        ways = reached[:, None] + barred
        earlier.append(ways.argmax(0))
        reached = ways.max(0) + score
    path = [int(reached.argmax())]
    for back in reversed(earlier):
        path.append(int(back[path[-1]]))
    return np.array(path[::-1])
