"""Whatever shapes the weights belongs to the run: where it changed, an earlier run is never continued."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest

from stages import settings
from stages.corpus.labels import FIVE, TYPES
from stages.models import families, resuming
from stages.models.checkpoints import MARK, Checkpoints
from stages.models.resuming import fingerprint
from stages.models.training import seed_everything
from tests.clone import Project
from tests.models.test_training import hyperparameters
from tests.promises.processes import Process
from tests.promises.training import BrokenOffError, trained
from tests.promises.tries import Tries

PROMISE = "3 A run with another seed, data, label set or hyperparameter is a new run, and says so"
HOW = "every hyperparameter of both families changed one by one, seed, types, sentences, encoder weights and code too"

CHANGES: dict[str, Any] = {
    "encoder_revision": "main",
    "encoder_layers": 1,
    "train_sentences": 7,
    "epochs": 9,
    "batch_size": 7,
    "accumulation": 7,
    "learning_rate": 1e-5,
    "scheduler": "cosine",
    "warmup_ratio": 0.3,
    "weight_decay": 0.3,
    "max_grad_norm": 0.3,
    "max_tokens": 32,
    "marker_pairs": 64,
    "entity_words": 3,
    "mode": "exact",
    "embeddings": "frozen",
    "negatives": 5,
    "proposal_recall": 0.5,
}


def run_of(
    hyper: settings.FamilySettings, types: tuple[str, ...] = TYPES, seed: int = 3, **data: str
) -> dict[str, str]:
    seed_everything(seed)
    model = families.create(hyper, types).model
    return fingerprint(model, hyper, seed=str(seed), types=" ".join(types), **data)


def differing(first: dict[str, str], second: dict[str, str]) -> set[str]:
    assert first.keys() == second.keys()
    return {name for name in first if first[name] != second[name]}


@pytest.mark.parametrize("family", settings.FAMILIES)
def test_each_hyperparameter_makes_another_run(
    family: settings.Family, tiny_bert: Path, tmp_path: Path, tries: Tries
) -> None:
    hyper = hyperparameters(family, tiny_bert)
    run = run_of(hyper)
    assert run == run_of(hyper)
    fields = set(type(hyper).model_fields)
    assert fields - {"encoder"} <= set(CHANGES), "a new hyperparameter: let it be changed here, too"
    for name in fields & set(CHANGES):
        with tries.one(name):
            other = run_of(hyper.model_copy(update={name: CHANGES[name]}))
            assert name in differing(run, other)
            assert Checkpoints(tmp_path, other).place != Checkpoints(tmp_path, run).place


def test_seed_types_data_encoder_and_code_make_another_run(
    tiny_bert: Path, tiny_roberta: Path, tmp_path: Path, tries: Tries, monkeypatch: pytest.MonkeyPatch
) -> None:
    hyper = hyperparameters("token_classifier", tiny_bert)
    run = run_of(hyper, data="1")
    with tries.one("seed"):
        assert differing(run, run_of(hyper, seed=4, data="1")) == {"seed", "starting weights"}
    with tries.one("types"):
        assert differing(run, run_of(hyper, FIVE, data="1")) == {"types", "starting weights"}
    with tries.one("data"):
        assert differing(run, run_of(hyper, data="2")) == {"data"}
    with tries.one("encoder"):
        other = run_of(hyperparameters("token_classifier", tiny_roberta), data="1")
        assert differing(run, other) == {"encoder", "starting weights"}
    with tries.one("code"):
        monkeypatch.setattr(resuming, "digest_of_all", lambda *_: "another")
        assert differing(run, run_of(hyper, data="1")) == {"code"}


def test_another_run_is_told_and_the_broken_one_stays(
    tiny_bert: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for after in (5, 3):
        with pytest.raises(BrokenOffError):
            trained("token_classifier", tiny_bert, tmp_path, after=after, seed=after)
    assert re.search(
        r"other settings, broken off after update 5: training starts anew \(different: seed, starting weights\)",
        caplog.text,
    )
    caplog.clear()
    with caplog.at_level(logging.INFO), pytest.raises(BrokenOffError):
        trained("token_classifier", tiny_bert, tmp_path, after=6, seed=5)
    assert "checkpoint-5 is whole: going on after update 5" in caplog.text


def test_through_the_stage_a_changed_seed_trains_anew(finished_clone: Project, tmp_path: Path, tries: Tries) -> None:
    """With the checkpoints of another seed, another sentence, or another rate at hand, the weights are the same."""
    command = ["python", "-m", "stages.train", "--family", "token_classifier", "--system", "B"]
    weights: dict[bool, bytes] = {}
    for broken in (False, True):
        project = finished_clone.copy(tmp_path / str(broken))
        if broken:
            process = Process(project.folder, command)
            while process.alive() and not list(project.folder.glob(f"checkpoints/*/*/*/{MARK}")):
                pass
            process.send(9)
            process.wait()
        project.params(seed=43)
        process = Process(project.folder, command)
        assert process.wait() == 0, process.said()
        assert ("training starts anew (different: seed, starting weights)" in process.said()) == broken
        weights[broken] = (project.folder / "models/token_classifier-B/model.safetensors").read_bytes()
    with tries.one("changed seed"):
        assert weights[False] == weights[True]
