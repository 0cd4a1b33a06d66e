"""Rows and sentences for this room's tests; no sentence of any data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stages.corpus.labels import TAG_IDS
from stages.corpus.rows import Row, write_rows

SENTENCES = [
    ("Marie Curie was born in Warsaw .", ["B-PER", "I-PER", "O", "O", "O", "B-LOC", "O"]),
    ("The brown bear lives in Slovakia and Romania .", ["O", "B-ANIM", "I-ANIM", "O", "O", "B-LOC", "O", "B-LOC", "O"]),
    ("Malaria killed thousands in Panama .", ["B-DIS", "O", "O", "O", "B-LOC", "O"]),
    ("No one knew why .", ["O", "O", "O", "O", "O"]),
]


def sentences(times: int = 1) -> list[dict[str, Any]]:
    made = [{"tokens": text.split(), "ner_tags": [TAG_IDS[tag] for tag in tags]} for text, tags in SENTENCES]
    return made * times


def directory(folder: Path, times: int = 1) -> Path:
    """The sentences in MultiNERD's layout."""
    for split in ("train", "val", "test"):
        (folder / split).mkdir(parents=True)
        with (folder / split / f"{split}_en.jsonl").open("wb") as file:
            write_rows(file, (Row(one["tokens"], one["ner_tags"], "en") for one in sentences(times)))
    return folder


def row(name: str, **changes: Any) -> dict[str, Any]:
    """A row as the benchmark writes it."""
    return {
        "name": name,
        "what": f"What {name} is",
        "peer": "the peer",
        "unit": "sentences per second",
        "speed": {"ours": 250.0, "peer": 100.0},
        "ratio": 2.5,
        "low": 2.25,
        "high": 3.0,
        "precision": {"ours": "fp32", "peer": "fp32"},
        "memory_mib": {"ours": 1234.5, "peer": 99.0},
        "data": "real",
        "threads": 2,
        "commit": "abc1234",
        "date": "2026-01-02",
        "machine": {"cpu": "a processor", "cores": 2, "torch": "2.0"},
        **changes,
    }
