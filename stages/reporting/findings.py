"""Sentences made from the figures of comparison.json: what a reader should take from a table or a picture."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from stages.scoring.verdict import points

TYPE_NAMES = {
    "PER": "people",
    "ORG": "organisations",
    "LOC": "places",
    "ANIM": "animals",
    "BIO": "biological entities",
    "CEL": "celestial bodies",
    "DIS": "diseases",
    "EVE": "events",
    "FOOD": "food",
    "INST": "instruments",
    "MEDIA": "media",
    "MYTH": "mythical beings",
    "PLANT": "plants",
    "TIME": "times",
    "VEHI": "vehicles",
}
SIDES = ("a", "b")


def sentences(verdict: str) -> list[str]:
    """The sentences of a verdict; the first is the finding."""
    return re.split(r"(?<=[.!?]) (?=[A-Z])", verdict)


def conclusion(verdict: str) -> str:
    """The verdict in a few words, ``No evidence that B is better``: its first sentence after the last colon."""
    last = sentences(verdict)[0].rpartition(": ")[2].rstrip(".")
    return last[:1].upper() + last[1:]


def where_the_errors_are(errors: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """The fewest types that hold two thirds of both sides' errors, and their share of all gold entities.

    ``errors`` is comparison.json's. Where neither side errs, it says so.
    """
    mistakes = {side: {row["type"]: count(row) for row in errors[side]} for side in SIDES}
    gold = {row["type"]: in_gold(row) for row in errors["a"] if row["type"] != "all"}
    both = {kind: sum(mistakes[side].get(kind, 0) for side in SIDES) for kind in {**mistakes["a"], **mistakes["b"]}}
    total = both.pop("all", 0)
    if not total:
        return "Neither side makes an error."
    chosen: list[str] = []
    for kind in sorted(both, key=lambda one: (-both[one], one)):
        if sum(both[one] for one in chosen) * 3 >= total * 2:
            break
        chosen.append(kind)
    shares = [sum(mistakes[s].get(k, 0) for k in chosen) / max(1, mistakes[s].get("all", 0)) for s in SIDES]
    of_gold = sum(gold.get(kind, 0) for kind in chosen) / max(1, sum(gold.values()))
    names = listed([f"{kind} ({TYPE_NAMES.get(kind, kind)})" for kind in chosen])
    hold = "hold" if len(chosen) > 1 else "holds"
    held = f"{shares[0]:.0%} of A's errors and {shares[1]:.0%} of B's"
    return f"{names} {hold} {held}, with {of_gold:.0%} of the entities."


def weakest(per_type: Mapping[str, Mapping[str, Any]], how_many: int = 2) -> str:
    """The types with the lowest mean F1 of both sides, lowest first; ``per_type`` is comparison.json's."""
    order = sorted(per_type, key=lambda kind: (per_type[kind]["a_f1"] + per_type[kind]["b_f1"], kind))[:how_many]
    if not order:
        return "No type occurs."
    figures = [f"{kind} (A {per_type[kind]['a_f1']:.3f}, B {per_type[kind]['b_f1']:.3f})" for kind in order]
    return f"Hardest for both together, by F1: {listed(figures)}."


def types_that_differ(per_type: Mapping[str, Mapping[str, Any]], confidence: float) -> str:
    """The types on which a difference holds after correction for testing all of them; says so where there is none."""
    sure = {kind: row for kind, row in per_type.items() if row["p_corrected"] + confidence < 1}
    if not sure:
        return f"On none of the {len(per_type)} types does a difference hold after correction for testing them all."
    ahead = [
        f"{'B' if row['difference'] > 0 else 'A'} is ahead on {kind} ({points(row['difference'])} points, B minus A)"
        for kind, row in sure.items()
    ]
    rest = "; on no other type does a difference hold." if len(sure) < len(per_type) else "."
    return f"After correction for testing {len(per_type)} types, {listed(ahead)}{rest}"


def count(row: Mapping[str, Any]) -> int:
    """The errors of one record of ``errors``: all its counts but ``right``."""
    return sum(value for name, value in row.items() if name not in ("type", "right"))


def in_gold(row: Mapping[str, Any]) -> int:
    """The gold entities of one record of ``errors``: all its counts but ``spurious``."""
    return sum(value for name, value in row.items() if name not in ("type", "spurious"))


def listed(names: Sequence[str]) -> str:
    """Names as prose: ``ANIM, DIS and ORG``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def certainty(report: Mapping[str, Any]) -> str:
    """How sure the finding is, in a sentence or two that need no statistics."""
    common, confidence = report["common"], report["settings"]["confidence"]
    low, high = common["interval"]
    text = (
        f"Other sentences of this kind would move the difference: with {100 * confidence:g}% confidence it lies "
        f"between {points(low)} and {points(high)} points"
    )
    text += ", and 0 lies within." if low <= 0 <= high else ", and 0 lies outside."
    luck = _how_often(common["p_value"])
    return f"{text} Were A and B equally good, a gap at least this large would come about by luck {luck}."


def _how_often(p_value: float) -> str:
    """A p-value as a person would say it."""
    if p_value < 0.001:
        return "in fewer than 1 of 1,000 tests"
    if p_value > 0.995:
        return "every time"
    return f"in {p_value * 100:.0f} of 100 tests" if p_value >= 0.0995 else f"in {p_value * 100:.1f} of 100 tests"
