"""This project's side of a row, for either family."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset
from torch.utils.data import DataLoader

from stages.benchmark.counting import Counter, matrix_peak
from stages.benchmark.plan import SEED
from stages.benchmark.sentences import Sentence
from stages.corpus.labels import TYPES
from stages.errors import UserError
from stages.models import families
from stages.models.device import precision
from stages.models.training import build, seed_everything
from stages.settings import FamilySettings


class Preparation:
    """``tagger.prepare`` and one pass of ``tagger.collate``: sentences to the batches of an epoch.

    The pass belongs to it, because ours leaves to the batches what stock prepares for each sentence beforehand:
    every span, its positions and its label.
    """

    def __init__(self, settings: FamilySettings, sentences: list[Sentence]) -> None:
        self.tagger = families.create(settings, TYPES)
        self.rows = Dataset.from_list(sentences)
        self.batch_size = settings.batch_size

    def run(self) -> float:
        """Prepare all sentences and make every batch of them; returns the seconds."""
        start = time.perf_counter()
        rows: Any = self.tagger.prepare(self.rows)
        for _ in DataLoader(rows, self.batch_size, collate_fn=self.tagger.collate):
            pass
        return time.perf_counter() - start

    def facts(self) -> dict[str, Any]:
        """How many sentences a run prepares."""
        return {"sentences": len(self.rows)}


class Training:
    """The project's Trainer over ``passes`` epochs; preparing the sentences is not in its time."""

    def __init__(self, settings: FamilySettings, sentences: list[Sentence], passes: int, bf16: bool) -> None:
        seed_everything(SEED)
        self.settings, self.passes, self.bf16 = settings, passes, bf16
        self.tagger = families.create(settings, TYPES)
        self.rows = Dataset.from_list(sentences)
        self.counter = Counter(self.tagger.model)
        self.runs = 0

    def run(self) -> float:
        """Train once; returns the seconds of ``Trainer.train``."""
        self.runs += 1
        with tempfile.TemporaryDirectory() as work:
            trainer = build(
                self.tagger, self.rows, self.rows, self.settings, SEED, Path(work),
                bf16=self.bf16, num_train_epochs=self.passes, eval_strategy="no", disable_tqdm=True,
            )  # fmt: skip
            start = time.perf_counter()
            trainer.train()
            return time.perf_counter() - start

    def facts(self) -> dict[str, Any]:
        """Sentences, positions, operations of a run, and the machine's peak in the same precision."""
        counted = self.counter.of_training(self.runs, self.passes * len(self.rows))
        return {**counted, "peak_flops": matrix_peak(self.bf16)}


class Prediction:
    """``tagger.tag`` of a saved model, ``passes`` times over the sentences.

    ``mode`` is a SpanMarker's (a selective model asked exactly forgets its proposal), None for the token
    classifier. ``check`` are sentences whose entities are among the facts.

    Raises:
        UserError: selective prediction of a model without proposal.
    """

    def __init__(
        self,
        model: Path,
        mode: str | None,
        sentences: list[Sentence],
        passes: int,
        bf16: bool,
        check: Sequence[Sentence] = (),
    ) -> None:
        self.tagger = load(model, mode)
        self.sentences = [sentence["tokens"] for sentence in sentences]
        self.passes, self.bf16, self.check = passes, bf16, check
        self.counter = Counter(self.tagger.model)
        self.runs = 0

    def run(self) -> float:
        """Tag all sentences; returns the seconds."""
        self.runs += 1
        start = time.perf_counter()
        with precision(self.bf16):
            for _ in range(self.passes):  # one by one: twins in one batch would need less padding
                self.tagger.tag(self.sentences)
        return time.perf_counter() - start

    def facts(self) -> dict[str, Any]:
        """Sentences, positions, and the entities (type, first word, end) of each sentence of ``check``."""
        found = self.counter.of_prediction(self.runs, self.passes * len(self.sentences))
        with precision(self.bf16):
            answers = self.tagger.tag([sentence["tokens"] for sentence in self.check])
        return {**found, "entities": [[tuple(entity) for entity in answer.entities] for answer in answers]}


def load(model: Path, mode: str | None) -> Any:
    """The tagger saved in ``model``, asked in ``mode``: a SpanMarker's, or ``free`` decoding of a token classifier.

    Raises:
        UserError: ``mode`` is selective and the model has no proposal.
    """
    tagger: Any = families.load(model)
    if mode == "exact":
        tagger.proposal = None
    elif mode == "free":
        tagger.decoding = mode
    elif mode == "selective" and getattr(tagger, "proposal", None) is None:
        raise UserError(f"{model}: has no proposal, so it cannot predict selectively; train it in selective mode")
    return tagger
