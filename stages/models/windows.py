"""Overlapping windows over sentences that are longer than a model can read at once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple


class Window(NamedTuple):
    """One reading of the words ``first`` to ``last`` (end exclusive).

    Answers for the words ``keep_first`` to ``keep_last`` (end exclusive) are taken from this window:
    the kept ranges of a sentence's windows follow each other without gap or overlap.
    """

    first: int
    last: int
    keep_first: int
    keep_last: int


def windows(lengths: Sequence[int], limit: int, overlap: int) -> list[Window]:
    """Cut a sentence into as few windows as fit, each word kept where it is farthest from an edge.

    ``lengths`` holds the subwords of each word, ``limit`` is the most subwords of one window, special
    ones not counted, and ``overlap`` the words that neighbouring windows share, fewer where the next
    window would otherwise bring nothing new. A word longer than ``limit`` counts as ``limit``: the
    model reads its first subwords. An empty sentence has no window.

    Raises:
        ValueError: ``limit`` is under 1 or ``overlap`` under 0.
    """
    if limit < 1 or overlap < 0:
        raise ValueError(f"windows need limit >= 1 and overlap >= 0, not {limit} and {overlap}")
    sizes = [min(length, limit) for length in lengths]
    ranges: list[tuple[int, int]] = []
    first, last = 0, 0
    while last < len(sizes):
        first = _next_first(sizes, last, limit, overlap)
        last = _reach(sizes, first, limit)
        ranges.append((first, last))
    cuts = [0, *((left[1] + right[0]) // 2 for left, right in itertools.pairwise(ranges)), len(sizes)]
    return [Window(*span, *keep) for span, keep in zip(ranges, itertools.pairwise(cuts), strict=False)]


def _next_first(sizes: list[int], last: int, limit: int, overlap: int) -> int:
    """Where the window after ``last`` begins: ``overlap`` words earlier, if word ``last`` still fits."""
    first, total = last, sizes[last]
    while first > max(last - overlap, 0) and total + sizes[first - 1] <= limit:
        first -= 1
        total += sizes[first]
    return first


def _reach(sizes: list[int], first: int, limit: int) -> int:
    total, last = 0, first
    while last < len(sizes) and total + sizes[last] <= limit:
        total += sizes[last]
        last += 1
    return last
