"""Exported models beside the torch model that they come from: size, speed by turns, and answers."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stages.benchmark.figures import ratio, speeds
from stages.benchmark.race import Side, Track, race
from stages.benchmark.report import origin
from stages.corpus.labels import TAGS, bio, project
from stages.corpus.rows import read_rows
from stages.models import families
from stages.models.onnx import KINDS
from stages.models.tagging import Tagging
from stages.scoring.counts import counts
from stages.scoring.paired import compare_counts
from stages.scoring.scores import rounded

TORCH = "torch fp32"
RACED = 500
"""Sentences of a measured run, at equal distances; answers are compared on all."""
WEIGHTS = (".safetensors", ".onnx")
RESAMPLES, CONFIDENCE, SEED = 10_000, 0.95, 42
"""Of the interval of the F1 loss."""


class Tagger:
    """A side of the race: ``tagger.tag`` of the model in a directory, of whatever kind, over all sentences."""

    def __init__(self, model: Path, sentences: list[list[str]]) -> None:
        self.tagger = families.load(model)
        self.tagger.model.to("cpu")  # where an exported model computes
        self.sentences = sentences

    def run(self) -> float:
        """Tag all sentences; returns the seconds."""
        start = time.perf_counter()
        self.tagger.tag(self.sentences)
        return time.perf_counter() - start

    def facts(self) -> dict[str, Any]:
        """How many sentences a run tags."""
        return {"sentences": len(self.sentences)}


def compare(model: Path, exported: Path, sentences: Path, repeats: int, threads: int) -> dict[str, Any]:
    """Figures of ``model`` and of its exports in ``exported``, on the rows of ``sentences``.

    Keys: ``model``, ``sentences``, ``raced`` (sentences of a measured run), ``entities`` (gold), ``threads``,
    ``repeats``, ``confidence``, where and when, and ``rows``, each with ``name``, ``size_mib`` (weights), ``speed``
    (sentences a second, median), ``ratio`` [median, lowest, highest] of its speed over torch's in neighbouring runs,
    ``f1`` (strict), ``f1_loss`` against torch and its ``interval``, ``same_sentences`` and ``same_words`` (shares with
    torch's tags), and ``probability`` (the largest difference).

    Raises:
        DataError: a row of ``sentences`` is bad.
    """
    rows = list(read_rows(sentences))
    words = [row.tokens for row in rows]
    raced = [words[i * len(words) // RACED] for i in range(RACED)] if len(words) > RACED else words
    places = {TORCH: model, **{f"ONNX {kind}": exported / kind for kind in KINDS}}
    sides = {
        name: Side(f"{__name__}:{Tagger.__name__}", {"model": place.resolve(), "sentences": raced})
        for name, place in places.items()
    }
    tracks = race(sides, repeats, threads)
    taggers = {name: families.load(place) for name, place in places.items()}
    types = taggers[TORCH].types
    gold = [project([TAGS[i] for i in row.ner_tags], types) for row in rows]
    answers = {name: tagger.tag(words) for name, tagger in taggers.items()}
    found = [
        {
            "name": name,
            "size_mib": _weights(place) / 2**20,
            **_speed(tracks, name),
            **_answers(gold, types, answers[TORCH], answers[name]),
        }
        for name, place in places.items()
    ]
    report = {
        "model": model.resolve().name,
        "sentences": len(rows),
        "raced": len(raced),
        "entities": sum(tag.startswith("B-") for tags in gold for tag in tags),
        **{"threads": threads, "repeats": repeats, "confidence": CONFIDENCE},
        **origin(),
        "rows": found,
    }
    return rounded(report)  # type: ignore[no-any-return]


def _weights(directory: Path) -> int:
    return sum(file.stat().st_size for file in directory.iterdir() if file.suffix in WEIGHTS)


def _speed(tracks: Mapping[str, Track], name: str) -> dict[str, Any]:
    mine = speeds(tracks[name])
    return {"speed": statistics.median(mine), "ratio": list(ratio(mine, speeds(tracks[TORCH])))}


def _answers(
    gold: list[list[str]], types: tuple[str, ...], torch: list[Tagging], mine: list[Tagging]
) -> dict[str, Any]:
    """F1 of ``mine``, what it lost against ``torch``, and how far the two agree."""
    tags = [
        [bio(tagging.entities, len(words)) for tagging, words in zip(side, gold, strict=True)] for side in (torch, mine)
    ]
    tables = [counts(gold, side, types).sum(axis=1)[None] for side in tags]
    found = compare_counts(tables[1], tables[0], RESAMPLES, CONFIDENCE, SEED)
    same = [theirs == own for theirs, own in zip(*tags, strict=True)]
    same_words = [a == b for theirs, own in zip(*tags, strict=True) for a, b in zip(theirs, own, strict=True)]
    theirs, own = (np.concatenate([tagging.probabilities for tagging in side]) for side in (torch, mine))  # type: ignore[misc]
    return {
        "f1": found.a_f1,
        "f1_loss": found.difference,
        "interval": [found.low, found.high],
        "same_sentences": float(np.mean(same)),
        "same_words": float(np.mean(same_words)),
        "probability": float(np.abs(theirs - own).max(initial=0)),
    }
