"""Two sides meet on the same sentences, types and gold, or are refused with both places named."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from stages.corpus.labels import FIVE, TYPES
from stages.scoring.alignment import align, shared_types, system_of
from stages.scoring.predictions import PredictionError, Predictions
from tests.scoring.builders import predictions


def numbered(path: str, rows: Sequence[int | str | None], *sentences: tuple[str, str]) -> Predictions:
    """Predictions whose rows have these names; the first word of each sentence is its name."""
    made = predictions(*sentences, path=path)
    for name, row in zip(rows, made.rows, strict=True):
        row.row = name
        row.tokens[0] = f"sentence {name}"
    return made


def test_rows_match_by_their_number_whatever_their_order() -> None:
    a = numbered("a", [5, 6, 7, 8], ("B-PER", "O"), ("B-LOC", "B-LOC"), ("B-FOOD", "B-FOOD"), ("O", "O"))
    b = numbered("b", [7, 9, 5], ("O", "B-LOC"), ("O", "O"), ("B-PER", "B-PER"))
    found = align([a], [b])
    assert (found.a_rows, found.b_rows) == ([0, 2], [2, 0])
    assert (found.only_a, found.only_b) == (2, 1)
    assert found.types == ("PER", "ORG", "LOC", "ANIM", "DIS")
    assert found.gold == [["B-PER"], ["O"]]
    assert found.a == [[["O"], ["O"]]]
    assert found.b == [[["B-PER"], ["B-LOC"]]]


def test_without_numbers_rows_match_by_position_and_the_rest_is_lacking() -> None:
    a = predictions(("B-PER O", "O O"), ("B-FOOD", "O"), ("O O O", "O O O"))
    b = predictions(("B-PER O", "B-PER O"), ("O", "O"))
    found = align([a], [b])
    assert (found.a_rows, found.b_rows, found.only_a, found.only_b) == ([0, 1], [0, 1], 1, 0)


def test_one_side_without_numbers_matches_by_position() -> None:
    a, b = predictions(("B-PER", "O"), path="a"), predictions(("B-PER", "O"), path="b")
    b.rows[0].row = 900
    assert align([a], [b]).a_rows == [0]


@pytest.mark.parametrize(
    ("a_gold", "b_gold", "expected"),
    [
        ("B-PER B-FOOD", "B-PER O", FIVE),
        ("B-PER O", "B-PER B-FOOD", FIVE),
        ("B-PER B-FOOD", "B-PER B-TIME", TYPES),
        ("B-PER O", "B-LOC O", FIVE),
        ("O O", "O O", FIVE),
    ],
)
def test_gold_tells_which_types_are_shared(a_gold: str, b_gold: str, expected: tuple[str, ...]) -> None:
    found = shared_types(predictions((a_gold, "B-TIME O")), predictions((b_gold, "B-TIME O")))
    assert set(found) == set(expected)


def test_predictions_do_not_make_a_system() -> None:
    assert system_of(predictions(("B-PER", "B-FOOD"))) == "B"
    assert system_of(predictions(("B-FOOD", "O"))) == "A"


def test_answers_are_cut_to_the_shared_types_too() -> None:
    found = align([predictions(("B-FOOD B-PER", "B-FOOD B-TIME"))], [predictions(("O B-PER", "O B-PER"))])
    assert found.a == [[["O", "O"]]]


@pytest.mark.parametrize("numbers", [[1, 2], [None, None]])
def test_other_words_are_refused_with_both_places(numbers: list[int | None]) -> None:
    a = numbered("a.jsonl", numbers, ("O O", "O O"), ("O O", "O O"))
    b = numbered("b.jsonl", numbers, ("O O", "O O"), ("O O", "O O"))
    b.rows[1].tokens[1] = "other"
    with pytest.raises(
        PredictionError, match=r"b\.jsonl:2: field 'tokens\[1\]': value 'other' where a\.jsonl:2 has 'w1'"
    ):
        align([a], [b])


def test_a_sentence_cut_short_is_refused() -> None:
    a, b = predictions(("O O O", "O O O"), path="a"), predictions(("O O", "O O"), path="b")
    with pytest.raises(
        PredictionError, match=r"b:1: field 'tokens\[2\]': value nothing \(the sentence has ended\) where a:1 has 'w2'"
    ):
        align([a], [b])


def test_other_gold_on_the_shared_types_is_refused_with_both_places() -> None:
    a = predictions(("O", "O"), ("B-FOOD B-PER O", "O O O"), path="a.jsonl")
    b = predictions(("O", "O"), ("O B-LOC O", "O O O"), path="b.jsonl")
    with pytest.raises(
        PredictionError, match=r"b\.jsonl:2: field 'gold\[1\]': value 'B-LOC' where a\.jsonl:2 has 'B-PER'"
    ):
        align([a], [b])


def test_a_row_that_comes_twice_is_refused() -> None:
    a = numbered("a.jsonl", [1, 2, 1], ("O", "O"), ("O", "O"), ("O", "O"))
    with pytest.raises(PredictionError, match=r"a\.jsonl:3: field 'row': value 1 is already on line 1.*loaded twice"):
        align([a], [numbered("b.jsonl", [1], ("O", "O"))])


def test_no_common_row_is_refused() -> None:
    with pytest.raises(PredictionError, match="a and b: no `row` is in both"):
        align([numbered("a", [1], ("O", "O"))], [numbered("b", ["1"], ("O", "O"))])


def test_a_side_without_score_is_refused_with_its_reason() -> None:
    with pytest.raises(PredictionError, match=r"b: cannot be compared, it has no score: no model"):
        align([predictions(("O", "O"))], [Predictions("b", [], [], "no model")])


def test_seeds_of_a_side_are_brought_into_one_order() -> None:
    first = numbered("a1", [1, 2], ("B-PER", "B-PER"), ("B-LOC B-FOOD", "O O"))
    second = numbered("a2", [2, 1], ("B-LOC B-FOOD", "B-LOC O"), ("B-PER", "O"))
    found = align([first, second], [numbered("b", [2, 1], ("B-LOC O", "O O"), ("B-PER", "O"))])
    assert found.a == [[["B-PER"], ["O", "O"]], [["O"], ["B-LOC", "O"]]]
    assert found.b_rows == [1, 0]


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (("a2", [1], ("B-PER", "O")), r"a2 \(1 rows\) and a1 \(2 rows\) are two seeds of one side, but row 2"),
        (("a2", [1, 2], ("B-PER", "O"), ("B-ORG", "O")), r"a2:2: field 'gold': differs from a1:2"),
        (("a2", [2, 1], ("B-ORG", "O"), ("B-PER", "O")), r"a2:1: field 'gold': differs from a1:2"),
        (
            ("a2", [1, 2], ("B-PER", "O"), ("B-LOC O", "O O")),
            r"a2:2: field 'tokens\[1\]': value 'w1' where a1:2 has nothing",
        ),
    ],
)
def test_seeds_of_a_side_on_other_sentences_are_refused(other: tuple[object, ...], says: str) -> None:
    first = numbered("a1", [1, 2], ("B-PER", "O"), ("B-LOC", "O"))
    with pytest.raises(PredictionError, match=says):
        align([first, numbered(*other)], [first])  # type: ignore[arg-type]
