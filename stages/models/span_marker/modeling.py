"""SpanMarker's model: the stock class, asked in packed batches."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from span_marker import SpanMarkerConfig, SpanMarkerModel
from span_marker.output import SpanMarkerOutput
from torch import Tensor
from torch.nn import functional
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

from stages.models.consistency import divergence
from stages.models.places import POSITION_SHIFT
from stages.models.span_marker import dense, packed
from stages.models.span_marker.batches import Collator
from stages.models.span_marker.proposal import Proposal, Spans, adjust_logits, draw


def encoder_config(config: SpanMarkerConfig) -> PretrainedConfig:
    """The encoder's configuration, from the copy inside ``config``: no file and no network is asked."""
    values = {key: value for key, value in config.encoder.items() if key not in ("model_type", "trust_remote_code")}
    return AutoConfig.for_model(config.encoder["model_type"], **values)


class SpanMarker(SpanMarkerModel):
    """A ``span_marker.SpanMarkerModel`` with the same weights and logits that does less work.

    Build it with :func:`~stages.models.span_marker.saving.create` or
    :func:`~stages.models.span_marker.saving.load`.
    """

    accepts_loss_kwargs = False
    """The loss is a mean over the batch's spans: the Trainer divides it by the accumulated steps."""

    def __init__(self, config: SpanMarkerConfig, encoder: PreTrainedModel | None = None, **kwargs: Any) -> None:
        """As the stock class; a missing ``encoder`` is built from the configuration alone.

        Raises:
            EncoderError: the encoder does not tell markers apart by absolute positions.
        """
        if encoder is None:
            encoder = AutoModel.from_config(encoder_config(config))
        super().__init__(config, encoder, **kwargs)
        self.is_packable = packed.packable(encoder)
        self.proposal: Proposal | None = None
        self.negatives = 0

    @property
    def fast_tokenizer(self) -> PreTrainedTokenizerFast:
        """The encoder's tokenizer with the two markers, as a fast tokenizer."""
        return self.tokenizer.tokenizer  # type: ignore[no-any-return]

    @property
    def types(self) -> tuple[str, ...]:
        """The entity types, in the order of their label ids."""
        names = dict(sorted(self.config.id2label.items()))
        return tuple(name for name in names.values() if name != "O")

    @property
    def max_tokens(self) -> int:
        """The most subwords of one sentence, special ones included, that model and position ids allow."""
        positions = self.config.get("max_position_embeddings", default=None)
        limit = int(self.tokenizer.model_max_length)
        return limit if positions is None else min(limit, positions - POSITION_SHIFT)

    @property
    def way(self) -> ModuleType:
        """How text is read and asked: :mod:`.packed`, or :mod:`.dense` for an encoder that it does not know."""
        return packed if self.is_packable else dense

    @property
    def collator(self) -> Collator:
        """Makes batches for :meth:`forward` of the rows of :func:`prepare`."""
        return Collator(self.fast_tokenizer.pad_token_id, self.config.entity_max_length)

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        word_first: Tensor | None = None,
        word_last: Tensor | None = None,
        span_first: Tensor | None = None,
        span_last: Tensor | None = None,
        span_sentence: Tensor | None = None,
        labels: Tensor | None = None,
        consistency: float = 0.0,
        **kwargs: Any,
    ) -> SpanMarkerOutput:
        """Logits ``(N, labels)`` of a batch's ``N`` spans, and their mean cross-entropy if ``labels`` are given.

        The arguments are those of :class:`~stages.models.span_marker.batches.Collator`. With a :attr:`proposal` and
        ``labels``, only the spans drawn for training are asked about, and the loss, a sum over them and the
        proposal's own, is divided by their number. A batch of the stock collator is answered as stock does it.

        With ``consistency``, the batch is read and asked about twice: ``(2N, labels)``, and the cross-entropy is the
        mean of both passes, to which ``consistency`` times their divergence is added
        (:mod:`stages.models.consistency`). The proposal learns from the first pass alone, which draws for both.
        """
        if word_first is None or word_last is None or span_first is None or span_last is None or span_sentence is None:
            return super().forward(input_ids=input_ids, attention_mask=attention_mask, labels=labels, **kwargs)
        spans, passes = Spans.of(word_first, word_last, span_first, span_last, span_sentence), 2 if consistency else 1
        sentences, own, correction = len(input_ids), input_ids.new_zeros((), dtype=torch.float32), None
        text = self.read(input_ids.repeat(passes, 1), attention_mask.repeat(passes, 1))
        if self.proposal is not None and labels is not None and len(labels):
            gold = labels != 0
            scores = self.proposal(text.states[:sentences], spans)
            drawn = draw(scores, gold, self.negatives * sentences)
            own = functional.binary_cross_entropy_with_logits(scores, gold.float(), reduction="sum") / len(drawn.spans)
            spans, labels, correction = spans.at(drawn.spans), labels[drawn.spans], drawn.log_inclusion.repeat(passes)
        logits = self.ask(text, spans.repeated(passes, sentences))
        if labels is None:
            return SpanMarkerOutput(loss=None, logits=logits)
        learnt = logits if correction is None else adjust_logits(logits, correction)
        loss = _mean_loss(learnt, labels.repeat(passes)) + own
        if consistency:
            loss = loss + consistency * divergence(learnt)
        return SpanMarkerOutput(loss=loss, logits=logits)

    def read(self, input_ids: Tensor, attention_mask: Tensor) -> Any:
        """The text of a batch ``(B, T)``, read once for :meth:`ask`; its ``states`` are ``(B, T, H)``."""
        tokenizer = self.tokenizer
        markers = input_ids.new_tensor((tokenizer.start_marker_id, tokenizer.end_marker_id))
        return self.way.read(self.encoder, input_ids, attention_mask, markers)

    def ask(self, text: Any, spans: Spans) -> Tensor:
        """The logits of ``spans`` in a ``text`` that :meth:`read` gave, ``(spans, labels)``."""
        if not len(spans.first):
            states = self.classifier.weight.new_zeros(0, self.classifier.in_features)
        else:
            places = torch.stack((spans.first, spans.last), dim=1) + POSITION_SHIFT
            states = self.way.ask(self.encoder, text, places, spans.sentence)
        # Dropped out twice, as in span_marker: its hidden states, then the pairs that it makes of them.
        logits: Tensor = self.classifier(self.dropout(self.dropout(states)))
        return logits

    def save_pretrained(self, save_directory: str | Path, **kwargs: Any) -> None:  # type: ignore[override]
        """Weights (safetensors), configuration and tokenizer, as stock's model; without its model card."""
        PreTrainedModel.save_pretrained(self, save_directory, **{**kwargs, "safe_serialization": True})
        self.fast_tokenizer.save_pretrained(save_directory)
        path = Path(save_directory) / "config.json"
        config = json.loads(path.read_text(encoding="utf-8"))
        config["architectures"] = [SpanMarkerModel.__name__]
        path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        for weights in Path(save_directory).glob("*.safetensors"):
            weights.chmod(0o644)


def _mean_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy, 0 for a batch without spans."""
    return functional.cross_entropy(logits, labels, reduction="sum") / max(len(labels), 1)
