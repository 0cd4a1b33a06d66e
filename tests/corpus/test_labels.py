"""Ids, systems and the strict IOB2 reading of tags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2, Entities

from stages.corpus.labels import (
    FIVE,
    SYSTEMS,
    TAG_IDS,
    TAGS,
    TYPES,
    Span,
    bio,
    bio_tags,
    project,
    projection,
    spans,
)

# Written out from the dataset card of Babelscape/multinerd, not from the code.
MULTINERD = {
    "O": 0, "B-PER": 1, "I-PER": 2, "B-ORG": 3, "I-ORG": 4, "B-LOC": 5, "I-LOC": 6, "B-ANIM": 7, "I-ANIM": 8,
    "B-BIO": 9, "I-BIO": 10, "B-CEL": 11, "I-CEL": 12, "B-DIS": 13, "I-DIS": 14, "B-EVE": 15, "I-EVE": 16,
    "B-FOOD": 17, "I-FOOD": 18, "B-INST": 19, "I-INST": 20, "B-MEDIA": 21, "I-MEDIA": 22, "B-MYTH": 23,
    "I-MYTH": 24, "B-PLANT": 25, "I-PLANT": 26, "B-TIME": 27, "I-TIME": 28, "B-VEHI": 29, "I-VEHI": 30,
}  # fmt: skip

tag_lists = st.lists(st.sampled_from(TAGS), max_size=12)


def test_ids_are_those_of_multinerd() -> None:
    assert TAG_IDS == MULTINERD
    assert {tag: i for i, tag in enumerate(TAGS)} == MULTINERD


@pytest.mark.parametrize(("tag", "id_in_tner"), [("B-LOC", 3), ("I-LOC", 4), ("B-ORG", 5), ("I-ORG", 6)])
def test_ids_are_not_those_of_tner(tag: str, id_in_tner: int) -> None:
    assert TAG_IDS[tag] != id_in_tner


def test_five_types_of_system_b() -> None:
    assert set(SYSTEMS["B"]) == {"PER", "ORG", "LOC", "DIS", "ANIM"} == set(FIVE)
    assert SYSTEMS["A"] == TYPES
    assert len(TYPES) == 15


def test_tags_of_the_systems() -> None:
    assert bio_tags(SYSTEMS["A"]) == TAGS
    assert len(bio_tags(SYSTEMS["B"])) == 11
    assert bio_tags(SYSTEMS["B"])[0] == "O"
    assert {tag[2:] for tag in bio_tags(SYSTEMS["B"])[1:]} == set(FIVE)


def test_projection_keeps_the_ids_of_its_types_and_nothing_else() -> None:
    assert projection(TYPES) == tuple(range(31))
    kept = {i for i, new in enumerate(projection(FIVE)) if new}
    assert kept == {1, 2, 3, 4, 5, 6, 7, 8, 13, 14}
    assert all(new in (0, i) for i, new in enumerate(projection(FIVE)))
    assert projection(()) == (0,) * 31


@given(tag_lists)
def test_projecting_names_and_projecting_ids_agree(tags: list[str]) -> None:
    table = projection(FIVE)
    assert project(tags, FIVE) == [TAGS[table[TAG_IDS[tag]]] for tag in tags]


def test_projection_does_not_take_o_for_a_type() -> None:
    assert project(["O", "B-TIME"], ["", "O"]) == ["O", "O"]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ([], []),
        (["O"], []),
        (["B-PER"], [("PER", 0, 1)]),
        (["B-PER", "I-PER", "O"], [("PER", 0, 2)]),
        (["B-PER", "B-PER"], [("PER", 0, 1), ("PER", 1, 2)]),
        (["B-PER", "I-LOC"], [("PER", 0, 1)]),
        (["B-PER", "I-LOC", "I-PER"], [("PER", 0, 1)]),
        (["I-PER"], []),
        (["O", "I-PER", "I-PER", "B-PER"], [("PER", 3, 4)]),
        (["O", "B-LOC", "I-LOC", "I-LOC"], [("LOC", 1, 4)]),
    ],
)
def test_spans_by_the_strict_rule(tags: list[str], expected: list[tuple[str, int, int]]) -> None:
    assert spans(tags) == [Span(*span) for span in expected]


@given(tag_lists)
def test_spans_are_those_of_seqeval_in_strict_mode(tags: list[str]) -> None:
    (theirs,) = Entities([tags], IOB2).entities
    assert spans(tags) == [Span(entity.tag, entity.start, entity.end) for entity in theirs]


@given(tag_lists)
def test_no_strict_entity_is_unknown_to_the_lenient_rule(tags: list[str]) -> None:
    assert len(spans(tags)) <= len(get_entities(tags))


@given(tag_lists)
def test_bio_writes_what_spans_read(tags: list[str]) -> None:
    found = spans(tags)
    assert spans(bio(found, len(tags))) == found


@pytest.mark.parametrize(
    ("entities", "length"),
    [
        ([Span("PER", 0, 2), Span("LOC", 1, 3)], 3),
        ([Span("PER", 0, 4)], 3),
        ([Span("PER", -1, 1)], 3),
        ([Span("PER", 2, 2)], 3),
    ],
)
def test_bio_refuses_entities_that_overlap_or_leave_the_words(entities: list[Span], length: int) -> None:
    with pytest.raises(ValueError, match="overlaps another or leaves"):
        bio(entities, length)
