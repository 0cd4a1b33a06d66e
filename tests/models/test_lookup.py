"""The lookup baseline: the floor is where it says it is."""

from __future__ import annotations

from stages.corpus.labels import FIVE, TYPES, Span
from stages.models.lookup import Lookup

TRAIN = [
    (["Paris", "is", "in", "France"], ["B-LOC", "O", "O", "B-LOC"]),
    (["Paris", "loved", "Helen", "of", "Troy"], ["B-MYTH", "O", "B-MYTH", "I-MYTH", "I-MYTH"]),
    (["New", "York", "and", "Paris"], ["B-LOC", "I-LOC", "O", "B-LOC"]),
    (["may", "rain", "in", "May", "or", "may", "not"], ["O", "O", "O", "B-TIME", "O", "O", "O"]),
    (["rose", "roses", "the", "rose", ",", "a", "rose"], ["B-PER", "O", "O", "O", "O", "O", "O"]),
]


def tags(text: str, train: object = TRAIN, types: tuple[str, ...] = TYPES) -> list[Span]:
    return Lookup(train, types).tag([text.split()])[0].entities  # type: ignore[arg-type]


def test_the_most_frequent_type_wins() -> None:
    assert tags("Paris") == [Span("LOC", 0, 1)]


def test_the_longest_span_wins() -> None:
    train = [*TRAIN, (["York"], ["B-LOC"])]
    assert tags("New York , York", train) == [Span("LOC", 0, 2), Span("LOC", 3, 4)]


def test_a_word_that_is_mostly_no_entity_is_none() -> None:
    assert tags("a rose") == []


def test_case_counts() -> None:
    assert tags("May may") == [Span("TIME", 0, 1)]


def test_unknown_words_and_empty_sentences_have_no_entity() -> None:
    assert tags("Atlantis") == []
    assert tags("") == []
    assert Lookup([], FIVE).tag([["Paris"]])[0].entities == []


def test_scores_are_shares_of_the_mentions_in_train() -> None:
    tagging = Lookup(TRAIN, TYPES).tag([["Paris"]])[0]
    assert tagging.scores == [2 / 3]
    assert tagging.loss is None
