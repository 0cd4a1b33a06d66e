"""Tags that can follow each other: the rule, the search, and what a token classifier makes of it."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from stages.corpus.labels import TYPES, bio_tags
from stages.models import families
from stages.models.token_classifier import TokenClassifier
from stages.models.token_classifier.decoding import followers, legal
from tests.models.test_token_classifier import hyperparameters

LABELS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


def table(words: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(len(LABELS), 0.6), size=words).astype(np.float32)


def orphans(tags: list[str]) -> int:
    return sum(tag[:2] == "I-" and before[2:] != tag[2:] for before, tag in itertools.pairwise(["O", *tags]))


def by_trial(probabilities: np.ndarray) -> tuple[int, ...]:
    """Of every sequence that could be, the likeliest legal one."""
    ways = itertools.product(range(len(LABELS)), repeat=len(probabilities))
    legal_ways = [way for way in ways if not orphans([LABELS[k] for k in way])]
    return max(legal_ways, key=lambda way: np.log(probabilities[np.arange(len(way)), way].astype(np.float64)).sum())


@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [
        ("O", "I-PER", False),
        ("B-PER", "I-PER", True),
        ("I-PER", "I-PER", True),
        ("B-LOC", "I-PER", False),
        ("I-LOC", "I-PER", False),
        ("I-PER", "B-PER", True),
        ("I-PER", "O", True),
        ("O", "B-LOC", True),
    ],
)
def test_what_may_follow(before: str, after: str, allowed: bool) -> None:
    assert followers(LABELS)[LABELS.index(before), LABELS.index(after)] == allowed


@pytest.mark.parametrize("words", [1, 2, 4])
@pytest.mark.parametrize("seed", range(20))
def test_it_is_the_likeliest_of_all_legal_sequences(words: int, seed: int) -> None:
    probabilities = table(words, seed)
    assert tuple(legal(probabilities, np.array([words]), LABELS)) == by_trial(probabilities)


def test_legal_sentences_keep_their_likeliest_tags_and_the_others_change() -> None:
    lengths = [3, 0, 5, 1, 0, 4, 2] * 9 + [0]
    probabilities, ends = table(sum(lengths), 5), np.cumsum(lengths)
    found, likeliest = legal(probabilities, ends, LABELS), probabilities.argmax(-1)
    changed = 0
    for begin, end in itertools.pairwise([0, *ends]):
        own, chosen = ([LABELS[k] for k in way[begin:end]] for way in (likeliest, found))
        assert orphans(chosen) == 0
        assert (chosen == own) == (orphans(own) == 0)
        changed += chosen != own
    assert 0 < changed < len(lengths)


def test_an_impossible_word_is_no_obstacle() -> None:
    sure = np.eye(len(LABELS), dtype=np.float32)[[2, 2, 0]]  # I-PER I-PER O, each with certainty
    assert [LABELS[k] for k in legal(sure, np.array([3]), LABELS)] == ["B-PER", "I-PER", "O"]
    assert len(legal(np.zeros((0, len(LABELS)), dtype=np.float32), np.array([0, 0]), LABELS)) == 0


def test_a_tagger_gives_entities_in_place_of_orphans(tiny_bert: Path, tmp_path: Path) -> None:
    made = TokenClassifier.create(hyperparameters(tiny_bert, decoding="legal"), TYPES)
    made.model.classifier.weight.data *= 40
    labels = bio_tags(TYPES)
    made.model.classifier.bias.data[labels.index("I-ANIM")] += 20.0  # nearly every word continues an animal
    made.save(tmp_path)
    loaded = families.load(tmp_path)
    sentences = [["the", "brown", "bear"], [], ["Marie"]]
    taggings = loaded.tag(sentences)
    assert [tagging.entities for tagging in taggings] == [tagging.entities for tagging in made.tag(sentences)]
    assert [tuple(taggings[0].entities[0])] == [("ANIM", 0, 3)]
    for tagging in taggings:
        for span, score in zip(tagging.entities, tagging.scores, strict=True):
            tags = [f"B-{span.type}", *[f"I-{span.type}"] * (span.end - span.start - 1)]
            expected = [tagging.probabilities[span.start + i, labels.index(tag)] for i, tag in enumerate(tags)]
            assert score == pytest.approx(min(expected))
    made.decoding = "free"
    assert made.tag(sentences)[0].entities == []
