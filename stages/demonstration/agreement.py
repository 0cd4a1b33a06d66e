"""Where several models' answers for one text agree, and where they part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Entity(NamedTuple):
    """One entity: its type, its characters (code points; ``end`` exclusive), and its score in [0, 1]."""

    type: str
    start: int
    end: int
    score: float


class Answer(NamedTuple):
    """What one model says of a text: entities in order, none overlapping another, of the ``types`` it knows."""

    model: str
    types: tuple[str, ...]
    entities: list[Entity]
    milliseconds: float


class Place(NamedTuple):
    """A stretch of the text in which somebody sees an entity; entities that overlap share a place.

    Attributes:
        start, end: the characters of all its entities together, ``end`` exclusive.
        given: the entities of each answer, in the order of the answers; empty where it sees none.
        asked: for each answer, whether it knows a type that anybody gives here.
        differs: whether a model does not give exactly an entity that another gives and whose type it knows.
            A model is not asked for types that it does not know.
    """

    start: int
    end: int
    given: list[list[Entity]]
    asked: list[bool]
    differs: bool


class Piece(NamedTuple):
    """A part of the text as one model reads it.

    Attributes:
        text: the characters; those of all pieces in order are the text.
        place: the number of the place it belongs to, None outside of all.
        entity: None in a place where other models give an entity of a type that this one knows.
    """

    text: str
    place: int | None = None
    entity: Entity | None = None


def places(answers: Sequence[Answer]) -> list[Place]:
    """The places of a text in order, none overlapping another."""
    found = [(entity.start, i, entity) for i, answer in enumerate(answers) for entity in answer.entities]
    made: list[list[list[Entity]]] = []
    end = 0
    for start, i, entity in sorted(found):
        if not made or start >= end:
            made.append([[] for _ in answers])
        made[-1][i].append(entity)
        end = max(end, entity.end)
    return [_place(given, [answer.types for answer in answers]) for given in made]


def _place(given: list[list[Entity]], types: Sequence[Sequence[str]]) -> Place:
    everyone = [entity for own in given for entity in own]
    exact = [{entity[:3] for entity in own} for own in given]
    differs = any(
        entity[:3] not in own
        for own, known in zip(exact, types, strict=True)
        for entity in everyone
        if entity.type in known
    )
    asked = [any(entity.type in known for entity in everyone) for known in types]
    return Place(min(one.start for one in everyone), max(one.end for one in everyone), given, asked, differs)


def pieces(text: str, found: Sequence[Place], which: int, types: Sequence[str]) -> list[Piece]:
    """``text`` as the model with number ``which``, which knows ``types``, reads it."""
    made: list[Piece] = []
    end = 0
    for number, place in enumerate(found):
        for start, stop, entity in _marks(place, which, types):
            made += [Piece(text[end:start])] if end < start else []
            made.append(Piece(text[start:stop], number, entity))
            end = stop
    return [*made, Piece(text[end:])] if end < len(text) else made


def _marks(place: Place, which: int, types: Sequence[str]) -> list[tuple[int, int, Entity | None]]:
    own = place.given[which]
    if own:
        return [(entity.start, entity.end, entity) for entity in own]
    lacking = [entity for given in place.given for entity in given if entity.type in types]
    if not lacking:
        return []
    return [(min(one.start for one in lacking), max(one.end for one in lacking), None)]
