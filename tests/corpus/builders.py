"""Rows and files for the tests of the data stages."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path


def row(text: str, tags: Iterable[int] | None = None, lang: str = "en") -> dict[str, object]:
    """A row of the words of ``text``, all O unless ``tags`` are given."""
    tokens = text.split(" ")
    return {"tokens": tokens, "ner_tags": [0] * len(tokens) if tags is None else list(tags), "lang": lang}


def write_jsonl(path: Path, rows: Iterable[object]) -> Path:
    """Write rows as MultiNERD's files have them, with spaces after the separators."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder``, hidden ones too, with its content."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
