"""Tiny models of all four names, random and loud."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.corpus.labels import SYSTEMS
from stages.demonstration.readers import MODELS
from tests.models.test_training import hyperparameters


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Path:
    """A folder like ``models``: untrained, their heads made loud, so that they find entities everywhere."""
    from stages.models import families
    from stages.models.training import seed_everything

    folder = tmp_path_factory.mktemp("models")
    for seed, name in enumerate(MODELS):
        family, _, system = name.rpartition("-")
        seed_everything(seed)
        exact = {"mode": "exact"} if family == "span_marker" else {}
        tagger = families.create(hyperparameters(family, tiny_bert, **exact), SYSTEMS[system])  # type: ignore[arg-type]
        tagger.model.classifier.weight.data *= 60  # type: ignore[union-attr, operator]
        tagger.save(folder / name)
    return folder
