"""How far our logits are from stock's, by the same weights, and how far both are from the same sums in 64 bits."""

from __future__ import annotations

import copy
import time
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from span_marker import SpanMarkerModel, Trainer
from torch import Tensor

from stages.benchmark.ours import load
from stages.benchmark.plan import BATCH, SEED
from stages.benchmark.sentences import Sentence, of_length, pick
from stages.benchmark.stock import stock
from stages.corpus.labels import TYPES
from stages.models import families
from stages.models.training import seed_everything
from stages.settings import SpanMarkerSettings

LENGTHS = (1, 2, 100, 250)
"""Words of the sentences that are tried beside real ones."""
TRIED = 4
"""Sentences of each of these lengths."""


class Logits:
    """Both models over the same sentences, in exact mode and 32 bits; the facts hold the largest differences.

    ``model`` is a directory, or the settings of a model whose classifier is as it was drawn. Stock's distance from
    its own sums in 64 bits is what rounding alone does.
    """

    def __init__(self, model: Path | SpanMarkerSettings, sentences: list[Sentence], count: int) -> None:
        seed_everything(SEED)
        self.tagger: Any = load(model, "exact") if isinstance(model, Path) else families.create(model, TYPES)
        self.stock = stock(self.tagger).eval()
        self.exact = copy.deepcopy(self.stock).double()
        tokenizer = self.tagger.model.fast_tokenizer
        self.groups = {"real": pick(sentences, count)}
        self.groups |= {f"{words} words": of_length(sentences, words, TRIED, tokenizer) for words in LENGTHS}
        self.differences: dict[str, dict[str, float]] = {}

    def run(self) -> float:
        """Compare all sentences; returns the seconds."""
        start = time.perf_counter()
        for name, sentences in self.groups.items():
            batches = [sentences[i : i + BATCH] for i in range(0, len(sentences), BATCH)]
            found = [self._differences(batch) for batch in batches]
            self.differences[name] = {key: max(one[key] for one in found) for key in found[0]}
        return time.perf_counter() - start

    def facts(self) -> dict[str, Any]:
        """The largest absolute difference of any logit, by group of sentences."""
        return {"sentences": sum(map(len, self.groups.values())), "by": self.differences}

    @torch.no_grad()
    def _differences(self, sentences: list[Sentence]) -> dict[str, float]:
        rows = self.tagger.prepare(Dataset.from_list(sentences))
        ours = self.tagger.model.eval()(**self.tagger.collate(list(rows))).logits
        theirs, exact = (stock_logits(model, sentences) for model in (self.stock, self.exact))
        pairs = {"ours_stock": (ours, theirs), "ours_64_bits": (ours, exact), "stock_64_bits": (theirs, exact)}
        found = {name: float((left - right).abs().max()) for name, (left, right) in pairs.items()}
        return {**found, "largest_logit": float(exact.abs().max())}


def stock_logits(model: SpanMarkerModel, sentences: list[Sentence]) -> Tensor:
    """Stock's logits ``(spans, labels)`` without padding, by its own tokenizer, spreading and collator."""
    made = model.tokenizer({"tokens": [sentence["tokens"] for sentence in sentences]})
    spread = Trainer.spread_sample(made, model.tokenizer.model_max_length, model.config.marker_max_length)
    samples = [dict(zip(spread, values, strict=True)) for values in zip(*spread.values(), strict=True)]
    parts = []
    for start in range(0, len(samples), BATCH):
        output = model(**model.data_collator(samples[start : start + BATCH]))
        parts += [one[:pairs] for one, pairs in zip(output.logits, output.num_marker_pairs, strict=True)]
    return torch.cat(parts)
