"""What is gathered is figures alone, all of it, and enough to draw every picture again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stages.corpus.files import read_json
from stages.errors import UserError
from stages.gather import draw, main, refuse_sentences
from tests.finished import PARAMS, finished

FILES = {
    "settings", "data", "runs", "curves", "comparison-span_marker", "comparison-token_classifier", "families-A",
    "families-B",
}  # fmt: skip
PICTURES = {"loss_curves", "entities", "f1_per_type", "a_against_b"}


@pytest.fixture(scope="module")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("gathered")
    main(root / "real", finished(root), PARAMS)
    return root / "real"


def test_all_files_are_there_and_hold_the_runs(gathered: Path) -> None:
    assert {path.name for path in gathered.iterdir()} == {
        *(f"{name}.json" for name in FILES), *(f"{name}.png" for name in PICTURES),
    }  # fmt: skip
    runs = read_json(gathered / "runs.json")
    metrics = read_json(gathered.parent / "reports/runs/span_marker-B/metrics.json")
    assert runs["test"]["span_marker"]["B"] == metrics
    assert set(runs["val"]) == {"span_marker", "token_classifier", "lookup"}
    assert set(runs["per_type"]["token_classifier"]["B"]) == {"PER", "ORG", "LOC", "DIS", "ANIM"}
    assert read_json(gathered / "curves.json")["span_marker"]["A"][0] == {
        "epoch": 0.5, "train_loss": 0.9, "val_loss": None,
    }  # fmt: skip


def test_comparisons_name_their_sides(gathered: Path) -> None:
    systems, families = read_json(gathered / "comparison-span_marker.json"), read_json(gathered / "families-A.json")
    assert len(systems["common"]["types"]) == 5
    assert len(families["common"]["types"]) == 15
    assert families["names"] == {"a": "SpanMarker", "b": "Token classifier"}
    assert "Token classifier" in families["verdict"]


def test_settings_say_how_and_not_where(gathered: Path) -> None:
    found = read_json(gathered / "settings.json")
    assert set(found) == {"profile", "seed", "models"}
    assert found["models"]["span_marker-A"]["entity_words"] == 8
    assert "directory" not in json.dumps(found)


def test_no_word_of_a_sentence_is_kept(gathered: Path) -> None:
    """The sentences of ``finished`` are made of w0.0, w0.1, … and of words that are found nowhere else."""
    for path in gathered.glob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert "w1." not in text, path.name
        assert "東京" not in text, path.name


def test_pictures_come_from_the_json_alone(gathered: Path, tmp_path: Path) -> None:
    draw({name: read_json(gathered / f"{name}.json") for name in FILES}, tmp_path)
    for name in PICTURES:
        assert (tmp_path / f"{name}.png").read_bytes() == (gathered / f"{name}.png").read_bytes()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [{"tokens": ["x"]}]}, r"\.a\[0\]\.tokens: would hold words"),
        ({"b": {"text": 1}}, r"\.b\.text"),
        ({"c": "x" * 201}, r"\.c: 201 characters"),
        ({"c": ["/home/someone/data"]}, r"\.c\[0\]: '/home/someone/data' is a path"),
    ],
)
def test_sentences_and_paths_are_refused(value: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        refuse_sentences(value)


def test_figures_names_and_verdicts_pass() -> None:
    refuse_sentences({"verdict": "x" * 500, "f1": 0.5, "names": ["A", None], "note": "x" * 200})


def test_an_unfinished_pipeline_is_refused_and_leaves_what_was_there(gathered: Path, tmp_path: Path) -> None:
    reports = finished(tmp_path)
    (reports / "runs/span_marker-A/metrics.json").unlink()
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "old.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match="lacks span_marker-A: no pipeline has finished"):
        main(tmp_path / "real", reports, PARAMS)
    assert [path.name for path in (tmp_path / "real").iterdir()] == ["old.json"]
