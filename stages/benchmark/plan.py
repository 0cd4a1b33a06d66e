"""What every row is measured with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stages.benchmark.recipes import FINE_TUNED
from stages.benchmark.sentences import Corpus
from stages.settings import Settings, SpanMarkerSettings, TokenClassifierSettings

BATCH = 8
"""Sentences a training step, for both sides of every row that times training."""
SEED = 42
"""Of weights and batches, for both sides of every speed row."""
DATA_ROWS = 1_340_000
"""MultiNERD's sentences in ten languages (https://huggingface.co/datasets/Babelscape/multinerd)."""
SPAN_RECIPE = FINE_TUNED | {"train_sentences": 3000, "epochs": 2, "negatives": 16}
TOKEN_RECIPE = FINE_TUNED | {"epochs": 3, "decoding": "free"}
"""Plain fine-tuning: what is compared are ways to compute, so the recipe is one that every side can follow."""

Mode = Literal["exact", "selective"]


@dataclass(frozen=True)
class Plan:
    """Sentences, hyperparameters of both families, and how often and with how many threads each side runs.

    ``cache`` is a folder for trained models, ``model`` a trained SpanMarker to predict with (None: the
    benchmark trains its own), ``data_rows`` the rows of the files that the row ``data`` makes.
    """

    corpus: Corpus
    span_marker: SpanMarkerSettings
    token_classifier: TokenClassifierSettings
    repeats: int
    threads: int
    cache: Path
    model: Path | None = None
    data_rows: int = DATA_ROWS

    def mode(self, mode: Mode) -> SpanMarkerSettings:
        """SpanMarker's hyperparameters in one mode."""
        return self.span_marker.model_copy(update={"mode": mode})


def recipes(hyper: Settings) -> tuple[SpanMarkerSettings, TokenClassifierSettings]:
    """Both families' hyperparameters: encoder and sizes of the profile ``local``, the rest plain fine-tuning."""
    span, token = (hyper.training(family, "A", "local") for family in ("span_marker", "token_classifier"))
    return span.model_copy(update=SPAN_RECIPE), token.model_copy(update=TOKEN_RECIPE)  # type: ignore[return-value]
