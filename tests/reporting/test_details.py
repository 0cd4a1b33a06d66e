"""What comparison.json says beyond the comparison."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stages.corpus.labels import FIVE, TYPES
from stages.corpus.rows import DataError
from stages.reporting.details import details, training_mentions
from stages.scoring.predictions import read
from tests.reporting.builders import side, write_rows


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return write_rows(tmp_path / "a.jsonl", side(TYPES, 1, 0.3)), write_rows(tmp_path / "b.jsonl", side(FIVE, 2, 0.3))


def test_errors_are_of_the_shared_types_and_add_up(files: tuple[Path, Path]):
    found = details(read(files[0]), read(files[1]))
    assert found["asked"] == {"a": list(TYPES), "b": list(FIVE)}
    for name in "ab":
        *kinds, everything = found["errors"][name]
        assert everything["type"] == "all"
        assert {row["type"] for row in kinds} == set(FIVE)
        for column in ("right", "missed", "spurious", "wrong type", "wrong boundary", "wrong both"):
            assert sum(row[column] for row in kinds) == everything[column]
    gold = [sum(v for k, v in found["errors"][name][-1].items() if k not in ("type", "spurious")) for name in "ab"]
    assert gold[0] == gold[1] == 60 + 20  # each sentence has one of the five types, every third another


def test_each_side_has_its_own_errors(files: tuple[Path, Path], tmp_path: Path):
    perfect = write_rows(tmp_path / "perfect.jsonl", side(FIVE, 2, 0.0))
    found = details(read(files[0]), read(perfect))
    assert found["errors"]["a"][-1]["right"] < found["errors"]["b"][-1]["right"] == 80
    assert found["by_length"]["a"][0]["f1"] < found["by_length"]["b"][0]["f1"] == 1.0


def test_calibration_is_over_each_sides_own_answers(files: tuple[Path, Path]):
    found = details(read(files[0]), read(files[1]))["calibration"]
    rows = [[json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] for path in files]
    given = [sum(len(row["entities"]) for row in one) for one in rows]
    assert [sum(one["answers"] for one in found[name]["bins"]) for name in "ab"] == given
    assert 0 < found["a"]["error"] < 1


def test_without_scores_there_is_no_calibration(tmp_path: Path):
    path = write_rows(tmp_path / "a.jsonl", side(TYPES, 1, 0.3, scored=False))
    assert details(read(path), read(path))["calibration"] == {"a": None, "b": None}


def test_all_of_it_is_json(files: tuple[Path, Path]):
    found = details(read(files[0]), read(files[1]))
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_seen_mentions_need_the_training_rows(files: tuple[Path, Path], tmp_path: Path):
    train = tmp_path / "train.jsonl"
    row = {"tokens": ["w0.1", "w0.2", "met"], "ner_tags": [1, 2, 0], "lang": "en"}
    write_rows(train, [row, row])
    known = training_mentions(train)
    assert known == {("w0.1 w0.2", "PER"): 2}
    assert "by_seen" not in details(read(files[0]), read(files[1]))
    found = details(read(files[0]), read(files[1]), known)
    groups = {row["group"]: row["gold"] for row in found["by_seen"]["a"]}
    assert groups == {"seen with this type": 1, "unseen": 79}
    assert {row["group"] for row in found["by_frequency"]["b"]} <= {"0", "2 to 4"}


def test_a_bad_training_row_names_its_line(tmp_path: Path):
    train = write_rows(tmp_path / "train.jsonl", [{"tokens": ["a"], "ner_tags": [99], "lang": "en"}])
    with pytest.raises(DataError, match=r"train\.jsonl:1.*99"):
        training_mentions(train)
