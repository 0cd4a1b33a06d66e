"""Files of MultiNERD's true size, and two ways from them to what both systems are trained on.

Both ways read every row of every language, take what its ``lang`` calls English, and write
``english/{split}.jsonl``, ``A/{split}.jsonl`` (all types) and ``B/{split}.jsonl`` (other types as O).
"""

from __future__ import annotations

import functools
import hashlib
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from stages.benchmark.sentences import SAMPLE, read_file
from stages.corpus.labels import LANGUAGES, SPLITS, SYSTEMS, TAGS, projection, spans
from stages.corpus.rows import Row, write_rows
from stages.corpus.source import find
from stages.errors import UserError

SHARES = {"train": 8, "val": 1, "test": 1}
"""Of ten rows, those of each split."""
STRAYS = 1000
"""One row in so many lies in the file of another language, so that a side that goes by names is found out."""


def make(folder: Path, rows: int, sample: Path = SAMPLE, seed: int = 0) -> int:
    """Write about ``rows`` rows of ten languages in MultiNERD's layout, streamed; returns how many.

    Each is a sentence of the sample with its words, entities whole, in another order. Words with a ``/`` are
    left out: pandas, which ``datasets`` writes JSON with, writes them as ``\\/``.
    """
    rng = random.Random(seed)
    files = find(sample)
    pools = {lang: [_chunks(row) for row in read_file(files["train", lang], lang)] for lang in LANGUAGES}
    count = 0
    for split, share in SHARES.items():
        (folder / split).mkdir(parents=True)
        for lang in LANGUAGES:
            with (folder / split / f"{split}_{lang}.jsonl").open("wb") as file:
                made = _shuffled(pools, lang, max(1, rows * share // (10 * len(LANGUAGES))), rng)
                count += write_rows(file, made)
    return count


Chunk = tuple[list[str], list[int]]


def _chunks(row: Row) -> list[Chunk]:
    """The sentence as entities and single words outside them, each with its tags."""
    entities = {span.start: span.end for span in spans([TAGS[tag] for tag in row.ner_tags])}
    found, at = [], 0
    while at < len(row.tokens):
        end = entities.get(at, at + 1)
        if not any("/" in token for token in row.tokens[at:end]):
            found.append((row.tokens[at:end], row.ner_tags[at:end]))
        at = end
    return found


def _shuffled(pools: dict[str, list[list[Chunk]]], lang: str, rows: int, rng: random.Random) -> Iterator[Row]:
    for i in range(rows):
        chosen = rng.choice(LANGUAGES) if i % STRAYS == STRAYS - 1 else lang
        chunks = rng.choice(pools[chosen]).copy()
        rng.shuffle(chunks)
        tokens = [token for words, _ in chunks for token in words]
        yield Row(tokens, [tag for _, tags in chunks for tag in tags], chosen)  # type: ignore[arg-type]


class Pass:
    """One of ``WAYS`` over the files of ``source``, into a folder that is new each time and gone afterwards.

    A pass over the few rows of ``small`` warms it up. ``rows`` is how many rows ``source`` holds.
    """

    def __init__(self, way: str, source: Path, small: Path, work: Path, rows: int) -> None:
        self.way, self.source, self.work, self.rows = WAYS[way], source, work, rows
        self.digests: dict[str, str] = {}
        self._pass(small)

    def run(self) -> float:
        """Read all rows and write what both systems are trained on; returns the seconds."""
        return self._pass(self.source)

    def facts(self) -> dict[str, Any]:
        """How many rows a run reads, and the SHA-256 of each file that the last run wrote."""
        return {"sentences": self.rows, "digests": self.digests}

    def _pass(self, source: Path) -> float:
        with tempfile.TemporaryDirectory(dir=self.work) as name:
            start = time.perf_counter()
            self.way(source, Path(name))
            seconds = time.perf_counter() - start
            self.digests = digests(Path(name))
        return seconds


def by_stages(source: Path, folder: Path) -> None:
    """The project's stages ``filter`` and ``derive``, with the counts for ``reports/data`` that they make too."""
    from stages.derive import derive  # a room does not lean on stages, but here they are what is measured
    from stages.filter import keep_english

    keep_english(source, folder / "english")
    derive(folder / "english", "A", folder / "A", folder / "A.csv")
    derive(folder / "english", "B", folder / "B", folder / "B.csv")


def by_datasets(source: Path, folder: Path, batched: bool = False) -> None:
    """The obvious way with ``datasets``: load, filter, map, to_json; a row at a time unless ``batched``."""
    from datasets import load_dataset

    files = {split: [str(path) for path in sorted((source / split).glob("*.jsonl"))] for split in SPLITS}
    loaded = load_dataset("json", data_files=files, cache_dir=str(folder / "cache"))
    table = projection(SYSTEMS["B"])
    if batched:
        english = loaded.filter(lambda batch: [lang == "en" for lang in batch["lang"]], batched=True)
        five = english.map(
            lambda batch: {"ner_tags": [[table[tag] for tag in tags] for tags in batch["ner_tags"]]}, batched=True
        )
    else:
        english = loaded.filter(lambda row: row["lang"] == "en")
        five = english.map(lambda row: {"ner_tags": [table[tag] for tag in row["ner_tags"]]})
    for part, rows in (("english", english), ("A", english), ("B", five)):
        for split in SPLITS:
            (folder / part).mkdir(exist_ok=True)
            rows[split].to_json(folder / part / f"{split}.jsonl", force_ascii=False)


WAYS: dict[str, Callable[[Path, Path], None]] = {
    "stages": by_stages,
    "datasets": by_datasets,
    "datasets, batched": functools.partial(by_datasets, batched=True),
}


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file that a way writes, by its path below ``folder``."""
    paths = [folder / part / f"{split}.jsonl" for part in ("english", *SYSTEMS) for split in SPLITS]
    return {path.relative_to(folder).as_posix(): _digest(path) for path in paths}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_equal(ours: Mapping[str, str], other: Mapping[str, str], name: str) -> None:
    """Do nothing where both sides wrote the same bytes.

    Raises:
        UserError: names the files that differ.
    """
    unlike = [path for path in ours if ours[path] != other.get(path)]
    if unlike:
        raise UserError(
            f"{', '.join(unlike)}: not the bytes that {name} wrote, so their times say nothing; "
            "find out which side is wrong before measuring again"
        )
