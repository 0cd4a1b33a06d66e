"""Tables that people read: the runs side by side, as a frame, as CSV and as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from stages.corpus.files import whole_file
from stages.reporting.names import KINDS, run_title

TEST_COLUMNS = (
    "precision", "recall", "f1", "macro_f1", "five_f1", "lenient_f1", "partial_f1", "exact_f1", "ent_type_f1",
    "accuracy", "loss", "illegal", "entities", "types",
)  # fmt: skip
VAL_COLUMNS = ("f1", "macro_f1", "five_f1", "accuracy", "loss")
SHOWN = {
    "precision": "P",
    "recall": "R",
    "f1": "F1",
    "macro_f1": "macro F1",
    "five_f1": "five-type F1",
    "accuracy": "accuracy",
    "loss": "loss",
    "val_f1": "val F1",
    "val_loss": "val loss",
}


Metrics = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""What metrics.json holds, by kind (``span_marker``) and system (``A``)."""


def runs_table(test: Metrics, val: Metrics) -> pd.DataFrame:
    """All runs side by side, one row a run, from their metrics on test and on val.

    Columns: ``run``, ``kind``, ``system``, the test figures, ``val_`` figures, and ``unscored`` (the reason, where
    a baseline has no score). A figure that a run lacks is empty.
    """
    records = []
    for kind, system, metrics in ((kind, *one) for kind, systems in test.items() for one in systems.items()):
        on_val = val.get(kind, {}).get(system, {})
        record: dict[str, Any] = {"run": f"{kind}-{system}", "kind": kind, "system": system}
        record |= {name: metrics.get(name) for name in TEST_COLUMNS}
        record |= {f"val_{name}": on_val.get(name) for name in VAL_COLUMNS}
        records.append(record | {"unscored": metrics.get("unscored")})
    columns = ["run", "kind", "system", *TEST_COLUMNS, *(f"val_{name}" for name in VAL_COLUMNS), "unscored"]
    frame = pd.DataFrame(records, columns=columns)
    for name in ("illegal", "entities", "types"):
        frame[name] = frame[name].astype("Int64")
    return frame


def runs_markdown(runs: pd.DataFrame, comparisons: Mapping[str, Mapping[str, Any]], skipped: int = 0) -> str:
    """``reports/runs.md``: the runs side by side, and A against B for each family in ``comparisons``.

    ``skipped`` bad rows of the data are told, where there were any.
    """
    scored = runs[runs["unscored"].isna()]
    rows = [[run_title(row.run), *(number(getattr(row, name)) for name in SHOWN)] for row in scored.itertuples()]
    parts = [
        "# All runs",
        "Strict IOB2 on the test split; A is scored on fifteen types, B on five, and *five-type F1* asks both the "
        "same. Val figures stand apart: val is another set of sentences.",
        markdown_table(["run", *SHOWN.values()], rows),
    ]
    if skipped:
        parts.append(f"**{skipped:,} bad rows of the data were skipped**; reports/data/rows.json names them.")
    for row in runs[runs["unscored"].notna()].itertuples():
        parts.append(f"{run_title(row.run)} has no score: {row.unscored}.")
    if comparisons:
        parts.append("## A against B, on the same sentences and the same types")
        parts += [f"**{KINDS[family]}.** {result['verdict']}" for family, result in comparisons.items()]
    return "\n\n".join(parts) + "\n"


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column to the left, figures to the right. A ``|`` in a cell is escaped."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def number(value: float | None, places: int = 4) -> str:
    """A fraction or a loss to ``places`` places; a dash where there is none."""
    return "–" if value is None or pd.isna(value) else f"{value:.{places}f}"


def write_csv(path: str | Path, frame: pd.DataFrame) -> None:
    """Write ``frame`` as CSV without its index, figures to four places, whole or not at all."""
    with whole_file(path) as file:
        frame.to_csv(file, index=False, float_format="%.4f", lineterminator="\n")


def by_run(runs: Path, name: str, read: Callable[[Path], Any]) -> dict[str, dict[str, Any]]:
    """The file ``name`` of every run that has it, by kind and system, in the order of all reports."""
    found: dict[str, dict[str, Any]] = {}
    for kind in KINDS:
        for system in "AB":
            path = runs / f"{kind}-{system}" / name
            if path.exists():
                found.setdefault(kind, {})[system] = read(path)
    return found


def entity_counts(folder: Path) -> pd.DataFrame:
    """Both systems' tables of entities per type and split, with the system as a column."""
    tables = [pd.read_csv(folder / f"{system}.csv").assign(system=system) for system in "AB"]
    return pd.concat(tables, ignore_index=True)
