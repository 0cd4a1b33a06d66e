"""F1 of two ways compared, trainings kept, and entities of both sides matched."""

from __future__ import annotations

import dataclasses
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from stages import settings
from stages.benchmark import equality, quality, trainings
from stages.benchmark.plan import Plan, recipes
from stages.benchmark.quality import _compared, own_span_marker, own_token_classifier, trained_at
from stages.benchmark.sentences import Corpus
from stages.benchmark.speed import agreement
from stages.benchmark.trainings import Job, Trained, proposed, train, trained
from stages.corpus.labels import TAGS, TYPES
from stages.models import families
from tests.benchmark.builders import sentences

CORPUS = Corpus("real", *[sentences(2)] * 3)
GOLD = [[TAGS[tag] for tag in one["ner_tags"]] for one in CORPUS.test]
NOTHING = [["O"] * len(tags) for tags in GOLD]


def small_plan(encoder: Path, cache: Path) -> Plan:
    changes = {"encoder": str(encoder), "max_tokens": 64, "epochs": 1}
    span, token = (part.model_copy(update=changes) for part in recipes(settings.load()))
    return Plan(CORPUS, span, token, repeats=1, threads=1, cache=cache)


def test_the_difference_is_ours_minus_the_peers() -> None:
    ours = [Trained(Path(), "a", GOLD)] * 2
    peer = [Trained(Path(), "b", NOTHING)] * 2
    hyper = settings.load().training("token_classifier", "A", "local").model_copy(update={"train_sentences": 3})
    row = _compared(CORPUS, hyper, ours, peer)
    assert row["sentences"] == {"train": 3, "test": len(GOLD)}
    assert row["f1"] == {"ours": [1.0, 1.0], "peer": [0.0, 0.0]}
    assert (row["difference"], row["interval"]) == (1.0, [1.0, 1.0])
    assert row["trained_at"] == ["a", "b"]


def test_a_row_names_the_commits_of_the_models_that_were_kept(tiny_bert: Path, tmp_path: Path) -> None:
    plan = small_plan(tiny_bert, tmp_path)
    given = dataclasses.replace(plan, model=tmp_path / "mine")
    assert own_span_marker(given) == (tmp_path / "mine", set())
    assert trained_at(own_span_marker(given)[1]) == {}
    for job in (
        Job("ours", plan.mode("selective"), 1, bf16=True),
        Job("ours", plan.token_classifier.model_copy(update=quality.QUICK), 1, bf16=True),
    ):
        train(job, CORPUS, tmp_path / job.name(CORPUS), "abc1234")
    (span, of_span), (token, of_token) = own_span_marker(plan), own_token_classifier(plan)
    assert trained_at(of_span | of_token) == {"trained_at": ["abc1234"]}
    assert (span / "proposal.safetensors").exists()
    assert (token / "config.json").exists()


def test_the_threshold_of_a_training_is_set_in_the_precision_that_predicts(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stages.models.device.has_bf16", lambda: True)
    plan = small_plan(tiny_bert, tmp_path)
    job = Job("ours", plan.mode("selective"), 1, bf16=True)
    train(job, CORPUS, tmp_path / "made", "abc1234")
    tagger: Any = families.load(tmp_path / "made/model")
    found = float(tagger.proposal.threshold)
    tagger.recall = plan.span_marker.proposal_recall
    tagger.settle([one["tokens"] for one in CORPUS.val], GOLD)
    assert float(tagger.proposal.threshold) == found > -math.inf


def test_what_is_asked_is_counted_against_gold(tiny_bert: Path, tmp_path: Path) -> None:
    """A gold span of more words than any model asks about does not count."""
    hyper = small_plan(tiny_bert, tmp_path).mode("selective")
    tagger: Any = families.create(hyper.model_copy(update={"entity_words": 8}), TYPES)
    nine = {"tokens": ["bear"] * 9, "ner_tags": [1] + [2] * 8}
    test = [*sentences(), nine]
    every = sum(min(8, left) for one in test for left in range(1, len(one["tokens"]) + 1))
    for threshold, expected in ((-math.inf, (1.0, every / len(test))), (math.inf, (0.0, 0.0))):
        tagger.proposal.threshold.fill_(threshold)
        tagger.save(tmp_path / str(threshold))
        assert proposed(tmp_path / str(threshold), test) == expected


def test_the_row_of_selective_prediction_tells_what_was_asked_for_each_seed(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = small_plan(tiny_bert, tmp_path)
    monkeypatch.setattr(quality, "pool", lambda *_: ThreadPoolExecutor(1))  # no process has to load torch for it
    jobs = [Job("ours", plan.mode("selective"), seed, bf16=True) for seed in quality.SEEDS]
    for job in jobs:
        train(job, CORPUS, tmp_path / job.name(CORPUS), "abc1234")
    row = quality.selective_prediction_f1(plan)
    expected = [proposed(tmp_path / job.name(CORPUS) / "model", CORPUS.test) for job in jobs]
    assert list(zip(row["asked"]["gold"], row["asked"]["spans"], strict=True)) == expected
    assert row["trained_at"] == ["abc1234"]


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
    plan = small_plan(tiny_bert, tmp_path)
    job = Job(way, plan.token_classifier, 1, bf16=True)  # type: ignore[arg-type]
    train(job, CORPUS, tmp_path / job.name(CORPUS), "abc1234")
    monkeypatch.setattr(trainings, "pool", None)  # whoever would train now, fails
    (found,) = trained(plan, [job])
    assert found.commit == "abc1234"
    assert [len(tags) for tags in found.tags] == [len(tags) for tags in GOLD]
    assert (found.model / "model.safetensors").exists()


def test_logits_are_stocks_and_both_are_told_from_64_bits(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(equality, "LENGTHS", (1, 9))
    hyper, _ = recipes(settings.load())
    exact = hyper.model_copy(update={"encoder": str(tiny_bert), "mode": "exact"})
    made = equality.Logits(exact, CORPUS.test, 8)
    made.run()
    found = made.facts()["by"]
    assert list(found) == ["real", "1 words", "9 words"]
    for group in found.values():
        assert 0 < group["stock_64_bits"] < 1e-5
        assert group["ours_stock"] < 1e-5 < group["largest_logit"]
