"""Attention of the markers: each to the text of its sentence, to itself and to its partner."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from stages.models.processor import dropout_mask


class Layout(NamedTuple):
    """Where the markers lie: ``N`` spans of ``B`` sentences, ``M`` in the sentence that has most.

    In memory the markers are one row of ``2N``, start and end of a span side by side. For products with
    the text of their sentences they are spread over a table ``(B, 2M)``.

    Attributes:
        text_bias: ``(B, 1, 1, T)``, 0 for text and minus infinity for padding, added to attention scores.
        spans: ``(B, M)``, the span at each place of the table, 0 where there is none.
        slots: ``(N,)``, the place of each span in the table, counted row by row.
        to_table: ``(B * 2M,)``, the marker at each place of the table, any one where there is none; None where
            row and table are the same.
        from_table: ``(2N,)``, the place of each marker in the table.
    """

    text_bias: Tensor
    spans: Tensor
    slots: Tensor
    to_table: Tensor | None
    from_table: Tensor

    @classmethod
    def of(cls, text_bias: Tensor, sentence: Tensor) -> Layout:
        """From the sentence of each span ``(N,)``, ascending; there has to be a span."""
        counts = torch.bincount(sentence, minlength=len(text_bias))
        most = int(counts.max())
        order = torch.arange(len(sentence), device=sentence.device)
        slots = order + (torch.arange(len(counts), device=sentence.device) * most - counts.cumsum(0) + counts)[sentence]
        spans = slots.new_zeros(len(counts) * most).index_copy_(0, slots, order)
        pair = torch.arange(2, device=sentence.device)
        to_table = None if len(spans) == len(slots) else (2 * spans[:, None] + pair).flatten()
        return cls(text_bias, spans.view(-1, most), slots, to_table, (2 * slots[:, None] + pair).flatten())

    def spread(self, row: Tensor) -> Tensor:
        """``(2N, heads, …)`` as ``(B * heads, 2M, …)``; what stands where there is no marker is undefined."""
        table = row if self.to_table is None else row.index_select(0, self.to_table)
        return table.view(len(self.text_bias), -1, *row.shape[1:]).transpose(1, 2).flatten(0, 1)

    def spread_zero(self, row: Tensor) -> Tensor:
        """As :meth:`spread`, with 0 where there is no marker."""
        table = row
        if self.to_table is not None:
            table = row.new_zeros(len(self.to_table), *row.shape[1:]).index_copy_(0, self.from_table, row)
        return table.view(len(self.text_bias), -1, *row.shape[1:]).transpose(1, 2).flatten(0, 1)

    def gather(self, table: Tensor) -> Tensor:
        """``(B * heads, 2M, …)`` as ``(2N, heads, …)``."""
        row = table.unflatten(0, (len(self.text_bias), -1)).transpose(1, 2).flatten(0, 1)
        return row if self.to_table is None else row.index_select(0, self.from_table)


class _MarkerAttention(torch.autograd.Function):
    """See :func:`attend`. Written out with its gradient: nothing is computed or copied for padding's sake
    but the products with the text, and their scores have room for the marker itself and its partner."""

    @staticmethod
    def forward(ctx: Any, projected: Tensor, key: Tensor, value: Tensor, layout: Layout, rate: float) -> Tensor:
        heads, length, width = key.shape[1:]
        query, own_key, own_value = projected.view(-1, 3, heads, width).unbind(1)
        room = key.new_zeros(*key.shape[:2], 2, width)
        key = torch.cat((key * width**-0.5, room), dim=2).flatten(0, 1)
        value = torch.cat((value, room), dim=2).flatten(0, 1)
        query_table = layout.spread(query)
        scores = (query_table @ key.transpose(1, 2)).float()
        scores.view(-1, heads, *scores.shape[1:])[..., :length] += layout.text_bias
        scores[..., length:] = layout.spread(_own_products(query, own_key)) * width**-0.5
        weights = scores.softmax(-1)
        factor = dropout_mask(weights, rate)
        used = (weights if factor is None else weights * factor).to(value.dtype)
        context = layout.gather(used @ value)
        own = layout.gather(used[..., length:])
        _add_own(context, own, own_value)
        ctx.save_for_backward(projected, query_table, key, value, weights, factor, used, own)
        ctx.layout, ctx.heads = layout, heads
        return context.flatten(1)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        projected, query_table, key, value, weights, factor, used, own = ctx.saved_tensors
        layout, heads, width = ctx.layout, ctx.heads, key.shape[2]
        length, scale = key.shape[1] - 2, width**-0.5
        query, own_key, own_value = projected.view(-1, 3, heads, width).unbind(1)
        grad = grad.view(-1, heads, width)
        table = layout.spread_zero(grad)
        to_value = used.transpose(1, 2) @ table
        to_weights = (table @ value.transpose(1, 2)).float()
        to_weights[..., length:] = layout.spread_zero(_own_products(grad, own_value))
        if factor is not None:
            to_weights *= factor
        to_scores = torch._softmax_backward_data(to_weights, weights, -1, torch.float32).to(key.dtype)
        to_key = to_scores.transpose(1, 2) @ query_table
        to_own = layout.gather(to_scores[..., length:]) * scale
        result = torch.empty_like(projected)
        to_query, to_own_key, to_own_value = result.view(-1, 3, heads, width).unbind(1)
        to_query.copy_(layout.gather(to_scores @ key))
        _add_own(to_query, to_own, own_key)
        for part, weight, source in ((to_own_key, to_own, query), (to_own_value, own, grad)):
            part.copy_(weight[..., :1] * source)
            part += _swap(weight[..., 1:] * source)
        shape = (-1, heads, length + 2, width)
        return result, to_key.view(shape)[:, :, :length] * scale, to_value.view(shape)[:, :, :length], None, None


def _swap(row: Tensor) -> Tensor:
    """Each marker's row in its partner's place."""
    return row.unflatten(0, (-1, 2)).flip(1).flatten(0, 1)


def _own_products(left: Tensor, right: Tensor) -> Tensor:
    """Products ``(2N, heads, 2)`` of each marker's ``left`` with its own ``right`` and with its partner's."""
    return torch.stack(((left * right).sum(-1), (left * _swap(right)).sum(-1)), dim=-1)


def _add_own(target: Tensor, weight: Tensor, source: Tensor) -> None:
    """Add to each marker's row of ``target`` its own ``source`` and its partner's, by ``weight`` ``(2N, heads, 2)``."""
    target.addcmul_(weight[..., :1], source)
    target.addcmul_(weight[..., 1:], _swap(source))


def attend(projected: Tensor, key: Tensor, value: Tensor, layout: Layout, rate: float) -> Tensor:
    """What each marker takes from its text, itself and its partner, ``(2N, heads * width)``.

    ``projected`` ``(2N, 3 * heads * width)`` holds the markers' queries, keys and values side by side, ``key`` and
    ``value`` ``(B, heads, T, width)`` are the text's; ``rate`` is the dropout of attention weights.
    """
    result: Tensor = _MarkerAttention.apply(projected, key, value, layout, rate)
    return result
