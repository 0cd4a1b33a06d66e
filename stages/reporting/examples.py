"""Sentences cut into pieces, so that a page can show each entity in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Piece(NamedTuple):
    """Some words of a sentence. ``kind``: ``""`` (no entity), ``right``, ``wrong`` (not in gold) or ``missed``."""

    text: str
    type: str
    kind: str


def pieces(tokens: Sequence[str], given: Sequence[Mapping[str, Any]], gold: Sequence[Mapping[str, Any]]) -> list[Piece]:
    """The whole sentence in order: the entities that were given, those missed, and the words between.

    A gold entity counts as missed where no given entity touches it; where one does, that one is shown in its place.
    """
    mine = {(one["type"], one["start"], one["end"]) for one in gold}
    shown = [(one["start"], one["end"], one["type"], "right" if _key(one) in mine else "wrong") for one in given]
    for one in gold:
        if all(end <= one["start"] or one["end"] <= start for start, end, _, _ in shown):
            shown.append((one["start"], one["end"], one["type"], "missed"))
    found: list[Piece] = []
    at = 0
    for start, end, kind, state in sorted(shown):
        if at < start:
            found.append(Piece(" ".join(tokens[at:start]), "", ""))
        found.append(Piece(" ".join(tokens[start:end]), kind, state))
        at = end
    if at < len(tokens):
        found.append(Piece(" ".join(tokens[at:]), "", ""))
    return found


def _key(one: Mapping[str, Any]) -> tuple[str, int, int]:
    return one["type"], one["start"], one["end"]


def blocks(examples: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """The examples of ``a_right`` and ``b_right``, each as ``right`` and ``wrong`` pieces of one sentence."""
    found = {}
    for name, loser in (("a_right", "b"), ("b_right", "a")):
        found[name] = [
            {
                "right": pieces(one["tokens"], one["gold"], one["gold"]),
                "wrong": pieces(one["tokens"], one[loser], one["gold"]),
            }
            for one in examples[name]
        ]
    return found
