"""Recipes of training that are set beside each other: ours, ours without one of its choices, and other people's."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from stages.settings import Family


class Recipe(NamedTuple):
    """What a recipe has otherwise than the profile ``local`` has it for its family.

    ``asked`` is how its models are asked, in place of the way that they were trained for: nothing is trained anew.
    """

    family: Family
    what: str
    changes: dict[str, Any]
    asked: Literal["free"] | None = None


PLAIN: dict[str, Any] = {
    "train_sentences": None, "accumulation": 1, "scheduler": "linear", "weight_decay": 0.01, "max_grad_norm": 1.0,
    "embeddings": "trained", "case": "encoder", "consistency": 0.0,
}  # fmt: skip
"""Fine-tuning with nothing of ours."""
FINE_TUNED = PLAIN | {"learning_rate": 3e-4, "batch_size": 16, "warmup_ratio": 0.1}
"""The same at a rate that suits so small an encoder."""
PLAIN_TOKEN = PLAIN | {"decoding": "free"}
RUN_NER = PLAIN_TOKEN | {"learning_rate": 5e-5, "batch_size": 8, "weight_decay": 0.0, "warmup_ratio": 0.0}
ROBERTA = PLAIN_TOKEN | {"learning_rate": 2e-5, "batch_size": 20, "warmup_ratio": 0.0}
PROJECT = PLAIN | {"learning_rate": 5e-5, "batch_size": 16, "accumulation": 2, "warmup_ratio": 0.1, "mode": "exact"}

TOKEN: Family = "token_classifier"
SPAN: Family = "span_marker"
RECIPES: dict[str, Recipe] = {
    "token": Recipe(TOKEN, "profile local", {}),
    "token-without-capitals": Recipe(TOKEN, "without capitals", {"case": "encoder"}),
    "token-without-consistency": Recipe(TOKEN, "without R-Drop", {"consistency": 0.0}),
    "token-longer": Recipe(TOKEN, "without R-Drop, 8 epochs", {"consistency": 0.0, "epochs": 8}),
    "token-without-sparse": Recipe(TOKEN, "all rows of the word table moved", {"embeddings": "trained"}),
    "token-larger-rate": Recipe(TOKEN, "at 5e-4", {"learning_rate": 5e-4}),
    "token-without-legal": Recipe(TOKEN, "without legal decoding, the same weights", {}, asked="free"),
    "span-marker": Recipe(SPAN, "profile local", {}),
    "span-marker-without-capitals": Recipe(SPAN, "without capitals", {"case": "encoder"}),
    "span-marker-without-consistency": Recipe(SPAN, "without R-Drop", {"consistency": 0.0}),
    "span-marker-longer": Recipe(SPAN, "without R-Drop, 6 epochs", {"consistency": 0.0, "epochs": 6}),
    "span-marker-without-sparse": Recipe(SPAN, "all rows of the word table moved", {"embeddings": "trained"}),
    "span-marker-larger-rate": Recipe(SPAN, "at 5e-4", {"learning_rate": 5e-4}),
    "span-marker-exact": Recipe(SPAN, "exact, every span asked about", {"mode": "exact"}),
    "plain": Recipe(TOKEN, "plain: 3e-4, batch 16, 3 epochs", FINE_TUNED | {"decoding": "free", "epochs": 3}),
    "run-ner-3": Recipe(TOKEN, "run_ner.py: 5e-5, batch 8, 3 epochs", RUN_NER | {"epochs": 3}),
    "roberta-1": Recipe(TOKEN, "RoBERTa project: 2e-5, batch 20, 1 epoch", ROBERTA | {"epochs": 1}),
    "roberta-3": Recipe(TOKEN, "RoBERTa project: 2e-5, batch 20, 3 epochs", ROBERTA | {"epochs": 3}),
    "span-marker-1": Recipe(SPAN, "SpanMarker project: 5e-5, batch 32, 1 epoch", PROJECT | {"epochs": 1}),
    "span-marker-3": Recipe(SPAN, "SpanMarker project: 5e-5, batch 32, 3 epochs", PROJECT | {"epochs": 3}),
}
"""By name, in the order of the table. Peers are trained by this project's own trainer, so that only the recipe differs.

That trainer forms batches of sentences of like length. How its token classifier's F1 compares with a plain Trainer's,
and exact SpanMarker's logits with stock's, is measured in the rows ``token-training-f1`` and ``logits`` of the
benchmark. All start from our encoder. Sources: ``plain`` is ``FINE_TUNED``; run_ner.py's are
``transformers.TrainingArguments``' defaults; the two projects' are those that the profile ``full`` rebuilds, each as
its System A was trained, but for the window of our encoder (SpanMarker's epoch went over doubled rows, which ``full``
makes up for). The ``longer`` ones
spend on epochs about what R-Drop's second pass costs.
"""
OURS = {TOKEN: "token", SPAN: "span-marker"}
"""What every recipe of a family is compared with."""
