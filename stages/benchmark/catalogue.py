"""Every row by name: what it is, how it is measured, how long that takes, and whether it is measured unasked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from stages.benchmark import data, growth, quality, speed
from stages.benchmark.plan import Plan
from stages.errors import UserError


class Entry(NamedTuple):
    """One row: in words, its measurement, minutes on two quiet cores, and when it is measured.

    ``unasked`` rows are measured where no name is given; ``bf16`` rows only where the processor multiplies bfloat16.
    """

    what: str
    measure: Callable[[Plan], dict[str, Any]]
    minutes: int
    unasked: bool = True
    bf16: bool = False


ROWS: dict[str, Entry] = {
    "preparation": Entry("SpanMarker: preparing sentences (ours: and their batches)", speed.preparation, 1),
    "exact-training": Entry("SpanMarker exact: training", partial(speed.span_training, mode="exact"), 4),
    "exact-training-bf16": Entry(
        "SpanMarker exact: training", partial(speed.span_training, mode="exact", bf16=True), 3, bf16=True
    ),
    "selective-training": Entry("SpanMarker selective: training", partial(speed.span_training, mode="selective"), 3),
    "exact-prediction": Entry("SpanMarker exact: prediction", partial(speed.span_prediction, mode="exact"), 5),
    "exact-prediction-bf16": Entry(
        "SpanMarker exact: prediction", partial(speed.span_prediction, mode="exact", bf16=True), 5, bf16=True
    ),
    "selective-prediction": Entry(
        "SpanMarker selective: prediction", partial(speed.span_prediction, mode="selective"), 5
    ),
    "token-training": Entry("Token classifier: training", speed.token_training, 3),
    "token-training-bf16": Entry("Token classifier: training", partial(speed.token_training, bf16=True), 2, bf16=True),
    "token-training-sparse": Entry(
        "Token classifier: training, embeddings sparse",
        partial(speed.token_training, embeddings="sparse"),
        3,
        unasked=False,
    ),
    "token-training-frozen": Entry(
        "Token classifier: training, embeddings frozen",
        partial(speed.token_training, embeddings="frozen"),
        3,
        unasked=False,
    ),
    "token-prediction": Entry("Token classifier: prediction", speed.token_prediction, 3),
    "data": Entry("Data: filter and derive", data.data, 6),
    "logits": Entry("SpanMarker exact: logits", quality.logits, 5),
    "growth-sentences": Entry("Growth with the sentences", growth.by_sentences, 8, unasked=False),
    "growth-words": Entry("Growth with the words of a sentence", growth.by_words, 10, unasked=False),
    "selective-training-f1": Entry(
        "SpanMarker selective: F1 of training", quality.selective_training_f1, 90, unasked=False
    ),
    "selective-prediction-f1": Entry(
        "SpanMarker selective: F1 of prediction", quality.selective_prediction_f1, 5, unasked=False
    ),
    "token-training-f1": Entry("Token classifier: F1 of training", quality.token_training_f1, 15, unasked=False),
}


def chosen(only: Sequence[str], everything: bool, bf16: bool) -> list[str]:
    """The names of the rows to measure, in the order of ``ROWS``.

    Raises:
        UserError: a name is unknown, or asks for bfloat16 where there is none.
    """
    unknown = sorted(set(only) - set(ROWS))
    if unknown:
        raise UserError(f"--only {unknown[0]}: no such row; there are {', '.join(ROWS)}")
    for name in only:
        if ROWS[name].bf16 and not bf16:
            raise UserError(f"--only {name}: this processor does not multiply bfloat16 in hardware; leave the row out")
    wanted = only or [name for name, row in ROWS.items() if (row.unasked or everything) and (bf16 or not row.bf16)]
    return [name for name in ROWS if name in wanted]
