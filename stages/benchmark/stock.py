"""Stock ``span_marker`` (github.com/tomaarsen/SpanMarkerNER) as a side, set up as its README does."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset, disable_caching
from span_marker import SpanMarkerModel, Trainer
from transformers import TrainingArguments

from stages.benchmark.counting import Counter, matrix_peak
from stages.benchmark.plan import SEED
from stages.benchmark.sentences import Sentence
from stages.corpus.labels import TYPES
from stages.models import families
from stages.models.training import seed_everything
from stages.settings import SpanMarkerSettings


def stock(tagger: Any) -> SpanMarkerModel:
    """The same weights as stock loads them: from a directory, with stock's own ``from_pretrained``."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        tagger.save("model")
        return SpanMarkerModel.from_pretrained("model")


def fresh(settings: SpanMarkerSettings, sentences: list[Sentence]) -> tuple[Trainer, Dataset]:
    """Stock's Trainer of a new model and its sentences, not yet prepared; what is not said is stock's default."""
    disable_caching()
    seed_everything(SEED)
    rows = Dataset.from_list(sentences)
    model = stock(families.create(settings, TYPES))
    with tempfile.TemporaryDirectory() as work:  # the Trainer wants a folder, and saves nothing in it
        arguments = TrainingArguments(
            output_dir=work, num_train_epochs=1, per_device_train_batch_size=settings.batch_size,
            learning_rate=settings.learning_rate, warmup_ratio=settings.warmup_ratio, save_strategy="no",
            report_to="none", disable_tqdm=True, seed=SEED,
        )  # fmt: skip
        return Trainer(model=model, args=arguments, train_dataset=rows), rows


def prepared(trainer: Trainer, rows: Dataset) -> Dataset:
    """The sentences as stock's Trainer prepares them: labels normalised, tokenised, spread over samples."""
    return trainer.preprocess_dataset(rows, trainer.label_normalizer, trainer.tokenizer)  # type: ignore[no-any-return]


class Preparation:
    """What stock's Trainer does with its sentences before the first step."""

    def __init__(self, settings: SpanMarkerSettings, sentences: list[Sentence]) -> None:
        self.trainer, self.rows = fresh(settings, sentences)

    def run(self) -> float:
        """Prepare all sentences; returns the seconds."""
        start = time.perf_counter()
        prepared(self.trainer, self.rows)
        return time.perf_counter() - start

    def facts(self) -> dict[str, Any]:
        """How many sentences a run prepares."""
        return {"sentences": len(self.rows)}


class Training:
    """Stock's Trainer over one epoch of sentences, which it is given prepared: preparing them is not in its time."""

    def __init__(self, settings: SpanMarkerSettings, sentences: list[Sentence]) -> None:
        self.trainer, self.rows = fresh(settings, sentences)
        ready = prepared(self.trainer, self.rows)
        self.trainer.preprocess_dataset = lambda *_, **__: ready
        self.counter = Counter(self.trainer.model)
        self.runs = 0

    def run(self) -> float:
        """Train once; returns the seconds of ``Trainer.train``."""
        self.runs += 1
        start = time.perf_counter()
        self.trainer.train()
        return time.perf_counter() - start

    def facts(self) -> dict[str, Any]:
        """Sentences, positions, operations of a run, and the machine's peak in 32 bits."""
        return {**self.counter.of_training(self.runs, len(self.rows)), "peak_flops": matrix_peak(bf16=False)}


class Prediction:
    """``SpanMarkerModel.predict`` of a model saved by this project; ``batch_size`` 4 is its default."""

    def __init__(
        self, model: Path, sentences: list[Sentence], batch_size: int = 4, check: Sequence[Sentence] = ()
    ) -> None:
        disable_caching()
        self.model = stock(families.load(model))
        self.sentences = [sentence["tokens"] for sentence in sentences]
        self.batch_size, self.check = batch_size, check
        self.counter = Counter(self.model)
        self.runs = 0

    def run(self) -> float:
        """Tag all sentences; returns the seconds."""
        self.runs += 1
        start = time.perf_counter()
        self.model.predict(self.sentences, batch_size=self.batch_size)
        return time.perf_counter() - start

    def facts(self) -> dict[str, Any]:
        """Sentences, positions, and the entities (type, first word, end) of each sentence of ``check``."""
        found = self.counter.of_prediction(self.runs, len(self.sentences))
        answers = self.model.predict([sentence["tokens"] for sentence in self.check])
        keys = ("label", "word_start_index", "word_end_index")
        return {**found, "entities": [[tuple(one[key] for key in keys) for one in answer] for answer in answers]}
