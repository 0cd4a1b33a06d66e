"""A profile's trainings at full size, rehearsed: timed, killed and taken up again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stages.benchmark.rehearsal import Training, _run, random_encoder, rehearse
from stages.benchmark.sentences import SAMPLE, pick, read_corpus
from stages.errors import UserError
from stages.rehearse import told
from stages.reporting.rehearsal import elsewhere, table
from stages.settings import FAMILIES, Family
from tests.models.test_training import hyperparameters


@pytest.fixture
def wide(tiny_bert: Path, tmp_path: Path) -> Path:
    """A tiny encoder's configuration with room for the embedded tokenizer's subwords."""
    config = json.loads((tiny_bert / "config.json").read_text()) | {"vocab_size": 30522}
    (tmp_path / "wide").mkdir()
    (tmp_path / "wide/config.json").write_text(json.dumps(config))
    return tmp_path / "wide"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_killed_rehearsal_goes_on_to_the_same_weights(family: Family, wide: Path) -> None:
    hyper = hyperparameters(family, wide, case="encoder")
    row = rehearse(hyper, "A", 1, 40, pick(read_corpus(SAMPLE).train, 200))
    assert row["resumed"] == {"after_step": row["resumed"]["after_step"], "losses_apart": 0.0, "same_bytes": True}
    assert 0 < row["resumed"]["after_step"] < 40
    assert row["sentences_per_second"] == pytest.approx(4 / row["seconds_a_step"])
    assert row["peak_bytes"] > 1e8
    first, last = row["losses"]
    assert 0 < last < first
    assert "killed, went on after step" in told(row)


def test_one_that_was_killed_after_its_last_update_says_so(wide: Path, tmp_path: Path) -> None:
    hyper = hyperparameters("token_classifier", wide, case="encoder")
    sentences, encoder = pick(read_corpus(SAMPLE).train, 40), random_encoder(str(wide), tmp_path / "encoder")
    training = Training(hyper, "A", 1, 2, sentences, encoder, tmp_path / "checkpoints", minutes=60.0)
    for begun in (0, 2):
        told = _run(training, tmp_path / f"{begun}.json")
        assert (told["from_step"], bool(told["losses"])) == (begun, begun == 0)


def test_the_table_says_what_was_measured_and_what_was_not() -> None:
    row: dict[str, Any] = {
        "date": "2026-01-02", "commit": "abc", "device": "cpu", "machine": {"torch": "2.0"}, "steps": 20, "batch": 8,
        "accumulation": 2, "sentences_per_second": 12.3, "seconds_a_step": 1.3, "peak_bytes": 3.2e9, "resumed": None,
    }  # fmt: skip
    resumed = {"after_step": 7, "losses_apart": 0.0002, "same_bytes": False}
    text = table(
        {
            "full a": row,
            "full b": {**row, "resumed": resumed},
            "full c": {**row, "resumed": {**resumed, "same_bytes": True}},
        }
    )
    _, _, *lines = text.splitlines()
    assert lines[0] == "| full a (2026-01-02, `abc`) | cpu, torch 2.0 | 20 × 16 | 12 | 1.300 | 3.2 | – |"
    assert lines[1].endswith("| after step 7: losses at most 2.0e-04 apart |")
    assert lines[2].endswith("| after step 7: the same bytes |")


@pytest.mark.parametrize("arguments", [["--profile", "ful"], ["--steps", "3"]])
def test_the_command_refuses_what_it_cannot_do(arguments: list[str]) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "stages.rehearse", *arguments], capture_output=True, text=True, check=False
    )
    assert found.returncode != 0
    assert arguments[0] in found.stderr
    assert "Traceback" not in found.stderr


def test_an_encoder_of_fewer_subwords_than_the_tokenizer_is_refused(tiny_bert: Path) -> None:
    with pytest.raises(UserError, match="subwords, fewer than the rehearsal's 30522"):
        rehearse(hyperparameters("token_classifier", tiny_bert), "A", 1, 10, [])


def test_the_samples_models_stand_beside_another_machines() -> None:
    kept = {"device": "a GPU", "date": "2026-01-02", "commit": "abc", "test_f1": {"span_marker-A": 0.6623}}
    text = elsewhere(kept, {"span_marker-A": 0.6599, "lookup-A": 0.3})
    assert text.endswith(
        "on a GPU (2026-01-02, `abc`), against README's sample, test F1: SpanMarker A 0.6623 (0.6599)."
    )
