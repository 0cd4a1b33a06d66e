"""Linear layers and dropout, by the quickest exact way that a processor has; on a GPU they are torch's own.

For 32-bit floats torch asks MKL, which leaves wide vector units of other makers' processors unused:
oneDNN, which torch carries too, computed the same products 2.3 times as fast (Zen 5, one
thread, MiniLM's shapes; on Zen 4, whose units are as wide as MKL's code, 1.05 to 1.1 times) and adds the bias
on the way. Dropout draws 64 random bits for four values, where torch draws a double for each, and took a
third of the time.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_HAS_ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
_LEVELS = 1 << 16
_LOWEST = -(1 << 15)


def _product(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``rows @ weight.T + bias``; either matrix may be a transposed view."""
    result: Tensor = torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")
    return result


class _Linear(torch.autograd.Function):
    """A linear layer over ``(rows, width)`` with all three products by oneDNN."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(rows, weight)
        return _product(rows, weight, bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        rows, weight = ctx.saved_tensors
        to_rows = _product(grad, weight.t()) if ctx.needs_input_grad[0] else None
        to_weight = None
        if ctx.needs_input_grad[1]:
            # The first factor is copied to be transposed: let it be the narrower one.
            narrow = grad.shape[1] <= rows.shape[1]
            to_weight = _product(grad.t(), rows.t()) if narrow else _product(rows.t(), grad.t()).t()
        return to_rows, to_weight, grad.sum(0) if ctx.needs_input_grad[2] else None


def linear(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """``rows @ weight.T + bias`` for ``rows`` ``(…, in)``; under autocast, as torch does it."""
    plain = rows.device.type == "cpu" and rows.dtype == weight.dtype == torch.float32
    if plain and _HAS_ONEDNN and rows.numel() and not torch.is_autocast_enabled("cpu"):
        flat: Tensor = _Linear.apply(rows.reshape(-1, rows.shape[-1]), weight, bias)
        return flat.view(*rows.shape[:-1], -1)
    return functional.linear(rows, weight, bias)


def dropout_mask(like: Tensor, rate: float) -> Tensor | None:
    """Dropout as a factor of the shape, type and device of ``like``: 0 at ``rate``, else what keeps the mean.

    None where ``rate`` is 0. On a processor the rate is rounded to 1/65,536.
    """
    if rate <= 0:
        return None
    if like.device.type != "cpu":
        return functional.dropout(torch.ones_like(like), rate)
    lost = min(round(rate * _LEVELS), _LEVELS - 1)
    bits = torch.empty(math.ceil(like.numel() / 4), dtype=torch.int64).random_(-(1 << 63), None)
    kept = bits.view(torch.int16)[: like.numel()].view(like.shape) >= _LOWEST + lost
    return kept.to(like.dtype).mul_(_LEVELS / (_LEVELS - lost))


def dropout(values: Tensor, rate: float) -> Tensor:
    """``values`` with a share of ``rate`` set to 0, the rest scaled up; ``rate`` 0 leaves them alone."""
    factor = dropout_mask(values, rate)
    return values if factor is None else values * factor


class Linear(nn.Linear):
    """``nn.Linear`` computed by :func:`linear`."""

    def forward(self, input: Tensor) -> Tensor:
        """``(…, in)`` to ``(…, out)``."""
        return linear(input, self.weight, self.bias)


class Dropout(nn.Dropout):
    """``nn.Dropout`` drawn by :func:`dropout` on a processor; other random numbers, the same distribution."""

    def forward(self, input: Tensor) -> Tensor:
        """Any shape to the same."""
        if not self.training or self.inplace or input.device.type != "cpu":
            return super().forward(input)
        return dropout(input, self.p)


def quicken(model: nn.Module) -> None:
    """Let the linear layers and dropouts of a stock ``model`` compute as this module does.

    Only the class of those layers changes: names, weights and saved files stay as they are. Subclasses of
    ``nn.Linear`` and ``nn.Dropout`` have their own reasons, and are left alone.
    """
    for module in model.modules():
        if type(module) is nn.Linear:
            module.__class__ = Linear
        elif type(module) is nn.Dropout:
            module.__class__ = Dropout
