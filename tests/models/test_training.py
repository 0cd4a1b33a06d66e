"""Training: it learns, the same seed gives the same weights, and the curve is what predict would find."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from datasets import Dataset
from transformers import TrainerCallback

from stages import settings
from stages.corpus.labels import FIVE, TAG_IDS, TYPES
from stages.models import families
from stages.models.tagging import Model
from stages.models.training import arguments, build, curves, seed_everything, train

SENTENCES = [
    ("Marie Curie was born in Warsaw .", ["B-PER", "I-PER", "O", "O", "O", "B-LOC", "O"]),
    ("The brown bear lives in Slovakia .", ["O", "B-ANIM", "I-ANIM", "O", "O", "B-LOC", "O"]),
    ("Malaria killed thousands in Panama .", ["B-DIS", "O", "O", "O", "B-LOC", "O"]),
    ("No one knew why .", ["O", "O", "O", "O", "O"]),
]


def digest_of(model: torch.nn.Module) -> str:
    """SHA-256 of all weights."""
    found = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        found.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return found.hexdigest()


ROWS = Dataset.from_list(
    [{"tokens": text.split(), "ner_tags": [TAG_IDS[tag] for tag in tags]} for text, tags in SENTENCES * 4]
)


def hyperparameters(family: settings.Family, encoder: Path, **changes: object) -> settings.FamilySettings:
    base = settings.load().training(family, "A", "sample")
    fixed = {
        "encoder": str(encoder),
        "encoder_layers": None,
        "max_tokens": 64,
        "batch_size": 4,
        "train_sentences": None,
    }
    return base.model_copy(update={**fixed, "epochs": 2, **changes})


def trained(
    family: settings.Family, encoder: Path, work: Path, types: tuple[str, ...] = TYPES, seed: int = 3, **changes: object
) -> tuple[Model, object]:
    hyper = hyperparameters(family, encoder, **changes)
    seed_everything(seed)
    tagger = families.create(hyper, types)
    return tagger, train(build(tagger, ROWS, ROWS, hyper, seed, work))


@pytest.mark.parametrize("family", settings.FAMILIES)
def test_it_learns_what_it_sees(family: settings.Family, tiny_bert: Path, tmp_path: Path) -> None:
    tagger, table = trained(family, tiny_bert, tmp_path, epochs=40, learning_rate=5e-3, weight_decay=0.0)
    f1 = table.val_f1.dropna()  # type: ignore[attr-defined]
    assert f1.iloc[-1] > 0.8 > f1.iloc[0]
    assert list(table.columns) == ["step", "epoch", "learning_rate", "train_loss", "val_loss", "val_f1"]  # type: ignore[attr-defined]
    assert tagger.tag([SENTENCES[0][0].split()])[0].entities


def test_the_threshold_is_set_in_the_precision_that_predicts(tiny_bert: Path, tmp_path: Path) -> None:
    hyper = hyperparameters("span_marker", tiny_bert, mode="selective")
    seed_everything(3)
    tagger = families.create(hyper, TYPES)
    build(tagger, ROWS, ROWS, hyper, 3, tmp_path, bf16=True).evaluate()
    found = threshold(tagger)
    words, gold = [text.split() for text, _ in SENTENCES * 4], [tags for _, tags in SENTENCES * 4]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        tagger.settle(words, gold)
    assert threshold(tagger) != found, "the scores of the two precisions differ"
    tagger.settle(words, gold)
    assert threshold(tagger) == found


def threshold(tagger: Model) -> float:
    return float(tagger.model.proposal.threshold)  # type: ignore[union-attr, arg-type]


@pytest.mark.parametrize("family", settings.FAMILIES)
def test_the_same_seed_gives_the_same_weights(family: settings.Family, tiny_bert: Path, tmp_path: Path) -> None:
    def weights(seed: int) -> torch.Tensor:
        tagger, _ = trained(family, tiny_bert, tmp_path / str(seed), seed=seed)
        return torch.cat([p.detach().flatten() for p in tagger.model.parameters()])

    assert torch.equal(weights(3), weights(3))
    assert not torch.equal(weights(3), weights(4))


@pytest.mark.parametrize("family", settings.FAMILIES)
def test_accumulation_averages_and_does_not_add_up(family: settings.Family, tiny_bert: Path, tmp_path: Path) -> None:
    """Two half batches must weigh as one whole: a loss that is not divided would double the gradient."""
    changes = {"epochs": 1, "max_grad_norm": 1e9}
    _, whole = trained(family, tiny_bert, tmp_path / "a", batch_size=4, **changes)
    _, halves = trained(family, tiny_bert, tmp_path / "b", batch_size=2, accumulation=2, **changes)
    first, second = (table.train_loss.dropna().iloc[0] for table in (whole, halves))  # type: ignore[attr-defined]
    assert second == pytest.approx(first, rel=0.25)


def test_a_cap_takes_the_first_sentences(tiny_bert: Path, tmp_path: Path) -> None:
    _, table = trained("token_classifier", tiny_bert, tmp_path, train_sentences=4, epochs=1)
    assert table.step.max() == 1  # type: ignore[attr-defined]


def test_b_starts_from_the_encoder_and_knows_five_types(tiny_bert: Path) -> None:
    for family, labels in (("span_marker", 6), ("token_classifier", 11)):
        tagger = families.create(hyperparameters(family, tiny_bert), FIVE)  # type: ignore[arg-type]
        assert set(tagger.types) == set(FIVE)
        assert tagger.model.config.num_labels == labels


def test_hyperparameters_reach_the_trainer(tiny_bert: Path, tmp_path: Path) -> None:
    hyper = hyperparameters("span_marker", tiny_bert, accumulation=3, scheduler="cosine", warmup_ratio=0.25, epochs=5)
    made = arguments(hyper, 11, 100, tmp_path)
    assert (made.num_train_epochs, made.gradient_accumulation_steps, made.seed, made.data_seed) == (5, 3, 11, 11)
    assert (made.adam_beta1, made.adam_beta2, made.adam_epsilon) == (0.9, 0.999, 1e-8)
    assert (made.lr_scheduler_type, made.warmup_ratio, made.learning_rate) == ("cosine", 0.25, hyper.learning_rate)


@pytest.mark.parametrize(("keep", "kept"), [("last", 2), ("best", 1)])
@pytest.mark.parametrize("family", settings.FAMILIES)
def test_the_epoch_that_val_chose_is_kept(
    family: settings.Family, keep: str, kept: int, tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = iter([0.1, 0.9, 0.9])
    monkeypatch.setattr("stages.models.training.f1_score", lambda *_, **__: next(found))
    epochs: list[str] = []

    class Noting(TrainerCallback):
        def on_evaluate(self, *_: object, model: torch.nn.Module, **__: object) -> None:
            epochs.append(digest_of(model))

    hyper = hyperparameters(family, tiny_bert, epochs=3, keep=keep)
    seed_everything(3)
    tagger = families.create(hyper, TYPES)
    trainer = build(tagger, ROWS, ROWS, hyper, 3, tmp_path)
    trainer.add_callback(Noting())
    train(trainer)
    assert len(set(epochs)) == 3
    assert digest_of(tagger.model) == epochs[kept]


def test_curves_are_one_row_a_step() -> None:
    log = [
        {"step": 5, "epoch": 0.5, "loss": 1.25, "learning_rate": 1e-4},
        {"step": 10, "epoch": 1.0, "loss": 0.75, "learning_rate": 5e-5},
        {"step": 10, "epoch": 1.0, "eval_loss": 0.8, "eval_f1": 0.4},
        {"step": 10, "epoch": 1.0, "train_runtime": 3.0},
    ]
    table = curves(log)
    assert table.step.tolist() == [5, 10]
    assert table.val_f1.isna().tolist() == [True, False]
    assert table.train_loss.tolist() == [1.25, 0.75]


def test_a_training_in_16_bits_does_not_make_the_next_one_so(tiny_bert: Path, tmp_path: Path) -> None:
    for wanted in (True, False):
        hyper = hyperparameters("token_classifier", tiny_bert)
        trainer = build(families.create(hyper, TYPES), ROWS, ROWS, hyper, 3, tmp_path, bf16=wanted)
        assert (trainer.accelerator.mixed_precision == "bf16") == wanted
