"""The tagger: order, company, odd words, long sentences, decoding and losses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from stages.corpus.labels import TAGS, TYPES, Span
from stages.models.span_marker import SpanMarker, SpanMarkerTagger, create
from stages.models.span_marker import tagger as module
from stages.models.span_marker.decoding import CLOSE, Answer, close_calls, decode
from tests.models.span_marker.helpers import hyperparameters, opinionated, our_batch, words_and_tags

SENTENCES = [words_and_tags(n)[0] for n in (3, 12, 1, 31, 7, 2, 18, 5)]


@pytest.fixture
def tagger(ours: SpanMarker) -> SpanMarkerTagger:
    return SpanMarkerTagger(ours)


def answer(*spans: tuple[int, int, int, float], labels: int = 3, bare: tuple[int, ...] = ()) -> Answer:
    """Spans as (first, last, label, probability of that label)."""
    table = np.full((len(spans), labels), 1e-9)
    for row, (_, _, label, probability) in zip(table, spans, strict=True):
        row[:] = (1 - probability) / (labels - 1)
        row[label] = probability
    first, last = (np.array([span[i] for span in spans], dtype=np.int64) for i in (0, 1))
    return Answer(first, last, np.log(table).astype(np.float32), np.isin(np.arange(len(spans)), bare))


def test_order_company_and_batch_size_do_not_matter(tagger: SpanMarkerTagger, monkeypatch: pytest.MonkeyPatch) -> None:
    together = tagger.tag(SENTENCES)
    alone = [tagger.tag([words])[0] for words in SENTENCES]
    monkeypatch.setattr(module, "POSITIONS", {"cpu": 1})
    monkeypatch.setattr(module, "CHUNK", 3)
    for one, other, third in zip(together, alone, tagger.tag(SENTENCES), strict=True):
        assert one.entities == other.entities == third.entities
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)
    assert any(tagging.entities for tagging in together)


def test_empty_and_invisible_sentences_have_no_entities(tagger: SpanMarkerTagger) -> None:
    taggings = tagger.tag([[], ["\u200b"], ["Marie"], []], [[], ["O"], ["B-PER"], []])
    assert [t.entities for t in (taggings[0], taggings[3])] == [[], []]
    assert (taggings[0].loss, taggings[0].decisions) == (0.0, 0)
    assert tagger.tag([]) == []


def test_words_without_subwords_begin_and_end_nothing(tiny_bert: Path) -> None:
    torch.manual_seed(2)
    model = opinionated(create(hyperparameters(tiny_bert), TYPES))
    model.classifier.bias.data[1:] += 100
    words = ["\u200b", "Marie", "\u200b", "Curie", "\u200b"]
    found = SpanMarkerTagger(model).tag([words])[0].entities
    assert found
    assert all(words[span.start] != "\u200b" != words[span.end - 1] for span in found)


@pytest.mark.parametrize("odd", ["🙂", "x" * 5000, "a b", "\ufeff", "é" * 300])
def test_odd_words_are_survived(tagger: SpanMarkerTagger, odd: str) -> None:
    tagging = tagger.tag([["Marie", odd, "Warsaw"]])[0]
    assert all(0 <= span.start < span.end <= 3 for span in tagging.entities)


def test_a_long_sentence_asks_about_each_span_once(tagger: SpanMarkerTagger) -> None:
    words, tags = words_and_tags(250)
    answer = tagger.answers([words])[0]
    asked = list(zip(answer.first.tolist(), answer.last.tolist(), strict=True))
    assert sorted(asked) == [(i, j) for i in range(250) for j in range(i, min(i + 8, 250))]
    tagging = tagger.tag([words], [[TAGS[tag] for tag in tags]])[0]
    assert tagging.decisions == len(asked)
    assert any(span.start > 200 for span in tagging.entities), "stock is blind past its limit"


def test_loss_is_the_models(tagger: SpanMarkerTagger) -> None:
    words, tags = words_and_tags(20)
    tagging = tagger.tag([words], [[TAGS[tag] for tag in tags]])[0]
    with torch.no_grad():
        assert tagging.loss == pytest.approx(
            float(tagger.model(**our_batch(tagger.model, [(words, tags)])).loss), abs=1e-5
        )
    assert tagger.tag([words])[0].loss is None


def test_a_model_in_training_stays_in_training(tagger: SpanMarkerTagger) -> None:
    tagger.model.train()
    assert tagger.tag(SENTENCES)[3].entities == tagger.tag(SENTENCES)[3].entities
    assert tagger.model.training


def test_the_likeliest_span_wins() -> None:
    spans, scores = decode(answer((0, 1, 1, 0.8), (1, 2, 2, 0.9), (3, 3, 1, 0.7), (0, 0, 0, 0.99)), ["O", "PER", "LOC"])
    assert spans == [Span("LOC", 1, 3), Span("PER", 3, 4)]
    assert scores == pytest.approx([0.9, 0.7])


def test_equal_spans_go_by_first_then_last_word() -> None:
    assert decode(answer((1, 2, 1, 0.8), (0, 1, 1, 0.8), (0, 0, 1, 0.8)), ["O", "PER", "LOC"])[0] == [
        Span("PER", 0, 1),
        Span("PER", 1, 3),
    ]


def test_bare_spans_are_passed_over() -> None:
    assert decode(answer((0, 1, 1, 0.9), (1, 1, 1, 0.6), bare=(0,)), ["O", "PER", "LOC"])[0] == [Span("PER", 1, 2)]


def test_close_calls_are_near_ties_and_rivals() -> None:
    sure = answer((0, 0, 1, 0.98), (1, 1, 0, 0.99), (3, 3, 2, 0.97))
    assert close_calls(sure).tolist() == [False, False, False]
    near = answer((0, 0, 1, 0.5), (1, 1, 0, 0.99))
    assert close_calls(near).tolist() == [True, False]
    rivals = answer((0, 1, 1, 0.98), (1, 2, 2, 0.97), (0, 2, 0, 0.99), (4, 4, 1, 0.99))
    assert close_calls(rivals).tolist() == [True, True, False, False]
    assert close_calls(answer()).tolist() == []


def test_sixteen_bits_ask_close_calls_again_in_thirty_two(tagger: SpanMarkerTagger) -> None:
    exact = tagger.answers(SENTENCES)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = tagger.answers(SENTENCES)
        entities = [tagging.entities for tagging in tagger.tag(SENTENCES)]
    assert entities == [tagging.entities for tagging in tagger.tag(SENTENCES)]
    moved, close = [], []
    for one, other in zip(exact, mixed, strict=True):
        moved.append(np.abs(one.log_probabilities - other.log_probabilities).max(-1))
        ordered = np.sort(one.log_probabilities, axis=-1)
        close.append(ordered[:, -1] - ordered[:, -2] < CLOSE - 0.1)
    assert np.concatenate(moved)[np.concatenate(close)].max() < 1e-4
    assert np.concatenate(moved).max() > 1e-3, "the rest is in 16 bits"
