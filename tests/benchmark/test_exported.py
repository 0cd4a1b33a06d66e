"""Exported models beside torch: what a report says, and the command that makes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stages.benchmark.exported import _answers
from stages.corpus.files import read_json
from stages.corpus.labels import FIVE, Span
from stages.errors import UserError
from stages.export import _check_output
from stages.models.tagging import Tagging
from stages.reporting.export import markdown
from tests.corpus.builders import row, write_jsonl

GOLD = [["B-PER", "I-PER", "O"], ["O", "B-LOC"], ["O"]]


def tagging(words: int, *entities: Span) -> Tagging:
    return Tagging(list(entities), [1.0] * len(entities), np.zeros((words, 11), dtype=np.float32), None, words)


def test_what_an_export_loses_is_counted() -> None:
    torch = [tagging(3, Span("PER", 0, 2)), tagging(2, Span("LOC", 1, 2)), tagging(1)]
    mine = [tagging(3, Span("PER", 0, 2)), tagging(2), tagging(1)]
    same, found = _answers(GOLD, FIVE, torch, torch), _answers(GOLD, FIVE, torch, mine)
    assert (same["f1"], same["f1_loss"], same["same_words"], same["same_sentences"]) == (1, 0, 1, 1)
    assert (found["f1"], found["f1_loss"]) == pytest.approx((2 / 3, 1 / 3))
    assert (found["same_words"], found["same_sentences"]) == pytest.approx((5 / 6, 2 / 3))
    assert found["interval"][0] <= found["f1_loss"] <= found["interval"][1]


def test_how_far_probabilities_are_apart_is_told() -> None:
    other = tagging(2)
    other.probabilities[1, 3] = 0.25  # type: ignore[index]
    assert _answers([["O", "O"]], FIVE, [tagging(2)], [other])["probability"] == pytest.approx(0.25)


def test_the_table_shows_what_was_gained_and_lost() -> None:
    answers = {"f1": 0.66, "f1_loss": 0.002, "interval": [-0.001, 0.005], "same_words": 0.9941, "same_sentences": 0.9}
    one = {"name": "ONNX int8", "size_mib": 16.66, "speed": 1234.4, "ratio": [2.5, 2.25, 2.75], **answers}
    head = {
        "model": "token_classifier-A",
        "sentences": 1000,
        "raced": 500,
        "entities": 2000,
        "threads": 1,
        "repeats": 5,
    }
    text = markdown({**head, "confidence": 0.95, "rows": [one]})
    assert (
        "| ONNX int8 | 16.7 | 1,234 | 2.50 (2.25 to 2.75) | 0.6600 | 0.20 (−0.10 to 0.50) | 99.41 % | 90.0 % |" in text
    )
    assert "1,000 sentences with 2,000 entities; speed on 500 of them, 1 thread, 5 runs" in text


@pytest.mark.slow
def test_the_command_leaves_two_models_and_a_report(tiny_bert: Path, tmp_path: Path) -> None:
    from stages import settings
    from stages.models.token_classifier import TokenClassifier

    base = settings.load().training("token_classifier", "B", "sample")
    changes = {"encoder": str(tiny_bert), "encoder_layers": None, "max_tokens": 128}
    TokenClassifier.create(base.model_copy(update=changes), FIVE).save(tmp_path / "model-B")
    rows = write_jsonl(tmp_path / "rows.jsonl", [row("Marie was born in Warsaw .", [1, 0, 0, 0, 5, 0])] * 20)
    command = ["stages.export", "--model", str(tmp_path / "model-B"), "--output", str(tmp_path / "out")]
    more = ["--sentences", str(rows), "--repeats", "2"]
    done = subprocess.run([sys.executable, "-m", *command, *more], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"fp32", "int8", "report.json", "report.md"}
    report = read_json(tmp_path / "out/report.json")
    assert [one["name"] for one in report["rows"]] == ["torch fp32", "ONNX fp32", "ONNX int8"]
    assert report["rows"][1]["same_sentences"] == 1
    assert report["sentences"] == 20
    assert str(tmp_path) not in (tmp_path / "out/report.json").read_text()


@pytest.mark.slow
def test_sentences_that_are_not_there_are_told(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stages.export", "--model", "models/x-A", "--output", str(tmp_path / "out"),
         "--sentences", str(tmp_path / "none.jsonl")], capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "none.jsonl: no such file; name the sentences to compare on with --sentences" in done.stderr
    assert not (tmp_path / "out").exists()


def test_only_an_earlier_export_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    _check_output(tmp_path / "models")  # empty
    (tmp_path / "models/mine").write_text("x")
    with pytest.raises(UserError, match=r"models: is there, and is no earlier export; name a folder that may be"):
        _check_output(tmp_path / "models")
    with pytest.raises(UserError, match="is no earlier export"):
        _check_output(tmp_path / "models/mine")
    (tmp_path / "models/report.json").write_text("{}")
    (tmp_path / "models/int8").mkdir()
    _check_output(tmp_path / "models")
    _check_output(tmp_path / "new")
