"""The rows of speed: preparation, training and prediction of both families beside their peers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stages.benchmark.figures import figures
from stages.benchmark.plan import BATCH, Mode, Plan
from stages.benchmark.quality import own_span_marker, own_token_classifier, trained_at
from stages.benchmark.race import Side, race
from stages.benchmark.sentences import pick
from stages.settings import Embeddings

OURS, STOCK, PLAIN = (f"stages.benchmark.{name}" for name in ("ours", "stock", "plain"))

STOCK_TRAINER = "span_marker.Trainer, prepared sentences"
STOCK_PREDICT = "span_marker.SpanMarkerModel.predict, batch_size=4 (its default)"
PLAIN_TRAINER = "transformers.Trainer set up as the example script run_ner.py does, prepared sentences"
PLAIN_PREDICT = "tokenize_and_align_labels, Trainer.predict and argmax back to words, as in run_ner.py"

PREPARED, TRAINED, TAGGED, TOKEN_TRAINED, TOKEN_TAGGED = 2000, 48, 96, 512, 512
"""Sentences of a row; stock SpanMarker needs about half a second to train on one."""
PASSES = 4
"""How often ours goes over them in one run where it is much the quicker, so that its seconds can be told apart."""
CHECKED = 500
"""Sentences on which the entities of both sides are compared."""


def preparation(plan: Plan) -> dict[str, Any]:
    """Sentences to what a batch is made of, once before training; on our side to the batches themselves.

    Stock's tokenizer enumerates every sentence's spans, their positions and labels; ours leaves these to the collator,
    so one pass of it, in batches of the plan's size, is in our time. Stock's collator is not in its time.

    Raises:
        UserError: a side refuses its work, or its process ends.
    """
    arguments = {"settings": plan.mode("exact"), "sentences": pick(plan.corpus.train, PREPARED)}
    sides = {"ours": Side(f"{OURS}:Preparation", arguments), "peer": Side(f"{STOCK}:Preparation", arguments)}
    peer = "span_marker's label normaliser, SpanMarkerTokenizer and spread_sample, as its Trainer calls them"
    return _row(plan, sides, peer, ("none", "none"))


def span_training(plan: Plan, mode: Mode, bf16: bool = False) -> dict[str, Any]:
    """A SpanMarker trained in ``mode`` against stock's Trainer.

    Raises:
        UserError: a side refuses its work, or its process ends.
    """
    sentences = pick(plan.corpus.train, TRAINED)
    settings = plan.mode(mode).model_copy(update={"batch_size": BATCH})
    ours = {"settings": settings, "sentences": sentences, "passes": PASSES, "bf16": bf16}
    sides = {
        "ours": Side(f"{OURS}:Training", ours),
        "peer": Side(f"{STOCK}:Training", {"settings": settings, "sentences": sentences}),
    }
    return _row(plan, sides, STOCK_TRAINER, (_name(bf16), "fp32"))


def span_prediction(plan: Plan, mode: Mode, bf16: bool = False) -> dict[str, Any]:
    """A trained SpanMarker asked in ``mode`` against stock's ``predict``, and the entities of both compared.

    Raises:
        UserError: ``plan.model`` has no proposal for selective mode; a side refuses its work, or its process ends.
    """
    sentences, check = pick(plan.corpus.test, TAGGED), pick(plan.corpus.test, CHECKED)
    model, commits = own_span_marker(plan)
    peer = {"model": model, "sentences": sentences}
    ours = {**peer, "mode": mode, "passes": PASSES, "bf16": bf16, "check": check}
    sides = {
        "ours": Side(f"{OURS}:Prediction", ours),
        "peer": Side(f"{STOCK}:Prediction", {**peer, "check": check}),
        "peer, batch_size=32": Side(f"{STOCK}:Prediction", {**peer, "batch_size": 32}),
    }
    tracks = race(sides, plan.repeats, plan.threads)
    entities = agreement(*(tracks[side].facts["entities"] for side in ("ours", "peer")))
    row = {**figures(tracks), "entities": {"sentences": len(check), **entities}, **trained_at(commits)}
    return {"peer": STOCK_PREDICT, "precision": {"ours": _name(bf16), "peer": "fp32"}, **row}


def token_training(plan: Plan, bf16: bool = False, embeddings: Embeddings = "trained") -> dict[str, Any]:
    """The token classifier trained against the plain Trainer's, which trains its embeddings whatever ours does.

    Raises:
        UserError: a side refuses its work, or its process ends.
    """
    settings = plan.token_classifier.model_copy(update={"batch_size": BATCH, "embeddings": embeddings})
    arguments = {"settings": settings, "sentences": pick(plan.corpus.train, TOKEN_TRAINED)}
    sides = {
        "ours": Side(f"{OURS}:Training", {**arguments, "passes": 1, "bf16": bf16}),
        "peer": Side(f"{PLAIN}:Training", arguments),
    }
    return _row(plan, sides, PLAIN_TRAINER, (_name(bf16), "fp32"))


def token_prediction(plan: Plan) -> dict[str, Any]:
    """Words to tags by the token classifier against the plain Trainer's way.

    Both sides begin with words and end with tags. Another peer is given its subwords ready, so that
    only its ``Trainer.predict`` is in its time, while ours still begins with words.

    Raises:
        UserError: a side refuses its work, or its process ends.
    """
    sentences = pick(plan.corpus.test, TOKEN_TAGGED)
    model, commits = own_token_classifier(plan)
    ours = {"model": model, "mode": None, "sentences": sentences, "passes": PASSES, "bf16": False}
    peer = {
        "settings": plan.token_classifier.model_copy(update={"batch_size": BATCH}),
        "model": model,
        "sentences": sentences,
    }
    sides = {
        "ours": Side(f"{OURS}:Prediction", ours),
        "peer": Side(f"{PLAIN}:Prediction", peer),
        "peer, subwords ready": Side(f"{PLAIN}:Prediction", {**peer, "prepared": True}),
    }
    return {**_row(plan, sides, PLAIN_PREDICT, ("fp32", "fp32")), **trained_at(commits)}


def agreement(ours: list[list[Any]], peer: list[list[Any]]) -> dict[str, Any]:
    """How many entities each side found in the same sentences, how many are equal, and their share of the peer's.

    The share is None where the peer found none.
    """
    both = sum(len(set(mine) & set(theirs)) for mine, theirs in zip(ours, peer, strict=True))
    found = {"ours": sum(map(len, ours)), "peer": sum(map(len, peer)), "equal": both}
    return {**found, "share": both / found["peer"] if found["peer"] else None}


def _row(plan: Plan, sides: Mapping[str, Side], peer: str, precision: tuple[str, str]) -> dict[str, Any]:
    tracks = race(sides, plan.repeats, plan.threads)
    return {"peer": peer, "precision": dict(zip(("ours", "peer"), precision, strict=True)), **figures(tracks)}


def _name(bf16: bool) -> str:
    return "bf16" if bf16 else "fp32"
