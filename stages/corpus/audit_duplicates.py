"""The same sentence twice: exact copies, and near ones by the words that they share."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import sparse

NEAR = 0.7
"""Jaccard similarity of two sets of shingles from which two sentences are near duplicates."""

SHORTEST = 6
"""Words from which a sentence can have a near duplicate; in shorter ones a single word is too much."""

_BLOCK = 4096


def exact_groups(sentences: Sequence[Sequence[str]]) -> np.ndarray:
    """A number for each sentence, ``(sentences,)``: equal where all words are equal, in order of first sight."""
    seen: dict[str, int] = {}
    return np.array([seen.setdefault("\0".join(words), len(seen)) for words in sentences], dtype=np.int64)


def near_pairs(sentences: Sequence[Sequence[str]], threshold: float = NEAR) -> np.ndarray:
    """All pairs ``i < j`` of sentences whose shingle sets have a Jaccard similarity of at least ``threshold``.

    Words are compared without case. The search is exact, by prefix filtering (Chaudhuri et al. 2006; Bayardo
    et al. 2007): of two sets that are similar enough, the rarest ``n - ceil(t·n) + 1`` members have one in common,
    so only sentences that share a rare shingle are compared. Give each sentence once: copies are similar to each other.

    Returns:
        Pairs of indices, ``(pairs, 2)``, sorted.
    """
    whole = _shingles(sentences)
    prefix = _prefixes(whole, threshold)
    sizes = np.diff(whole.indptr)
    transposed = prefix.T.tocsr()
    found = []
    for start in range(0, whole.shape[0], _BLOCK):
        candidates = (prefix[start : start + _BLOCK] @ transposed).tocoo()
        i, j = candidates.row.astype(np.int64) + start, candidates.col.astype(np.int64)
        i, j = i[i < j], j[i < j]
        for part in range(0, len(i), 1 << 18):
            left, right = i[part : part + (1 << 18)], j[part : part + (1 << 18)]
            shared = np.asarray(whole[left].multiply(whole[right]).sum(axis=1)).ravel()
            near = shared >= threshold * (sizes[left] + sizes[right] - shared) - 1e-9
            found.append(np.stack([left[near], right[near]], axis=1))
    pairs = np.concatenate(found) if found else np.zeros((0, 2), dtype=np.int64)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _shingles(sentences: Sequence[Sequence[str]]) -> sparse.csr_matrix:
    """Which shingles (runs of three words) a sentence has, ``(sentences, shingles)`` of 0 and 1, rarest first."""
    numbers: dict[str, int] = {}
    keys, rows = [], []
    for i, words in enumerate(sentences):
        if len(words) >= SHORTEST:
            keys.append(np.array([numbers.setdefault(word.lower(), len(numbers)) for word in words], dtype=np.int64))
            rows.append(i)
    if not rows:
        return sparse.csr_matrix((len(sentences), 1), dtype=np.int32)
    base = len(numbers) + 1
    shingles = [(word[:-2] * base + word[1:-1]) * base + word[2:] for word in keys]
    row = np.repeat(rows, [len(part) for part in shingles])
    _, column = np.unique(np.concatenate(shingles), return_inverse=True)
    pairs = np.unique(np.stack([row, column], axis=1), axis=0)
    row, column = pairs[:, 0], pairs[:, 1]
    frequency = np.bincount(column)
    rank = np.empty(len(frequency), dtype=np.int64)
    rank[np.argsort(frequency, kind="stable")] = np.arange(len(frequency))
    matrix = sparse.csr_matrix(
        (np.ones(len(row), dtype=np.int32), (row, rank[column])), shape=(len(sentences), len(frequency))
    )
    matrix.sort_indices()
    return matrix


def _prefixes(whole: sparse.csr_matrix, threshold: float) -> sparse.csr_matrix:
    """Of each row only the rarest members, as many as similarity ``threshold`` needs one in common of."""
    sizes = np.diff(whole.indptr)
    lengths = np.array([n - math.ceil(threshold * n - 1e-9) + 1 if n else 0 for n in range(sizes.max(initial=0) + 1)])
    place = np.arange(len(whole.indices)) - np.repeat(whole.indptr[:-1], sizes)
    kept = place < np.repeat(lengths[sizes], sizes)
    pointers = np.concatenate([[0], np.cumsum(lengths[sizes])])
    return sparse.csr_matrix((whole.data[kept], whole.indices[kept], pointers), shape=whole.shape)
