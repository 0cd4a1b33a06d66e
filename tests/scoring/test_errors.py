"""Every mistake stands in one class, by the rule of ``errors.match``, and the classes add up to the strict counts."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.corpus.labels import TAGS, TYPES, spans
from stages.scoring.counts import FN, FP, TP, counts
from stages.scoring.errors import KINDS, confusion, error_counts, errors, match, matches
from tests.scoring.builders import predictions, random_predictions

TAG_LISTS = st.lists(st.sampled_from(TAGS[:7]), max_size=10)
BOTH_SIDES = ("wrong type", "wrong boundary", "wrong both")


@pytest.mark.parametrize(
    ("gold", "pred", "expected"),
    [
        ("B-PER I-PER O", "B-PER I-PER O", ["right"]),
        ("B-PER I-PER O", "O O O", ["missed"]),
        ("O O O", "O B-PER O", ["spurious"]),
        ("B-PER I-PER O", "B-LOC I-LOC O", ["wrong type"]),
        ("B-PER I-PER O", "B-PER O O", ["wrong boundary"]),
        ("B-PER I-PER O", "O B-PER I-PER", ["wrong boundary"]),
        ("B-PER I-PER O", "B-LOC O O", ["wrong both"]),
        ("B-PER O O", "O O B-PER", ["missed", "spurious"]),
        ("B-PER I-PER O", "I-PER I-PER O", ["missed"]),
        # One long answer over two gold entities: the one of its type, though the other comes first.
        ("B-LOC I-LOC B-PER", "B-PER I-PER I-PER", ["missed", "wrong boundary"]),
        # Two answers in one gold entity: the one with more words in common.
        ("B-PER I-PER I-PER", "B-PER B-PER I-PER", ["spurious", "wrong boundary"]),
        # As many words in common: the earlier one.
        ("B-PER I-PER", "B-PER B-PER", ["wrong boundary", "spurious"]),
        # The right words go before the right type.
        ("B-PER I-PER B-LOC", "B-LOC I-LOC B-LOC", ["wrong type", "right"]),
        # A type and boundary error does not take an entity that another answer has by its boundary.
        ("B-PER I-PER I-PER I-PER", "B-LOC I-LOC I-LOC B-PER", ["spurious", "wrong boundary"]),
        ("", "", []),
    ],
)
def test_each_case_of_the_rule(gold: str, pred: str, expected: list[str]) -> None:
    assert [one.kind for one in match(spans(gold.split()), spans(pred.split()))] == expected


@given(TAG_LISTS, st.data())
def test_each_entity_stands_in_one_match_whatever_the_order(gold: list[str], data: st.DataObject) -> None:
    pred = data.draw(st.lists(st.sampled_from(TAGS[:7]), min_size=len(gold), max_size=len(gold)))
    mine, given_ = spans(gold), spans(pred)
    found = match(mine, given_)
    assert sorted(one.gold for one in found if one.gold) == sorted(mine)
    assert sorted(one.pred for one in found if one.pred) == sorted(given_)
    rng = random.Random(0)
    assert match(rng.sample(mine, len(mine)), rng.sample(given_, len(given_))) == found


def test_classes_add_up_to_the_strict_counts() -> None:
    made = random_predictions(1, 300)
    table = error_counts(matches(made)).set_index("type")
    strict = counts(made.gold, made.pred).sum(axis=(0, 1))
    of_all = table.loc["all"]
    assert of_all["right"] == strict[TP]
    assert of_all["missed"] + of_all[list(BOTH_SIDES)].sum() == strict[FN]
    assert of_all["spurious"] + of_all[list(BOTH_SIDES)].sum() == strict[FP]
    assert (table.drop("all").sum() == of_all).all()


def test_errors_come_with_place_words_and_sentence() -> None:
    made = predictions(("O O", "O O"), ("B-PER I-PER O B-LOC", "B-PER O O O"), path="p.jsonl")
    made.rows[1].row = 17
    made.rows[1].tokens = ["Ada", "Byron", "in", "Rome"]
    found = errors(matches(made))
    assert list(found["kind"]) == ["wrong boundary", "missed"]
    first, second = found.iloc[0], found.iloc[1]
    assert (first["line"], first["row"], first["gold"], first["pred"]) == (2, 17, "Ada Byron", "Ada")
    assert (first["gold_start"], first["gold_end"], first["pred_start"], first["pred_end"]) == (0, 2, 0, 1)
    assert (first["words"], first["sentence"]) == (4, "Ada Byron in Rome")
    assert (second["gold_type"], second["pred_type"], second["pred"]) == ("LOC", "O", "")
    assert pd.isna(second["pred_start"])


def test_only_the_types_asked_for_are_looked_at() -> None:
    made = predictions(("B-PER B-FOOD O", "B-FOOD O B-FOOD"))
    assert list(matches(made, ("PER",))["kind"]) == ["missed"]
    assert set(errors(matches(made))["kind"]) <= set(KINDS)


def test_confusion_sums_to_gold_and_predicted_entities_of_each_type() -> None:
    made = random_predictions(2, 300)
    table = confusion(matches(made)).set_index("gold")
    assert list(table.index) == list(table.columns) == ["PER", "ORG", "LOC", "ANIM", "O"]
    strict = counts(made.gold, made.pred, TYPES[:4]).sum(axis=0)
    assert np.array_equal(table.loc[list(TYPES[:4])].sum(axis=1), strict[:, TP] + strict[:, FN])
    assert np.array_equal(table[list(TYPES[:4])].sum(), strict[:, TP] + strict[:, FP])
    assert table.loc["O", "O"] == 0


def test_confusion_names_both_types_and_keeps_boundary_mistakes_on_the_diagonal() -> None:
    made = predictions(("B-PER I-PER O", "B-PER O O"), ("B-LOC O O", "B-ORG O B-ORG"), ("B-LOC", "O"))
    table = confusion(matches(made)).set_index("gold")
    assert table.loc["PER", "PER"] == 1
    assert table.loc["LOC", "ORG"] == 1
    assert table.loc["LOC", "O"] == 1
    assert table.loc["O", "ORG"] == 1
    assert table.to_numpy().sum() == 4


def test_no_entities_at_all_gives_empty_tables() -> None:
    empty = matches(predictions(("O O", "O O")))
    assert errors(empty).empty
    assert list(confusion(empty).columns) == ["gold", "O"]
    assert error_counts(empty).set_index("type").loc["all"].sum() == 0
