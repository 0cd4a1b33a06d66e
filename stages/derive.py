"""Stage ``derive``: the English rows as one system sees them, to ``data/systems/{system}``.

Tags of types outside the system become O; every sentence stays, in order, its tokens untouched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import typer

from stages.cli import run
from stages.corpus.files import whole_file, whole_folder
from stages.corpus.labels import SPLITS, SYSTEMS, TAG_IDS, projection
from stages.corpus.rows import Row, read_rows, write_rows

System = Literal["A", "B"]

INPUT = "data/english"
OUTPUT = "data/systems"
REPORT = "reports/data"


class Tally:
    """Counts what is in the rows that pass through it: sentences, words, and those of each tag."""

    def __init__(self) -> None:
        self.sentences = self.words = 0
        self._tags: list[int] = []
        self._tags_of_sentences: list[int] = []

    def count(self, row: Row) -> None:
        """Add one row."""
        self.sentences += 1
        self.words += len(row.tokens)
        tags = [tag for tag in row.ner_tags if tag]
        if tags:
            self._tags += tags
            self._tags_of_sentences += set(tags)

    def table(self, split: str, types: tuple[str, ...]) -> list[dict[str, Any]]:
        """One record for ``all`` and one a type: entities, their words, and the sentences that hold any.

        Under ``all``, words and sentences are all of the split's, with entities or without.
        An entity is a ``B-`` tag, as strict IOB2 has it.
        """
        tags, holding = Counter(self._tags), Counter(self._tags_of_sentences)
        records = []
        for kind in types:
            begin, inside = TAG_IDS[f"B-{kind}"], TAG_IDS[f"I-{kind}"]
            records.append((kind, tags[begin], tags[begin] + tags[inside], holding[begin]))
        everything = ("all", sum(record[1] for record in records), self.words, self.sentences)
        names = ("split", "type", "entities", "words", "sentences")
        return [dict(zip(names, (split, *record), strict=True)) for record in (everything, *records)]


def projected(path: Path, table: tuple[int, ...], tally: Tally) -> Iterator[Row]:
    """The rows of ``path`` with every tag id looked up in ``table``; each row is counted in ``tally``."""
    for row in read_rows(path, "en"):
        row.ner_tags = [table[tag] for tag in row.ner_tags]
        tally.count(row)
        yield row


def derive(english: str | Path, system: System, target: str | Path, report: str | Path) -> pd.DataFrame:
    """Write ``{target}/{split}.jsonl`` for each split and the table ``report`` (CSV), all or none.

    Returns the table: split, type, entities, words, sentences.

    Raises:
        DataError: a bad row, or a missing file.
    """
    types = SYSTEMS[system]
    table = projection(types)
    records = []
    with whole_folder(target) as folder:
        for split in SPLITS:
            tally = Tally()
            with (folder / f"{split}.jsonl").open("wb") as file:
                write_rows(file, projected(Path(english) / f"{split}.jsonl", table, tally))
            records += tally.table(split, types)
        frame = pd.DataFrame(records)
        with whole_file(report) as file:
            frame.to_csv(file, index=False)
    return frame


def main(system: Annotated[System, typer.Option(help="A: all fifteen types. B: PER, ORG, LOC, DIS and ANIM.")]) -> None:
    """Write what one system is trained and scored on, and count its entities.

    Raises:
        SystemExit: status 1 where a row is bad; nothing is written then.
    """
    frame = derive(INPUT, system, f"{OUTPUT}/{system}", f"{REPORT}/{system}.csv")
    totals = frame[frame["type"] == "all"]
    print(totals.drop(columns="type").to_string(index=False))


if __name__ == "__main__":
    run(main)
