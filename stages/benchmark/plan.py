"""What every row is measured with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stages.benchmark.sentences import Corpus
from stages.settings import SpanMarkerSettings, TokenClassifierSettings

BATCH = 8
"""Sentences a training step, for both sides of every speed row."""
SEED = 42
"""Of weights and batches, for both sides of every speed row."""
DATA_ROWS = 1_340_000
"""MultiNERD's sentences in ten languages (https://huggingface.co/datasets/Babelscape/multinerd)."""

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
