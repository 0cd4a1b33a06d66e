"""What a model computes: positions and floating-point operations counted, and what the machine could do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

BACKWARD = 2
"""Operations of a backward pass, in forward passes: a product's gradient is two products of its size."""
PEAK_SIZES = ((4096, 384, 1536), (8192, 1536, 384), (2048, 2048, 2048))
"""Rows, inputs and outputs of the matrix products that are tried for the peak; the first two are MiniLM's."""
PEAK_TRIES = 7


class Shape(NamedTuple):
    """A BERT's size: width of its states, of its inner layer, number of layers, and labels of the classifier."""

    hidden: int
    inner: int
    layers: int
    labels: int

    @classmethod
    def of(cls, model: Any) -> Shape:
        """The size of a token classifier or SpanMarker."""
        config = getattr(getattr(model, "encoder", None), "config", model.config)
        return cls(config.hidden_size, config.intermediate_size, config.num_hidden_layers, model.config.num_labels)


def dense_flops(shape: Shape, batch: int, length: int) -> int:
    """Operations of one forward pass of the encoder over ``(batch, length)`` positions, padding included.

    A multiply-add counts as two, and only matrix products count: in each layer 8·H² for query, key,
    value and output and 4·H·I for the inner layer at each position, and 4·H·length for its attention
    (Kaplan et al. 2020, arXiv:2001.08361, table 1; Chowdhery et al. 2022, arXiv:2204.02311, appendix B).
    """
    hidden, inner, layers, _ = shape
    return layers * batch * length * (8 * hidden**2 + 4 * hidden * inner + 4 * hidden * length)


def token_flops(shape: Shape, batch: int, length: int) -> int:
    """As :func:`dense_flops`, with a token classifier's head at each position."""
    return dense_flops(shape, batch, length) + 2 * batch * length * shape.hidden * shape.labels


def stock_flops(shape: Shape, batch: int, length: int) -> int:
    """As :func:`dense_flops`, with stock SpanMarker's head: pairs of positions, padding included."""
    return dense_flops(shape, batch, length) + 2 * batch * (length // 2) * 2 * shape.hidden * shape.labels


def packed_flops(shape: Shape, batch: int, length: int, spans: int) -> int:
    """Operations of one forward pass over ``(batch, length)`` text and the markers of ``spans`` spans in all.

    Counted as in :func:`dense_flops`. A marker attends to its text, itself and its partner. In the last
    layer the text only gives queries, keys and values (:mod:`stages.models.span_marker.packed`).
    """
    hidden, inner, layers, labels = shape
    text, markers = batch * length, 2 * spans
    projections = 6 * (text + markers) * hidden**2
    seen = 4 * markers * (length + 2) * hidden
    rest = 2 * hidden**2 + 4 * hidden * inner
    whole = projections + seen + 4 * text * length * hidden + (text + markers) * rest
    return (layers - 1) * whole + projections + seen + markers * rest + 2 * spans * 2 * hidden * labels


class Counter:
    """Counts what ``model`` computes from now on.

    Attributes:
        positions: positions embedded, padding and markers included; text read twice counts twice.
        flops: operations of its forward passes, but for those of a proposal, which are few.
    """

    def __init__(self, model: Any) -> None:
        self.positions = 0
        self.flops = 0
        self._shape = Shape.of(model)
        self._before = 0
        model.base_model.embeddings.register_forward_hook(self._embedded)
        model.register_forward_pre_hook(self._begins)
        model.register_forward_hook(self._asked, with_kwargs=True)

    def _embedded(self, _: Any, __: Any, embeddings: Tensor) -> None:
        self.positions += embeddings.numel() // embeddings.shape[-1]

    def _begins(self, *_: Any) -> None:
        self._before = self.positions

    def _asked(self, model: Any, _: Any, inputs: dict[str, Any], __: Any) -> None:
        batch, length = inputs["input_ids"].shape
        markers = self.positions - self._before - batch * length
        if "span_first" in inputs:
            self.flops += packed_flops(self._shape, batch, length, markers // 2)
        else:
            count = stock_flops if hasattr(model, "encoder") else token_flops
            self.flops += count(self._shape, batch, length)

    def of_training(self, runs: int, sentences: int) -> dict[str, Any]:
        """Facts after ``runs`` trainings of ``sentences`` each: positions a sentence, operations a run."""
        return {
            **self.of_prediction(runs, sentences),
            "flops": (1 + BACKWARD) * self.flops / runs,
        }

    def of_prediction(self, runs: int, sentences: int) -> dict[str, Any]:
        """Facts after ``runs`` predictions of ``sentences`` each."""
        return {"sentences": sentences, "positions": self.positions / runs / sentences}


def matrix_peak(bf16: bool) -> float:
    """The most operations a second that a matrix product of torch reaches here, of several sizes and ways."""
    dtype = torch.bfloat16 if bf16 else torch.float32
    products: list[Callable[[Tensor, Tensor], Tensor]] = [functional.linear]
    if hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        products.append(lambda rows, weight: torch.ops.mkldnn._linear_pointwise(rows, weight, None, "none", [], ""))
    best = 0.0
    with torch.no_grad():
        for rows, inputs, outputs in PEAK_SIZES:
            factors = torch.randn(rows, inputs).to(dtype), torch.randn(outputs, inputs).to(dtype)
            for product in products:
                seconds = min(_seconds(product, *factors) for _ in range(PEAK_TRIES))
                best = max(best, 2 * rows * inputs * outputs / seconds)
    return best


def _seconds(product: Callable[[Tensor, Tensor], Tensor], *factors: Tensor) -> float:
    start = time.perf_counter()
    product(*factors)
    return time.perf_counter() - start
