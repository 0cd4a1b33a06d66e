"""The figures of one run: seqeval's strict IOB2 first, and beside it what others report.

Strict (the headline): an entity is right when its type, its first and its last word are right; an
``I-X`` that continues nothing is no entity (seqeval, ``mode="strict", scheme=IOB2``). Every gold
entity of the file is in the denominator, whatever its length and whatever the model could see.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from nervaluate import Evaluator
from seqeval.metrics import accuracy_score, classification_report, f1_score
from seqeval.scheme import IOB2

from stages.corpus.labels import FIVE, TYPES, Span, orphans, spans
from stages.scoring.counts import counts, f1
from stages.scoring.predictions import PredictionError, Predictions

SEQEVAL = {"precision": "precision", "recall": "recall", "f1": "f1-score"}
NERVALUATE = {"partial": "partial_f1", "exact": "exact_f1", "ent_type": "ent_type_f1"}


def score(predictions: Predictions, types: Sequence[str] | None = None) -> dict[str, Any]:
    """All figures of one run, unrounded.

    - ``precision``, ``recall``, ``f1``: strict, micro (over all entities of the file).
    - ``macro_f1``: the unweighted mean of the strict F1 of each type that occurs in gold or prediction
      (seqeval's macro average); a type in neither has no F1 and is left out.
    - ``types``: how many types that are. ``entities``: gold entities.
    - ``accuracy``: the share of words with the right tag, O included.
    - ``loss``: the mean cross-entropy (nats) over all decisions; None where a row has none.
    - ``five_f1``: strict micro F1 of the five types of System B alone, gold and prediction both projected.
    - ``lenient_f1``: micro F1 by seqeval's default, which takes an orphan ``I-X`` for an entity.
    - ``partial_f1``, ``exact_f1``, ``ent_type_f1``: nervaluate's (boundaries may overlap and count a half,
      type does not matter; boundaries exact, type does not matter; type right, boundaries overlap).
    - ``illegal``: predicted ``I-X`` that follow neither ``B-X`` nor ``I-X`` of the same type.

    Args:
        types: the types that the system knows; gold outside them is refused. None: all fifteen.

    Raises:
        PredictionError: there is no score, or gold holds a type outside ``types``.
    """
    return score_all(predictions, types)[0]


def score_all(
    predictions: Predictions, types: Sequence[str] | None = None
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """What ``score`` gives, and the strict figures of each type in gold or prediction, in MultiNERD's order.

    A type has ``precision``, ``recall``, ``f1``, ``support`` (gold entities) and ``predicted`` (entities given).

    Raises:
        PredictionError: as ``score``.
    """
    gold, pred = _checked(predictions, types)
    report = _report(gold, pred)
    given = Counter(span.type for tags in pred for span in spans(tags))
    each = {kind: {**_three(report[kind]), "predicted": given[kind]} for kind in TYPES if kind in report}
    whole = _three(report["micro avg"])
    metrics = {
        **{name: whole[name] for name in ("precision", "recall", "f1")},
        "macro_f1": float(report["macro avg"]["f1-score"]) if each else 0.0,
        "accuracy": float(accuracy_score(gold, pred)) if any(gold) else 0.0,
        "loss": mean_loss(predictions),
        "five_f1": five_f1(gold, pred),
        "lenient_f1": float(f1_score(gold, pred, zero_division=0)),
        **_nervaluate(gold, pred),
        "entities": whole["support"],
        "types": len(each),
        "illegal": sum(orphans(tags) for tags in pred),
    }
    return metrics, each


def five_f1(gold: Sequence[Sequence[str]], pred: Sequence[Sequence[str]]) -> float:
    """Strict micro F1 of System B's five types, both sides projected, so that A and B answer one question."""
    return float(f1(counts(gold, pred, FIVE).sum(axis=(0, 1))))


def mean_loss(predictions: Predictions) -> float | None:
    """The mean cross-entropy over all decisions: rows weigh as many decisions as they made (words where unsaid).

    None where any row has no loss: a mean over some rows would pass for one over all.
    """
    total, weight = 0.0, 0
    for row in predictions.rows:
        decisions = len(row.tokens) if row.decisions is None else row.decisions
        if row.loss is None:
            if decisions:
                return None
            continue
        total, weight = total + row.loss * decisions, weight + decisions
    return total / weight if weight else None


def rounded(value: Any, places: int = 4) -> Any:
    """The same nested dicts and lists with every float rounded: for the moment of writing, not before."""
    if isinstance(value, float):
        return round(float(value), places) + 0.0  # adding 0 turns -0.0 into 0.0
    if isinstance(value, dict):
        return {key: rounded(item, places) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item, places) for item in value]
    return value


def _report(gold: Sequence[Sequence[str]], pred: Sequence[Sequence[str]]) -> dict[str, Any]:
    with warnings.catch_warnings():  # numpy warns of the mean over no types; `score` gives 0 there
        warnings.simplefilter("ignore", RuntimeWarning)
        return classification_report(gold, pred, mode="strict", scheme=IOB2, output_dict=True, zero_division=0)  # type: ignore[no-any-return]


def _three(part: Mapping[str, Any]) -> dict[str, Any]:
    """One line of seqeval's report under our names, as plain numbers."""
    found: dict[str, Any] = {name: float(part[theirs]) for name, theirs in SEQEVAL.items()}
    return {**found, "support": int(part["support"])}


def _nervaluate(gold: Sequence[Sequence[str]], pred: Sequence[Sequence[str]]) -> dict[str, float]:
    """nervaluate's F1 by its other rules.

    It adds up sentence by sentence, and slowly; a sentence without a mistake is correct by every rule. So it
    gets the sentences with mistakes, and the entities of the others are added to what it counted.
    """
    sides = [(spans(mine), spans(given)) for mine, given in zip(gold, pred, strict=True)]
    agreed = sum(len(mine) for mine, given in sides if mine == given)
    mistaken = [pair for pair in sides if pair[0] != pair[1]] or [([], [])]
    documents = [[_dicts(pair[side]) for pair in mistaken] for side in (0, 1)]
    overall = Evaluator(*documents, tags=list(TYPES), loader="dict").evaluate()["overall"]
    found = {}
    for rule, name in NERVALUATE.items():
        part = overall[rule]
        entities = part.possible + part.actual + 2 * agreed
        found[name] = 2 * (part.correct + 0.5 * part.partial + agreed) / entities if entities else 0.0
    return found


def _dicts(entities: Sequence[Span]) -> list[dict[str, Any]]:
    """Entities as nervaluate's dict loader takes them: ``end`` is the last word, inclusive."""
    return [{"label": kind, "start": start, "end": end - 1} for kind, start, end in entities]


def _checked(predictions: Predictions, types: Sequence[str] | None) -> tuple[list[list[str]], list[list[str]]]:
    """Gold and predicted tags, after the check that gold asks only what the system can answer."""
    if predictions.unscored is not None:
        raise PredictionError(f"{predictions.path}: has no score: {predictions.unscored}")
    if types is not None:
        for i, tags in enumerate(predictions.gold):
            for tag in tags:
                if tag != "O" and tag[2:] not in types:
                    raise PredictionError(
                        f"{predictions.at(i)}: field 'gold': value {tag!r}: the system knows {', '.join(types)} only; "
                        "score it on its own `data/systems` file, where every other type is O"
                    )
    return predictions.gold, predictions.pred
