"""The encoder over text and markers, with only what SpanMarker's attention mask lets through.

Text attends to text. A marker attends to the text, itself and its partner, and no text attends to a
marker (PL-Marker, Ye et al. 2022). So the text is read once, whatever is asked about it: :func:`read` keeps each
layer's keys and values, and :func:`ask` takes the markers of all sentences through the layers, in one row
without padding; their attention is :func:`~stages.models.span_marker.attention.attend`. Of the text, the last
layer computes nothing but keys and values.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel

from stages.models.processor import dropout, linear
from stages.models.span_marker.attention import Layout, attend

PACKABLE = ("bert", "camembert", "electra", "roberta", "xlm-roberta")
"""Architectures (``model_type``) whose layers are BERT's."""


def packable(encoder: PreTrainedModel) -> bool:
    """Whether :func:`read` and :func:`ask` know the layers of ``encoder``."""
    config = encoder.config
    absolute = getattr(config, "position_embedding_type", "absolute") == "absolute"
    return config.model_type in PACKABLE and absolute and not config.is_decoder


class Text(NamedTuple):
    """A batch's text, read once, as markers see it: ``B`` sentences, ``T`` subwords in the longest.

    Attributes:
        bias: ``(B, 1, 1, T)``, 0 for text and minus infinity for padding.
        states: ``(B, T, H)``, the hidden states before the last layer.
        keys, values: of each layer, ``(B, heads, T, width)``.
        projections: the weight and bias of each layer's query, key and value side by side.
        markers: ``(2, H)``, the word embeddings of the two markers.
    """

    bias: Tensor
    states: Tensor
    keys: list[Tensor]
    values: list[Tensor]
    projections: list[tuple[Tensor, Tensor]]
    markers: Tensor


def read(encoder: Any, input_ids: Tensor, attention_mask: Tensor, marker_ids: Tensor) -> Text:
    """Read the text ``(B, T)`` alone; ``marker_ids`` ``(2,)``. Position ids are 2, 3, …, as in ``span_marker``."""
    batch, length = input_ids.shape
    # One look-up for text and markers: the gradient of each look-up is as large as the table of embeddings.
    words = encoder.embeddings.word_embeddings(torch.cat((input_ids.flatten(), marker_ids)))
    positions = torch.arange(2, length + 2, device=input_ids.device).repeat(batch)
    states = _embed(encoder, words[:-2], positions)
    bias = torch.zeros(attention_mask.shape, dtype=states.dtype, device=states.device)
    bias = bias.masked_fill(~attention_mask.bool(), -math.inf)[:, None, None]
    text = Text(
        bias, states, [], [], [_projection(layer.attention.self) for layer in encoder.encoder.layer], words[-2:]
    )
    for layer, projection in zip(encoder.encoder.layer, text.projections, strict=True):
        attention = layer.attention.self
        last = layer is encoder.encoder.layer[-1]
        heads = attention.num_attention_heads
        projected = linear(states, *projection)
        query, key, value = projected.view(batch, length, 3, heads, attention.attention_head_size).permute(
            2, 0, 3, 1, 4
        )
        text.keys.append(key)
        text.values.append(value)
        if last:
            break
        rate = attention.dropout.p if layer.training else 0.0
        context = functional.scaled_dot_product_attention(query, key, value, bias.to(query.dtype), rate)
        states = _feed(layer, context.transpose(1, 2).flatten(2).flatten(0, 1), states)
    return text._replace(states=states.unflatten(0, (batch, length)))


def ask(encoder: Any, text: Text, places: Tensor, sentence: Tensor) -> Tensor:
    """The last hidden states of the markers, ``(N, 2H)``: start beside end.

    ``places`` ``(N, 2)`` are the position ids of each span's two markers, ``sentence`` ``(N,)`` says whose text
    they see, ascending.
    """
    words = text.markers.repeat(len(places), 1)
    states = _embed(encoder, words, places.flatten())
    layout = Layout.of(text.bias, sentence)
    for layer, projection, key, value in zip(
        encoder.encoder.layer, text.projections, text.keys, text.values, strict=True
    ):
        rate = layer.attention.self.dropout.p if layer.training else 0.0
        states = _feed(layer, attend(linear(states, *projection), key, value, layout, rate), states)
    return states.view(len(places), -1)


def _embed(encoder: Any, words: Tensor, positions: Tensor) -> Tensor:
    """Embeddings ``(ids, H)`` from those of the words."""
    words, positions = words[None], positions[None]
    types = torch.zeros_like(positions)
    embeddings = encoder.embeddings(inputs_embeds=words, token_type_ids=types, position_ids=positions)[0]
    return encoder.embeddings_project(embeddings) if hasattr(encoder, "embeddings_project") else embeddings


def _projection(attention: Any) -> tuple[Tensor, Tensor]:
    """Weight ``(3H, H)`` and bias of query, key and value together: one matrix product for the three."""
    parts = (attention.query, attention.key, attention.value)
    return torch.cat([part.weight for part in parts]), torch.cat([part.bias for part in parts])


def _feed(layer: Any, context: Tensor, states: Tensor) -> Tensor:
    """The layer after its attention, row by row: ``context`` is what each of ``states`` took from what it sees."""
    attended = _add(layer.attention.output, context, states)
    between = layer.intermediate.intermediate_act_fn(_dense(layer.intermediate, attended))
    return _add(layer.output, between, attended)


def _dense(block: Any, rows: Tensor) -> Tensor:
    return linear(rows, block.dense.weight, block.dense.bias)


def _add(block: Any, rows: Tensor, residual: Tensor) -> Tensor:
    """BERT's output block: linear, dropout, plus what came in, normalised."""
    new: Tensor = block.LayerNorm(dropout(_dense(block, rows), block.dropout.p if block.training else 0.0) + residual)
    return new
