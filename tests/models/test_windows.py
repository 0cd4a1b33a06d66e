"""Windows over long sentences."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.models.windows import Window, windows


def test_a_short_sentence_is_one_window() -> None:
    assert windows([1, 2, 1], limit=4, overlap=2) == [Window(0, 3, 0, 3)]


def test_an_empty_sentence_has_none() -> None:
    assert windows([], limit=4, overlap=2) == []


def test_neighbours_share_words_and_part_in_their_middle() -> None:
    assert windows([1] * 8, limit=5, overlap=2) == [Window(0, 5, 0, 4), Window(3, 8, 4, 8)]


def test_a_word_over_the_limit_has_a_window_of_its_own() -> None:
    assert windows([1, 99, 1], limit=4, overlap=2) == [Window(0, 1, 0, 1), Window(1, 2, 1, 2), Window(2, 3, 2, 3)]


@pytest.mark.parametrize(("limit", "overlap"), [(0, 1), (3, -1)])
def test_impossible_sizes_are_refused(limit: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="limit >= 1"):
        windows([1], limit, overlap)


@given(st.lists(st.integers(0, 6), max_size=40), st.integers(1, 12), st.integers(0, 10))
def test_windows_fit_and_keep_each_word_once(lengths: list[int], limit: int, overlap: int) -> None:
    found = windows(lengths, limit, overlap)
    assert [word for window in found for word in range(window.keep_first, window.keep_last)] == list(
        range(len(lengths))
    )
    for window in found:
        assert window.first <= window.keep_first <= window.keep_last <= window.last
        assert sum(min(length, limit) for length in lengths[window.first : window.last]) <= limit
    for left, right in itertools.pairwise(found):
        assert left.last < right.last
        assert left.last - right.first <= overlap
