"""Subwords, spans and gold entities are stock's, without its loops and without its bugs."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st
from span_marker import SpanMarkerModel

from stages.corpus.labels import FIVE, TAG_IDS, TAGS, TYPES, spans
from stages.models.span_marker import SpanMarker, create, prepare
from stages.models.span_marker.batches import all_spans
from stages.models.span_marker.preparation import gold_entities
from stages.models.subwords import ragged_arange
from tests.models.span_marker.helpers import hyperparameters, stock_batch, words_and_tags

ODD = ["\u200b", "🙂", "naïve", "\u2063", "x" * 40, "a b", "…", "[MASK]", "Ünïcödé", "\ufeff", "don't"]


def rows(*sentences: tuple[list[str], list[int]]) -> Dataset:
    return Dataset.from_list([{"tokens": tokens, "ner_tags": tags} for tokens, tags in sentences])


def test_subwords_and_positions_are_stocks(pair: tuple[SpanMarker, SpanMarkerModel]) -> None:
    ours, stock = pair
    odd = [word for word in ODD if " " not in word]
    sentences = [words_and_tags(n) for n in (1, 5, 200)] + [([*odd, "end"], [0] * (len(odd) + 1))]
    made = prepare(rows(*sentences), ours)
    expected = stock.tokenizer({"tokens": [tokens for tokens, _ in sentences]})
    for i in range(len(sentences)):
        batch = ours.collator([made[i]])
        assert made[i]["input_ids"] == expected["input_ids"][i]
        assert batch["word_first"][batch["span_first"]].tolist() == expected["start_position_ids"][i]
        assert batch["word_last"][batch["span_last"]].tolist() == expected["end_position_ids"][i]
        assert made[i]["length"] == len(made[i]["input_ids"]) + 2 * expected["num_spans"][i]


def test_a_token_with_a_space_is_one_word(ours: SpanMarker) -> None:
    made = prepare(rows((["Marie", "New York", "."], [1, 5, 0])), ours)[0]
    assert len(made["word_first"]) == 3
    assert made["word_last"][1] > made["word_first"][1]


def test_order_and_company_of_sentences_do_not_matter(ours: SpanMarker) -> None:
    sentences = [words_and_tags(n) for n in (4, 1, 19, 7)]
    together = prepare(rows(*sentences), ours)
    assert [together[i] for i in range(4)] == [prepare(rows(sentence), ours)[0] for sentence in sentences]


def test_selected_rows_are_the_ones_prepared(ours: SpanMarker) -> None:
    table = rows(*[words_and_tags(n) for n in (4, 1, 19)])
    assert prepare(table.select([2, 0]), ours)[1] == prepare(table, ours)[0]


def test_entities_that_cannot_be_asked_about_are_counted(ours: SpanMarker, caplog: pytest.LogCaptureFixture) -> None:
    long = ["bear"] * 9, [7] + [8] * 8
    far = ["Sklodowska-Curie"] * 80, [0] * 79 + [1]
    with caplog.at_level(logging.WARNING):
        made = prepare(rows(long, far, (["Marie"], [1])), ours)
    assert made["gold_label"][:] == [[], [], [ours.config.label2id["PER"]]]
    assert "2 of 3 entities" in caplog.text
    assert "1 longer than 8 words" in caplog.text
    assert "1 past 126 subwords" in caplog.text


def test_types_outside_the_system_are_no_gold(tiny_bert: Path) -> None:
    model = create(hyperparameters(tiny_bert), FIVE)
    made = prepare(rows((["Zeus", "in", "Athens"], [TAG_IDS["B-MYTH"], 0, TAG_IDS["B-LOC"]])), model)[0]
    assert (made["gold_label"], made["gold_first"], made["gold_last"]) == ([model.config.label2id["LOC"]], [2], [2])


def test_labels_stand_where_stock_puts_them(pair: tuple[SpanMarker, SpanMarkerModel]) -> None:
    ours, stock = pair
    sentences = [words_and_tags(n) for n in (3, 11, 30)]
    theirs = stock_batch(stock, sentences)["labels"]
    made = prepare(rows(*sentences), ours)
    assert ours.collator([made[i] for i in range(3)])["labels"].tolist() == theirs[theirs >= 0].tolist()


@given(st.lists(st.integers(0, 12), max_size=8), st.integers(1, 9))
def test_all_spans_are_those_of_the_double_loop(words: list[int], longest: int) -> None:
    first, last, counts = all_spans(np.array(words, dtype=np.int64), longest)
    expected, base = [], 0
    for n in words:
        expected += [(base + i, base + j) for i in range(n) for j in range(i, min(n, i + longest))]
        base += n
    assert list(zip(first.tolist(), last.tolist(), strict=True)) == expected
    assert counts.sum() == len(expected)


@given(st.lists(st.lists(st.integers(0, len(TAGS) - 1), max_size=9), max_size=5))
def test_gold_entities_are_those_of_the_labels(sentences: list[list[int]]) -> None:
    ids = {kind: i + 1 for i, kind in enumerate(TYPES)}
    flat = np.array([tag for sentence in sentences for tag in sentence], dtype=np.int64)
    found = gold_entities(flat, np.array([len(s) for s in sentences], dtype=np.int64), ids)
    expected = [
        (i, ids[span.type], span.start, span.end - 1)
        for i, sentence in enumerate(sentences)
        for span in spans([TAGS[tag] for tag in sentence])
    ]
    assert list(zip(*(part.tolist() for part in found), strict=True)) == expected


@given(st.lists(st.integers(0, 5)))
def test_ragged_arange_counts_each_list_from_zero(counts: list[int]) -> None:
    assert ragged_arange(np.array(counts, dtype=np.int64)).tolist() == [i for n in counts for i in range(n)]
