"""Scores are held against what came true, and refused where they belong to other entities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.scoring.calibration import entity_scores, expected_calibration_error, reliability
from stages.scoring.predictions import PredictionError, read
from tests.scoring.builders import row, write


def entity(kind: str, start: int, end: int, score: float | None) -> dict[str, Any]:
    return {"type": kind, "start": start, "end": end, "text": "w", "score": score}


def test_bins_hold_their_lower_edge_and_the_last_one_holds_one() -> None:
    found = reliability(np.array([0.0, 0.1, 0.19, 0.95, 1.0]), np.array([False, True, False, True, True]))
    assert found["answers"].tolist() == [1, 2, 0, 0, 0, 0, 0, 0, 0, 2]
    assert found.loc[1, ["low", "high", "confidence", "accuracy"]].tolist() == pytest.approx([0.1, 0.2, 0.145, 0.5])
    assert found.loc[9, ["confidence", "accuracy"]].tolist() == pytest.approx([0.975, 1.0])
    assert np.isnan(found.loc[5, "accuracy"])


def test_calibration_error_is_the_mean_gap_over_answers() -> None:
    found = reliability(np.array([0.85, 0.85, 0.85, 0.25]), np.array([True, True, False, True]))
    assert expected_calibration_error(found) == pytest.approx((3 * abs(2 / 3 - 0.85) + abs(1 - 0.25)) / 4)


def test_true_probabilities_are_calibrated_and_boasted_ones_are_not() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.random(20_000)
    right = rng.random(20_000) < confidence
    assert expected_calibration_error(reliability(confidence, right)) < 0.02
    assert expected_calibration_error(reliability(np.sqrt(confidence), right)) > 0.1


def test_no_answers_have_no_error() -> None:
    assert expected_calibration_error(reliability(np.zeros(0), np.zeros(0))) == 0


def test_entity_scores_are_right_where_the_entity_is(tmp_path: Path) -> None:
    rows = [
        row(
            "B-PER I-PER O B-LOC", "B-PER I-PER O B-ORG", entities=[entity("PER", 0, 2, 0.9), entity("ORG", 3, 4, 0.4)]
        ),
        row("O", "O", entities=[]),
        row("B-PER I-PER", "B-PER O", entities=[entity("PER", 0, 1, 0.7)]),
    ]
    found = entity_scores(read(write(tmp_path / "p.jsonl", rows)))
    assert found is not None
    assert found[0].tolist() == [0.9, 0.4, 0.7]
    assert found[1].tolist() == [True, False, False]


@pytest.mark.parametrize("more", [{}, {"entities": None}, {"entities": [entity("PER", 0, 1, None)]}])
def test_a_file_without_scores_has_none(tmp_path: Path, more: dict[str, Any]) -> None:
    assert entity_scores(read(write(tmp_path / "p.jsonl", [row("B-PER", "B-PER", **more)]))) is None


@pytest.mark.parametrize(
    ("entities", "says"),
    [
        ([], r"value \[\] is not what 'pred' says, \['PER'\]"),
        ([entity("LOC", 0, 1, 0.5)], r"value \['LOC'\] is not what 'pred' says"),
        ([entity("PER", 0, 1, 1.5)], r"value of a score is 1.5: expected a probability"),
        ([entity("PER", 0, 1, None)], r"value of a score is None: expected a probability"),
        ([{"start": 0}], r"field 'entities': value .*start.*missing required field `type`"),
        ("PER", r"field 'entities': value .*Expected `array \| null`, got `str`"),
    ],
)
def test_entities_that_do_not_belong_are_refused_by_line(tmp_path: Path, entities: object, says: str) -> None:
    good = row("B-PER", "B-PER", entities=[entity("PER", 0, 1, 0.5)])
    path = write(tmp_path / "p.jsonl", [good, {**good, "entities": entities}])
    with pytest.raises(PredictionError, match=r"p\.jsonl:2: .*" + says):
        entity_scores(read(path))
