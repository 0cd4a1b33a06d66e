"""What is in a MultiNERD directory: counts, copies, disagreements, and the known ways in which such data goes wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from stages.corpus.audit_duplicates import exact_groups, near_pairs
from stages.corpus.audit_findings import findings
from stages.corpus.audit_reading import Part, read_part
from stages.corpus.labels import SPLITS, TYPES, orphans
from stages.corpus.source import TRUE_ROWS, find

TRUE_ENTITIES = {"train": 201_769, "val": 26_041, "test": 25_645}
"""English entities of ``Babelscape/multinerd`` at the pinned revision."""

NAMED = 10
"""Places that a list of examples holds."""

TOP = 25
"""Mentions with several types that are listed."""


def audit(directory: str | Path, examples: int = 0) -> dict[str, Any]:
    """Look at the English sentences of ``directory``; all else is only counted. Nothing stops at a bad row.

    The keys: ``directory``; ``splits`` (by split: ``sentences``, ``tokens``, ``entities``, ``types``, the true sizes,
    ``bad_rows``); ``other_languages`` (rows by file); ``duplicates`` (``exact`` and ``near``, each ``within`` and
    ``across`` splits, as numbers of sentences and places); ``several_types``; ``illegal`` (I- tags that continue
    nothing); ``findings`` (see ``audit_findings.findings``). Places are ``file:line``; no sentence is
    quoted unless ``examples`` asks for the first so many of each kind of copy.

    Raises:
        DataError: no such directory, another layout, or a file cannot be opened.
    """
    files = find(directory)
    parts = [read_part(split, files[split, "en"]) for split in SPLITS]
    copies = _copies(parts, examples)
    found = {
        "directory": str(directory),
        "splits": {part.split: _counts(part) for part in parts},
        "other_languages": {f"{split}_{lang}": _rows(path) for (split, lang), path in files.items() if lang != "en"},
        "duplicates": copies,
        "several_types": _several_types(parts),
        "illegal": {part.split: _illegal(part) for part in parts},
    }
    return {**found, "findings": [finding._asdict() for finding in findings(parts, copies)]}


def _counts(part: Part) -> dict[str, Any]:
    kinds = Counter(entity.type for sentence in part.sentences for entity in sentence.entities)
    bad = Counter(row.kind for row in part.bad)
    return {
        "sentences": len(part.sentences),
        "tokens": sum(len(sentence.tokens) for sentence in part.sentences),
        "entities": kinds.total(),
        "types": {kind: kinds[kind] for kind in TYPES},
        "true_sentences": TRUE_ROWS[part.split],
        "true_entities": TRUE_ENTITIES[part.split],
        "bad_rows": dict(bad.most_common()),
        "bad_rows_at": [f"{part.name}:{row.line}" for row in part.bad[:NAMED]],
    }


def _rows(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip())


def _illegal(part: Part) -> dict[str, Any]:
    places, tags = [], 0
    for i, sentence in enumerate(part.sentences):
        here = orphans(sentence.tags)
        if here:
            places.append(part.at(i))
            tags += here
    return {"tags": tags, "sentences": len(places), "at": places[:NAMED]}


def _several_types(parts: Sequence[Part]) -> dict[str, Any]:
    """Mentions (words as they stand) that have more than one type somewhere in the directory."""
    types: dict[str, Counter[str]] = defaultdict(Counter)
    for part in parts:
        for sentence in part.sentences:
            for kind, start, end in sentence.entities:
                types[" ".join(sentence.tokens[start:end])][kind] += 1
    several = {mention: kinds for mention, kinds in types.items() if len(kinds) > 1}
    top = sorted(several.items(), key=lambda item: (-(item[1].total() - max(item[1].values())), item[0]))
    return {
        "mentions": len(several),
        "of_mentions": len(types),
        "entities": sum(kinds.total() for kinds in several.values()),
        "minority_entities": sum(kinds.total() - max(kinds.values()) for kinds in several.values()),
        "top": [{"mention": mention, "types": dict(kinds.most_common())} for mention, kinds in top[:TOP]],
    }


def _copies(parts: Sequence[Part], examples: int) -> dict[str, Any]:
    """Exact and near copies, each counted as sentences of one split that have a twin in the same or another."""
    places = [(part, i) for part in parts for i in range(len(part.sentences))]
    words = [part.sentences[i].tokens for part, i in places]
    split = np.repeat(np.arange(len(parts)), [len(part.sentences) for part in parts])
    groups = exact_groups(words)
    _, first = np.unique(groups, return_index=True)
    members: list[list[int]] = [[] for _ in first]
    for i, group in enumerate(groups):
        members[group].append(i)
    neighbours: dict[int, list[int]] = defaultdict(list)
    for i, j in near_pairs([words[i] for i in first]).tolist():
        neighbours[i].append(j)
        neighbours[j].append(i)
    twins: dict[str, dict[tuple[int, int], list[tuple[int, int]]]] = {"exact": {}, "near": {}}
    for i, group in enumerate(groups):
        exact = _first_by_split((k for k in members[group] if k != i), split)
        near = _first_by_split((k for other in neighbours.get(int(group), ()) for k in members[other]), split)
        for kind, found in (("exact", exact), ("near", {s: k for s, k in near.items() if s not in exact})):
            for other, k in found.items():
                twins[kind].setdefault((int(split[i]), other), []).append((i, k))
    return {
        kind: {
            "within": {a.split: _twins(found.get((m, m), []), places, examples) for m, a in enumerate(parts)},
            "across": {
                f"{a.split} in {b.split}": _twins(found.get((m, n), []), places, examples)
                for m, a in enumerate(parts)
                for n, b in enumerate(parts)
                if m != n
            },
        }
        for kind, found in twins.items()
    }


def _first_by_split(indices: Iterable[int], split: np.ndarray) -> dict[int, int]:
    """The first of ``indices`` in each split."""
    found: dict[int, int] = {}
    for i in indices:
        found.setdefault(int(split[i]), i)
    return found


def _twins(pairs: Sequence[tuple[int, int]], places: Sequence[tuple[Part, int]], examples: int) -> dict[str, Any]:
    """How many sentences, the longest run of neighbouring lines copied in order, and where the first ones stand."""
    run = longest = 1 if pairs else 0
    for (i, k), (i2, k2) in pairwise(pairs):
        run = run + 1 if (i2 - i, k2 - k) == (1, 1) else 1
        longest = max(longest, run)
    at = [{"sentence": places[i][0].at(places[i][1]), "twin": places[k][0].at(places[k][1])} for i, k in pairs[:NAMED]]
    found: dict[str, Any] = {"sentences": len(pairs), "longest_run": longest, "at": at}
    if examples:
        found["examples"] = [" ".join(part.sentences[n].tokens) for part, n in (places[i] for i, _ in pairs[:examples])]
    return found
