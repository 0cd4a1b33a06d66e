"""A directory of sentences, checked whole and copied to ``data/raw`` in one canonical form.

The layout is MultiNERD's: ``{split}/{split}_{lang}.jsonl``, or ``.txt`` for the sample's markup, with
the splits train, val and test and ten languages, of which English has to be there.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from stages.corpus.files import whole_folder
from stages.corpus.labels import LANGUAGES, SPLITS
from stages.corpus.markup import read_markup
from stages.corpus.rows import DataError, Faults, Row, read_rows, write_rows

TRUE_ROWS = {"train": 131_280, "val": 16_410, "test": 16_454}
"""English sentences of ``Babelscape/multinerd`` at the pinned revision."""

SHOWN_NAMES = 8
"""File names that a message lists."""

_log = logging.getLogger(__name__)


def collect(directory: str | Path, target: str | Path, skipped: Faults | None = None) -> Counter[tuple[str, str]]:
    """Check every file of ``directory`` and write ``{target}/{split}/{split}_{lang}.jsonl``, all or none.

    Returns the number of sentences by (split, language). Files of other names are left out with a warning.
    With ``skipped``, bad rows are left out and noted there, instead of raised.

    Raises:
        DataError: no such directory or another layout; English is missing or empty in a split; a
            file is there as .txt and .jsonl; bad rows (all are looked for before it is raised); or
            MultiNERD's English rows twice over.
    """
    files = find(directory)
    faults = Faults() if skipped is None else skipped
    counts: Counter[tuple[str, str]] = Counter()
    with whole_folder(target) as folder:
        for (split, lang), path in files.items():
            (folder / split).mkdir(exist_ok=True)
            with (folder / split / f"{split}_{lang}.jsonl").open("wb") as file:
                counts[split, lang] = write_rows(file, _read(path, lang, faults))
        if skipped is None:
            faults.check()
        for split in SPLITS:
            check_rows(files[split, "en"], split, counts[split, "en"])
    return counts


def find(directory: str | Path) -> dict[tuple[str, str], Path]:
    """The files of ``directory`` by (split, language), in the order of ``SPLITS`` and ``LANGUAGES``.

    Raises:
        DataError: as for ``collect``, as far as names can tell.
    """
    directory = Path(directory)
    if not directory.is_dir():
        what = "is a file" if directory.exists() else "does not exist"
        raise DataError(f"data directory {directory} {what}; {_EXPECTED}")
    found: dict[tuple[str, str], Path] = {}
    for split in SPLITS:
        for lang in LANGUAGES:
            forms = [directory / split / f"{split}_{lang}{end}" for end in (".txt", ".jsonl")]
            both = [path for path in forms if path.is_file()]
            if len(both) > 1:
                raise DataError(f"{both[0]} and {both[1]} are both there, and it is unclear which is meant; remove one")
            if both:
                found[split, lang] = both[0]
    missing = [split for split in SPLITS if (split, "en") not in found]
    if missing:
        wanted = ", ".join(f"{split}/{split}_en.jsonl (or .txt)" for split in missing)
        raise DataError(f"data directory {directory}: no {wanted}; {_listing(directory)}; {_EXPECTED}")
    _warn_of_others(directory, set(found.values()))
    return found


def check_rows(path: str | Path, split: str, rows: int) -> None:
    """Refuse an English file without rows, and MultiNERD's rows loaded twice.

    Some versions of ``datasets`` resolve every file of MultiNERD twice, so that 262,560 / 32,820 /
    32,908 rows come out of ``load_dataset``: "one epoch" over them is two.

    Raises:
        DataError: ``rows`` is 0, or twice the true number of the split.
    """
    if rows == 0:
        raise DataError(f"{path}: holds no sentence; every split needs English sentences")
    if rows == 2 * TRUE_ROWS[split]:
        raise DataError(
            f"{path}: {rows:,} rows are twice MultiNERD's {TRUE_ROWS[split]:,}: the known doubled load of "
            "load_dataset; take the files by their names instead, each once"
        )


_EXPECTED = (
    "expected {train,val,test}/{split}_{lang}.jsonl (or .txt in the sample's markup), with English (en) in each split; "
    "set data.directory in params.yaml"
)


def _read(path: Path, lang: str, faults: Faults) -> Iterator[Row]:
    return (read_markup if path.suffix == ".txt" else read_rows)(path, lang, faults=faults)


def _listing(directory: Path) -> str:
    """What lies in ``directory`` and one level below, cut to a few names."""
    names = sorted(str(path.relative_to(directory)) for path in [*directory.glob("*"), *directory.glob("*/*")])
    names = [name for name in names if not (directory / name).is_dir() or not any((directory / name).iterdir())]
    if not names:
        return "it is empty"
    rest = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return f"found {', '.join(names[:SHOWN_NAMES])}{rest}"


def _warn_of_others(directory: Path, taken: set[Path]) -> None:
    others = sorted(path for split in SPLITS for path in (directory / split).iterdir() if path not in taken)
    if others:
        names = ", ".join(str(path.relative_to(directory)) for path in others[:SHOWN_NAMES])
        _log.warning("%s: left out, as no {split}_{lang} file: %s (%d in all)", directory, names, len(others))
