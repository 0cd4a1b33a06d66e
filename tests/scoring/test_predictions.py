"""A predictions file is read whole and checked, or refused with a message that says where and what to do."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from stages.errors import UserError
from stages.scoring.predictions import PredictionError, read
from tests.scoring.builders import ordinary_predictions, row, write

GOOD = row("B-PER I-PER O", "B-PER O O")


def test_rows_keep_order_and_values(tmp_path: Path) -> None:
    rows = [{**GOOD, "row": 7, "loss": 0.5, "decisions": 3, "lang": "en", "other": [1]}, row("O", "B-LOC")]
    found = read(write(tmp_path / "p.jsonl", rows))
    assert found.gold == [["B-PER", "I-PER", "O"], ["O"]]
    assert found.pred == [["B-PER", "O", "O"], ["B-LOC"]]
    assert (found.rows[0].row, found.rows[0].loss, found.rows[0].decisions) == (7, 0.5, 3)
    assert (found.rows[1].row, found.rows[1].loss, found.rows[1].decisions) == (None, None, None)
    assert found.unscored is None


def test_blank_lines_are_passed_over_and_line_numbers_stay_true(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(f"\n{json.dumps(GOOD)}\n   \n{json.dumps(GOOD)}\n\n", encoding="utf-8")
    found = read(path)
    assert found.lines == [2, 4]
    assert found.at(1) == f"{path}:4"


def test_an_empty_sentence_is_a_row(tmp_path: Path) -> None:
    assert read(write(tmp_path / "p.jsonl", [row("", ""), GOOD])).gold[0] == []


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({**GOOD, "gold": ["O"]}, ["field 'gold'", "1 tags for 3 tokens", "not a subword"]),
        ({**GOOD, "pred": ["O"] * 4}, ["field 'pred'", "4 tags for 3 tokens", "not a subword"]),
        ({**GOOD, "pred": ["O", "B-PERSON", "O"]}, ["field 'pred[1]'", "'B-PERSON'", "such as B-PER"]),
        ({**GOOD, "gold": ["O", "O", 1]}, ["field 'gold[2]'", "value 1", "such as B-PER"]),
        ({**GOOD, "tokens": "a b c"}, ["field 'tokens'", "'a b c'", "list of words"]),
        ({**GOOD, "tokens": ["a", None, "c"]}, ["field 'tokens[1]'", "value None", "list of words"]),
        ({"tokens": ["a"], "gold": ["O"]}, ["field 'pred' is missing", "one BIO tag name a word"]),
        ({"gold": ["O"], "pred": ["O"]}, ["field 'tokens' is missing", "list of words"]),
        ({**GOOD, "loss": "low"}, ["field 'loss'", "'low'", "leave the field out"]),
        ({**GOOD, "decisions": -1}, ["field 'decisions'", "value -1", "from 0 up"]),
        ({**GOOD, "row": [1]}, ["field 'row'", "value [1]", "number or name"]),
        ([1, 2], ["value [1, 2]", "expected a JSON object"]),
    ],
)
def test_a_bad_row_is_named_with_line_field_value_and_way_out(tmp_path: Path, bad: object, says: list[str]) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(f"{json.dumps(GOOD)}\n{json.dumps(bad)}\n", encoding="utf-8")
    with pytest.raises(PredictionError) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:2: ")
    for part in says:
        assert part in message


@pytest.mark.parametrize(
    "line", [b'{"tokens": ["a"', b'{"tokens": 3, ', b"nonsense", b'{"tokens": ["\xff"]}', b"[" * 100_000]
)
def test_broken_json_is_named_with_its_line(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "p.jsonl"
    path.write_bytes(json.dumps(GOOD).encode() + b"\n" + line + b"\n")
    with pytest.raises(PredictionError, match=r"p\.jsonl:2: not valid JSON.*one JSON object a line"):
        read(path)


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_a_file_without_rows_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "p.jsonl").write_text(content, encoding="utf-8")
    with pytest.raises(PredictionError, match="holds no row"):
        read(tmp_path / "p.jsonl")


def test_a_file_that_is_not_there_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.jsonl: cannot be read: .*stages\.predict"):
        read(tmp_path / "gone.jsonl")


def test_a_baseline_without_score_says_why(tmp_path: Path) -> None:
    found = read(write(tmp_path / "p.jsonl", [{"unscored": "no NER model"}]))
    assert found.unscored == "no NER model"
    assert found.rows == []


@pytest.mark.parametrize("rows", [[GOOD, {"unscored": "x"}], [{"unscored": "x"}, GOOD]])
def test_unscored_is_the_only_row_or_none(tmp_path: Path, rows: list[dict[str, object]]) -> None:
    with pytest.raises(PredictionError, match="'tokens' is missing"):
        read(write(tmp_path / "p.jsonl", rows))


def test_a_test_set_of_true_size_loads_in_under_a_second(tmp_path: Path) -> None:
    rows = [
        {"tokens": one.tokens, "gold": one.gold, "pred": one.pred, "entities": [{"type": "PER", "score": 0.9}] * 2}
        for one in ordinary_predictions(0, 16_454).rows
    ]
    path = write(tmp_path / "p.jsonl", rows)
    start = time.process_time()
    assert len(read(path).rows) == 16_454
    assert time.process_time() - start < 1
