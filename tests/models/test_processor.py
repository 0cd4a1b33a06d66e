"""A stock model whose layers are quickened is the same model: answers, gradients, files, copies."""

from __future__ import annotations

import copy
import io
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import AutoModelForTokenClassification, set_seed

from stages.models import processor
from stages.models.processor import Dropout, Linear, linear, quicken

BATCH = {
    "input_ids": torch.arange(5, 35).view(2, 15),
    "attention_mask": torch.ones(2, 15, dtype=torch.long),
    "labels": torch.arange(30).view(2, 15) % 3,
}


@pytest.fixture
def stock(tiny_bert: Path) -> Any:
    set_seed(0)
    return AutoModelForTokenClassification.from_pretrained(tiny_bert, num_labels=3).eval()


@pytest.fixture
def quick(stock: Any) -> Any:
    model = copy.deepcopy(stock)
    quicken(model)
    return model


@pytest.mark.parametrize("onednn", [True, False])
def test_answers_and_gradients_are_torchs(stock: Any, quick: Any, onednn: bool, monkeypatch: Any) -> None:
    monkeypatch.setattr(processor, "_HAS_ONEDNN", onednn and processor._HAS_ONEDNN)
    for model in (stock, quick):
        model(**BATCH).loss.backward()
    assert (stock(**BATCH).logits - quick(**BATCH).logits).abs().max() < 1e-5
    for (name, expected), found in zip(stock.named_parameters(), quick.parameters(), strict=True):
        torch.testing.assert_close(found.grad, expected.grad, atol=1e-6, rtol=1e-4, msg=name)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4), (0, 4), (2, 0, 4)])
def test_linear_takes_what_torchs_takes(shape: tuple[int, ...], bias: bool) -> None:
    layer, values = nn.Linear(4, 5, bias=bias), torch.randn(shape, requires_grad=True)
    found = linear(values, layer.weight, layer.bias)
    torch.testing.assert_close(found, layer(values))
    found.sum().backward()
    assert values.grad is not None
    assert values.grad.shape == shape


def test_frozen_weights_get_no_gradient() -> None:
    layer = nn.Linear(4, 5)
    layer.weight.requires_grad_(False)
    linear(torch.randn(2, 4, requires_grad=True), layer.weight, layer.bias).sum().backward()
    assert layer.weight.grad is None
    assert layer.bias.grad is not None


def test_the_model_stays_stock(stock: Any, quick: Any, tmp_path: Path) -> None:
    assert type(quick) is type(stock)
    assert list(quick.state_dict()) == list(stock.state_dict())
    for name, model in (("a", stock), ("b", quick)):
        model.save_pretrained(tmp_path / name)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_a_copy_computes_with_its_own_weights(quick: Any) -> None:
    buffer = io.BytesIO()
    torch.save(quick, buffer)
    buffer.seek(0)
    for other in (copy.deepcopy(quick), torch.load(buffer, weights_only=False)):
        torch.testing.assert_close(other(**BATCH).logits, quick(**BATCH).logits)
        other.classifier.bias.data += 1
        torch.testing.assert_close(other(**BATCH).logits, quick(**BATCH).logits + 1)


def test_every_plain_layer_is_replaced_and_no_other(quick: Any) -> None:
    class Own(nn.Linear):
        pass

    kinds = {type(module) for module in quick.modules()}
    assert {Linear, Dropout} <= kinds
    assert not {nn.Linear, nn.Dropout} & kinds
    model = nn.Sequential(Own(2, 2))
    quicken(model)
    assert type(model[0]) is Own


def test_dropout_is_for_training(quick: Any) -> None:
    assert torch.equal(quick(**BATCH).logits, quick(**BATCH).logits)
    quick.train()
    assert not torch.equal(quick(**BATCH).logits, quick(**BATCH).logits)


def test_autocast_is_torchs_own(stock: Any, quick: Any) -> None:
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(stock(**BATCH).logits, quick(**BATCH).logits)
