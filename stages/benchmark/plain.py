"""A plain Hugging Face token classifier as a side, set up as the example script ``run_ner.py`` does.

(github.com/huggingface/transformers, ``examples/pytorch/token-classification/run_ner.py``: ``map`` of
``tokenize_and_align_labels``, ``DataCollatorForTokenClassification``, ``Trainer``; ``predict`` and argmax.)
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from datasets import Dataset, disable_caching
from transformers import (
    AutoConfig,
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    Trainer,
    TrainingArguments,
)

from stages.benchmark.counting import Counter, matrix_peak
from stages.benchmark.plan import SEED
from stages.benchmark.sentences import Sentence
from stages.corpus.labels import TAGS
from stages.models.places import locate
from stages.models.training import seed_everything
from stages.settings import TokenClassifierSettings


class Plain:
    """Model, tokenizer and Trainer; what ``settings`` and ``arguments`` do not say is the Trainer's default.

    ``model`` is a saved token classifier to go on from (None: the encoder of ``settings``, its head fresh).
    """

    def __init__(
        self, settings: TokenClassifierSettings, model: Path | None = None, seed: int = SEED, **arguments: Any
    ) -> None:
        disable_caching()
        seed_everything(seed)
        place = str(model or locate(settings.encoder))
        layers = {} if settings.encoder_layers is None else {"num_hidden_layers": settings.encoder_layers}
        config = AutoConfig.from_pretrained(place, num_labels=len(TAGS), **layers)
        self.tokenizer = AutoTokenizer.from_pretrained(place, use_fast=True)
        self.model = AutoModelForTokenClassification.from_pretrained(place, config=config)
        self.values: dict[str, Any] = {
            "num_train_epochs": 1, "per_device_train_batch_size": settings.batch_size,
            "learning_rate": settings.learning_rate, "save_strategy": "no", "report_to": "none",
            "disable_tqdm": True, "seed": seed, **arguments,
        }  # fmt: skip

    def prepare(self, sentences: list[Sentence]) -> Dataset:
        """Subwords, and each word's label on its first one; ``words`` are the words that have one."""
        rows = Dataset.from_list(sentences)
        return rows.map(self._tokenize_and_align_labels, batched=True, remove_columns=rows.column_names)

    def _tokenize_and_align_labels(self, batch: dict[str, list[Any]]) -> dict[str, Any]:
        made = self.tokenizer(batch["tokens"], truncation=True, is_split_into_words=True)
        labels, words = [], []
        for i, tags in enumerate(batch["ner_tags"]):
            ids = made.word_ids(batch_index=i)
            first = [word is not None and word != before for word, before in zip(ids, [None, *ids], strict=False)]
            labels.append([tags[word] if begins else -100 for word, begins in zip(ids, first, strict=True)])
            words.append([word for word, begins in zip(ids, first, strict=True) if begins])
        return {**made, "labels": labels, "words": words}

    def trainer(self, rows: Dataset | None = None) -> Trainer:
        """The Trainer over prepared ``rows``."""
        with tempfile.TemporaryDirectory() as work:  # the Trainer wants a folder, and saves nothing in it
            return Trainer(
                model=self.model,
                args=TrainingArguments(output_dir=work, **self.values),
                train_dataset=rows,
                processing_class=self.tokenizer,
                data_collator=DataCollatorForTokenClassification(self.tokenizer),
            )

    def tag(self, trainer: Trainer, rows: Dataset, sentences: list[Sentence]) -> list[list[str]]:
        """BIO tags ``(sentences, words)`` of prepared ``rows`` by a :meth:`trainer`; a word without a label is O."""
        output: Any = trainer.predict(rows)
        best, labels = output.predictions.argmax(axis=2), output.label_ids
        found = [["O"] * len(sentence["tokens"]) for sentence in sentences]
        for tags, line, wanted, words in zip(found, best, labels, rows["words"], strict=True):
            chosen = [int(label) for label, real in zip(line, wanted, strict=True) if real != -100]
            for word, label in zip(words, chosen, strict=True):
                tags[word] = TAGS[label]
        return found


class Training:
    """The plain Trainer over one epoch of sentences, which it is given prepared."""

    def __init__(self, settings: TokenClassifierSettings, sentences: list[Sentence]) -> None:
        self.plain = Plain(settings)
        self.rows = self.plain.prepare(sentences)
        self.counter = Counter(self.plain.model)
        self.runs = 0

    def run(self) -> float:
        """Train once; returns the seconds of ``Trainer.train``."""
        self.runs += 1
        trainer = self.plain.trainer(self.rows)
        start = time.perf_counter()
        trainer.train()
        return time.perf_counter() - start

    def facts(self) -> dict[str, Any]:
        """Sentences, positions, operations of a run, and the machine's peak in 32 bits."""
        return {**self.counter.of_training(self.runs, len(self.rows)), "peak_flops": matrix_peak(bf16=False)}


class Prediction:
    """Words to tags; with ``prepared``, subwords are made beforehand and not in the time."""

    def __init__(
        self, settings: TokenClassifierSettings, model: Path, sentences: list[Sentence], prepared: bool = False
    ) -> None:
        self.plain = Plain(settings, model)
        self.sentences = sentences
        self.rows = self.plain.prepare(sentences) if prepared else None
        self.trainer = self.plain.trainer()
        self.counter = Counter(self.plain.model)
        self.runs = 0
        self.tags: list[list[str]] = []

    def run(self) -> float:
        """Tag all sentences; returns the seconds."""
        self.runs += 1
        start = time.perf_counter()
        rows = self.rows or self.plain.prepare(self.sentences)
        self.tags = self.plain.tag(self.trainer, rows, self.sentences)
        return time.perf_counter() - start

    def facts(self) -> dict[str, Any]:
        """Sentences, positions, and the last run's tags."""
        return {**self.counter.of_prediction(self.runs, len(self.sentences)), "tags": self.tags}
