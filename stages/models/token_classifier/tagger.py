"""The token classifier as a tagger: created, trained, saved, loaded and asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from transformers import (
    AutoModelForTokenClassification,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from stages.corpus.labels import bio_tags, spans
from stages.models.casing import cased, ignores_case, learn_case, saved_state
from stages.models.consistency import divergence
from stages.models.device import device
from stages.models.encoder import SAFELY, EncoderError, load_config, load_tokenizer, locate, reading
from stages.models.processor import quicken
from stages.models.tagging import IGNORED, Tagging, batches
from stages.models.token_classifier import preparation
from stages.models.token_classifier.decoding import legal
from stages.models.token_classifier.preparation import pieces
from stages.settings import Decoding, TokenClassifierSettings

POSITIONS = {"cpu": 1024, "cuda": 8192}
"""Padded positions of a prediction batch: enough to fill a GPU, or what stays in a processor's cache."""
FREE: Decoding = "free"
"""The decoding that a saved model has where it names none, as a model of somebody else does."""
CHUNK = 4096
"""Sentences in memory at once while tagging."""


class TokenClassifier:
    """A Hugging Face token classifier; the label of a word is that of its first subword.

    ``decoding`` says how a sentence's labels are chosen: ``free``, each word's likeliest, or ``legal``, the likeliest
    sequence without an ``I-X`` that continues nothing.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerFast,
        max_tokens: int,
        decoding: Decoding = FREE,
    ) -> None:
        quicken(model)
        self.model = model
        self.tokenizer = tokenizer
        self.decoding = decoding
        self.limit = min(max_tokens, int(tokenizer.model_max_length))
        names: dict[int, str] = model.config.id2label or {}
        self.labels = tuple(names[i] for i in range(model.config.num_labels))
        if "O" not in self.labels:
            place = model.config.name_or_path
            raise EncoderError(f"{place}: no NER model: none of its labels is O (id2label in config.json)")
        self.outside = self.labels.index("O")
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
        own = {"max_tokens": settings.max_tokens, "decoding": settings.decoding}
        if settings.decoding == FREE:
            del own["decoding"]
        config.task_specific_params = {"ner": own}
        with reading(settings.encoder):
            model = AutoModelForTokenClassification.from_pretrained(
                locate(settings.encoder),
                revision=settings.encoder_revision or "main",
                config=config,
                ignore_mismatched_sizes=True,
                dtype=torch.float32,
                **SAFELY,
            )
        tokenizer = load_tokenizer(settings.encoder, settings.encoder_revision)
        if settings.case == "learnt" and ignores_case(tokenizer):
            size = len(tokenizer)
            tokenizer, twins = cased(tokenizer)
            learn_case(model, size, twins)
        return cls(model, tokenizer, settings.max_tokens, settings.decoding)

    @classmethod
    def load(cls, place: str | Path, revision: str | None = None) -> TokenClassifier:
        """A saved classifier, from a directory or the hub, on the device of this machine.

        Raises:
            EncoderError: there is no such model, or it is a classifier of something else.
        """
        with reading(str(place)):
            model = AutoModelForTokenClassification.from_pretrained(place, revision=revision or "main", **SAFELY)
        tokenizer = load_tokenizer(str(place), revision)
        own = (getattr(model.config, "task_specific_params", None) or {}).get("ner", {})
        limit = own.get("max_tokens", model.config.max_position_embeddings - 2)
        return cls(model.to(device()), tokenizer, limit, own.get("decoding", FREE))

    def save(self, directory: str | Path, place: str | Path | None = None) -> None:
        """Write model and tokenizer as ``transformers`` loads them; see ``Model.save``."""
        self.model.save_pretrained(directory, state_dict=saved_state(self.model), safe_serialization=True)
        self.tokenizer.save_pretrained(directory)

    def prepare(self, rows: Dataset) -> Dataset:
        """Rows as :meth:`collate` takes them; see :func:`stages.models.token_classifier.preparation.prepare`."""
        return preparation.prepare(rows, self.tokenizer, self.limit, self.labels)

    def collate(self, features: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        """A batch for ``model``; see :func:`stages.models.token_classifier.preparation.collate`."""
        return preparation.collate(features, self.tokenizer.pad_token_id)

    def settle(self, sentences: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]) -> None:
        """Nothing to choose; see ``Model.settle``."""

    def consistent_loss(
        self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor], weight: float
    ) -> tuple[torch.Tensor, Any]:
        """Both passes as one batch of twice the size; see ``Model.consistent_loss``."""
        doubled = {name: torch.cat((part, part)) for name, part in batch.items()}
        output = model(**doubled)
        return output.loss + weight * divergence(output.logits[doubled["labels"] != IGNORED]), output

    def tag(self, sentences: Sequence[Sequence[str]], gold: Sequence[Sequence[str]] | None = None) -> list[Tagging]:
        """Tag sentences of words; see ``Tagger.tag``."""
        answers: list[Tagging] = []
        for start in range(0, len(sentences), CHUNK):
            chunk = slice(start, start + CHUNK)
            answers += self._answers(sentences[chunk], None if gold is None else gold[chunk])
        return answers

    def _answers(self, sentences: Sequence[Sequence[str]], gold: Sequence[Sequence[str]] | None) -> list[Tagging]:
        table = self._probabilities(sentences)
        best = table.argmax(-1)
        if self.decoding == "legal":
            best = legal(table, np.cumsum([len(words) for words in sentences], dtype=np.int64), self.labels)
        certainty = table[np.arange(len(best)), best]
        inside = best != self.outside
        losses = None if gold is None else self._losses(table, gold)
        answers: list[Tagging] = []
        end = 0
        for words in sentences:
            begin, end = end, end + len(words)
            found = spans([self.labels[k] for k in best[begin:end]]) if inside[begin:end].any() else []
            scores = [float(certainty[begin + span.start : begin + span.end].min()) for span in found]
            loss = None if losses is None else float(losses[begin:end].mean()) if len(words) else 0.0
            answers.append(Tagging(found, scores, table[begin:end], loss, len(words)))
        return answers

    def _losses(self, table: np.ndarray, gold: Sequence[Sequence[str]]) -> np.ndarray:
        """Cross-entropy ``(words,)`` in nats of ``table`` against the tags of all sentences; unknown ones are O."""
        ids = {label: i for i, label in enumerate(self.labels)}
        wanted = [ids.get(tag, self.outside) for tags in gold for tag in tags]
        return -np.log(table[np.arange(len(wanted)), wanted].clip(min=1e-12).astype(np.float64))

    def _probabilities(self, sentences: Sequence[Sequence[str]]) -> np.ndarray:
        """Of the words of all sentences, ``(words, labels)`` float32; a word without a subword is O with certainty."""
        table = np.zeros((sum(map(len, sentences)), len(self.labels)), dtype=np.float32)
        table[:, self.outside] = 1.0
        read = pieces(sentences, self.tokenizer, self.limit)
        where = self.model.device
        self.model.eval()
        with torch.inference_mode():
            for group in batches(read.ids.lengths.tolist(), POSITIONS.get(where.type, POSITIONS["cpu"])):
                words = np.concatenate([read.words[i] for i in group])
                if not len(words):
                    continue
                inputs = self.collate([{"input_ids": read.ids[i]} for i in group])
                logits = self.model(**{name: tensor.to(where) for name, tensor in inputs.items()}).logits
                row = np.repeat(np.arange(len(group)), read.words.lengths[group])
                place = np.concatenate([read.places[i] for i in group])
                asked = logits[torch.from_numpy(row).to(where), torch.from_numpy(place).to(where)]
                table[words] = asked.float().softmax(-1).cpu().numpy()
        return table
