"""Span probabilities read as tags: each word's row sums to 1 and says what the spans say."""

from __future__ import annotations

import numpy as np

from stages.models.span_marker.decoding import Answer, word_probabilities


def answer(*spans: tuple[int, int, list[float]], bare: tuple[int, ...] = ()) -> Answer:
    """Spans as (first word, last word, probabilities of O and two types)."""
    first, last = (np.array([span[i] for span in spans]) for i in (0, 1))
    log = np.log(np.array([span[2] for span in spans]) + 1e-30)
    return Answer(first, last, log, np.array([i in bare for i in range(len(spans))]))


def test_a_certain_span_gives_its_words_b_and_i() -> None:
    table = word_probabilities(answer((0, 0, [1, 0, 0]), (0, 1, [0, 0, 1]), (1, 1, [1, 0, 0])), 2, 2)
    np.testing.assert_allclose(table, [[0, 0, 0, 1, 0], [0, 0, 0, 0, 1]], atol=1e-6)


def test_what_no_span_claims_is_o() -> None:
    table = word_probabilities(answer((0, 0, [0.7, 0.3, 0]), (1, 1, [1, 0, 0])), 2, 2)
    np.testing.assert_allclose(table, [[0.7, 0.3, 0, 0, 0], [1, 0, 0, 0, 0]], atol=1e-6)


def test_sums_over_one_are_scaled_and_rows_sum_to_one() -> None:
    table = word_probabilities(answer((0, 0, [0, 1, 0]), (0, 1, [0, 1, 0]), (1, 1, [0.5, 0, 0.5])), 2, 2)
    np.testing.assert_allclose(table.sum(-1), 1, atol=1e-6)
    np.testing.assert_allclose(table[0], [0, 1, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(table[1], [0, 0, 2 / 3, 1 / 3, 0], atol=1e-6)


def test_spans_at_words_without_subwords_count_for_nothing() -> None:
    table = word_probabilities(answer((0, 0, [0, 1, 0]), (1, 1, [0, 1, 0]), bare=(0,)), 2, 2)
    np.testing.assert_allclose(table[:, 0], [1, 0], atol=1e-6)


def test_words_that_no_span_touches_are_o() -> None:
    table = word_probabilities(answer((1, 1, [0, 1, 0])), 3, 2)
    np.testing.assert_allclose(table[:, 0], [1, 0, 1], atol=1e-6)


def test_an_empty_sentence_has_no_row() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    empty = Answer(nothing, nothing, np.zeros((0, 3)), nothing.astype(bool))
    assert word_probabilities(empty, 0, 2).shape == (0, 5)
