"""Stage ``summary``: all runs side by side, in tables and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from stages import settings
from stages.cli import run
from stages.corpus.files import read_json, whole_file
from stages.reporting import overview
from stages.reporting.names import FAMILIES
from stages.reporting.tables import by_run, entity_counts, runs_markdown, runs_table, write_csv
from stages.scoring.comparison import compare

REPORTS = Path("reports")


def comparisons(runs: Path, choice: settings.Settings) -> dict[str, dict[str, Any]]:
    """A against B for each family whose two runs lie in ``runs``."""
    found = {}
    for family in FAMILIES:
        a, b = (runs / f"{family}-{system}" / "predictions.jsonl" for system in "AB")
        if a.exists() and b.exists():
            found[family] = compare(
                [a], [b], choice.compare.resamples, choice.compare.confidence, choice.seed, examples=0
            )
    return found


def main() -> None:
    """Write reports/runs.csv, reports/runs.md and the pictures over all runs."""
    choice = settings.load()
    runs = REPORTS / "runs"
    test, val = by_run(runs, "metrics.json", read_json), by_run(runs, "metrics_val.json", read_json)
    table = runs_table(test, val)
    compared = comparisons(runs, choice)
    write_csv(REPORTS / "runs.csv", table)
    with whole_file(REPORTS / "runs.md") as file:
        file.write(runs_markdown(table, compared, read_json(REPORTS / "data/rows.json")["skipped"]))
    overview.loss_curves(REPORTS / "loss_curves.png", by_run(runs, "curves.csv", pd.read_csv))
    overview.entities(REPORTS / "entities.png", entity_counts(REPORTS / "data"))
    overview.f1_per_type(REPORTS / "f1_per_type.png", by_run(runs, "per_type.json", read_json))
    overview.a_against_b(REPORTS / "a_against_b.png", compared)


if __name__ == "__main__":
    run(main)
