"""Small predictions, runs and reports for the tests of this room; no sentence of any data set."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from stages.corpus.labels import FIVE, TYPES, Span, bio, project, spans
from stages.reporting.details import details
from stages.scoring.comparison import compare
from stages.scoring.predictions import read

NASTY = ["<script>window.hurt=1</script>", "&amp;", '"><img', "{{verdict}}", "naïve", "東京"]
"""Words that do harm, or come out wrong, in a page that does not escape them."""


def gold_rows(sentences: int = 60) -> list[dict[str, Any]]:
    """Sentences of twelve made-up words with two entities each; the second is of any type, the first of the five."""
    found = []
    for i in range(sentences):
        tokens = [f"w{i}.{k}" for k in range(10)] + [NASTY[i % len(NASTY)], "."]
        if i % 2:
            tokens[1] = NASTY[i // 2 % len(NASTY)]
        entities = [Span(FIVE[i % 5], 1, 3), Span(TYPES[i % 15], 9, 11)]
        found.append({"tokens": tokens, "gold": bio(entities, 12)})
    return found


def noisy(gold: list[str], types: tuple[str, ...], rng: random.Random, rate: float) -> list[str]:
    """The gold entities of ``types``, some (chance ``rate``) missed, of another type, or a word off."""
    found = []
    for span in spans(project(gold, types)):
        if rng.random() >= rate:
            found.append(span)
            continue
        change = rng.choice(("missed", "type", "boundary"))
        if change == "type":
            found.append(Span(rng.choice([kind for kind in types if kind != span.type]), span.start, span.end))
        elif change == "boundary":
            found.append(Span(span.type, span.start, span.end + 1 if span.end < 11 else span.end - 1))
    return bio(found, len(gold))


def side(
    types: tuple[str, ...], seed: int, rate: float, scored: bool = True, sentences: int = 60
) -> list[dict[str, Any]]:
    """Predictions rows of one system that knows ``types``, with scores that are higher where it is right."""
    rng = random.Random(seed)
    rows = []
    for row in gold_rows(sentences):
        gold = project(row["gold"], types)
        pred = noisy(row["gold"], types, rng, rate)
        one: dict[str, Any] = {"tokens": row["tokens"], "gold": gold, "pred": pred, "loss": 0.1, "decisions": 12}
        if scored:
            right = set(spans(gold))
            one["entities"] = [
                {"type": s.type, "start": s.start, "end": s.end, "score": 0.95 if s in right else 0.55}
                for s in spans(pred)
            ]
        rows.append(one)
    return rows


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write predictions as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def report(
    folder: Path, a: list[list[dict[str, Any]]], b: list[list[dict[str, Any]]], **options: Any
) -> dict[str, Any]:
    """What comparison.json holds for the rows of the files of two sides, unrounded."""
    paths = {
        name: [write_rows(folder / f"{name}{i}.jsonl", rows) for i, rows in enumerate(files)]
        for name, files in (("a", a), ("b", b))
    }
    result = compare(paths["a"], paths["b"], **{"resamples": 200, "seed": 1, **options})
    more = details(read(paths["a"][0]), read(paths["b"][0]))
    return {"names": {"a": "System A", "b": "System B"}, **result, **more}


def two_systems(folder: Path, **options: Any) -> dict[str, Any]:
    """A report on an A of fifteen types against a B of five, one run each, with scores."""
    return report(folder, [side(TYPES, 1, 0.3)], [side(FIVE, 2, 0.3)], **options)
