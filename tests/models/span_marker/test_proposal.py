"""Selective mode: the draw and its correction, the threshold, and a model that asks only about what passes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from stages.corpus.labels import TAGS, TYPES, spans
from stages.models.span_marker import SpanMarker, SpanMarkerTagger, create
from stages.models.span_marker import tagger as module
from stages.models.span_marker.proposal import Proposal, Spans, adjust_logits, draw
from tests.models.span_marker.helpers import hyperparameters, opinionated, our_batch, words_and_tags

SENTENCES = [words_and_tags(n)[0] for n in (3, 12, 1, 31, 7, 2, 18, 5)]


@pytest.fixture(params=["tiny_bert", "tiny_roberta"])
def selective(request: pytest.FixtureRequest) -> SpanMarkerTagger:
    torch.manual_seed(1)
    settings = hyperparameters(request.getfixturevalue(request.param), mode="selective", negatives=4)
    tagger = SpanMarkerTagger.create(settings, TYPES)
    opinionated(tagger.model).eval()
    return tagger


def gold(sentences: list[list[str]]) -> list[list[str]]:
    return [[TAGS[tag] for tag in words_and_tags(len(words))[1]] for words in sentences]


def test_the_draw_holds_gold_the_hardest_and_some_of_the_rest() -> None:
    scores, is_gold = torch.arange(100.0), torch.arange(100) % 50 == 0
    drawn = draw(scores, is_gold, others=20)
    spans = set(drawn.spans.tolist())
    assert {0, 50} <= spans
    assert {*range(90, 100)} <= spans, "the ten likeliest"
    assert len(spans) == 2 + 20
    assert drawn.spans.tolist() == sorted(spans)


def test_the_chance_is_how_often_a_span_is_drawn() -> None:
    torch.manual_seed(0)
    scores, is_gold = torch.arange(30.0), torch.zeros(30, dtype=torch.bool)
    drawn = [draw(scores, is_gold, others=10) for _ in range(4000)]
    often = torch.stack([torch.bincount(d.spans, minlength=30) for d in drawn]).float().mean(0)
    chance = torch.zeros(30).index_copy_(0, drawn[0].spans, drawn[0].log_inclusion.exp())
    seen = chance > 0
    assert (often[seen] - chance[seen]).abs().max() < 0.03
    assert chance[-1] == 1


def test_a_draw_of_more_than_there_is_takes_all() -> None:
    drawn = draw(torch.arange(3.0), torch.tensor([True, False, False]), others=50)
    assert drawn.spans.tolist() == [0, 1, 2]
    assert drawn.log_inclusion.tolist() == [0, 0, 0]


def test_the_chance_is_never_0_where_gold_alone_is_left_below_the_hardest() -> None:
    """Four spans as likely as can be, two entities below them: a chance of 0 would make weights NaN under R-Drop."""
    drawn = draw(torch.tensor([1.0, 1.0, 1.0, 1.0, 0.0, 0.0]), torch.arange(6) >= 4, others=8)
    assert drawn.spans.tolist() == [*range(6)]
    assert drawn.log_inclusion.tolist() == [0] * 6


def fitted(x: Tensor, y: Tensor, log_inclusion: Tensor) -> Tensor:
    """Weight and bias of a logistic regression of the drawn."""
    weights = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=100)

    def closure() -> Tensor:
        optimizer.zero_grad()
        logit = weights[0] * x + weights[1]
        loss = functional.cross_entropy(adjust_logits(torch.stack((-logit, logit), 1), log_inclusion), y)
        loss.backward()
        return loss

    optimizer.step(closure)
    return weights.detach()


def test_what_is_learnt_of_the_drawn_is_right_for_all() -> None:
    torch.manual_seed(0)
    x = torch.randn(400_000)
    y = (torch.rand(len(x)) < torch.sigmoid(2 * (x - 3))).long()
    drawn = draw(x + torch.randn(len(x)), y == 1, others=20_000)
    sample = drawn.spans
    assert fitted(x[sample], y[sample], drawn.log_inclusion).tolist() == pytest.approx([1, -3], abs=0.15)
    naive = fitted(x[sample], y[sample], torch.zeros(len(sample)))
    assert naive[1] > -2.5, "without the correction entities look too frequent"


@pytest.mark.parametrize("recall", [0.0, 0.5, 0.9, 0.999, 1.0])
def test_the_threshold_lets_the_share_pass(recall: float) -> None:
    proposal = Proposal(4, 2)
    scores = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    proposal.settle(scores, recall)
    passed = len(proposal.passed(torch.from_numpy(scores)))
    assert recall * 1000 <= passed <= recall * 1000 + 2


def test_without_gold_everything_passes() -> None:
    proposal = Proposal(4, 2)
    proposal.settle(np.zeros(0), 0.9)
    assert len(proposal.passed(torch.tensor([-1e9, 0]))) == 2


def test_validation_sentences_without_entities_leave_the_threshold_and_say_so_once(
    selective: SpanMarkerTagger, caplog: pytest.LogCaptureFixture
) -> None:
    module._tell_unset.cache_clear()
    selective.model.classifier.bias.data[0] += 1000  # so that nothing is found either
    for _ in range(2):
        selective.settle(SENTENCES, [["O"] * len(words) for words in SENTENCES])
    assert selective.proposal is not None
    assert selective.proposal.threshold == -torch.inf
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "no gold entity" in caplog.text
    assert "every span is asked about" in caplog.text
    caplog.clear()
    module._tell_unset.cache_clear()
    selective.settle(SENTENCES, gold(SENTENCES))
    assert not caplog.records


def test_where_everything_passes_the_answer_is_exact(selective: SpanMarkerTagger) -> None:
    chosen = selective.tag(SENTENCES, gold(SENTENCES))
    selective.proposal = None
    exact = selective.tag(SENTENCES, gold(SENTENCES))
    assert [t.entities for t in chosen] == [t.entities for t in exact]
    for one, other in zip(chosen, exact, strict=True):
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-5)
        assert (one.loss, one.decisions) == (pytest.approx(other.loss, abs=1e-5), other.decisions)


def test_what_passes_is_answered_as_if_everything_were_asked(selective: SpanMarkerTagger) -> None:
    selective.recall = 0.5
    selective.settle(SENTENCES, gold(SENTENCES))
    some = selective.answers(SENTENCES)
    selective.proposal = None
    every = selective.answers(SENTENCES)
    assert 0 < sum(len(a.first) for a in some) < sum(len(a.first) for a in every)
    for one, all_of_it in zip(some, every, strict=True):
        known = dict(zip(zip(all_of_it.first, all_of_it.last, strict=True), all_of_it.log_probabilities, strict=True))
        for span in range(len(one.first)):
            expected = known[one.first[span], one.last[span]]
            np.testing.assert_allclose(one.log_probabilities[span], expected, atol=1e-4)


def indifferent(tagger: SpanMarkerTagger, sentences: list[list[str]]) -> set[tuple[int, int, int]]:
    """The spans that a model takes for entities which does so with half of them: sentence, first and last word."""
    proposal, tagger.proposal = tagger.proposal, None
    every = [answer.log_probabilities for answer in tagger.answers(sentences)]
    leads = np.concatenate([table[:, 1:].max(-1) - table[:, 0] for table in every])
    tagger.model.classifier.bias.data[0] += float(np.median(leads))
    found = {
        (i, int(first), int(last))
        for i, answer in enumerate(tagger.answers(sentences))
        for first, last, row in zip(answer.first, answer.last, answer.log_probabilities, strict=True)
        if row.argmax() != 0
    }
    tagger.proposal = proposal
    return found


def test_settling_lets_the_share_of_what_is_found_pass(selective: SpanMarkerTagger) -> None:
    sentences = [*SENTENCES, words_and_tags(250)[0]]
    found = indifferent(selective, sentences)
    truth = {(i, span.start, span.end - 1) for i, tags in enumerate(gold(sentences)) for span in spans(tags)}
    for recall in (0.8, 1.0):
        selective.recall = recall
        selective.settle(sentences, gold(sentences))
        asked = {
            (i, *span)
            for i, answer in enumerate(selective.answers(sentences))
            for span in zip(answer.first, answer.last, strict=True)
        }
        assert len(asked) < sum(len(words) * 8 for words in sentences)
        assert len(truth & asked) >= recall**2 * len(truth & found)
        if recall == 1.0:
            assert truth & found <= asked


def test_the_threshold_rises_from_gold_to_what_is_found(selective: SpanMarkerTagger) -> None:
    indifferent(selective, SENTENCES)
    selective.recall = 0.9
    selective.model.classifier.bias.data[0] += 1000
    selective.settle(SENTENCES, gold(SENTENCES))
    assert selective.proposal is not None
    of_gold = float(selective.proposal.threshold)
    selective.model.classifier.bias.data[0] -= 1000
    selective.settle(SENTENCES, gold(SENTENCES))
    assert float(selective.proposal.threshold) > of_gold > -np.inf


def test_nothing_asked_is_nothing_found(selective: SpanMarkerTagger) -> None:
    assert selective.proposal is not None
    selective.proposal.threshold.fill_(torch.inf)
    for words, tagging in zip(SENTENCES, selective.tag(SENTENCES, gold(SENTENCES)), strict=True):
        assert (tagging.entities, tagging.decisions, tagging.loss) == ([], 0, 0.0)
        assert tagging.probabilities is not None
        assert tagging.probabilities.shape == (len(words), len(selective.labels))
        assert (tagging.probabilities[:, 0] == 1).all()


def test_training_teaches_model_and_proposal(selective: SpanMarkerTagger) -> None:
    model = selective.model
    batch = our_batch(model, [words_and_tags(n) for n in (12, 20, 31)])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(30):
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] / 3


def test_the_draw_depends_on_torchs_seed_alone(selective: SpanMarkerTagger) -> None:
    batch = our_batch(selective.model, [words_and_tags(31)])
    losses = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        losses.append(float(selective.model(**batch).loss.detach()))
    assert losses[0] == losses[1] != losses[2]


def test_the_proposal_is_saved_beside_an_ordinary_model(selective: SpanMarkerTagger, tmp_path: Path) -> None:
    selective.recall = 0.7
    selective.settle(SENTENCES, gold(SENTENCES))
    selective.save(tmp_path / "model")
    assert not [name for name in load_file(tmp_path / "model/model.safetensors") if "proposal" in name]
    again = SpanMarkerTagger.load(tmp_path / "model")
    assert again.proposal is not None
    for one, other in zip(selective.tag(SENTENCES), again.tag(SENTENCES), strict=True):
        assert (one.entities, one.decisions) == (other.entities, other.decisions)
    code = "from span_marker import SpanMarkerModel; SpanMarkerModel.from_pretrained('model')"
    stock = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "proposal" not in stock.stdout + stock.stderr


def test_an_exact_model_has_no_proposal(tiny_bert: Path, tmp_path: Path) -> None:
    tagger = SpanMarkerTagger.create(hyperparameters(tiny_bert), TYPES)
    tagger.settle(SENTENCES, gold(SENTENCES))
    tagger.save(tmp_path / "model")
    assert SpanMarkerTagger.load(tmp_path / "model").proposal is None
    assert isinstance(create(hyperparameters(tiny_bert), TYPES), SpanMarker)


def test_memory_is_bounded_where_everything_passes(
    selective: SpanMarkerTagger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A threshold that is not set yet lets ten times as many spans pass as a batch is made for."""
    markers: list[int] = []
    ask = selective.model.ask

    def noting(text: Any, spans: Spans) -> Tensor:
        markers.append(2 * len(spans.first))
        return ask(text, spans)

    monkeypatch.setattr(selective.model, "ask", noting)
    whole = selective.answers(SENTENCES)
    assert len(markers) == 1
    monkeypatch.setitem(module.POSITIONS, "cpu", 300)
    for one, other in zip(whole, selective.answers(SENTENCES), strict=True):
        np.testing.assert_array_equal(one.first, other.first)
        np.testing.assert_allclose(one.log_probabilities, other.log_probabilities, atol=1e-4)
    assert sum(markers[1:]) == markers[0]
    assert max(markers[1:]) <= 300
