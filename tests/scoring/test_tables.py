"""All tables of a run come together, fit one another, and can be written and read back."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pandas as pd
import pytest

from stages.scoring.predictions import Predictions, read
from stages.scoring.tables import tables
from tests.scoring.builders import ordinary_predictions, predictions, random_predictions, row, write

ALWAYS = {"errors", "error_counts", "confusion", "by_length", "by_sentence_length"}


def test_which_tables_there_are_follows_from_what_is_given(tmp_path: Path) -> None:
    made = predictions(("B-PER O", "B-PER B-LOC"))
    assert set(tables(made)) == ALWAYS
    assert set(tables(made, train={})) == ALWAYS | {"by_seen", "by_frequency"}
    scored = row("B-PER", "B-PER", entities=[{"type": "PER", "start": 0, "end": 1, "text": "w0", "score": 0.8}])
    found = tables(read(write(tmp_path / "p.jsonl", [scored])))
    assert set(found) == ALWAYS | {"calibration"}
    assert found["calibration"]["answers"].sum() == 1


def test_tables_agree_on_how_many_errors_there_are() -> None:
    found = tables(random_predictions(1, 200))
    counted = found["error_counts"].set_index("type").loc["all"].drop("right").sum()
    assert counted == len(found["errors"])
    assert found["confusion"].drop(columns="gold").to_numpy().sum() == counted + found["by_length"]["right"].sum()


def test_tables_are_cut_to_the_types_asked_for() -> None:
    found = tables(predictions(("B-PER B-FOOD", "B-LOC B-PLANT")), types=("PER", "LOC"))
    assert list(found["confusion"]["gold"]) == ["PER", "LOC", "O"]
    assert len(found["errors"]) == 1


def test_every_table_survives_a_csv_file() -> None:
    for table in tables(random_predictions(2, 50), train={}).values():
        back = pd.read_csv(io.StringIO(table.to_csv(index=False)), keep_default_na=False)
        assert list(back.columns) == list(table.columns)
        assert len(back) == len(table)


@pytest.mark.parametrize("made", [predictions(("O", "O")), Predictions("p", [], [], "no model")])
def test_a_run_without_entities_has_empty_tables(made: Predictions) -> None:
    found = tables(made, train={})
    assert all(table.empty for name, table in found.items() if name.startswith("by_"))
    assert found["errors"].empty


def test_the_tables_of_a_whole_test_set_in_time() -> None:
    made = ordinary_predictions(3, 16_454)
    start = time.process_time()
    tables(made, train={})
    assert time.process_time() - start < 10
