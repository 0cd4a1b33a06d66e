"""Mistakes found in public solutions of this very task: each test fails when scoring makes one of them.

Every test works out by hand what is right and what the mistake would give, and that the two differ.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.corpus.labels import FIVE, TYPES
from stages.scoring.comparison import compare
from stages.scoring.predictions import PredictionError, Predictions, read
from stages.scoring.scores import score
from tests.scoring.builders import per_type, predictions, row, write


def test_gold_and_prediction_swapped() -> None:
    found = score(predictions(("B-PER O O O", "B-PER B-LOC B-ORG B-LOC")))
    assert (found["precision"], found["recall"]) == (1 / 4, 1)  # swapped: 1 and 1/4, with the same F1
    assert found["f1"] == pytest.approx(0.4)


def test_b_repeated_on_every_word() -> None:
    """``B-PER B-PER`` is two entities: neither is the gold one, though every word has the right type."""
    found = score(predictions(("B-PER I-PER I-PER O", "B-PER B-PER B-PER O")))
    assert (found["precision"], found["recall"], found["f1"]) == (0, 0, 0)
    assert per_type(predictions(("B-PER I-PER I-PER O", "B-PER B-PER B-PER O")))["PER"]["predicted"] == 3


@pytest.mark.parametrize("tags", ["B-PER I-PER I-PER O", "B-PER B-PER B-PER O"])
def test_entities_counted_on_subwords(tmp_path: Path, tags: str) -> None:
    """Four subwords of two words: tags of subwords do not pass for tags of words."""
    path = write(tmp_path / "p.jsonl", [{"tokens": ["Washington", "!"], "gold": tags.split(), "pred": tags.split()}])
    with pytest.raises(PredictionError, match="4 tags for 2 tokens; write one tag a word \\(not a subword\\)"):
        read(path)


def test_subword_labels_not_aligned() -> None:
    """Labels that slid by one word find no entity, even where most words are O on both sides."""
    found = score(predictions(("O O O O B-PER I-PER O O O O", "O O O B-PER I-PER O O O O O")))
    assert found["f1"] == 0
    assert found["accuracy"] == pytest.approx(0.7)


def test_token_level_score_called_entity_f1() -> None:
    """Three words of four in entities are right (token F1 .75), but of two entities only one."""
    found = score(predictions(("B-PER I-PER I-PER B-LOC", "B-PER I-PER O B-LOC")))
    assert found["f1"] == pytest.approx(1 / 2)
    assert found["accuracy"] == pytest.approx(3 / 4)


def test_macro_called_overall() -> None:
    pairs = [("B-LOC", "B-LOC")] * 9 + [("B-VEHI", "O")]
    found = score(predictions(*pairs))
    assert found["f1"] == pytest.approx(2 * 9 / (9 + 10))
    assert found["macro_f1"] == pytest.approx(1 / 2)


def test_average_of_per_type_precision_called_overall_precision() -> None:
    pairs = [("B-LOC", "B-LOC")] * 8 + [("O", "B-FOOD"), ("B-FOOD", "B-FOOD")]
    found = score(predictions(*pairs))
    assert found["precision"] == pytest.approx(9 / 10)  # the average would be (1 + 1/2) / 2
    assert found["recall"] == 1


def test_the_test_set_flattened_into_one_sequence() -> None:
    """An answer that begins with ``I-`` must not continue the sentence before."""
    cut = predictions(("O B-PER", "O B-PER"), ("I-PER O", "I-PER O"))
    assert (score(cut)["entities"], score(cut)["f1"]) == (1, 1)
    other = predictions(("O B-PER", "O B-PER"), ("O O", "I-PER O"))
    assert score(other)["f1"] == 1  # flattened, PER would be one word too long: 0
    joined = predictions(("O B-PER O O", "O B-PER I-PER O"))
    assert score(joined)["f1"] == 0


def test_entities_longer_than_the_model_can_see_stay_in_gold() -> None:
    """SpanMarker's own evaluation leaves out entities of more than eight words, and those past its truncation."""
    long = "B-EVE" + " I-EVE" * 11
    far = "O " * 299 + "B-LOC"
    found = score(predictions((long, "O " * 12), (far, "O " * 300), ("B-PER", "B-PER")))
    assert found["entities"] == 3
    assert found["recall"] == pytest.approx(1 / 3)
    assert per_type(predictions((long, "O " * 12)))["EVE"]["support"] == 1


def test_b_scored_on_fifteen_types() -> None:
    made = predictions(("B-PER B-FOOD", "B-PER O"))
    with pytest.raises(PredictionError, match="'B-FOOD': the system knows PER, ORG, LOC, DIS, ANIM only"):
        score(made, FIVE)
    assert score(made)["five_f1"] == 1
    assert score(made)["f1"] == pytest.approx(2 / 3)


def test_bs_test_set_filtered_to_sentences_with_entities() -> None:
    """What is invented in a sentence without entities counts; leaving the sentence out would hide it."""
    whole, filtered = [("B-PER", "B-PER"), ("O O", "B-LOC O")], [("B-PER", "B-PER")]
    assert score(predictions(*whole))["precision"] == pytest.approx(1 / 2)
    assert score(predictions(*filtered))["precision"] == 1


def test_bs_filtered_test_set_is_told_and_not_compared_with_the_whole(tmp_path: Path) -> None:
    a = write(tmp_path / "a", [row("B-PER", "B-PER", row=1), row("O O", "B-LOC O", row=2), row("B-FOOD", "O", row=3)])
    b = write(tmp_path / "b", [row("B-PER", "B-PER", row=1)])
    found = compare([a], [b], resamples=100)
    assert (found["common"]["sentences"], found["only_a"]) == (1, 2)
    assert found["headline"]["difference"] == pytest.approx(1 - 2 * 1 / (2 + 2))
    assert found["common"]["difference"] == 0
    assert "B lacks 2 sentences of A's." in found["verdict"]


def test_fifteen_types_compared_with_five(tmp_path: Path) -> None:
    """The headline gap of this pair comes from FOOD alone, which B is never asked for."""
    a = write(tmp_path / "a", [row("B-PER B-FOOD", "B-PER B-PLANT"), row("B-LOC", "B-LOC")])
    b = write(tmp_path / "b", [row("B-PER O", "B-PER O"), row("B-LOC", "B-LOC")])
    found = compare([a], [b], resamples=100)
    assert found["headline"]["difference"] == pytest.approx(1 / 3)
    assert found["common"]["difference"] == 0
    assert found["explained"]["types"] == pytest.approx(1 / 3)
    assert found["explained"]["share"] == pytest.approx(1)


def test_names_of_two_types_swapped_in_the_answers() -> None:
    made = predictions(("B-LOC I-LOC B-ORG B-PER", "B-ORG I-ORG B-LOC B-PER"))
    assert score(made)["f1"] == pytest.approx(1 / 3)
    assert per_type(made)["LOC"]["f1"] == per_type(made)["ORG"]["f1"] == 0


def test_names_of_two_types_swapped_on_both_sides() -> None:
    """Micro F1 cannot see it, so support stands beside every type, and a comparison refuses the other gold."""
    right, swapped = (
        predictions(("B-LOC B-LOC B-ORG", "B-LOC B-LOC O")),
        predictions(("B-ORG B-ORG B-LOC", "B-ORG B-ORG O")),
    )
    assert score(right)["f1"] == score(swapped)["f1"]
    assert (per_type(right)["LOC"]["support"], per_type(swapped)["LOC"]["support"]) == (2, 1)
    assert (per_type(right)["ORG"]["recall"], per_type(swapped)["ORG"]["recall"]) == (0, 1)


def test_label_ids_of_another_data_set_show_as_other_gold(tmp_path: Path) -> None:
    a = write(tmp_path / "a", [row("B-LOC O B-FOOD", "B-LOC O O")])
    b = write(tmp_path / "b", [row("B-ORG O O", "B-ORG O O")])
    with pytest.raises(PredictionError, match=r"field 'gold\[0\]': value 'B-ORG' where .*a:1 has 'B-LOC'"):
        compare([a], [b])


def test_doubled_rows_are_refused_where_rows_are_numbered_and_doubled_in_the_count(tmp_path: Path) -> None:
    once = [row("B-PER", "B-PER", row=1), row("B-LOC", "O", row=2)]
    single, doubled = (read(write(tmp_path / name, rows)) for name, rows in (("one", once), ("two", once * 2)))
    assert score(doubled)["f1"] == score(single)["f1"]
    assert score(doubled)["entities"] == 2 * score(single)["entities"]
    with pytest.raises(PredictionError, match=r"value 1 is already on line 1.*loaded twice"):
        compare([tmp_path / "two"], [tmp_path / "one"])


def test_the_lenient_default_reported_as_strict() -> None:
    made = predictions(("B-PER I-PER", "I-PER I-PER"))
    assert (score(made)["f1"], score(made)["lenient_f1"]) == (0, 1)


def test_o_is_not_a_type_that_lifts_the_mean() -> None:
    made = predictions(("O O O O O B-PER B-LOC", "O O O O O B-PER O"))
    assert set(per_type(made)) == {"PER", "LOC"} < set(TYPES)
    assert score(made)["macro_f1"] == pytest.approx(1 / 2)


def test_rounding_before_averaging() -> None:
    """Figures are exact until they are written: thirds stay thirds."""
    made: Predictions = predictions(("B-PER B-PER B-PER", "B-PER B-PER O"))
    assert score(made)["recall"] == 2 / 3
