"""Which spans are worth asking about: a cheap score of every span over the text's own hidden states."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

FILE = "proposal.safetensors"
"""Beside the model's own weights; stock ``span_marker`` does not look at it."""
WIDTH = 128


class Spans(NamedTuple):
    """``N`` spans of a batch, ``(N,)`` each.

    Attributes:
        sentence: the row of the batch, ascending.
        first, last: position of the first subword of its first word, and of the last of its last word.
        longer: its words less one.
    """

    sentence: Tensor
    first: Tensor
    last: Tensor
    longer: Tensor

    @classmethod
    def of(
        cls, word_first: Tensor, word_last: Tensor, span_first: Tensor, span_last: Tensor, span_sentence: Tensor
    ) -> Spans:
        """From what :class:`~stages.models.span_marker.batches.Collator` gives."""
        return cls(span_sentence, word_first[span_first], word_last[span_last], span_last - span_first)

    def at(self, chosen: Tensor) -> Spans:
        """The spans of the indices ``chosen``."""
        return Spans(*(part[chosen] for part in self))

    def repeated(self, times: int, sentences: int) -> Spans:
        """The same spans in ``times`` copies of the batch of ``sentences``, one after another."""
        shift = sentences * torch.arange(times, device=self.sentence.device).repeat_interleave(len(self.sentence))
        sentence, first, last, longer = (part.repeat(times) for part in self)
        return Spans(sentence + shift, first, last, longer)


class Proposal(nn.Module):
    """Scores a span by its first and last subword and its length, and lets the likely ones through."""

    threshold: Tensor
    """The lowest score that passes; minus infinity until :meth:`settle`."""

    def __init__(self, hidden: int, longest: int) -> None:
        """For hidden states of ``hidden`` and spans of at most ``longest`` words."""
        super().__init__()
        self.first = nn.Linear(hidden, WIDTH)
        self.last = nn.Linear(hidden, WIDTH)
        self.longer = nn.Embedding(longest, WIDTH)
        self.score = nn.Linear(WIDTH, 1)
        self.register_buffer("threshold", torch.tensor(-torch.inf))

    def forward(self, states: Tensor, spans: Spans) -> Tensor:
        """Log-odds of each of ``spans`` being an entity, ``(N,)`` float32; ``states`` ``(B, T, H)`` are the text's."""
        rows = states.flatten(0, 1)
        base = spans.sentence * states.shape[1]
        first = self.first(rows).index_select(0, base + spans.first)
        last = self.last(rows).index_select(0, base + spans.last)
        scores: Tensor = self.score(functional.gelu(first + last + self.longer(spans.longer)))
        return scores.squeeze(-1).float()

    def passed(self, scores: Tensor) -> Tensor:
        """The indices of the spans that pass."""
        return torch.nonzero(scores >= self.threshold).squeeze(1)

    def settle(self, gold_scores: np.ndarray, recall: float) -> None:
        """Set the highest threshold that lets a share of at least ``recall`` of these scores pass."""
        if len(gold_scores):
            self.threshold.fill_(float(np.quantile(gold_scores, 1 - recall, method="lower")))

    def save(self, directory: str | Path) -> None:
        """Write :data:`FILE` into ``directory``."""
        save_file({name: tensor.contiguous() for name, tensor in self.state_dict().items()}, Path(directory) / FILE)

    @classmethod
    def load(cls, file: str | Path) -> Proposal:
        """What :meth:`save` wrote."""
        state = load_file(file)
        made = cls(state["first.weight"].shape[1], state["longer.weight"].shape[0])
        made.load_state_dict(state)
        return made


class Drawn(NamedTuple):
    """The spans to train on.

    Attributes:
        spans: their indices, ascending, ``(D,)``.
        log_inclusion: ``(D,)``, log inclusion probability: of the chance that a span of this score had to be drawn,
            were it no entity.
    """

    spans: Tensor
    log_inclusion: Tensor


@torch.no_grad()
def draw(scores: Tensor, gold: Tensor, others: int) -> Drawn:
    """Every gold span, and as many as ``others`` of the rest: half the likeliest by ``scores``, half at random.

    ``scores`` and ``gold`` (whether a span is an entity) are ``(N,)``.
    """
    hard = min(max(others // 2, 1), len(scores))
    cut = scores.masked_fill(gold, -torch.inf).topk(hard).values[-1]
    low = scores < cut
    rest = torch.nonzero(low & ~gold).squeeze(1)
    picked = rest[torch.randperm(len(rest), device=rest.device)[:hard]]
    chosen = gold | ~low
    chosen[picked] = True
    spans = torch.nonzero(chosen).squeeze(1)
    chance = torch.where(low, len(picked) / len(rest) if len(rest) else 1.0, 1.0)  # 0 would make a logit -inf
    return Drawn(spans, chance[spans].log())


def adjust_logits(logits: Tensor, log_inclusion: Tensor) -> Tensor:
    """Logits ``(D, labels)`` under which a drawn sample has the likelihood that all spans have under ``logits``.

    An entity is always drawn and another span, label 0, by chance, so that O is rarer among the drawn by that
    chance: its logarithm enters the logit of O, and what is learnt is right for every span (logit adjustment, Menon et
    al. 2021, for case-control sampling, Prentice and Pyke 1979; Manski and Lerman 1977 weight the loss instead, with a
    larger variance).
    """
    return torch.cat((logits[:, :1] + log_inclusion[:, None], logits[:, 1:]), dim=1)
