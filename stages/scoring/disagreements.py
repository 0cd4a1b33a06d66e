"""Where two systems part: who is right on which entity, and what A calls what B leaves alone."""

from __future__ import annotations

from collections import Counter
from typing import Any

from stages.corpus.labels import Span, spans
from stages.scoring.alignment import Common
from stages.scoring.predictions import Predictions


def disagreements(common: Common, examples: int = 20) -> dict[str, Any]:
    """Gold entities and false alarms that one side alone gets right, on common ground, first file of each side.

    A gold entity is right on a side that gives exactly it. ``both``, ``neither``, ``a_right`` (B wrong) and
    ``b_right`` (A wrong) count gold entities; ``a_spurious`` and ``b_spurious`` count answers that are in no gold
    and that the other side does not give. ``sentences`` counts the sentences on which one side is wholly right and
    the other not. ``examples`` holds, for ``a_right`` and ``b_right``, the first sentences of that kind: ``row``
    (position in A's file), ``tokens``, and the ``gold``, ``a`` and ``b`` entities.
    """
    entities: Counter[str] = Counter(both=0, neither=0, a_right=0, b_right=0, a_spurious=0, b_spurious=0)
    sentences: Counter[str] = Counter(a_right=0, b_right=0)
    shown: dict[str, list[dict[str, Any]]] = {"a_right": [], "b_right": []}
    for i, (gold_tags, a_tags, b_tags) in enumerate(zip(common.gold, common.a[0], common.b[0], strict=True)):
        gold, a, b = spans(gold_tags), spans(a_tags), spans(b_tags)
        for entity in gold:
            entities[_who(entity in a, entity in b)] += 1
        entities["a_spurious"] += len(set(a) - set(gold) - set(b))
        entities["b_spurious"] += len(set(b) - set(gold) - set(a))
        who = _who(a == gold, b == gold)
        if who in shown:
            sentences[who] += 1
            if len(shown[who]) < examples:
                tokens = common.tokens[i]
                sides = {"gold": gold, "a": a, "b": b}
                named = {side: [_named(span, tokens) for span in found] for side, found in sides.items()}
                shown[who].append({"row": common.a_rows[i], "tokens": tokens, **named})
    return {**entities, "sentences": dict(sentences), "examples": shown}


def outside(a: Predictions, b: Predictions, common: Common) -> dict[str, dict[str, dict[str, int]]]:
    """What one side names where the other says O, because the type is not the other's; ``a`` and ``b`` by type.

    Counts entities of a type outside the shared ones whose words are all O in the other side's answer:
    ``entities``, and how many of them are ``right`` by that side's own gold.
    """
    found: dict[str, dict[str, dict[str, int]]] = {}
    for name, side, rows, other, other_rows in (
        ("a", a, common.a_rows, b, common.b_rows),
        ("b", b, common.b_rows, a, common.a_rows),
    ):
        given: Counter[str] = Counter()
        right: Counter[str] = Counter()
        for i, j in zip(rows, other_rows, strict=True):
            gold = spans(side.rows[i].gold)
            for entity in spans(side.rows[i].pred):
                words = other.rows[j].pred[entity.start : entity.end]
                if entity.type not in common.types and set(words) == {"O"}:
                    given[entity.type] += 1
                    right[entity.type] += entity in gold
        found[name] = {kind: {"entities": n, "right": right[kind]} for kind, n in given.most_common()}
    return found


def _who(a_right: bool, b_right: bool) -> str:
    if a_right == b_right:
        return "both" if a_right else "neither"
    return "a_right" if a_right else "b_right"


def _named(span: Span, tokens: list[str]) -> dict[str, Any]:
    return {**span._asdict(), "text": " ".join(tokens[span.start : span.end])}
