"""A profile's trainings at full size, rehearsed: timed, killed and taken up again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stages.benchmark.rehearsal import rehearse
from stages.benchmark.sentences import SAMPLE, pick, read_corpus
from stages.errors import UserError
from stages.rehearse import told
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


def test_an_encoder_of_fewer_subwords_than_the_tokenizer_is_refused(tiny_bert: Path) -> None:
    with pytest.raises(UserError, match="subwords, fewer than the rehearsal's 30522"):
        rehearse(hyperparameters("token_classifier", tiny_bert), "A", 1, 10, [])
