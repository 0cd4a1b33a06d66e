"""The figures of a run: equal to the published ones, to seqeval and to nervaluate, and to what their names say."""

from __future__ import annotations

import random
import time

import pytest
from nervaluate import Evaluator
from seqeval.metrics import f1_score
from seqeval.scheme import IOB2

from stages.corpus.labels import FIVE, SYSTEMS, TYPES, orphans, project, spans
from stages.scoring.predictions import PredictionError, Predictions, Row, read
from stages.scoring.scores import mean_loss, rounded, score, score_all
from tests.scoring.builders import ordinary_predictions, per_type, predictions, published, random_predictions


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        (
            "A",
            {
                "precision": 0.9330,
                "recall": 0.9462,
                "f1": 0.9395,
                "lenient_f1": 0.9372,
                "accuracy": 0.9885,
                "types": 15,
            },
        ),
        (
            "B",
            {"precision": 0.9543, "recall": 0.9751, "f1": 0.9646, "lenient_f1": 0.9617, "accuracy": 0.9925, "types": 5},
        ),
    ],
)
def test_published_predictions_get_their_published_figures(system: str, expected: dict[str, float]) -> None:
    found = rounded(score(read(published(system)), SYSTEMS[system]))
    assert {name: found[name] for name in expected} == expected


def test_every_figure_of_a_small_case_by_hand() -> None:
    found = score(
        predictions(
            ("B-PER I-PER O B-LOC", "B-PER I-PER O B-ORG"),  # one right; one of the wrong type
            ("B-FOOD I-FOOD O O", "B-FOOD O O I-LOC"),  # one cut short; one illegal I
            ("B-ANIM O O O", "O O O O"),  # one missed
        )
    )
    assert found["entities"] == 4
    assert found["precision"] == pytest.approx(1 / 3)
    assert found["recall"] == pytest.approx(1 / 4)
    assert found["f1"] == pytest.approx(2 / 7)
    assert found["types"] == 5  # PER LOC ORG FOOD ANIM
    assert found["macro_f1"] == pytest.approx(1 / 5)
    assert found["accuracy"] == pytest.approx(8 / 12)
    assert found["five_f1"] == pytest.approx(2 / 5)  # gold PER LOC ANIM, given PER ORG
    assert found["lenient_f1"] == pytest.approx(2 / 8)  # the orphan counts as an entity given
    assert found["illegal"] == 1
    assert found["partial_f1"] == pytest.approx(2 * 2.5 / 7)  # PER, LOC's words, half of FOOD
    assert found["exact_f1"] == pytest.approx(2 * 2 / 7)
    assert found["ent_type_f1"] == pytest.approx(2 * 2 / 7)
    assert found["loss"] is None


def test_figures_of_each_type() -> None:
    found = per_type(predictions(("B-PER I-PER O B-LOC", "B-PER I-PER B-ORG B-LOC"), ("B-LOC O", "O O")))
    assert list(found) == ["PER", "ORG", "LOC"]
    assert found["PER"] == {"precision": 1, "recall": 1, "f1": 1, "support": 1, "predicted": 1}
    assert found["ORG"] == {"precision": 0, "recall": 0, "f1": 0, "support": 0, "predicted": 1}
    assert found["LOC"] == {"precision": 1, "recall": 0.5, "f1": pytest.approx(2 / 3), "support": 2, "predicted": 1}


def test_macro_is_the_mean_of_the_types_that_per_type_shows() -> None:
    made = random_predictions(1, 100, TYPES)
    values = [one["f1"] for one in per_type(made).values()]
    assert score(made)["macro_f1"] == pytest.approx(sum(values) / len(values))
    assert score(made)["types"] == len(values)


def test_partial_exact_and_type_scores_are_nervaluates_over_all_sentences() -> None:
    made = random_predictions(6, 500)
    documents = [
        [[{"label": kind, "start": start, "end": end - 1} for kind, start, end in spans(tags)] for tags in side]
        for side in (made.gold, made.pred)
    ]
    theirs = Evaluator(*documents, tags=list(TYPES), loader="dict").evaluate()["overall"]
    found = score(made)
    for rule in ("partial", "exact", "ent_type"):
        assert found[f"{rule}_f1"] == pytest.approx(theirs[rule].f1, abs=1e-12)
    assert len({round(found[f"{rule}_f1"], 4) for rule in ("partial", "exact", "ent_type")}) == 3


def test_five_types_score_as_projected_tags_by_seqeval() -> None:
    made = random_predictions(7, 500, TYPES)
    gold, pred = [[project(tags, FIVE) for tags in side] for side in (made.gold, made.pred)]
    assert score(made)["five_f1"] == pytest.approx(f1_score(gold, pred, mode="strict", scheme=IOB2), abs=1e-12)


def test_order_of_sentences_changes_nothing() -> None:
    made = random_predictions(2, 100)
    order = random.Random(0).sample(range(100), 100)
    shuffled = Predictions(made.path, [made.rows[i] for i in order], made.lines)
    assert score(shuffled) == pytest.approx(score(made))


@pytest.mark.parametrize("pairs", [[("O O", "O O")], [("", "")], [("", ""), ("O", "O")]])
def test_nothing_to_find_and_nothing_found_is_zero_without_a_warning(pairs: list[tuple[str, str]]) -> None:
    found = score(predictions(*pairs))
    assert (found["f1"], found["macro_f1"], found["five_f1"], found["entities"], found["types"]) == (0, 0, 0, 0, 0)
    assert per_type(predictions(*pairs)) == {}


def test_perfect_predictions_of_any_legal_tags_score_one() -> None:
    found = score(predictions(("B-PER I-PER B-PER O B-TIME", "B-PER I-PER B-PER O B-TIME"), ("O", "O")))
    names = (
        "precision",
        "recall",
        "f1",
        "macro_f1",
        "accuracy",
        "five_f1",
        "lenient_f1",
        "partial_f1",
        "exact_f1",
        "ent_type_f1",
    )
    assert {name: found[name] for name in names} == dict.fromkeys(names, 1.0)


def row(loss: float | None, decisions: int | None, words: int = 2) -> Row:
    return Row(["w"] * words, ["O"] * words, ["O"] * words, None, loss, decisions)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row(1.0, 1), row(2.0, 3)], 1.75),
        ([row(1.0, None, 1), row(2.0, None, 3)], 1.75),
        ([row(1.0, 1), row(None, 3)], None),
        ([row(1.0, 1), row(None, 0)], 1.0),
        ([row(None, 0)], None),
    ],
)
def test_loss_weighs_rows_by_their_decisions(rows: list[Row], expected: float | None) -> None:
    assert mean_loss(Predictions("p", rows, [1] * len(rows))) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O I-PER", 1),
        ("I-PER I-PER", 1),
        ("B-PER I-PER I-PER", 0),
        ("B-PER I-LOC", 1),
        ("B-PER O I-PER", 1),
        ("B-PER B-PER O", 0),
        ("", 0),
    ],
)
def test_illegal_transitions_are_counted(tags: str, expected: int) -> None:
    assert orphans(tags.split()) == expected


def test_gold_outside_the_systems_types_is_refused_by_line() -> None:
    made = predictions(("B-PER O", "B-PER O"), ("O B-FOOD", "O O"), path="b.jsonl")
    with pytest.raises(PredictionError, match=r"b\.jsonl:2: field 'gold': value 'B-FOOD': the system knows PER, ORG"):
        score(made, FIVE)
    assert score(made, TYPES)["entities"] == 2


def test_a_baseline_without_score_is_refused_with_its_reason() -> None:
    with pytest.raises(PredictionError, match=r"p\.jsonl: has no score: not a NER model"):
        score(Predictions("p.jsonl", [], [], "not a NER model"))


def test_rounding_goes_down_to_every_float_and_leaves_the_rest() -> None:
    value = {"a": [0.12345, -0.00001, 3, None, "x"], "b": {"c": (0.99996,)}, "d": True}
    found = rounded(value)
    assert found == {"a": [0.1235, 0.0, 3, None, "x"], "b": {"c": [1.0]}, "d": True}
    assert str(found["a"][1]) == "0.0"
    assert isinstance(found["a"][2], int)
    assert found["d"] is True


def test_a_test_set_of_true_size_is_scored_in_time() -> None:
    made = ordinary_predictions(5, 16_454)
    start = time.process_time()
    score_all(made)
    assert time.process_time() - start < 20
