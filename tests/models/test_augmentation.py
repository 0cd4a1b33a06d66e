"""Mention replacement: what stays, what changes, and that it is drawn from the sentences alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from datasets import Dataset

from stages.corpus.labels import TAG_IDS, TAGS, TYPES, spans
from stages.models import families
from stages.models.augmentation import with_replacements
from stages.models.training import build, seed_everything
from stages.settings import FAMILIES, Family
from tests.models.test_training import ROWS, hyperparameters

Pair = tuple[str, str]
SENTENCES: list[Pair] = [
    ("Marie Curie was born in Warsaw .", "B-PER I-PER O O O B-LOC O"),
    ("He saw New York City", "O O B-LOC I-LOC I-LOC"),
    ("Ada met Alan", "B-PER O B-PER"),
    ("nothing at all", "O O O"),
    ("malaria", "B-DIS"),
]


def rows(pairs: list[Pair]) -> Dataset:
    return Dataset.from_list(
        [
            {"tokens": text.split(), "ner_tags": [TAG_IDS[tag] for tag in tags.split()], "lang": "en"}
            for text, tags in pairs
        ]
    )


def entities(row: dict[str, list[str] | list[int]]) -> list[Pair]:
    tags = [TAGS[int(tag)] for tag in row["ner_tags"]]
    return [(one.type, " ".join(map(str, row["tokens"][one.start : one.end]))) for one in spans(tags)]


def others(row: dict[str, list[str] | list[int]]) -> list[str]:
    return [str(word) for word, tag in zip(row["tokens"], row["ner_tags"], strict=True) if tag == 0]


def test_the_rows_stay_and_copies_follow_with_entities_of_the_same_types() -> None:
    made = with_replacements(rows(SENTENCES), 1.0, seed=1)
    assert made.column_names == ["tokens", "ner_tags"]
    assert [(row["tokens"], row["ner_tags"]) for row in made.select(range(5))] == [
        (row["tokens"], row["ner_tags"]) for row in rows(SENTENCES)
    ]
    known = {pair for row in rows(SENTENCES) for pair in entities(row)}
    for old, new in zip(made.select(range(5)), made.select(range(5, 10)), strict=True):
        assert len(new["tokens"]) == len(new["ner_tags"])
        assert others(new) == others(old)
        assert [kind for kind, _ in entities(new)] == [kind for kind, _ in entities(old)]
        assert set(entities(new)) <= known
    assert made[8]["tokens"] == ["nothing", "at", "all"]
    assert made[9]["tokens"] == ["malaria"]  # the only one of its type


def test_about_the_asked_share_is_replaced_and_a_seed_repeats_it() -> None:
    many = rows([(f"word{i} here", "B-PER O") for i in range(2000)])
    made = with_replacements(many, 0.3, seed=2)
    changed = sum(old["tokens"] != new["tokens"] for old, new in zip(many, made.select(range(2000, 4000)), strict=True))
    assert changed == pytest.approx(600, abs=80)
    assert made[:] == with_replacements(many, 0.3, seed=2)[:]
    assert made[:] != with_replacements(many, 0.3, seed=3)[:]
    assert with_replacements(many, 0.0, seed=2)[2000:]["tokens"] == many[:]["tokens"]


def test_neighbouring_entities_stay_apart_and_a_tag_that_continues_nothing_becomes_no_entity() -> None:
    made = with_replacements(rows([("a b c d", "B-PER B-PER O I-LOC")]), 1.0, seed=1)
    assert [TAGS[tag] for tag in made[1]["ner_tags"]] == ["B-PER", "B-PER", "O", "O"]


@pytest.mark.parametrize("family", FAMILIES)
def test_an_epoch_is_twice_as_long(family: Family, tiny_bert: Path, tmp_path: Path) -> None:
    steps = []
    for chance in (0.0, 0.5):
        hyper = hyperparameters(family, tiny_bert, mention_replacement=chance, epochs=1)
        seed_everything(1)

        trainer = build(families.create(hyper, TYPES), ROWS, ROWS, hyper, 1, tmp_path, eval_strategy="no")
        trainer.train()
        steps.append(trainer.state.global_step)
    assert steps[1] == 2 * steps[0]
