"""Trainings in this process that are broken off and taken up again, small enough for many tries."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from datasets import Dataset, concatenate_datasets

from stages import settings
from stages.corpus.labels import TYPES
from stages.models import families
from stages.models.checkpoints import Checkpoints
from stages.models.resuming import fingerprint
from stages.models.training import build, seed_everything, train
from tests.models.test_training import ROWS, digest_of, hyperparameters

MANY: Dataset = concatenate_datasets([ROWS] * 3)
SETTINGS = {"epochs": 3, "batch_size": 1, "accumulation": 2, "learning_rate": 5e-3}
"""24 updates an epoch; the loss is logged after every second."""


class BrokenOffError(Exception):
    """Stands for a kill, at a moment that a test chooses."""


class Breaking(Checkpoints):
    """Checkpoints that end the training with an exception once one of ``after`` updates or more is whole."""

    after = 0

    def finish(self, step: int) -> None:
        super().finish(step)
        if self.after and step >= self.after:
            raise BrokenOffError


def trained(
    family: settings.Family, encoder: Path, folder: Path, after: int = 0, seed: int = 3,
    types: tuple[str, ...] = TYPES, **changes: object,
) -> tuple[str, pd.DataFrame]:  # fmt: skip
    """Train to the end, or until broken off; the hash of the weights, and the curves."""
    hyper = hyperparameters(family, encoder, **{**SETTINGS, **changes})
    seed_everything(seed)
    tagger = families.create(hyper, types)
    checkpoints = Breaking(folder, fingerprint(tagger.model, hyper, seed=str(seed), types=" ".join(types)))
    checkpoints.after = after
    curves = train(build(tagger, MANY, ROWS, hyper, seed, folder), checkpoints)
    return digest_of(tagger.model), curves
