"""Two passes of one batch: their loss is the mean cross-entropy, and what they disagree in is added."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from stages.models.consistency import consistent_loss


class Told(nn.Module):
    """Answers with given logits, ``(2B, T, labels)``, whatever it is asked."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.logits = nn.Parameter(logits)
        self.asked: dict[str, Tensor] = {}

    def forward(self, **inputs: Tensor) -> Any:
        self.asked = inputs
        loss = nn.functional.cross_entropy(self.logits.flatten(0, 1), inputs["labels"].flatten())
        return SimpleNamespace(loss=loss, logits=self.logits)


def inputs(labels: list[list[int]]) -> dict[str, Tensor]:
    return {"input_ids": torch.ones(len(labels), len(labels[0]), dtype=torch.long), "labels": torch.tensor(labels)}


def test_passes_that_agree_add_nothing() -> None:
    logits = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(1))
    model = Told(torch.cat((logits, logits)))
    loss, output = consistent_loss(model, inputs([[0, 1, -100], [2, -100, -100]]), 5.0)
    assert loss.item() == pytest.approx(output.loss.item(), abs=1e-6)
    assert {name: tuple(part.shape) for name, part in model.asked.items()} == {"input_ids": (4, 3), "labels": (4, 3)}


def test_the_divergence_is_the_mean_of_both_kullback_leibler_divergences_over_words() -> None:
    p, q = torch.tensor([0.9, 0.1]), torch.tensor([0.6, 0.4])
    same = torch.tensor([0.5, 0.5])
    model = Told(torch.stack((torch.stack((p, same)), torch.stack((q, same)))).log())  # one sentence, two words
    loss, output = consistent_loss(model, inputs([[0, 1]]), 2.0)
    both = sum(a * math.log(a / b) for a, b in ((0.9, 0.6), (0.1, 0.4), (0.6, 0.9), (0.4, 0.1)))
    assert (loss - output.loss).item() == pytest.approx(2.0 * (both / 2) / 2, abs=1e-5)  # mean of two words, one agrees


def test_a_position_that_is_asked_for_nothing_does_not_count() -> None:
    logits = torch.randn(2, 2, 3, generator=torch.Generator().manual_seed(2))
    logits[1, 0] = logits[0, 0]
    loss, output = consistent_loss(Told(logits), inputs([[1, -100]]), 1.0)
    assert loss.item() == pytest.approx(output.loss.item(), abs=1e-6)


def test_training_with_it_differs_and_is_the_same_again(tiny_bert: Path, tmp_path: Path) -> None:
    from tests.promises.training import trained

    weights = [
        trained("token_classifier", tiny_bert, tmp_path / name, consistency=weight)[0]
        for name, weight in (("none", 0.0), ("once", 1.0), ("again", 1.0))
    ]
    assert weights[0] != weights[1] == weights[2]
