"""Faults planted in good rows, as they are found in public copies of MultiNERD."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path

from stages.corpus.labels import SPLITS, TAG_IDS, TAGS, TYPES, bio, spans
from stages.corpus.markup import read_markup
from stages.corpus.rows import Row, read_rows, write_rows
from stages.corpus.source import find

Data = dict[str, list[Row]]

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"


def load(directory: Path) -> Data:
    """The English rows of each split."""
    files = {split: find(directory)[split, "en"] for split in SPLITS}
    return {
        split: list(read_markup(path, "en") if path.suffix == ".txt" else read_rows(path, "en"))
        for split, path in files.items()
    }


def save(data: Data, folder: Path) -> Path:
    """Write the rows in MultiNERD's layout."""
    for split, rows in data.items():
        (folder / split).mkdir(parents=True)
        with (folder / split / f"{split}_en.jsonl").open("wb") as file:
            write_rows(file, rows)
    return folder


def retagged(rows: list[Row], change: Callable[[list[int]], list[int]]) -> list[Row]:
    """The rows with other tags."""
    return [Row(row.tokens, change(row.ner_tags), row.lang) for row in rows]


def doubled(data: Data, split: str) -> Data:
    """One split twice over, as ``load_dataset`` gave it."""
    return data | {split: data[split] * 2}


def interleaved(data: Data, split: str) -> Data:
    """One split with each row twice in a row."""
    return data | {split: [row for row in data[split] for _ in range(2)]}


def renamed(data: Data, names: Mapping[str, str], splits: tuple[str, ...] = SPLITS) -> Data:
    """Types under each other's names."""
    ids = [0, *(TAG_IDS[f"{tag[:2]}{names.get(tag[2:], tag[2:])}"] for tag in TAGS[1:])]
    return data | {split: retagged(data[split], lambda tags: [ids[i] for i in tags]) for split in splits}


def swapped(data: Data, one: str, other: str, splits: tuple[str, ...] = SPLITS) -> Data:
    """Two types under each other's names."""
    return renamed(data, {one: other, other: one}, splits)


def tner(data: Data, splits: tuple[str, ...] = SPLITS) -> Data:
    """The ids of tner/multinerd: LOC before ORG, PLANT before MYTH."""
    return renamed(data, {"LOC": "ORG", "ORG": "LOC", "PLANT": "MYTH", "MYTH": "PLANT"}, splits)


def flipped(data: Data, splits: tuple[str, ...] = SPLITS, share: float = 0.01) -> Data:
    """A share of all tags, each another one at random."""
    rng = random.Random(0)

    def change(tags: list[int]) -> list[int]:
        return [rng.choice([i for i in range(len(TAGS)) if i != tag]) if rng.random() < share else tag for tag in tags]

    return data | {split: retagged(data[split], change) for split in splits}


def retyped(data: Data, splits: tuple[str, ...] = SPLITS, share: float = 0.01) -> Data:
    """A share of all entities, each of another type at random, so that every sequence stays legal."""
    rng = random.Random(0)

    def change(tags: list[int]) -> list[int]:
        found = [
            entity._replace(type=rng.choice([kind for kind in TYPES if kind != entity.type]))
            if rng.random() < share
            else entity
            for entity in spans([TAGS[i] for i in tags])
        ]
        return [TAG_IDS[tag] for tag in bio(found, len(tags))]

    return data | {split: retagged(data[split], change) for split in splits}


def copied(data: Data, source: str, target: str, count: int, block: bool) -> Data:
    """Sentences of one split added to another: a block of neighbours, or scattered ones in another order."""
    rng = random.Random(0)
    taken = data[source][10 : 10 + count] if block else rng.sample(data[source], count)
    return data | {target: data[target] + taken}
