"""The encoder over text and markers, with only what SpanMarker's attention mask lets through.

Text attends to text. A marker attends to the text, itself and its partner, and no text attends to a
marker (PL-Marker, Ye et al. 2022). So the text is read once, whatever is asked about it, and the markers
of all sentences lie in one row without padding. Linear layers work on the row ``[text, markers]``;
attention is :func:`~stages.models.span_marker.attention.attend`. In the last layer only markers are asked for.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel

from stages.models.processor import dropout, linear
from stages.models.span_marker.attention import Layout, attend

PACKABLE = ("bert", "camembert", "electra", "roberta", "xlm-roberta")
"""Architectures (``model_type``) whose layers are BERT's."""


def packable(encoder: PreTrainedModel) -> bool:
    """Whether :func:`encode` knows the layers of ``encoder``."""
    config = encoder.config
    absolute = getattr(config, "position_embedding_type", "absolute") == "absolute"
    return config.model_type in PACKABLE and absolute and not config.is_decoder


def encode(
    encoder: Any,
    input_ids: Tensor,
    attention_mask: Tensor,
    marker_ids: Tensor,
    marker_positions: Tensor,
    span_table: Tensor,
    span_slots: Tensor,
) -> Tensor:
    """The last hidden states of the markers, ``(N, 2H)``: start beside end.

    ``input_ids`` and ``attention_mask`` ``(B, T)``; ``marker_ids`` and ``marker_positions`` ``(N, 2)``; ``span_table``
    and ``span_slots`` as :class:`~stages.models.span_marker.batches.Collator` makes them. Position ids of
    the text are 2, 3, …, as in ``span_marker``.
    """
    batch, length = input_ids.shape
    positions = torch.arange(2, length + 2, device=input_ids.device).repeat(batch)
    ids = torch.cat((input_ids.flatten(), marker_ids.flatten()))
    states = _embed(encoder, ids, torch.cat((positions, marker_positions.flatten())))
    layout = Layout.of(attention_mask, span_table, span_slots, states.dtype)
    layers = encoder.encoder.layer
    for layer in layers[:-1]:
        states = _layer(layer, states, layout, with_text=True)
    return _layer(layers[-1], states, layout, with_text=False).view(len(marker_ids), -1)


def _embed(encoder: Any, ids: Tensor, positions: Tensor) -> Tensor:
    """Embeddings ``(ids, H)``, by one look-up: each one's gradient is as large as its table."""
    ids, positions = ids[None], positions[None]
    embeddings = encoder.embeddings(input_ids=ids, token_type_ids=torch.zeros_like(ids), position_ids=positions)[0]
    return encoder.embeddings_project(embeddings) if hasattr(encoder, "embeddings_project") else embeddings


def _layer(layer: Any, states: Tensor, layout: Layout, with_text: bool) -> Tensor:
    """One encoder layer over ``[text, markers]``; only the markers come out unless ``with_text``."""
    attention = layer.attention.self
    heads = attention.num_attention_heads
    batch, length = layout.text_bias.shape[0], layout.text_bias.shape[3]
    rate = attention.dropout.p if layer.training else 0.0
    projected = _project(attention, states)
    text, markers = projected.split((batch * length, len(states) - batch * length))
    query, key, value = text.view(batch, length, 3, heads, -1).permute(2, 0, 3, 1, 4)
    context = attend(markers, key, value, layout, rate)
    if with_text:
        bias = layout.text_bias.to(query.dtype)
        seen = functional.scaled_dot_product_attention(query, key, value, bias, rate)
        context = torch.cat((seen.transpose(1, 2).reshape(batch * length, -1), context))
    else:
        states = states[batch * length :]
    attended = _add(layer.attention.output, context, states)
    between = layer.intermediate.intermediate_act_fn(_dense(layer.intermediate, attended))
    return _add(layer.output, between, attended)


def _project(attention: Any, states: Tensor) -> Tensor:
    """Query, key and value of each row side by side, ``(rows, 3H)``, by one matrix product."""
    parts = (attention.query, attention.key, attention.value)
    return linear(states, torch.cat([part.weight for part in parts]), torch.cat([part.bias for part in parts]))


def _dense(block: Any, rows: Tensor) -> Tensor:
    return linear(rows, block.dense.weight, block.dense.bias)


def _add(block: Any, rows: Tensor, residual: Tensor) -> Tensor:
    """BERT's output block: linear, dropout, plus what came in, normalised."""
    new: Tensor = block.LayerNorm(dropout(_dense(block, rows), block.dropout.p if block.training else 0.0) + residual)
    return new
