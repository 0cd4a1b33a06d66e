"""What the two families have in common: a tagger to create, train, save, load and ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from stages.corpus.labels import Span

if TYPE_CHECKING:  # the baselines tag too, and need no torch
    import torch
    from datasets import Dataset

IGNORED = -100
"""The label of what is asked for nothing: PyTorch's cross-entropy leaves it out."""


class Tagging(NamedTuple):
    """The answer for one sentence of ``words`` words.

    Attributes:
        entities: non-overlapping, in order; ``start`` and ``end`` are words, end exclusive.
        scores: one probability in [0, 1] an entity.
        probabilities: ``(words, labels)`` float32, rows sum to 1; None for a baseline.
        loss: mean cross-entropy (nats) over the ``decisions``; None without gold tags.
        decisions: how many things were classified: words (token classifier) or spans (SpanMarker).
    """

    entities: list[Span]
    scores: list[float]
    probabilities: np.ndarray | None
    loss: float | None
    decisions: int


class Tagger(Protocol):
    """What tags sentences: a model of either family, or a baseline."""

    types: tuple[str, ...]
    """The entity types it can give."""
    labels: tuple[str, ...]
    """The columns of ``Tagging.probabilities``."""

    def tag(self, sentences: Sequence[Sequence[str]], gold: Sequence[Sequence[str]] | None = None) -> list[Tagging]:
        """Tag sentences of words, in order, none dropped.

        ``gold`` holds BIO tag names, one a word; with it, losses are computed. An empty sentence has no
        entities, and neither has a word without a subword (``\\u200b``, say). A sentence longer than the
        model's window is read in overlapping windows.
        """
        ...


class Model(Tagger, Protocol):
    """A tagger that can be trained and saved.

    Each family's class also has two constructors: ``create(settings, types)`` from an encoder and
    ``load(directory)`` from a saved model.
    """

    @property
    def model(self) -> torch.nn.Module:
        """What the Trainer trains."""
        ...

    def prepare(self, rows: Dataset) -> Dataset:
        """Rows of ``tokens`` and ``ner_tags`` (MultiNERD's ids) as what ``collate`` takes, with a ``length`` column."""
        ...

    def collate(self, features: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """A batch for ``model``, cut to its longest sample; ``model(**batch).loss`` is its mean loss."""
        ...

    def consistent_loss(
        self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor], weight: float
    ) -> tuple[torch.Tensor, Any]:
        """The mean loss of two passes over ``batch``, plus ``weight`` times their divergence; and the output of both.

        See :mod:`stages.models.consistency`. ``model`` is :attr:`model`, or what accelerate wraps around it.
        """
        ...

    def settle(self, sentences: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]) -> None:
        """Choose on validation sentences what is not learnt by training, a threshold say; most have nothing."""
        ...

    def save(self, directory: str | Path, place: str | Path | None = None) -> None:
        """Write a Hugging Face model directory (safetensors) that stock libraries load.

        ``place`` is where the directory will stand, where that is not ``directory`` itself.
        """
        ...


def batches(lengths: Sequence[int], positions: int) -> list[list[int]]:
    """Indices grouped into batches of like length, longest first.

    A batch holds at most ``positions`` padded positions (its size × its longest), or one sentence.
    """
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    groups: list[list[int]] = []
    for i in order:
        if groups and (len(groups[-1]) + 1) * max(lengths[groups[-1][0]], 1) <= positions:
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups
