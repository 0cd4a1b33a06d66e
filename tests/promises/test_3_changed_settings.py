"""Whatever shapes the weights belongs to the run: where it changed, an earlier run is never continued."""

from __future__ import annotations

import json
import logging
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stages import settings
from stages.corpus.labels import FIVE, TYPES
from stages.models import families, resuming
from stages.models.checkpoints import Checkpoints
from stages.models.resuming import fingerprint
from stages.models.training import seed_everything
from tests.clone import Project
from tests.models.test_training import hyperparameters
from tests.promises.killed import train
from tests.promises.training import BrokenOffError, trained
from tests.promises.tries import Tries

PROMISE = "3 A run with another seed, data, label set or hyperparameter is a new run, and says so"
HOW = (
    "every hyperparameter of both families changed one by one, seed, types, sentences, encoder weights and code too; "
    "killed trainings of both taken up after a change: they say what is different, and end in the weights of a new run"
)

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
    "case": "learnt",
    "consistency": 0.5,
    "decoding": "legal",
    "negatives": 5,
    "proposal_recall": 0.5,
    "keep": "best",
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


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"seed": 5}, "seed, starting weights"),
        ({"types": FIVE}, "starting weights, types"),
        ({"learning_rate": 1e-3}, "learning_rate"),
        ({"batch_size": 2, "accumulation": 1}, "accumulation, batch_size"),
    ],
)
@pytest.mark.parametrize("family", settings.FAMILIES)
def test_another_run_is_told_and_the_broken_one_stays(
    family: settings.Family, changes: dict[str, Any], told: str, tiny_bert: Path, tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    with pytest.raises(BrokenOffError):
        trained(family, tiny_bert, tmp_path, after=5)
    with caplog.at_level(logging.INFO), pytest.raises(BrokenOffError):
        trained(family, tiny_bert, tmp_path, after=3, **changes)
    assert f"other settings, broken off after update 5: training starts anew (different: {told})" in caplog.text
    assert "going on" not in caplog.text
    with caplog.at_level(logging.INFO), pytest.raises(BrokenOffError):
        trained(family, tiny_bert, tmp_path, after=6)
    assert "checkpoint-5 is whole: going on after update 5" in caplog.text


def change_seed(project: Project) -> None:
    project.params(seed=43)


def change_rate(project: Project) -> None:
    project.params(**{"systems.B.train.learning_rate": 1e-3})


def change_sentence(project: Project) -> None:
    path = project.folder / "data/systems/B/train.jsonl"
    first, *others = path.read_text(encoding="utf-8").splitlines()
    row = json.loads(first)
    row["tokens"][0] += "s"
    path.write_text("\n".join([json.dumps(row), *others]) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("family", "change", "told"),
    [
        ("token_classifier", change_seed, "seed, starting weights"),
        ("span_marker", change_rate, "learning_rate"),
        ("token_classifier", change_sentence, "train sentences"),
        pytest.param("span_marker", change_seed, "seed, starting weights", marks=pytest.mark.promises),
        pytest.param("token_classifier", change_rate, "learning_rate", marks=pytest.mark.promises),
        pytest.param("span_marker", change_sentence, "train sentences", marks=pytest.mark.promises),
    ],
)
def test_through_the_stage_a_change_trains_anew(
    family: settings.Family, change: Callable[[Project], None], told: str, finished_clone: Project, tmp_path: Path
) -> None:
    """With the checkpoints of a run before the change at hand, or without them, the weights are the same."""
    weights: dict[bool, bytes] = {}
    for broken in (False, True):
        project = finished_clone.copy(tmp_path / str(broken))
        if broken:
            process = train(project, f"{family}-B", halt=5)
            process.until_halted()
            process.send(signal.SIGKILL)
            process.wait()
        change(project)
        process = train(project, f"{family}-B")
        assert process.wait() == 0, process.said()
        assert (f"after update 5: training starts anew (different: {told})" in process.said()) == broken
        assert "going on" not in process.said()
        weights[broken] = (project.folder / f"models/{family}-B/model.safetensors").read_bytes()
    assert weights[False] == weights[True]
    assert weights[True] != (finished_clone.folder / f"models/{family}-B/model.safetensors").read_bytes()
