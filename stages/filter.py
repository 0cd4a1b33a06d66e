"""Stage ``filter``: the English rows of ``data/raw``, to ``data/english``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stages.cli import run
from stages.corpus.files import whole_folder
from stages.corpus.labels import SPLITS
from stages.corpus.rows import DataError, Faults, Row, read_rows, write_rows

INPUT = "data/raw"
OUTPUT = "data/english"


def english(folder: Path, faults: Faults) -> Iterator[Row]:
    """The English rows of all ``.jsonl`` files of ``folder``, in the order of file names and lines.

    Every row of every language is read, and its own ``lang`` decides, never the file's name.
    English rows are checked in full, once more after ``download``; of the others only ``lang`` is.
    """
    for path in sorted(folder.glob("*.jsonl")):
        yield from read_rows(path, only="en", faults=faults)


def keep_english(raw: str | Path, target: str | Path) -> dict[str, int]:
    """Write ``{target}/{split}.jsonl`` for each split, all or none; returns the sentences by split.

    Raises:
        DataError: a bad row (all are looked for before it is raised), or a split without English.
    """
    faults = Faults()
    counts: dict[str, int] = {}
    with whole_folder(target) as folder:
        for split in SPLITS:
            with (folder / f"{split}.jsonl").open("wb") as file:
                counts[split] = write_rows(file, english(Path(raw) / split, faults))
        faults.check()
        for split, count in counts.items():
            if not count:
                raise DataError(f"{Path(raw) / split}: no row has lang 'en'; run the stage download again")
    return counts


def main() -> None:
    """Filter ``data/raw`` to ``data/english``.

    Raises:
        SystemExit: status 1 where a row is bad; nothing is written then.
    """
    counts = keep_english(INPUT, OUTPUT)
    print(f"{', '.join(f'{split} {count:,}' for split, count in counts.items())} English sentences -> {OUTPUT}")


if __name__ == "__main__":
    run(main)
