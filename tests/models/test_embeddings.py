"""The table of embeddings in training: trained whole, where a batch has its rows, or not at all."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import nn

from stages import settings
from stages.models.embeddings import RowAdamW, arrange
from stages.models.training import seed_everything
from tests.models.test_training import SENTENCES, hyperparameters, trained

OPTIONS = {"lr": 0.1, "weight_decay": 0.1}


def model() -> nn.Module:
    torch.manual_seed(0)

    class Tiny(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.head = nn.Embedding(9, 4), nn.Linear(4, 3)

        def get_input_embeddings(self) -> nn.Embedding:
            return self.table

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            return self.head(self.table(ids)).square().mean()

    return Tiny()


def steps(net: nn.Module, optimizer: torch.optim.Optimizer, *batches: list[int], norm: float = 0.0) -> None:
    for ids in batches:
        optimizer.zero_grad()
        net(torch.tensor(ids)).backward()
        if norm:
            nn.utils.clip_grad_norm_(net.parameters(), norm)
        optimizer.step()


@pytest.mark.parametrize("norm", [0.0, 0.01, 100.0])
def test_where_every_batch_has_every_row_it_is_adamw(norm: float) -> None:
    expected, found = model(), model()
    arrange(found, "sparse")
    every = [0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 3]
    steps(expected, torch.optim.AdamW(expected.parameters(), **OPTIONS), *[every] * 5, norm=norm)
    steps(found, RowAdamW(found.parameters(), norm, **OPTIONS), *[every] * 5)
    for one, other in zip(expected.parameters(), found.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_only_rows_of_the_batch_move() -> None:
    net = model()
    arrange(net, "sparse")
    optimizer = RowAdamW(net.parameters(), 1.0, **OPTIONS)
    steps(net, optimizer, [1, 2, 2])
    before = net.get_input_embeddings().weight.detach().clone()
    steps(net, optimizer, [2, 5])
    moved = (net.get_input_embeddings().weight != before).any(-1)
    assert moved.nonzero().flatten().tolist() == [2, 5]


def test_its_state_is_saved_and_loaded() -> None:
    """What a resumed run does is what the first one would have done."""
    net = model()
    arrange(net, "sparse")
    optimizer = RowAdamW(net.parameters(), 1.0, **OPTIONS)
    steps(net, optimizer, [1, 2], [3, 1])
    other = copy.deepcopy(net)
    resumed = RowAdamW(other.parameters(), 1.0, **OPTIONS)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    steps(net, optimizer, [1, 4], [2])
    steps(other, resumed, [1, 4], [2])
    for one, two in zip(net.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize("family", settings.FAMILIES)
@pytest.mark.parametrize("how", ["sparse", "frozen"])
def test_rows_that_no_sentence_has_stay(
    family: settings.Family, how: settings.Embeddings, tiny_bert: Path, tmp_path: Path
) -> None:
    tagger, table = trained(family, tiny_bert, tmp_path, embeddings=how, epochs=8, learning_rate=5e-3, accumulation=2)
    seed_everything(3)
    start = type(tagger).create(hyperparameters(family, tiny_bert), tagger.types)  # type: ignore[attr-defined]
    weight, first = (t.model.get_input_embeddings().weight for t in (tagger, start))  # type: ignore[attr-defined]
    moved = (weight != first).any(-1)
    assert moved.any() == (how == "sparse")
    assert not moved.all()
    assert table.train_loss.iloc[-1] < table.train_loss.dropna().iloc[0]  # type: ignore[attr-defined]
    assert tagger.tag([SENTENCES[0][0].split()])[0].decisions > 0
