"""The plain token classifier is a fair peer: the same labels as ours, and it learns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import datasets
import pytest
from datasets import Dataset

from stages import settings
from stages.benchmark.plain import Plain, Prediction
from stages.benchmark.plan import recipes
from stages.corpus.labels import TAGS, TYPES
from stages.models.token_classifier import TokenClassifier
from stages.settings import TokenClassifierSettings
from tests.benchmark.builders import sentences

pytestmark = pytest.mark.filterwarnings("ignore:.*pin_memory.*:UserWarning")


@pytest.fixture(autouse=True)
def _caching() -> Iterator[None]:
    yield
    datasets.enable_caching()  # a side switches it off for its whole process


@pytest.fixture
def hyper(tiny_bert: Path) -> TokenClassifierSettings:
    _, base = recipes(settings.load())
    return base.model_copy(update={"encoder": str(tiny_bert), "max_tokens": 64, "batch_size": 4})


def test_both_sides_learn_from_the_same_labels(hyper: TokenClassifierSettings) -> None:
    theirs = Plain(hyper).prepare(sentences())
    ours = TokenClassifier.create(hyper, TYPES).prepare(Dataset.from_list(sentences()))
    for name in ("input_ids", "labels"):
        assert list(theirs[name]) == list(ours[name])


def test_it_learns_and_answers_word_by_word(hyper: TokenClassifierSettings) -> None:
    plain = Plain(hyper.model_copy(update={"learning_rate": 5e-3}), num_train_epochs=40)
    rows = plain.prepare(sentences())
    trainer = plain.trainer(rows)
    trainer.train()
    gold = [[TAGS[tag] for tag in one["ner_tags"]] for one in sentences()]
    assert plain.tag(trainer, rows, sentences()) == gold


def test_a_word_without_a_subword_is_outside(hyper: TokenClassifierSettings) -> None:
    odd = [{"tokens": ["Marie", "\u200b", "Warsaw"], "ner_tags": [1, 0, 5]}]
    plain = Plain(hyper)
    rows = plain.prepare(odd)
    assert list(rows["words"]) == [[0, 2]]
    (tags,) = plain.tag(plain.trainer(), rows, odd)
    assert tags[1] == "O"
    assert len(tags) == 3


def test_what_is_timed_is_prediction_and_no_trainer_being_built(
    hyper: TokenClassifierSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    TokenClassifier.create(hyper, TYPES).save(tmp_path / "model")
    side = Prediction(hyper, tmp_path / "model", sentences())
    monkeypatch.setattr(Plain, "trainer", None)  # whoever builds one now, fails
    assert side.run() > 0
    first = side.tags
    assert side.run() > 0
    assert side.tags == first
    assert [len(tags) for tags in first] == [len(one["tokens"]) for one in sentences()]
