"""R-Drop: what the divergence is, and that both families train with it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset

from stages.corpus.labels import TYPES
from stages.models import families
from stages.models.consistency import divergence
from stages.models.tagging import IGNORED
from stages.models.training import seed_everything
from stages.settings import FAMILIES, Family
from tests.models.test_training import ROWS, hyperparameters


def test_answers_that_agree_are_not_apart() -> None:
    logits = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))
    assert divergence(torch.cat((logits, logits))).item() == pytest.approx(0, abs=1e-6)
    assert divergence(logits[:0]).item() == 0


def test_the_divergence_is_the_mean_of_both_kullback_leibler_divergences_over_decisions() -> None:
    p, q, same = torch.tensor([0.9, 0.1]), torch.tensor([0.6, 0.4]), torch.tensor([0.5, 0.5])
    found = divergence(torch.stack((p, same, q, same)).log())  # two decisions, the second agrees
    both = sum(a * math.log(a / b) for a, b in ((0.9, 0.6), (0.1, 0.4), (0.6, 0.9), (0.4, 0.1)))
    assert found.item() == pytest.approx((both / 2) / 2, abs=1e-6)


def batch_of(family: Family, encoder: Path, rows: Dataset, **changes: Any) -> tuple[Any, dict[str, torch.Tensor]]:
    """A tagger whose units may be dropped, and the batch of ``rows``."""
    seed_everything(1)
    tagger = families.create(hyperparameters(family, encoder, **changes), TYPES)
    prepared = tagger.prepare(rows)
    return tagger, tagger.collate([prepared[i] for i in range(len(prepared))])


@pytest.mark.parametrize(
    "changes", [{"mode": "exact"}, {"mode": "selective", "negatives": 4}], ids=["exact", "selective"]
)
def test_without_dropout_a_span_marker_s_two_passes_are_its_one(tiny_bert: Path, changes: dict[str, Any]) -> None:
    tagger, batch = batch_of("span_marker", tiny_bert, ROWS, **changes)
    tagger.model.eval()
    losses, logits = [], []
    for weight in (0.0, 1.0):
        torch.manual_seed(3)
        output = tagger.model(**batch, consistency=weight)
        losses.append(output.loss.item())
        logits.append(output.logits)
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    torch.testing.assert_close(torch.cat((logits[0], logits[0])), logits[1], atol=1e-6, rtol=0)


def test_without_dropout_a_token_classifier_s_two_passes_are_its_one(tiny_bert: Path) -> None:
    tagger, batch = batch_of("token_classifier", tiny_bert, ROWS)
    tagger.model.eval()
    loss, output = tagger.consistent_loss(tagger.model, batch, 1.0)
    assert loss.item() == pytest.approx(tagger.model(**batch).loss.item(), abs=1e-6)
    assert len(output.logits) == 2 * len(batch["labels"])


@pytest.mark.parametrize("family", FAMILIES)
def test_with_dropout_the_disagreement_is_added_by_its_weight(family: Family, tiny_bert: Path) -> None:
    tagger, batch = batch_of(family, tiny_bert, ROWS)
    tagger.model.train()
    losses = []
    for weight in (1.0, 2.0, 3.0):
        torch.manual_seed(3)
        loss, output = tagger.consistent_loss(tagger.model, batch, weight)
        losses.append(loss.item())
    logits = output.logits
    if family == "token_classifier":  # words' first subwords alone; a SpanMarker's logits are its decisions
        logits = logits[torch.cat((batch["labels"], batch["labels"])) != IGNORED]
    apart = divergence(logits).item()
    assert apart > 1e-4
    assert losses[1] - losses[0] == pytest.approx(apart, rel=1e-3)
    assert losses[2] - losses[1] == pytest.approx(apart, rel=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_training_with_it_differs_and_is_the_same_again(family: Family, tiny_bert: Path, tmp_path: Path) -> None:
    from tests.promises.training import trained

    weights = [
        trained(family, tiny_bert, tmp_path / name, consistency=weight)[0]
        for name, weight in (("none", 0.0), ("once", 1.0), ("again", 1.0))
    ]
    assert weights[0] != weights[1] == weights[2]
