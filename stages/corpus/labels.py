"""MultiNERD's labels: types, tag ids, the two systems, and BIO tags as entities.

Ids are those of ``Babelscape/multinerd`` (O 0, then B and I of each type in the order below).
``tner/multinerd`` numbers the same names differently; files of the two must never be mixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

TYPES = (
    "PER", "ORG", "LOC", "ANIM", "BIO", "CEL", "DIS", "EVE",
    "FOOD", "INST", "MEDIA", "MYTH", "PLANT", "TIME", "VEHI",
)  # fmt: skip


def bio_tags(types: Sequence[str]) -> tuple[str, ...]:
    """The BIO tag names of ``types``, O first: 31 for the fifteen of System A, 11 for the five of B."""
    return ("O", *(f"{prefix}-{kind}" for kind in types for prefix in "BI"))


TAGS = bio_tags(TYPES)
TAG_IDS = {tag: i for i, tag in enumerate(TAGS)}
LANGUAGES = ("de", "en", "es", "fr", "it", "nl", "pl", "pt", "ru", "zh")
SPLITS = ("train", "val", "test")

FIVE = ("PER", "ORG", "LOC", "DIS", "ANIM")
SYSTEMS: dict[str, tuple[str, ...]] = {"A": TYPES, "B": FIVE}


class Span(NamedTuple):
    """One entity: its type and its words, ``start`` inclusive, ``end`` exclusive."""

    type: str
    start: int
    end: int


def projection(types: Sequence[str]) -> tuple[int, ...]:
    """A table of ``len(TAGS)`` ids: each tag id of ``types`` stays itself, every other becomes O."""
    return tuple(i if i and TAGS[i][2:] in types else 0 for i in range(len(TAGS)))


def project(tags: Sequence[str], types: Sequence[str]) -> list[str]:
    """The same tags with every type outside ``types`` turned into O, length kept."""
    keep = set(types)
    return [tag if tag[2:] in keep else "O" for tag in tags]


def spans(tags: Sequence[str]) -> list[Span]:
    """The entities of a BIO sequence by the strict IOB2 rule, in order.

    An entity begins at ``B-X`` and goes on through every directly following ``I-X`` of the same type.
    An ``I-X`` that continues nothing belongs to no entity. This is seqeval's
    ``mode="strict", scheme=IOB2``.
    """
    found: list[Span] = []
    start, kind = -1, ""
    for i, tag in enumerate(tags):
        if start >= 0 and tag != f"I-{kind}":
            found.append(Span(kind, start, i))
            start = -1
        if tag.startswith("B-"):
            start, kind = i, tag[2:]
    if start >= 0:
        found.append(Span(kind, start, len(tags)))
    return found


def orphans(tags: Sequence[str]) -> int:
    """How many ``I-X`` follow neither ``B-X`` nor ``I-X`` of the same type; the strict rule drops such entities."""
    return sum(tag.startswith("I-") and before[2:] != tag[2:] for before, tag in pairwise(["O", *tags]))


def bio(entities: Sequence[Span], length: int) -> list[str]:
    """The BIO tags of non-overlapping ``entities`` over ``length`` words.

    Raises:
        ValueError: two entities overlap, or one lies outside the words.
    """
    tags = ["O"] * length
    for kind, start, end in entities:
        if not 0 <= start < end <= length or any(tag != "O" for tag in tags[start:end]):
            raise ValueError(f"entity {kind} {start}:{end} overlaps another or leaves the {length} words")
        tags[start:end] = [f"B-{kind}", *[f"I-{kind}"] * (end - start - 1)]
    return tags
