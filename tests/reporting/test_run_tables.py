"""The runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from stages.reporting.names import run_title
from stages.reporting.tables import markdown_table, number, runs_markdown, runs_table, write_csv

METRICS: dict[str, Any] = {
    "precision": 0.9, "recall": 0.8, "f1": 0.8471, "macro_f1": 0.7, "five_f1": 0.86, "lenient_f1": 0.85,
    "accuracy": 0.97, "loss": 0.05, "illegal": 3, "entities": 40, "types": 15,
}  # fmt: skip
TEST = {
    "span_marker": {"A": METRICS, "B": {**METRICS, "f1": 0.9}},
    "pretrained": {"A": {"unscored": "it is no NER model"}},
    "lookup": {"A": {**METRICS, "loss": None}},
}
VAL = {"span_marker": {"A": {"f1": 0.8, "loss": 0.06}}}


@pytest.fixture
def table() -> pd.DataFrame:
    return runs_table(TEST, VAL)


def test_one_row_a_run_with_test_and_val_apart(table: pd.DataFrame):
    assert list(table["run"]) == ["span_marker-A", "span_marker-B", "pretrained-A", "lookup-A"]
    first = table.iloc[0]
    assert (first["kind"], first["system"], first["f1"], first["val_f1"], first["val_loss"]) == (
        "span_marker", "A", 0.8471, 0.8, 0.06,
    )  # fmt: skip
    assert pd.isna(table.iloc[1]["val_f1"])


def test_a_run_without_a_score_keeps_its_reason_and_no_figure(table: pd.DataFrame):
    row = table.set_index("run").loc["pretrained-A"]
    assert row["unscored"] == "it is no NER model"
    assert row[["f1", "loss", "illegal", "val_f1"]].isna().all()


def test_csv_holds_whole_counts_and_empty_cells(table: pd.DataFrame, tmp_path: Path):
    write_csv(tmp_path / "runs.csv", table)
    lines = (tmp_path / "runs.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("run,kind,system,precision,recall,f1,macro_f1,five_f1")
    assert lines[1].startswith("span_marker-A,span_marker,A,0.9000,0.8000,0.8471")
    assert ",3,40,15," in lines[1]
    assert lines[3] == "pretrained-A,pretrained,A" + "," * (lines[0].count(",") - 2) + "it is no NER model"


def test_markdown_names_runs_as_people_do(table: pd.DataFrame):
    text = runs_markdown(table, {"span_marker": {"verdict": "No evidence."}})
    assert "| SpanMarker A | 0.9000 | 0.8000 | 0.8471 |" in text
    assert "| Lookup A |" in text
    assert "Pretrained A has no score: it is no NER model." in text
    assert "| Pretrained A |" not in text
    assert text.endswith("**SpanMarker.** No evidence.\n")


def test_markdown_without_a_comparison(table: pd.DataFrame):
    assert "A against B, on the same" not in runs_markdown(table, {})


def test_no_run_at_all(tmp_path: Path):
    empty = runs_table({}, {})
    assert empty.empty
    assert runs_markdown(empty, {}).startswith("# All runs")


def test_a_bar_in_a_cell_does_not_break_the_table():
    assert markdown_table(["a", "b"], [["x|y", "1"]]) == "| a | b |\n| --- | ---: |\n| x\\|y | 1 |"


@pytest.mark.parametrize(("value", "text"), [(0.12345, "0.1235"), (None, "–"), (float("nan"), "–"), (1, "1.0000")])
def test_number(value: float | None, text: str):
    assert number(value) == text


@pytest.mark.parametrize(
    ("run", "title"),
    [("span_marker-A", "SpanMarker A"), ("token_classifier-B", "Token classifier B"), ("mine", "mine"), ("a-b", "a-b")],
)
def test_run_title(run: str, title: str):
    assert run_title(run) == title
