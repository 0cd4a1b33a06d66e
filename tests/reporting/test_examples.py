"""Sentences cut into pieces."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.corpus.labels import spans
from stages.reporting.examples import Piece, blocks, pieces

WORDS = ["a", "b", "c", "d", "e"]


def entity(kind: str, start: int, end: int) -> dict[str, Any]:
    return {"type": kind, "start": start, "end": end}


@pytest.mark.parametrize(
    ("given_", "gold", "expected"),
    [
        ([], [], [("a b c d e", "", "")]),
        ([entity("PER", 0, 2)], [entity("PER", 0, 2)], [("a b", "PER", "right"), ("c d e", "", "")]),
        ([entity("ORG", 0, 2)], [entity("PER", 0, 2)], [("a b", "ORG", "wrong"), ("c d e", "", "")]),
        ([entity("PER", 1, 2)], [entity("PER", 0, 2)], [("a", "", ""), ("b", "PER", "wrong"), ("c d e", "", "")]),
        ([], [entity("PER", 4, 5)], [("a b c d", "", ""), ("e", "PER", "missed")]),
        (
            [entity("PER", 0, 1)],
            [entity("PER", 1, 2)],
            [("a", "PER", "wrong"), ("b", "PER", "missed"), ("c d e", "", "")],
        ),
    ],
)
def test_pieces(given_: list[Any], gold: list[Any], expected: list[tuple[str, str, str]]):
    assert pieces(WORDS, given_, gold) == [Piece(*one) for one in expected]


TAGS = st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]), min_size=5, max_size=5)


@given(TAGS, TAGS)
def test_no_word_is_lost_or_said_twice(given_tags: list[str], gold_tags: list[str]):
    sides = [[span._asdict() for span in spans(tags)] for tags in (given_tags, gold_tags)]
    assert " ".join(piece.text for piece in pieces(WORDS, *sides)).split() == WORDS


def test_blocks_show_the_side_that_was_wrong():
    gold, empty = [entity("PER", 0, 1)], []
    one = {"tokens": WORDS, "gold": gold, "a": gold, "b": empty}
    other = {"tokens": WORDS, "gold": gold, "a": [entity("LOC", 0, 1)], "b": gold}
    found = blocks({"a_right": [one], "b_right": [other]})
    assert found["a_right"][0]["right"][0] == Piece("a", "PER", "right")
    assert found["a_right"][0]["wrong"][0] == Piece("a", "PER", "missed")
    assert found["b_right"][0]["wrong"][0] == Piece("a", "LOC", "wrong")
