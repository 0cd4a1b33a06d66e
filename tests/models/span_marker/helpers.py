"""Sentences and batches for both ways to ask a model: stock's and ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from span_marker import SpanMarkerModel
from span_marker.label_normalizer import AutoLabelNormalizer
from span_marker.trainer import Trainer
from torch import Tensor

from stages import settings
from stages.models.span_marker import SpanMarker, prepare
from stages.settings import SpanMarkerSettings

VOCABULARY = (
    *("Marie", "Curie", "was", "born", "in", "Warsaw", "and", "the", "brown", "bear"),
    *("lives", "Romania", "Sklodowska-Curie", "naïve", "1995", ",", "."),
)


def words_and_tags(words: int) -> tuple[list[str], list[int]]:
    """A sentence of so many words: a person, a place of two words and O, by turns."""
    tokens = [VOCABULARY[(7 * i + i // 5) % len(VOCABULARY)] for i in range(words)]
    return tokens, [(1, 0, 5, 6, 0)[i % 5] for i in range(words)]


def hyperparameters(encoder: str | Path, **changes: Any) -> SpanMarkerSettings:
    base = settings.load().training("span_marker", "A", "sample")
    return base.model_copy(
        update={
            "encoder": str(encoder),
            "encoder_layers": None,
            "max_tokens": 126,
            "marker_pairs": 32,
            "mode": "exact",
            **changes,
        }
    )


def no_dropout(model: torch.nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if hasattr(module, "dropout_prob"):
            module.dropout_prob = 0.0


def opinionated(model: SpanMarker) -> SpanMarker:
    """A fresh classifier is nearly indifferent; this one has opinions."""
    model.classifier.weight.data *= 40
    return model


def stock_batch(stock: SpanMarkerModel, sentences: list[tuple[list[str], list[int]]]) -> dict[str, Tensor]:
    """Sentences through stock's own normaliser, tokenizer, spreading and collator."""
    tokens, tags = (list(part) for part in zip(*sentences, strict=True))
    gold = AutoLabelNormalizer.from_config(stock.config)(tokens, tags)["ner_tags"]
    made = stock.tokenizer({"tokens": tokens, "ner_tags": gold})
    spread = Trainer.spread_sample(made, stock.tokenizer.model_max_length, stock.config.marker_max_length)
    return stock.data_collator(
        [dict(zip(spread, values, strict=True)) for values in zip(*spread.values(), strict=True)]
    )


def flat(output: Any) -> Tensor:
    """Stock's padded logits as ours: ``(spans, labels)``."""
    return torch.cat([logits[:pairs] for logits, pairs in zip(output.logits, output.num_marker_pairs, strict=True)])


def our_batch(model: SpanMarker, sentences: list[tuple[list[str], list[int]]]) -> dict[str, Tensor]:
    rows = prepare(Dataset.from_list([{"tokens": t, "ner_tags": g} for t, g in sentences]), model)
    return model.collator([rows[i] for i in range(len(rows))])
