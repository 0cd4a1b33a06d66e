"""The formulas for floating-point operations against torch's own counter, and positions as they are embedded."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from torch.utils.flop_counter import FlopCounterMode
from transformers import BertConfig, BertForTokenClassification

from stages import settings
from stages.benchmark.counting import BACKWARD, Counter, Shape, matrix_peak, packed_flops, token_flops
from stages.benchmark.plan import recipes
from stages.benchmark.stock import stock
from stages.corpus.labels import TYPES
from stages.models import families, processor
from tests.benchmark.builders import sentences


def counted(work: Any) -> int:
    with FlopCounterMode(display=False) as counter:
        work()
    return int(counter.get_total_flops())


@pytest.fixture
def span_marker(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A tagger whose products torch's counter sees: oneDNN's it does not."""
    monkeypatch.setattr(processor, "_HAS_ONEDNN", False)
    hyper, _ = recipes(settings.load())
    changes = {"encoder": str(tiny_bert), "max_tokens": 64, "mode": "exact"}
    return families.create(hyper.model_copy(update=changes), TYPES)


@pytest.mark.parametrize(("batch", "length"), [(1, 7), (5, 40)])
def test_a_stock_bert_costs_what_the_formula_says_forward_and_backward(batch: int, length: int) -> None:
    size = {"hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4}
    config = BertConfig(**size, vocab_size=50, num_labels=9, attn_implementation="eager")
    model = BertForTokenClassification(config)
    assert Shape.of(model) == (48, 96, 3, 9)
    ids = torch.zeros(batch, length, dtype=torch.int64)
    found = token_flops(Shape.of(model), batch, length)
    assert counted(lambda: model(ids)) == found
    both = counted(lambda: model(ids, labels=ids).loss.backward())
    assert both == pytest.approx((1 + BACKWARD) * found, rel=0.01)


def test_packed_spans_cost_what_the_formula_says(span_marker: Any) -> None:
    """Sentences of one length, so that no table is padded, and the text's fused attention added by hand."""
    made = span_marker.collate(list(span_marker.prepare(Dataset.from_list(sentences()[:1] * 3))))
    (batch, length), spans = made["input_ids"].shape, len(made["span_first"])
    shape = Shape.of(span_marker.model)
    with torch.no_grad():
        seen = counted(lambda: span_marker.model(**made))
    fused = (shape.layers - 1) * 4 * batch * length**2 * shape.hidden
    found = packed_flops(shape, batch, length, spans)
    assert found - fused <= seen <= found
    assert seen == pytest.approx(found, rel=0.05)


def test_positions_and_operations_are_counted_for_both_sides(span_marker: Any) -> None:
    ours, theirs = Counter(span_marker.model), Counter(model := stock(span_marker))
    made = span_marker.collate(list(span_marker.prepare(Dataset.from_list(sentences()))))
    (batch, length), spans = made["input_ids"].shape, len(made["span_first"])
    span_marker.model.eval()(**made)
    model.predict([one["tokens"] for one in sentences()])
    assert ours.positions == batch * length + 2 * spans
    assert ours.flops == packed_flops(Shape.of(span_marker.model), batch, length, spans)
    assert theirs.positions == len(sentences()) * (64 + 2 * 128)
    assert ours.of_training(2, 2)["positions"] == ours.positions / 4
    assert ours.of_training(2, 2)["flops"] == 3 * ours.flops / 2


def test_a_selective_pass_costs_less_in_both_counts(span_marker: Any, tiny_bert: Path) -> None:
    hyper = recipes(settings.load())[0].model_copy(update={"mode": "exact"})
    changes = {"encoder": str(tiny_bert), "max_tokens": 64, "mode": "selective", "negatives": 2}
    chosen = families.create(hyper.model_copy(update=changes), TYPES)
    made = span_marker.collate(list(span_marker.prepare(Dataset.from_list(sentences()))))
    counters = [Counter(tagger.model) for tagger in (span_marker, chosen)]
    for tagger in (span_marker, chosen):
        tagger.model.train()(**made)
    every, some = counters
    assert some.positions < every.positions / 2
    assert some.flops < every.flops / 2


def test_the_peak_is_above_what_one_product_reaches(monkeypatch: pytest.MonkeyPatch) -> None:
    """And far under what no product could reach; the slack is for a busy machine and for quicker ways than ``@``."""
    size = 384
    monkeypatch.setattr("stages.benchmark.counting.PEAK_SIZES", ((64, 64, 64), (size, size, size)))
    rows, weight = torch.randn(size, size), torch.randn(size, size)
    seconds = []
    for _ in range(20):
        start = time.perf_counter()
        rows @ weight.T
        seconds.append(time.perf_counter() - start)
    reached = 2 * size**3 / min(seconds)
    assert reached / 2 < matrix_peak(bf16=False) < 8 * reached
