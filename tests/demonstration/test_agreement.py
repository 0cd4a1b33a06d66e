"""Places and pieces, case by case."""

from __future__ import annotations

import itertools
import random

import pytest

from stages.corpus.labels import FIVE, TYPES
from stages.demonstration.agreement import Answer, Entity, pieces, places

TEXT = "In New York City, 1867"
YORK, CITY, YEAR = (3, 11), (3, 16), (18, 22)


def answers(*given: list[tuple[str, tuple[int, int]]]) -> list[Answer]:
    """Answers of A, B, A, B … with these types and characters."""
    return [
        Answer("", FIVE if i % 2 else TYPES, [Entity(kind, *where, 0.5) for kind, where in own], 1.0)
        for i, own in enumerate(given)
    ]


@pytest.mark.parametrize(
    ("given", "differs"),
    [
        (([("LOC", CITY)], [("LOC", CITY)]), False),
        (([("LOC", CITY)], []), True),
        (([], [("LOC", CITY)]), True),
        (([("LOC", CITY)], [("ORG", CITY)]), True),
        (([("LOC", CITY)], [("LOC", YORK)]), True),
        (([("TIME", YEAR)], []), False),  # B is not asked for times
        (([("TIME", YEAR)], [], []), True),  # the other A is
        (([("TIME", YEAR)], [("LOC", YEAR)]), True),  # and A could have said LOC
        (([("LOC", YORK), ("LOC", (12, 16))], [("LOC", CITY)]), True),
        (([("LOC", CITY)], [("LOC", CITY)], [("LOC", CITY)], [("LOC", CITY)]), False),
        (([("LOC", CITY)], [("LOC", CITY)], [("LOC", CITY)], []), True),
    ],
)
def test_a_place_differs_where_a_model_that_knows_the_type_says_otherwise(
    given: tuple[list[tuple[str, tuple[int, int]]], ...], differs: bool
) -> None:
    (place,) = places(answers(*given))
    assert place.differs is differs
    assert [[(one.type, (one.start, one.end)) for one in own] for own in place.given] == list(given)


def test_entities_that_overlap_share_a_place_and_neighbours_do_not() -> None:
    found = places(answers([("LOC", YORK), ("TIME", YEAR)], [("LOC", CITY)], [("LOC", (12, 16)), ("PER", (16, 17))]))
    assert [(place.start, place.end) for place in found] == [CITY, (16, 17), YEAR]
    assert [len(own) for own in found[0].given] == [1, 1, 1]


def test_no_entity_no_place() -> None:
    assert places(answers([], [])) == []


def test_a_model_is_asked_where_it_knows_a_type_that_is_given() -> None:
    york, year = places(answers([("LOC", CITY), ("TIME", YEAR)], []))
    assert (york.asked, year.asked) == ([True, True], [True, False])


def test_what_others_name_is_marked_as_unnamed_in_the_text_of_a_model_that_could() -> None:
    asked = answers([("LOC", CITY), ("TIME", YEAR)], [], [])
    found = places(asked)
    assert pieces(TEXT, found, 1, FIVE) == [("In ", None, None), ("New York City", 0, None), (", 1867", None, None)]
    assert [piece.text for piece in pieces(TEXT, found, 2, TYPES)] == ["In ", "New York City", ", ", "1867"]


def test_own_entities_stand_in_place_of_what_others_say() -> None:
    asked = answers([("LOC", YORK), ("LOC", (12, 16))], [("LOC", CITY)])
    first, second = asked[0].entities
    made = pieces(TEXT, places(asked), 0, TYPES)
    assert made[1:4] == [("New York", 0, first), (" ", None, None), ("City", 0, second)]


@pytest.mark.parametrize("seed", range(20))
def test_pieces_are_the_text_and_their_entities_the_answer(seed: int) -> None:
    draw = random.Random(seed)
    text = "".join(draw.choices("ab \n\U0001f600\u05e9\u0301", k=60))

    def entities(types: tuple[str, ...]) -> list[Entity]:
        cuts = sorted(draw.sample(range(len(text) + 1), 8))
        return [Entity(draw.choice(types), *cuts[i : i + 2], draw.random()) for i in (0, 2, 4, 6)]

    asked = [Answer("", types, entities(types), 1.0) for types in (TYPES, FIVE, TYPES, FIVE)]
    found = places(asked)
    assert all(one.end <= two.start for one, two in itertools.pairwise(found))
    for i, answer in enumerate(asked):
        made = pieces(text, found, i, answer.types)
        assert "".join(piece.text for piece in made) == text
        assert [piece.entity for piece in made if piece.entity] == answer.entities
        assert all(text[piece.entity.start : piece.entity.end] == piece.text for piece in made if piece.entity)
