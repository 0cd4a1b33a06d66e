"""The rows of quality: what a quicker way costs, in logits or in F1 over three seeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stages.benchmark.plan import Mode, Plan
from stages.benchmark.race import Side, pool, race
from stages.benchmark.sentences import Corpus
from stages.benchmark.trainings import Job, Trained, found_precision, proposed, tagged, trained
from stages.corpus.labels import TAGS
from stages.scoring.counts import counts
from stages.scoring.paired import compare_counts
from stages.settings import FamilySettings

SEEDS = (1, 2, 3)
COMPARED = 500
"""Real sentences whose logits are compared."""
QUICK = {"train_sentences": 1000, "epochs": 1}
"""Training enough for a token classifier that is asked for its speed, not for its F1."""


def own_span_marker(plan: Plan) -> tuple[Path, set[str]]:
    """The SpanMarker to predict with, in either mode: ``plan.model``, else the first of our own trained selectively.

    With it the commits that it was trained at, none where it was given.
    """
    if plan.model is not None:
        return plan.model, set()
    (own,) = trained(plan, _span_jobs(plan, "selective", SEEDS[:1]))
    return own.model, {own.commit}


def own_token_classifier(plan: Plan) -> tuple[Path, set[str]]:
    """A token classifier to predict with, trained for a minute, and the commits that it was trained at."""
    settings = plan.token_classifier.model_copy(update=QUICK)
    (own,) = trained(plan, [Job("ours", settings, SEEDS[0], bf16=True)])
    return own.model, {own.commit}


def trained_at(commits: Iterable[str]) -> dict[str, list[str]]:
    """The field of a row that says at which commits its models were trained; none where that is not known."""
    found = sorted(set(commits))
    return {"trained_at": found} if found else {}


def selective_training_f1(plan: Plan) -> dict[str, Any]:
    """Selective against exact training on the same sentences, each model predicting as it was trained to."""
    jobs = [*_span_jobs(plan, "selective"), *_span_jobs(plan, "exact")]
    results = trained(plan, jobs)
    row = _compared(plan.corpus, plan.span_marker, results[: len(SEEDS)], results[len(SEEDS) :])
    return {"peer": "ours in exact mode, the same sentences, epochs and seeds", **_same(found_precision()), **row}


def selective_prediction_f1(plan: Plan) -> dict[str, Any]:
    """Selective against exact prediction by the same weights.

    ``asked`` holds, for each seed, the share of the gold spans that were asked about and the spans asked a sentence.
    """
    models = trained(plan, _span_jobs(plan, "selective"))
    asked = [(one, mode) for mode in ("selective", "exact") for one in models]
    with pool(len(asked), plan.threads) as processes:
        waiting = [processes.submit(tagged, one.model, mode, plan.corpus.test) for one, mode in asked]
        shares = [processes.submit(proposed, one.model, plan.corpus.test) for one in models]
        found = [done.result() for done in waiting]
        gold, spans = (list(of_seeds) for of_seeds in zip(*(done.result() for done in shares), strict=True))
    answers = [one._replace(tags=tags) for (one, _), tags in zip(asked, found, strict=True)]
    row = _compared(plan.corpus, plan.span_marker, answers[: len(models)], answers[len(models) :], same_seeds=True)
    row["asked"] = {"gold": gold, "spans": spans}
    return {"peer": "ours in exact mode, the same weights", **_same("fp32"), **row}


def token_training_f1(plan: Plan) -> dict[str, Any]:
    """Our token classifier against the plain Trainer's by the same recipe, on as many sentences as the SpanMarkers."""
    brief = {name: getattr(plan.span_marker, name) for name in ("train_sentences", "epochs")}
    settings = plan.token_classifier.model_copy(update=brief)
    ways = ("ours", "plain")
    results = trained(plan, [Job(way, settings, seed, bf16=True) for way in ways for seed in SEEDS])  # type: ignore[arg-type]
    row = _compared(plan.corpus, settings, results[: len(SEEDS)], results[len(SEEDS) :])
    return {
        "peer": "transformers.Trainer set up as run_ner.py does, by the same recipe",
        **_same(found_precision()),
        **row,
    }


def logits(plan: Plan) -> dict[str, Any]:
    """The largest difference of our exact mode's logits and stock's, by the same weights in 32 bits.

    The weights are a trained model's; beside them stand those of a model whose classifier is as it was drawn.
    """
    own, commits = own_span_marker(plan)
    weights = {"trained": own, "untrained": plan.mode("exact")}
    found = {}
    for name, model in weights.items():
        arguments = {"model": model, "sentences": plan.corpus.test, "count": COMPARED}
        sides = {"both": Side("stages.benchmark.equality:Logits", arguments)}
        found[name] = race(sides, 1, plan.threads, warm_up=False)["both"].facts["by"]
    largest = max(group["ours_stock"] for group in found["trained"].values())
    row = {"unit": "largest absolute difference of a logit", "ratio": None, "difference": largest}
    sentences = {"sentences": {"real": min(COMPARED, len(plan.corpus.test))}}
    row |= {"by": found, **sentences, **trained_at(commits)}
    return {"peer": "stock span_marker, the same weights", **_same("fp32"), **row}


def _span_jobs(plan: Plan, mode: Mode, seeds: Sequence[int] = SEEDS) -> list[Job]:
    return [Job("ours", plan.mode(mode), seed, bf16=True) for seed in seeds]


def _compared(
    corpus: Corpus,
    settings: FamilySettings,
    ours: Sequence[Trained],
    peer: Sequence[Trained],
    same_seeds: bool = False,
) -> dict[str, Any]:
    """F1 of each seed, and the mean difference with its interval.

    F1 is strict and micro over the types; the interval (95 %) resamples sentences and, by its model, seeds
    (:func:`stages.scoring.paired.compare_counts`).
    """
    gold = [[TAGS[tag] for tag in sentence["ner_tags"]] for sentence in corpus.test]
    theirs, mine = (np.stack([counts(gold, one.tags).sum(axis=1) for one in side]) for side in (peer, ours))
    found = compare_counts(theirs, mine, same_seeds=same_seeds)
    return {
        "unit": "F1",
        "f1": {"ours": found.b_seeds, "peer": found.a_seeds},
        "difference": found.difference,
        "interval": [found.low, found.high],
        "p_value": found.p_value,
        "ratio": None,
        **trained_at(one.commit for one in (*ours, *peer)),
        "sentences": {"train": len(corpus.train[: settings.train_sentences]), "test": len(gold)},
        "epochs": settings.epochs,
    }


def _same(precision: str) -> dict[str, Any]:
    return {"precision": {"ours": precision, "peer": precision}}
