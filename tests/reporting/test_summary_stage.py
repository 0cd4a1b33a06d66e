"""``python -m stages.summary`` in a project folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from stages import summary
from stages.corpus.files import write_json
from stages.corpus.labels import FIVE, TYPES
from stages.evaluate import figures
from stages.reporting.tables import by_run
from stages.scoring.predictions import PredictionError, read
from tests.reporting.builders import side, write_rows

ROOT = Path(__file__).parents[2]
PICTURES = {"loss_curves.png", "entities.png", "f1_per_type.png", "a_against_b.png"}


def add_run(runs: Path, run: str, seed: int, rate: float) -> None:
    """One evaluated run with curves, of the system at the end of its name."""
    system = "A" if run.endswith("A") else "B"
    folder = runs / run
    path = write_rows(folder / "predictions.jsonl", side(TYPES if system == "A" else FIVE, seed, rate))
    write_json(folder / "metrics.json", figures(read(path), system)[0])
    write_json(folder / "metrics_val.json", figures(read(path), system)[0])
    write_json(folder / "per_type.json", figures(read(path), system)[1])
    curve = "step,epoch,learning_rate,train_loss,val_loss,val_f1\n10,1.0,0.1,0.5,,\n20,2.0,0.0,0.3,0.4,0.8\n"
    (folder / "curves.csv").write_text(curve, encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder whose pipeline ran, but for the second family's B; it is the working directory."""
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (tmp_path / "params.yaml").write_text(text.replace("resamples: 10000", "resamples: 100"), encoding="utf-8")
    runs = tmp_path / "reports" / "runs"
    for seed, run in enumerate(("span_marker-A", "span_marker-B", "token_classifier-A")):
        add_run(runs, run, seed, 0.3)
    for system in "AB":
        write_json(runs / f"pretrained-{system}" / "metrics.json", {"unscored": "it is no NER model"})
        write_json(runs / f"pretrained-{system}" / "per_type.json", {})
        table = "split,type,entities,words,sentences\ntrain,all,20,90,9\ntrain,PER,12,20,7\ntest,PER,3,5,2\n"
        (tmp_path / "reports" / "data").mkdir(exist_ok=True)
        (tmp_path / "reports" / "data" / f"{system}.csv").write_text(table, encoding="utf-8")
    write_json(tmp_path / "reports/data/rows.json", {"rows": 60, "skipped": 0, "named": []})
    monkeypatch.chdir(tmp_path)
    return tmp_path / "reports"


def test_it_writes_tables_and_pictures_over_all_runs(project: Path):
    summary.main()
    table = pd.read_csv(project / "runs.csv")
    assert list(table["run"]) == [
        "span_marker-A",
        "span_marker-B",
        "token_classifier-A",
        "pretrained-A",
        "pretrained-B",
    ]
    assert table["val_f1"].notna().sum() == 3
    text = (project / "runs.md").read_text(encoding="utf-8")
    assert "**SpanMarker.** On common ground (60 sentences" in text
    assert "**Token classifier.**" not in text
    assert {path.name for path in project.iterdir()} >= PICTURES


def test_no_sentence_of_the_data_reaches_the_summary(project: Path):
    summary.main()
    assert "w1." not in (project / "runs.md").read_text(encoding="utf-8") + (project / "runs.csv").read_text(
        encoding="utf-8"
    )


def test_again_the_same_bytes(project: Path):
    summary.main()
    first = {path.name: path.read_bytes() for path in project.iterdir() if path.is_file()}
    summary.main()
    assert {path.name: path.read_bytes() for path in project.iterdir() if path.is_file()} == first
    assert len(first) == 6


def test_runs_are_ordered_and_only_those_that_exist(project: Path):
    found = by_run(project / "runs", "curves.csv", pd.read_csv)
    assert {kind: list(systems) for kind, systems in found.items()} == {
        "span_marker": ["A", "B"],
        "token_classifier": ["A"],
    }
    assert by_run(project / "nowhere", "curves.csv", pd.read_csv) == {}


def test_entity_counts_name_their_system(project: Path):
    table = summary.entity_counts(project / "data")
    assert list(table["system"]) == ["A"] * 3 + ["B"] * 3
    assert set(table["type"]) == {"all", "PER"}


def test_a_bad_prediction_is_named_and_nothing_is_written(project: Path):
    path = project / "runs" / "span_marker-B" / "predictions.jsonl"
    path.write_text("{\n", encoding="utf-8")
    with pytest.raises(PredictionError, match=r"predictions\.jsonl:1"):
        summary.main()
    assert not (project / "runs.csv").exists()


def test_without_a_trained_model_the_pictures_say_so(project: Path):
    for run in ("span_marker-A", "span_marker-B", "token_classifier-A"):
        shutil.rmtree(project / "runs" / run)
    summary.main()
    assert {path.name for path in project.iterdir()} >= PICTURES
    assert "has no score" in (project / "runs.md").read_text(encoding="utf-8")
