"""Stage ``download``: sentences of the chosen source, checked, to ``data/raw``."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from stages import settings
from stages.cli import run
from stages.corpus import hub, source
from stages.corpus.files import write_json
from stages.corpus.rows import Faults
from stages.settings import OnBadRow

OUTPUT = "data/raw"
REPORT = "reports/data/rows.json"

_log = logging.getLogger(__name__)


def main(
    on_bad_row: Annotated[
        OnBadRow | None, typer.Option(help="stop at bad rows, or skip and count them; else as params.yaml says")
    ] = None,
) -> None:
    """Copy the data directory, or the hub's files, to ``data/raw/{split}/{split}_{lang}.jsonl``.

    ``reports/data/rows.json`` says how many rows there are, how many were skipped, and names the first 20 of those.

    Raises:
        SystemExit: status 1 where the source is missing or holds bad rows; nothing is written then.
    """
    chosen = settings.load()
    if chosen.chosen.source == "hub":
        directory = hub.fetch(chosen.hub.dataset, chosen.hub.revision)
    else:
        directory = Path(chosen.data.directory)
    skipped = Faults() if (on_bad_row or chosen.data.on_bad_row) == "skip" else None
    counts = source.collect(directory, OUTPUT, skipped)
    rows, faults = sum(counts.values()), skipped or Faults()
    named = [place.removeprefix(f"{directory}/") for place in faults.named]
    write_json(REPORT, {"rows": rows, "skipped": faults.count, "named": named})
    for place in named:
        _log.warning("skipped %s", place)
    rest = f", {faults.count:,} bad rows skipped" if faults.count else ""
    print(f"{rows:,} sentences in {len({lang for _, lang in counts})} languages{rest} -> {OUTPUT}")


if __name__ == "__main__":
    run(main)
