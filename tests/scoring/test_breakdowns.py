"""Groups of mentions and sentences: each entity in one group, and the groups add up to the whole."""

from __future__ import annotations

import pytest

from stages.corpus.labels import TYPES
from stages.scoring.breakdowns import by_frequency, by_length, by_seen, by_sentence_length, mentions
from stages.scoring.counts import FN, FP, TP, counts
from stages.scoring.errors import matches
from stages.scoring.predictions import Predictions, Row
from tests.scoring.builders import predictions, random_predictions


def named(*sentences: tuple[str, str, str]) -> Predictions:
    rows = [Row(words.split(), gold.split(), pred.split()) for words, gold, pred in sentences]
    return Predictions("p", rows, list(range(1, len(rows) + 1)))


def test_mentions_of_train_are_counted_by_words_and_type() -> None:
    found = mentions(
        [(["New", "York", "!"], ["B-LOC", "I-LOC", "O"]), (["New", "York"], ["B-LOC", "I-LOC"]), (["York"], ["B-PER"])]
    )
    assert found == {("New York", "LOC"): 2, ("York", "PER"): 1}


def test_length_of_the_entity_in_words() -> None:
    nine = "B-PER" + " I-PER" * 8
    found = by_length(
        matches(predictions(("B-PER O", "B-PER O"), ("B-PER I-PER", "B-PER O"), (nine, nine.replace("B-PER", "O", 1))))
    )
    assert list(found["group"]) == ["1", "2", "9 and more"]
    assert found.set_index("group").loc["1", ["gold", "predicted", "right"]].tolist() == [1, 2, 1]
    assert found.set_index("group").loc["2", ["gold", "predicted", "right"]].tolist() == [1, 0, 0]
    assert found.set_index("group").loc["9 and more", ["gold", "recall"]].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("words", "group"), [(1, "1 to 10"), (10, "1 to 10"), (11, "11 to 20"), (80, "41 to 80"), (81, "81 and more")]
)
def test_length_of_the_sentence_in_words(words: int, group: str) -> None:
    tags = "B-PER" + " O" * (words - 1)
    found = by_sentence_length(matches(predictions((tags, tags))))
    assert found[["group", "gold", "f1"]].values.tolist() == [[group, 1, 1.0]]


@pytest.mark.parametrize(
    ("times", "group"),
    [(0, "0"), (1, "1"), (2, "2 to 4"), (4, "2 to 4"), (5, "5 to 19"), (99, "20 to 99"), (100, "100 and more")],
)
def test_frequency_in_train_is_of_the_same_words_with_the_same_type(times: int, group: str) -> None:
    made = named(("Jordan runs", "B-PER O", "B-PER O"))
    found = by_frequency(matches(made), {("Jordan", "PER"): times, ("Jordan", "LOC"): 50, ("jordan", "PER"): 70})
    assert found[["group", "gold", "right"]].values.tolist() == [[group, 1, 1]]


def test_seen_with_this_type_with_another_and_never() -> None:
    made = named(("Jordan and Ada and Ob", "B-LOC O B-PER O B-LOC", "B-PER O B-PER O O"))
    found = by_seen(matches(made), {("Jordan", "PER"): 3, ("Ada", "PER"): 1}).set_index("group")
    assert found.loc["seen with this type", ["gold", "predicted", "right"]].tolist() == [1, 2, 1]
    assert found.loc["seen with another type only", ["gold", "predicted", "right"]].tolist() == [1, 0, 0]
    assert found.loc["unseen", ["gold", "predicted", "right"]].tolist() == [1, 0, 0]


def test_groups_add_up_to_the_strict_counts_and_f1_follows() -> None:
    made = random_predictions(3, 200)
    strict = counts(made.gold, made.pred, TYPES).sum(axis=(0, 1))
    matched = matches(made)
    for table in (by_length(matched), by_sentence_length(matched), by_frequency(matched, {}), by_seen(matched, {})):
        assert table["right"].sum() == strict[TP]
        assert table["gold"].sum() == strict[TP] + strict[FN]
        assert table["predicted"].sum() == strict[TP] + strict[FP]
        both = table[(table["precision"] > 0) & (table["recall"] > 0)]
        harmonic = 2 / (1 / both["precision"] + 1 / both["recall"])
        assert both["f1"].tolist() == pytest.approx(harmonic.tolist())


def test_no_entities_give_no_groups() -> None:
    empty = matches(predictions(("O", "O")))
    assert by_length(empty).empty
    assert by_seen(empty, {}).empty
