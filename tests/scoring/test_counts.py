"""Counts add up: parts to the whole, in any order, and to what seqeval and nervaluate count."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nervaluate import Evaluator
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support as lenient
from seqeval.metrics.v1 import precision_recall_fscore_support as strict
from seqeval.scheme import IOB2

from stages.corpus.labels import FIVE, TAGS, TYPES, project, spans
from stages.scoring.counts import FN, FP, TP, counts, f1
from tests.scoring.builders import random_predictions, random_tags

PAIRS = 10_000
TAG_LISTS = st.lists(st.sampled_from(TAGS), max_size=12)


def random_pairs(seed: int) -> tuple[list[list[str]], list[list[str]]]:
    """10,000 pairs of any BIO tags over four types, illegal ones too: half of them mostly agree, half not at all."""
    found = random_predictions(seed, PAIRS // 2)
    rng = random.Random(seed)
    gold = [random_tags(rng, rng.randint(1, 12)) for _ in range(PAIRS // 2)]
    return found.gold + gold, found.pred + [random_tags(rng, len(tags)) for tags in gold]


@pytest.mark.parametrize(
    ("gold", "pred", "expected"),
    [
        ("B-PER I-PER O", "B-PER I-PER O", (1, 0, 0)),
        ("B-PER I-PER O", "B-PER O O", (0, 1, 1)),
        ("B-PER I-PER O", "B-ORG I-ORG O", (0, 1, 1)),
        ("B-PER I-PER O", "O O O", (0, 0, 1)),
        ("O O O", "O B-PER O", (0, 1, 0)),
        ("B-PER I-PER O", "I-PER I-PER O", (0, 0, 1)),
        ("O O O", "O I-PER I-PER", (0, 0, 0)),
        ("B-PER I-PER I-PER", "B-PER I-ORG I-PER", (0, 1, 1)),
        ("B-PER B-PER O", "B-PER I-PER O", (0, 1, 2)),
        ("B-PER B-PER O", "B-PER B-PER O", (2, 0, 0)),
        ("", "", (0, 0, 0)),
    ],
)
def test_each_case_of_the_strict_rule(gold: str, pred: str, expected: tuple[int, int, int]) -> None:
    assert tuple(counts([gold.split()], [pred.split()]).sum(axis=(0, 1))) == expected


def test_micro_counts_equal_seqeval_on_random_pairs() -> None:
    gold, pred = random_pairs(1)
    table = counts(gold, pred, TYPES[:4]).sum(axis=0)
    precision, recall, score, support = strict(gold, pred, average="micro", scheme=IOB2)
    assert f1(table.sum(axis=0)) == pytest.approx(score, abs=1e-12)
    assert table[:, TP].sum() / (table[:, TP] + table[:, FP]).sum() == pytest.approx(precision, abs=1e-12)
    assert table[:, TP].sum() / (table[:, TP] + table[:, FN]).sum() == pytest.approx(recall, abs=1e-12)
    assert (table[:, TP] + table[:, FN]).sum() == support
    assert score != pytest.approx(lenient(gold, pred, average="micro")[2], abs=0.01)


def test_counts_of_each_type_equal_seqeval_on_random_pairs() -> None:
    gold, pred = random_pairs(2)
    names = sorted(TYPES[:4])
    table = counts(gold, pred, names).sum(axis=0)
    _, _, score, support = strict(gold, pred, average=None, scheme=IOB2)
    assert f1(table) == pytest.approx(score, abs=1e-12)
    assert (table[:, TP] + table[:, FN] == support).all()


def test_counts_equal_nervaluate_on_random_pairs() -> None:
    gold, pred = random_pairs(3)
    both = [
        [[{"label": kind, "start": start, "end": end - 1} for kind, start, end in spans(tags)] for tags in side]
        for side in (gold, pred)
    ]
    theirs = Evaluator(both[0], both[1], tags=list(TYPES[:4]), loader="dict").evaluate()["overall"]["strict"]
    ours = counts(gold, pred).sum(axis=(0, 1))
    assert (ours[TP], ours[TP] + ours[FP], ours[TP] + ours[FN]) == (theirs.correct, theirs.actual, theirs.possible)


def test_the_whole_is_the_sum_of_its_parts_in_any_order() -> None:
    found = random_predictions(4, 200)
    whole = counts(found.gold, found.pred).sum(axis=0)
    parts = [counts(found.gold[i : i + 50], found.pred[i : i + 50]).sum(axis=0) for i in (150, 0, 100, 50)]
    assert np.array_equal(whole, np.sum(parts, axis=0))


@given(TAG_LISTS, st.data())
def test_swapping_gold_and_prediction_swaps_the_mistakes(gold: list[str], data: st.DataObject) -> None:
    pred = data.draw(st.lists(st.sampled_from(TAGS), min_size=len(gold), max_size=len(gold)))
    there, back = counts([gold], [pred]), counts([pred], [gold])
    assert np.array_equal(there[..., [TP, FP, FN]], back[..., [TP, FN, FP]])


@given(TAG_LISTS, st.data())
def test_counting_five_types_is_counting_projected_tags(gold: list[str], data: st.DataObject) -> None:
    pred = data.draw(st.lists(st.sampled_from(TAGS), min_size=len(gold), max_size=len(gold)))
    assert np.array_equal(counts([gold], [pred], FIVE), counts([project(gold, FIVE)], [project(pred, FIVE)], FIVE))


def test_f1_of_nothing_is_zero_and_shapes_are_kept() -> None:
    table = np.array([[[0, 0, 0], [2, 1, 1]], [[0, 3, 0], [1, 0, 0]]])
    assert f1(table).tolist() == [[0, 4 / 6], [0, 1]]


def test_unequal_numbers_of_sentences_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        counts([["O"]], [])
