"""F1 of two ways compared, trainings kept, and entities of both sides matched."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages import settings
from stages.benchmark import equality, trainings
from stages.benchmark.plan import Plan
from stages.benchmark.quality import _compared
from stages.benchmark.sentences import Corpus
from stages.benchmark.speed import agreement
from stages.benchmark.trainings import Job, Trained, train, trained
from stages.corpus.labels import TAGS
from tests.benchmark.builders import sentences

CORPUS = Corpus("real", *[sentences(2)] * 3)
GOLD = [[TAGS[tag] for tag in one["ner_tags"]] for one in CORPUS.test]
NOTHING = [["O"] * len(tags) for tags in GOLD]


def test_the_difference_is_ours_minus_the_peers() -> None:
    ours = [Trained(Path(), "a", GOLD)] * 2
    peer = [Trained(Path(), "b", NOTHING)] * 2
    hyper = settings.load().training("token_classifier", "A", "local").model_copy(update={"train_sentences": 3})
    row = _compared(CORPUS, hyper, ours, peer)
    assert row["sentences"] == {"train": 3, "test": len(GOLD)}
    assert row["f1"] == {"ours": [1.0, 1.0], "peer": [0.0, 0.0]}
    assert (row["difference"], row["interval"]) == (1.0, [1.0, 1.0])
    assert row["trained_at"] == ["a", "b"]


def test_agreement_counts_equal_entities_sentence_by_sentence() -> None:
    ours = [[("PER", 0, 2), ("LOC", 5, 6)], [("PER", 0, 2)]]
    peer = [[("PER", 0, 2), ("ORG", 5, 6)], []]
    assert agreement(ours, peer) == {"ours": 3, "peer": 2, "equal": 1, "share": 0.5}
    assert agreement([[]], [[]])["share"] is None


def test_another_setting_or_sentence_is_another_training() -> None:
    hyper = settings.load().training("token_classifier", "A", "local")
    job = Job("ours", hyper, 1, bf16=False)
    others = [
        Job("plain", hyper, 1, bf16=False), Job("ours", hyper, 2, bf16=False), Job("ours", hyper, 1, bf16=True),
        Job("ours", hyper.model_copy(update={"epochs": 9}), 1, bf16=False),
    ]  # fmt: skip
    less = CORPUS._replace(train=CORPUS.train[1:])
    names = [job.name(CORPUS), job.name(less), *(other.name(CORPUS) for other in others)]
    assert len(set(names)) == len(names)
    assert job.name(CORPUS) == Job("ours", hyper.model_copy(), 1, bf16=False).name(CORPUS)


@pytest.mark.parametrize("way", ["ours", "plain"])
@pytest.mark.filterwarnings("ignore:.*pin_memory.*:UserWarning")
def test_a_training_is_kept_whole_and_not_done_again(
    way: str, tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = settings.load()
    changes = {"encoder": str(tiny_bert), "max_tokens": 64, "epochs": 1}
    token = base.training("token_classifier", "A", "local").model_copy(update=changes)
    plan = Plan(CORPUS, base.training("span_marker", "A", "local"), token, 1, 1, tmp_path)  # type: ignore[arg-type]
    job = Job(way, token, 1, bf16=True)  # type: ignore[arg-type]
    train(job, CORPUS, tmp_path / job.name(CORPUS), "abc1234")
    monkeypatch.setattr(trainings, "pool", None)  # whoever would train now, fails
    (found,) = trained(plan, [job])
    assert found.commit == "abc1234"
    assert [len(tags) for tags in found.tags] == [len(tags) for tags in GOLD]
    assert (found.model / "model.safetensors").exists()


def test_logits_are_stocks_and_both_are_told_from_64_bits(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(equality, "LENGTHS", (1, 9))
    hyper = settings.load().training("span_marker", "A", "local")
    made = equality.Logits(hyper.model_copy(update={"encoder": str(tiny_bert)}), CORPUS.test, 8)  # type: ignore[arg-type]
    made.run()
    found = made.facts()["by"]
    assert list(found) == ["real", "1 words", "9 words"]
    for group in found.values():
        assert 0 < group["stock_64_bits"] < 1e-5
        assert group["ours_stock"] < 1e-5 < group["largest_logit"]
