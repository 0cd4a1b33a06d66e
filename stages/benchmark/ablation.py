"""The rows of the ablation: each recipe trained on the same sentences with the same seeds, chosen on val."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from stages.benchmark.plan import Plan
from stages.benchmark.race import pool
from stages.benchmark.recipes import OURS, RECIPES
from stages.benchmark.sentences import Sentence
from stages.benchmark.trainings import Job, Trained, found_precision, tagged, trained
from stages.corpus.files import read_json, write_json
from stages.corpus.labels import SYSTEMS, TAGS, TYPES, project
from stages.scoring.counts import counts, f1
from stages.scoring.paired import compare_counts
from stages.settings import Settings, System

Split = Literal["val", "test"]
FREQUENT = 30
"""Entities of a type, at least, for it to enter the macro F1 of frequent types."""
DISTANCE = ("difference", "interval", "p_value")
MODELS = ("trainings", "trained_at")
"""What says of which models a figure is: one training may be done anew at another commit."""


def jobs(hyper: Settings, name: str, system: System, seeds: Sequence[int], encoder: str | None) -> list[Job]:
    """The trainings of one recipe; ``encoder``, whole and as it is there, wins over the profile's."""
    recipe = RECIPES[name]
    other = {"encoder": encoder, "encoder_revision": None, "encoder_layers": None}
    changes = recipe.changes | ({} if encoder is None else other)
    settings = hyper.training(recipe.family, system, "local").model_copy(update=changes)
    return [Job("ours", settings, seed, bf16=True, system=system) for seed in seeds]


def answered(plan: Plan, wanted: Sequence[Job], split: Split, asked: str | None = None) -> list[Trained]:
    """Every job's model with its tags of val or test, trained or tagged now where the cache lacks them.

    ``asked`` is the recipe's, see :class:`stages.benchmark.recipes.Recipe`.
    """
    models = trained(plan, wanted)
    if (split, asked) == ("test", None):
        return models
    sentences = plan.corpus.val if split == "val" else plan.corpus.test
    name = "_".join(["tags", split, *([asked] if asked else [])])
    files = [one.model.parent / f"{name}.json" for one in models]
    missing = [(one, file) for one, file in zip(models, files, strict=True) if not file.exists()]
    if missing:
        with pool(len(missing), plan.threads) as processes:
            waiting = [(processes.submit(tagged, one.model, asked, sentences), file) for one, file in missing]
            for tags, file in waiting:
                write_json(file, tags.result())
    return [one._replace(tags=read_json(file)) for one, file in zip(models, files, strict=True)]


def scores(sentences: Sequence[Sentence], system: System, models: Sequence[Trained]) -> dict[str, Any]:
    """F1 of each seed: micro, macro over the types with ``FREQUENT`` gold entities or more, and of B's five types.

    The macro figure is None where no type has so many.
    """
    table = _counts(sentences, system, models).sum(axis=1)  # (models, types, 3)
    gold = table[0, :, 0] + table[0, :, 2]
    frequent = np.flatnonzero(gold >= FREQUENT)
    five = [TYPES.index(kind) for kind in SYSTEMS["B"]]
    return {
        "f1": f1(table.sum(axis=1)).tolist(),
        "macro_f1_frequent": f1(table[:, frequent]).mean(axis=-1).tolist() if len(frequent) else None,
        "five_f1": f1(table[:, five].sum(axis=1)).tolist(),
        "per_type": {TYPES[i]: float(np.mean(f1(table[:, i]))) for i in np.flatnonzero(gold)},
    }


def distance(
    name: str, sentences: Sequence[Sentence], system: System, models: Sequence[Trained], ours: Sequence[Trained]
) -> dict[str, Any]:
    """How far a recipe's models are from our whole recipe's, in F1.

    The interval (95 %) is of :func:`stages.scoring.paired.compare_counts`.
    """
    whole, variant = (_counts(sentences, system, side).sum(axis=2) for side in (ours, models))
    change = compare_counts(whole, variant, same_seeds=RECIPES[name].asked is not None)
    return dict(zip(DISTANCE, (change.difference, [change.low, change.high], change.p_value), strict=True))


def looked_at(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """The trainings of our whole recipes whose figures on the test split stand in ``rows``."""
    ours = [one["test"] for one in rows if one["recipe"] in OURS.values() and one["test"]]
    return {name for test in ours for name in test.get("trainings", ())}


def remembered(before: Mapping[str, Any] | None, row: Mapping[str, Any]) -> dict[str, Any] | None:
    """A row's field ``test`` after a run: the figures, the models that they are of, and all ``looks`` so far.

    ``before`` is what it was, ``row["test"]`` the figures that were seen now, or None. Earlier figures stay as long as
    they are the same models', and their distance from ours as long as ours are. To see the same models' figures again
    tells nothing new, and is no other look.
    """
    same = before is not None and all(before.get(name) == row[name] for name in MODELS)
    looks = (before or {}).get("looks", 0)
    if row["test"] is not None:
        models = {name: row[name] for name in (*MODELS, "against")}
        return {"looks": looks + (not same), **models, **row["test"]}
    if before is None:
        return None
    if not same:
        return {"looks": looks}
    stale = DISTANCE if before["against"] != row["against"] else ()
    return {name: value for name, value in before.items() if name not in stale} | {"against": row["against"]}


def row(name: str, val: Sequence[Sentence], system: System, models: Sequence[Trained]) -> dict[str, Any]:
    """One recipe's figures on val and what its trainings took."""
    recipe = RECIPES[name]
    precision = " / ".join(sorted({one.precision or found_precision() for one in models}))
    costs = [one.cpu_seconds for one in models if one.cpu_seconds is not None]
    return {
        "recipe": name,
        "what": recipe.what,
        "family": recipe.family,
        "system": system,
        "peer": OURS[recipe.family],
        "unit": "F1",
        "ratio": None,
        "precision": {"ours": precision, "peer": precision},
        "val": scores(val, system, models),
        "cpu_seconds": statistics.median(costs) if costs else None,
        "trained_at": sorted({one.commit for one in models}),
    }


def _counts(sentences: Sequence[Sentence], system: System, models: Sequence[Trained]) -> np.ndarray:
    """Hits and mistakes ``(models, sentences, types, 3)`` against what the system is asked for."""
    gold = [project([TAGS[tag] for tag in sentence["ner_tags"]], SYSTEMS[system]) for sentence in sentences]
    return np.stack([counts(gold, one.tags) for one in models])
