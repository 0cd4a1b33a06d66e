"""The promise of exact mode: stock's mathematics, by less work."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from datasets import Dataset
from span_marker import SpanMarkerModel

from stages.models import processor
from stages.models.span_marker import SpanMarker, dense, packed, prepare
from tests.models.span_marker.helpers import flat, no_dropout, our_batch, stock_batch, words_and_tags

Pair = tuple[SpanMarker, SpanMarkerModel]
LENGTHS = (1, 2, 30, 100, 250)


@pytest.mark.parametrize("words", LENGTHS)
@pytest.mark.parametrize("onednn", [True, False])
def test_logits_labels_and_loss_are_stocks(pair: Pair, words: int, onednn: bool, monkeypatch: Any) -> None:
    ours, stock = pair
    monkeypatch.setattr(processor, "_HAS_ONEDNN", onednn and processor._HAS_ONEDNN)
    theirs = stock_batch(stock, [words_and_tags(words)])
    batch = our_batch(ours, [words_and_tags(words)])
    with torch.no_grad():
        expected, found = stock(**theirs), ours(**batch)
    assert (flat(expected) - found.logits).abs().max() < 1e-5
    assert (theirs["labels"][theirs["labels"] >= 0] == batch["labels"]).all()
    assert abs(expected.loss - found.loss) < 1e-5
    if words >= 100:
        assert len(theirs["input_ids"]) > 1, "stock spreads this sentence over several samples"


def test_one_batch_of_all_lengths_is_stocks(pair: Pair) -> None:
    ours, stock = pair
    sentences = [words_and_tags(words) for words in LENGTHS]
    with torch.no_grad():
        expected, found = stock(**stock_batch(stock, sentences)), ours(**our_batch(ours, sentences))
    assert (flat(expected) - found.logits).abs().max() < 1e-5
    assert abs(expected.loss - found.loss) < 1e-5


def test_dense_way_is_the_packed_way(ours: SpanMarker) -> None:
    batch = our_batch(ours, [words_and_tags(words) for words in (3, 17, 1)])
    with torch.no_grad():
        quick = ours(**batch).logits
        ours.is_packable = False
        assert (ours(**batch).logits - quick).abs().max() < 1e-5


@pytest.mark.parametrize("lengths", [(12, 12, 12), (3, 40, 9)])
def test_gradients_are_stocks(pair: Pair, lengths: tuple[int, ...]) -> None:
    """(12, 12, 12) needs no padding in the table of markers, (3, 40, 9) does."""
    sentences = [words_and_tags(words) for words in lengths]
    for model, make in zip(pair, (our_batch, stock_batch), strict=True):
        no_dropout(model.train())
        model(**make(model, sentences)).loss.backward()
    expected = {name: value.grad for name, value in pair[1].named_parameters()}
    checked = 0
    for name, value in pair[0].named_parameters():
        if name.endswith("key.bias") or expected[name] is None:
            continue  # adding to all keys changes no softmax: this gradient is 0 but for rounding
        scale = expected[name].norm()
        assert (value.grad - expected[name]).norm() <= 1e-5 * scale + 1e-9, name
        checked += 1
    assert checked > 30


def test_half_the_spans_have_the_logits_they_had_among_all(ours: SpanMarker) -> None:
    """What selective mode will rest on: the answer to a span does not depend on what else is asked."""
    tokens, tags = words_and_tags(14)
    row = prepare(Dataset.from_list([{"tokens": tokens, "ner_tags": tags}]), ours)[0]
    every = ours.collator([row])
    chosen = torch.arange(0, len(every["span_first"]), 2)
    asked = {"span_first": every["span_first"][chosen].numpy(), "span_last": every["span_last"][chosen].numpy()}
    some = ours.collator([{**row, **asked}])
    assert (some["labels"] == every["labels"][chosen]).all()
    with torch.no_grad():
        assert (ours(**some).logits - ours(**every).logits[chosen]).abs().max() < 1e-5


def test_stock_batches_are_answered_as_stock_does(pair: Pair) -> None:
    ours, stock = pair
    batch = stock_batch(stock, [words_and_tags(9)])
    with torch.no_grad():
        assert torch.equal(ours(**batch).logits, stock(**batch).logits)


def test_a_batch_without_spans_costs_nothing(ours: SpanMarker) -> None:
    rows = prepare(Dataset.from_list([{"tokens": t, "ner_tags": g} for t, g in (([], []), words_and_tags(1))]), ours)
    ours.train()
    output = ours(**ours.collator([rows[0]]))
    assert output.logits.shape == (0, 16)
    assert float(output.loss.detach()) == 0
    output.loss.backward()


def test_dropout_is_drawn_in_training_only(ours: SpanMarker) -> None:
    batch = our_batch(ours, [words_and_tags(10)])
    assert torch.equal(ours(**batch).logits, ours(**batch).logits)
    ours.train()
    assert not torch.equal(ours(**batch).logits, ours(**batch).logits)
    torch.manual_seed(5)
    first = ours(**batch).logits
    torch.manual_seed(5)
    assert torch.equal(first, ours(**batch).logits), "a resumed run draws what the first one would have"


def test_dropout_has_its_rate_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    factor = processor.dropout_mask(torch.empty(1000, 1001), 0.1)
    assert factor is not None
    assert float((factor == 0).float().mean()) == pytest.approx(0.1, abs=0.002)
    assert float(factor.mean()) == pytest.approx(1.0, abs=0.002)
    assert processor.dropout_mask(torch.empty(3), 0.0) is None


def test_autocast_stays_near(ours: SpanMarker) -> None:
    batch = our_batch(ours, [words_and_tags(20)])
    with torch.no_grad():
        exact = ours(**batch).logits
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rough = ours(**batch).logits
    assert (exact - rough.float()).abs().max() < 0.05 * exact.abs().max()
    ours.train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = ours(**batch).loss
    loss.backward()
    assert all(p.grad.isfinite().all() for p in ours.parameters() if p.grad is not None)


def test_loss_under_accumulation_is_left_to_the_trainer(ours: SpanMarker) -> None:
    batch = our_batch(ours, [words_and_tags(10)])
    assert ours.accepts_loss_kwargs is False
    assert torch.equal(ours(**batch).loss, ours(**batch, num_items_in_batch=torch.tensor(7)).loss)


def test_packable_are_berts_layers_only() -> None:
    from transformers import BertConfig, BertModel, ElectraConfig, ElectraModel, ErnieConfig, ErnieModel

    small = {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "vocab_size": 30,
    }
    assert packed.packable(BertModel(BertConfig(**small)))
    assert packed.packable(ElectraModel(ElectraConfig(**small, embedding_size=8)))
    assert not packed.packable(BertModel(BertConfig(**small, position_embedding_type="relative_key")))
    ernie = ErnieModel(ErnieConfig(**small))
    assert not packed.packable(ernie)
    dense.check_positions(ernie)


def test_electra_packed_is_electra_dense() -> None:
    from transformers import ElectraConfig, ElectraModel

    torch.manual_seed(0)
    config = ElectraConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        vocab_size=30,
        embedding_size=8,
    )
    encoder = ElectraModel(config).eval()
    text, mask = torch.tensor([[3, 4, 5], [6, 7, 0]]), torch.tensor([[1, 1, 1], [1, 1, 0]])
    places, sentence = torch.tensor([[2, 3], [3, 3], [2, 2]]), torch.tensor([0, 0, 1])
    marker_ids = torch.tensor([9, 9])
    with torch.no_grad():
        quick, slow = (
            way.ask(encoder, way.read(encoder, text, mask, marker_ids), places, sentence) for way in (packed, dense)
        )
    assert (quick - slow).abs().max() < 1e-5
