"""Stage ``download``: sentences of the chosen source, checked, to ``data/raw``."""

from __future__ import annotations

from pathlib import Path

from stages import settings
from stages.cli import run
from stages.corpus import hub, source

OUTPUT = "data/raw"


def main() -> None:
    """Copy the data directory, or the hub's files, to ``data/raw/{split}/{split}_{lang}.jsonl``.

    Raises:
        SystemExit: status 1 where the source is missing or holds bad rows; nothing is written then.
    """
    chosen = settings.load()
    if chosen.chosen.source == "hub":
        directory = hub.fetch(chosen.hub.dataset, chosen.hub.revision)
    else:
        directory = Path(chosen.data.directory)
    counts = source.collect(directory, OUTPUT)
    print(f"{sum(counts.values()):,} sentences in {len({lang for _, lang in counts})} languages -> {OUTPUT}")


if __name__ == "__main__":
    run(main)
