"""Models for the tests of SpanMarker."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from span_marker import SpanMarkerModel

from stages.corpus.labels import TYPES
from stages.models.span_marker import SpanMarker, create, save
from tests.models.span_marker.helpers import hyperparameters, opinionated


@pytest.fixture(params=["tiny_bert", "tiny_roberta"])
def ours(request: pytest.FixtureRequest) -> SpanMarker:
    encoder = request.getfixturevalue(request.param)  # which, where it is made now, seeds by itself
    torch.manual_seed(1)
    return opinionated(create(hyperparameters(encoder), TYPES)).eval()


@pytest.fixture
def pair(ours: SpanMarker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[SpanMarker, SpanMarkerModel]:
    """One model, as ours and as stock loads it from where we saved it."""
    monkeypatch.chdir(tmp_path)
    save(ours, "models/both")
    return ours, SpanMarkerModel.from_pretrained("models/both").eval()
