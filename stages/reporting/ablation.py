"""The ablation's rows as a table, from ``reports/ablation.json`` alone."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stages.reporting.benchmark import DASH
from stages.reporting.markdown import interval
from stages.reporting.names import KINDS
from stages.reporting.tables import markdown_table
from stages.scoring.verdict import points

FIGURES = {"f1": "F1", "macro_f1_frequent": "frequent types", "five_f1": "five types"}
HEADER = (
    "row", "recipe", "seeds", *(f"val {name}" for name in FIGURES.values()), "against ours", "CPU min",
    *(f"test {name}" for name in FIGURES.values()),
)  # fmt: skip


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as Markdown: means over seeds with their lowest and highest; ``frequent types`` is a macro F1."""
    return markdown_table(HEADER, [_cells(row) for row in rows])


CAPTION = (
    "Each row is trained on the same sentences; val chose. *Frequent types*: macro F1 over the types with 30 gold "
    "entities or more in that split; *five types*: F1 of System B's types. *Against ours*: points of val F1 from "
    "`token` or `span-marker` of the same system and seeds, with a 95 % interval over sentences and, where there are "
    "several, seeds. *CPU min*: one core's minutes of a training. Commits are in `reports/ablation.json`."
)


def looks(rows: Sequence[Mapping[str, Any]]) -> str:
    """How often the test split was looked at."""
    seen = [row["test"]["looks"] for row in rows if row["test"]]
    return f"Looks of this table at the test split: {sum(seen)}, at {len(seen)} of {len(rows)} rows."


def missing(rows: Sequence[Mapping[str, Any]], names: Iterable[str]) -> str:
    """Which recipes of ``names`` have no row."""
    there = {row["recipe"] for row in rows}
    lacking = [f"`{name}`" for name in names if name not in there]
    return f"Recipes that were not run: {', '.join(lacking)}." if lacking else "Every recipe was run."


def _cells(row: Mapping[str, Any]) -> list[str]:
    val, test = row["val"], row["test"]
    against = f"{points(row['difference'])} ({interval(row['interval'])})" if "difference" in row else ""
    return [
        f"`{row['name']}`",
        f"{KINDS[row['family']]}: {row['what']}",
        ", ".join(map(str, row["seeds"])),
        *(_spread(val[name]) for name in FIGURES),
        against,
        DASH if row["cpu_seconds"] is None else f"{row['cpu_seconds'] / 60:.0f}",
        *(_spread(test[name]) if test and name in test else "" for name in FIGURES),
    ]


def _spread(values: Sequence[float] | None) -> str:
    """The mean of seeds, with lowest and highest where there are several: ``0.8650 (0.8620–0.8690)``."""
    if values is None:
        return DASH
    mean = f"{statistics.mean(values):.4f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.4f}–{max(values):.4f})"
