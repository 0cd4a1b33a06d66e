"""A small data directory for the tests of the data stages."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.corpus.labels import SPLITS
from tests.corpus.builders import row, write_jsonl


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A whole directory in MultiNERD's layout: two English sentences a split, one German."""
    folder = tmp_path / "source"
    for split in SPLITS:
        english = [row("Ada met a cat .", [1, 0, 0, 7, 0]), row(f"Rain in {split} today .", [0, 0, 5, 27, 0])]
        write_jsonl(folder / split / f"{split}_en.jsonl", english)
        write_jsonl(folder / split / f"{split}_de.jsonl", [row("Köln liegt hier .", [5, 0, 0, 0], "de")])
    return folder
