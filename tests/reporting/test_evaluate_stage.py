"""``python -m stages.evaluate`` as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer.testing

from stages.cli import clear_errors
from stages.corpus.labels import FIVE, TYPES, bio, spans
from stages.evaluate import figures, main
from stages.scoring.predictions import PredictionError, read
from tests.reporting.builders import side, write_rows

ALWAYS = {
    "metrics.json", "per_type.json", "per_type.csv", "errors.csv", "error_counts.csv", "confusion.csv", "by_length.csv",
    "by_sentence_length.csv", "calibration.csv", "f1_per_type.png", "confusion.png", "calibration.png",
}  # fmt: skip
ROOT = Path(__file__).parents[2]


def run(*arguments: Any) -> typer.testing.Result:
    app = typer.Typer()
    app.command()(clear_errors()(main))
    return typer.testing.CliRunner().invoke(app, [str(one) for one in arguments])


def evaluate(predictions: Path, output: Path, *more: Any) -> dict[str, Any]:
    result = run("--predictions", predictions, "--output", output, *more)
    assert result.exit_code == 0, result.output
    return json.loads((output / "metrics.json").read_text(encoding="utf-8"))


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "predictions.jsonl", side(TYPES, 1, 0.3))


def test_any_file_with_tokens_gold_and_pred_is_scored(tmp_path: Path):
    rows = [
        {"tokens": ["Ada", "saw", "Rome"], "gold": ["B-PER", "O", "B-LOC"], "pred": ["B-PER", "O", "B-ORG"], "x": 1},
        {"tokens": ["Rain"], "gold": ["O"], "pred": ["B-TIME"]},
    ]
    metrics = evaluate(write_rows(tmp_path / "p.jsonl", rows), tmp_path / "out")
    assert (metrics["precision"], metrics["recall"], metrics["f1"]) == (0.3333, 0.5, 0.4)
    assert (metrics["five_f1"], metrics["accuracy"], metrics["entities"]) == (0.5, 0.5, 2)
    assert metrics["loss"] is None
    assert {path.name for path in (tmp_path / "out").iterdir()} == ALWAYS
    per_type = json.loads((tmp_path / "out" / "per_type.json").read_text(encoding="utf-8"))
    assert per_type["PER"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 1, "predicted": 1}
    assert list(per_type) == ["PER", "ORG", "LOC", "TIME"]


def test_figures_are_rounded_to_four_places(predictions: Path, tmp_path: Path):
    metrics = evaluate(predictions, tmp_path / "out")
    assert all(value == round(value, 4) for value in metrics.values() if isinstance(value, float))
    assert any(value != round(value, 2) for value in metrics.values() if isinstance(value, float))


def test_validation_and_train_add_their_files(predictions: Path, tmp_path: Path):
    train = write_rows(tmp_path / "train.jsonl", [{"tokens": ["w0.1", "w0.2"], "ner_tags": [1, 2], "lang": "en"}])
    val = write_rows(tmp_path / "val.jsonl", side(TYPES, 2, 0.6))
    out = tmp_path / "out"
    metrics = evaluate(predictions, out, "--validation", val, "--train", train, "--system", "A")
    assert {path.name for path in out.iterdir()} == ALWAYS | {"metrics_val.json", "by_seen.csv", "by_frequency.csv"}
    on_val = json.loads((out / "metrics_val.json").read_text(encoding="utf-8"))
    assert on_val["f1"] < metrics["f1"]
    assert pd.read_csv(out / "by_seen.csv")["gold"].sum() == metrics["entities"]


def test_tables_agree_with_the_metrics(predictions: Path, tmp_path: Path):
    metrics = evaluate(predictions, tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "per_type.csv")
    assert list(table.columns) == ["type", "support", "predicted", "precision", "recall", "f1"]
    assert table["support"].sum() == metrics["entities"]
    errors = pd.read_csv(tmp_path / "out" / "error_counts.csv").set_index("type").loc["all"]
    assert errors["right"] / metrics["entities"] == pytest.approx(metrics["recall"], abs=1e-4)
    assert len(pd.read_csv(tmp_path / "out" / "errors.csv")) == errors.sum() - errors["right"]


def test_system_b_is_scored_on_its_types(tmp_path: Path):
    predictions = write_rows(tmp_path / "p.jsonl", side(FIVE, 1, 0.3))
    metrics = evaluate(predictions, tmp_path / "out", "--system", "B")
    assert metrics["types"] == 5
    assert metrics["f1"] == metrics["five_f1"]


def test_gold_that_the_system_does_not_know_is_refused(predictions: Path, tmp_path: Path):
    result = run("--predictions", predictions, "--output", tmp_path / "out", "--system", "B")
    assert result.exit_code == 1
    assert "predictions.jsonl:5: field 'gold': value 'B-BIO'" in result.output
    assert not (tmp_path / "out").exists()


def test_gold_of_another_system_is_refused(predictions: Path):
    assert figures(read(predictions), "A")
    with pytest.raises(PredictionError, match="the system knows PER, ORG"):
        figures(read(predictions), "B")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"tokens": ["a"], "gold": ["O"]}', "field 'pred' is missing"),
        ('{"tokens": ["a"], "gold": ["O"], "pred": ["O", "O"]}', "2 tags for 1 tokens"),
        ('{"tokens": ["a"], "gold": ["O"], "pred": ["B-XYZ"]}', "B-XYZ"),
        ("{", "not valid JSON"),
    ],
)
def test_a_bad_row_ends_it_with_file_and_line_and_nothing_written(tmp_path: Path, line: str, message: str):
    path = tmp_path / "p.jsonl"
    path.write_text('{"tokens": ["a"], "gold": ["O"], "pred": ["O"]}\n' + line + "\n", encoding="utf-8")
    result = run("--predictions", path, "--output", tmp_path / "out")
    assert result.exit_code == 1
    assert f"error: {path}:2: " in result.output
    assert message in result.output
    assert not (tmp_path / "out").exists()


def test_bad_validation_leaves_nothing_either(predictions: Path, tmp_path: Path):
    bad = tmp_path / "val.jsonl"
    bad.write_text("{\n", encoding="utf-8")
    result = run("--predictions", predictions, "--output", tmp_path / "out", "--validation", bad)
    assert result.exit_code == 1
    assert not (tmp_path / "out").exists()


def test_a_missing_file_is_named(tmp_path: Path):
    result = run("--predictions", tmp_path / "none.jsonl", "--output", tmp_path / "out")
    assert result.exit_code == 1
    assert "none.jsonl" in result.output


def test_a_baseline_without_a_score_has_all_its_files_and_its_reason(tmp_path: Path):
    path = write_rows(tmp_path / "p.jsonl", [{"unscored": "it is no NER model"}])
    train = write_rows(tmp_path / "train.jsonl", [{"tokens": ["w"], "ner_tags": [1], "lang": "en"}])
    out = tmp_path / "pretrained-A"
    metrics = evaluate(path, out, "--validation", path, "--system", "A", "--train", train)
    assert metrics == {"unscored": "it is no NER model"}
    assert json.loads((out / "metrics_val.json").read_text(encoding="utf-8")) == metrics
    assert json.loads((out / "per_type.json").read_text(encoding="utf-8")) == {}
    assert {path.name for path in out.iterdir()} == ALWAYS | {"metrics_val.json", "by_seen.csv", "by_frequency.csv"}
    assert len(pd.read_csv(out / "errors.csv")) == 0


def test_a_training_file_without_an_entity_still_gives_its_tables(predictions: Path, tmp_path: Path):
    train = write_rows(tmp_path / "train.jsonl", [{"tokens": ["w"], "ner_tags": [0], "lang": "en"}])
    evaluate(predictions, tmp_path / "out", "--train", train)
    assert list(pd.read_csv(tmp_path / "out" / "by_seen.csv")["group"]) == ["unseen"]


def test_swapping_gold_and_prediction_swaps_precision_and_recall(tmp_path: Path):
    rows = [{"tokens": row["tokens"], "gold": row["gold"], "pred": row["pred"]} for row in side(TYPES, 3, 0.4)]
    dropped = [{**row, "pred": bio(spans(row["pred"])[:1], 12)} for row in rows]
    swapped = [{**row, "gold": row["pred"], "pred": row["gold"]} for row in dropped]
    one = evaluate(write_rows(tmp_path / "1.jsonl", dropped), tmp_path / "1")
    other = evaluate(write_rows(tmp_path / "2.jsonl", swapped), tmp_path / "2")
    assert one["precision"] > one["recall"]
    assert (other["precision"], other["recall"]) == (one["recall"], one["precision"])


def test_two_processes_write_the_same_bytes_without_torch(predictions: Path, tmp_path: Path):
    command = [
        sys.executable,
        "-X",
        "importtime",
        "-m",
        "stages.evaluate",
        "--predictions",
        str(predictions),
        "--output",
    ]
    folders = [tmp_path / seed / "span_marker-A" for seed in ("1", "2")]
    for folder in folders:
        env = {**os.environ, "PYTHONHASHSEED": folder.parent.name}
        done = subprocess.run([*command, str(folder)], cwd=ROOT, env=env, check=True, capture_output=True, text=True)
        imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
        assert "stages.scoring.scores" in imported
        assert not {"torch", "transformers"} & imported
    first, second = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders)
    assert set(first) == ALWAYS
    assert first == second


@pytest.mark.slow
def test_sixteen_thousand_sentences_take_less_than_half_a_minute(tmp_path: Path):
    path = write_rows(tmp_path / "p.jsonl", side(TYPES, 1, 0.1, sentences=16_454))
    started = time.process_time()  # one process, so what it takes on a quiet machine
    evaluate(path, tmp_path / "out", "--validation", path)
    assert time.process_time() - started < 30
