"""The token classifier as a tagger: created, trained, saved, loaded and asked."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from datasets import Dataset
from transformers import (
    AutoModelForTokenClassification,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from stages.corpus.labels import TAGS, Span, bio_tags, spans
from stages.models.device import device
from stages.models.encoder import SAFELY, load_config, load_tokenizer, locate, reading
from stages.models.tagging import Tagging, batches
from stages.models.token_classifier.words import Subwords, special_ids, split
from stages.models.windows import windows
from stages.settings import TokenClassifierSettings

log = logging.getLogger(__name__)

IGNORED = -100
"""The label that PyTorch's cross-entropy leaves out."""
POSITIONS = 8192
"""Padded positions of a prediction batch: enough to fill a CPU or GPU, little memory."""
CHUNK = 4096
"""Sentences in memory at once while tagging."""
OVERLAP = 32
"""Words that neighbouring windows of a long sentence share."""


class _Piece(NamedTuple):
    """One window of a sentence: its subwords, and the words ``keep`` of the sentence that it answers for."""

    sentence: int
    first: int
    keep: tuple[int, int]
    subwords: Subwords


class TokenClassifier:
    """A Hugging Face token classifier; the label of a word is that of its first subword."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, max_tokens: int) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.lead, self.tail = special_ids(tokenizer)
        self.room = min(max_tokens, int(tokenizer.model_max_length)) - len(self.lead) - len(self.tail)
        names: dict[int, str] = model.config.id2label or {}
        self.labels = tuple(names[i] for i in range(model.config.num_labels))
        self.types = tuple(label[2:] for label in self.labels if label.startswith("B-"))

    @classmethod
    def create(cls, settings: TokenClassifierSettings, types: Sequence[str]) -> TokenClassifier:
        """A classifier for ``types`` on a pretrained encoder, its head fresh and random.

        Raises:
            EncoderError: the encoder cannot be found or used.
        """
        labels = bio_tags(types)
        config = load_config(settings.encoder, settings.encoder_revision, settings.encoder_layers)
        config.num_labels = len(labels)
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: i for i, label in enumerate(labels)}
        config.task_specific_params = {"ner": {"max_tokens": settings.max_tokens}}
        with reading(settings.encoder):
            model = AutoModelForTokenClassification.from_pretrained(
                locate(settings.encoder),
                revision=settings.encoder_revision or "main",
                config=config,
                ignore_mismatched_sizes=True,
                dtype=torch.float32,
                **SAFELY,
            )
        return cls(model, load_tokenizer(settings.encoder, settings.encoder_revision), settings.max_tokens)

    @classmethod
    def load(cls, place: str | Path, revision: str | None = None) -> TokenClassifier:
        """A saved classifier, from a directory or the hub, on the device of this machine.

        Raises:
            EncoderError: there is no such model.
        """
        with reading(str(place)):
            model = AutoModelForTokenClassification.from_pretrained(place, revision=revision or "main", **SAFELY)
        tokenizer = load_tokenizer(str(place), revision)
        own = (getattr(model.config, "task_specific_params", None) or {}).get("ner", {})
        return cls(model.to(device()), tokenizer, own.get("max_tokens", model.config.max_position_embeddings - 2))

    def save(self, directory: str | Path, place: str | Path | None = None) -> None:
        """Write model and tokenizer as ``transformers`` loads them; see ``Model.save``."""
        self.model.save_pretrained(directory, safe_serialization=True)
        self.tokenizer.save_pretrained(directory)

    def prepare(self, rows: Dataset) -> Dataset:
        """Rows as ``input_ids``, ``labels`` (first subwords only, the rest ignored) and ``length``, truncated.

        One warning counts the sentences that are cut; prediction reads them whole, in windows.
        """
        ids = {label: i for i, label in enumerate(self.labels)}
        table = np.array([ids.get(tag, 0) for tag in TAGS])

        def encode(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
            made: dict[str, list[Any]] = {"input_ids": [], "labels": [], "length": [], "cut": []}
            for subwords, tags in zip(split(batch["tokens"], self.tokenizer), batch["ner_tags"], strict=True):
                labels = np.full(len(subwords.ids), IGNORED)
                first = subwords.first()
                labels[first] = table[np.asarray(tags, dtype=np.int64)[subwords.words[first]]]
                made["input_ids"].append(self._framed(subwords.ids[: self.room]))
                made["labels"].append(
                    [IGNORED] * len(self.lead) + labels[: self.room].tolist() + [IGNORED] * len(self.tail)
                )
                made["length"].append(len(made["input_ids"][-1]))
                made["cut"].append(len(labels) > self.room)
            return made

        made = rows.map(encode, batched=True, remove_columns=rows.column_names, desc="subwords", keep_in_memory=True)
        cut = sum(made["cut"])
        if cut:
            log.warning("%d of %d sentences are longer than max_tokens; training sees their beginnings", cut, len(rows))
        return made.remove_columns("cut")

    def collate(self, features: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """``input_ids``, ``attention_mask`` and ``labels``, each ``(batch, longest)``."""
        length = max(len(feature["input_ids"]) for feature in features)
        shape = (len(features), length)
        ids = np.full(shape, self.tokenizer.pad_token_id)
        mask = np.zeros(shape, dtype=np.int64)
        labels = np.full(shape, IGNORED)
        for i, feature in enumerate(features):
            own = len(feature["input_ids"])
            ids[i, :own] = feature["input_ids"]
            mask[i, :own] = 1
            if "labels" in feature:
                labels[i, :own] = feature["labels"]
        batch = {"input_ids": ids, "attention_mask": mask}
        if "labels" in features[0]:
            batch["labels"] = labels
        return {name: torch.from_numpy(array) for name, array in batch.items()}

    def settle(self, sentences: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]) -> None:
        """Nothing to choose; see ``Model.settle``."""

    def tag(self, sentences: Sequence[Sequence[str]], gold: Sequence[Sequence[str]] | None = None) -> list[Tagging]:
        """Tag sentences of words; see ``Tagger.tag``."""
        answers: list[Tagging] = []
        for start in range(0, len(sentences), CHUNK):
            chunk = sentences[start : start + CHUNK]
            for i, probabilities in enumerate(self.probabilities(chunk)):
                answers.append(self._answer(probabilities, gold[start + i] if gold is not None else None))
        return answers

    def probabilities(self, sentences: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """For each sentence ``(words, labels)`` float32; a word without a subword is O with certainty."""
        results = [np.zeros((len(words), len(self.labels)), dtype=np.float32) for words in sentences]
        outside = self.labels.index("O")
        for result in results:
            result[:, outside] = 1.0
        pieces = list(self._pieces(sentences))
        for group in batches([len(piece.subwords.ids) for piece in pieces], POSITIONS):
            for piece, answer in zip(*self._ask([pieces[i] for i in group]), strict=True):
                words = piece.subwords.words[piece.subwords.first()] + piece.first
                kept = (words >= piece.keep[0]) & (words < piece.keep[1])
                results[piece.sentence][words[kept]] = answer[kept]
        return results

    def _pieces(self, sentences: Sequence[Sequence[str]]) -> Iterator[_Piece]:
        room = self.room
        for i, (words, subwords) in enumerate(zip(sentences, split(sentences, self.tokenizer), strict=True)):
            if len(subwords.ids) <= room:
                yield _Piece(i, 0, (0, len(words)), subwords)
                continue
            for first, last, keep_first, keep_last in windows(subwords.counts(len(words)).tolist(), room, OVERLAP):
                cut = subwords.cut(first, last)
                yield _Piece(i, first, (keep_first, keep_last), Subwords(cut.ids[:room], cut.words[:room]))

    def _ask(self, pieces: list[_Piece]) -> tuple[list[_Piece], list[np.ndarray]]:
        """Each piece's probabilities at its words' first subwords: ``(words with subwords, labels)``."""
        batch = self.collate([{"input_ids": self._framed(piece.subwords.ids)} for piece in pieces])
        self.model.eval()
        with torch.inference_mode():
            logits = self.model(**{name: tensor.to(self.model.device) for name, tensor in batch.items()}).logits
        probabilities = logits.float().softmax(-1).cpu().numpy()
        return pieces, [probabilities[i, piece.subwords.first() + len(self.lead)] for i, piece in enumerate(pieces)]

    def _answer(self, probabilities: np.ndarray, gold: Sequence[str] | None) -> Tagging:
        best = probabilities.argmax(-1)
        found = spans([self.labels[i] for i in best])
        certainty = probabilities.max(-1, initial=0.0)
        scores = [float(certainty[span.start : span.end].min()) for span in found]
        loss = None
        if gold is not None:
            index = {label: i for i, label in enumerate(self.labels)}
            wanted = [index.get(tag, index["O"]) for tag in gold]
            chosen = probabilities[np.arange(len(wanted)), wanted].clip(min=1e-12)
            loss = float(-np.log(chosen.astype(np.float64)).mean()) if len(wanted) else 0.0
        return Tagging([Span(*span) for span in found], scores, probabilities, loss, len(probabilities))

    def _framed(self, ids: np.ndarray) -> list[int]:
        """``ids`` between the special subwords that the tokenizer puts around a sentence."""
        return [*self.lead, *ids.tolist(), *self.tail]
