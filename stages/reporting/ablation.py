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
    *(f"test {name}" for name in FIGURES.values()), "test against ours",
)  # fmt: skip


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as Markdown: means over seeds with their lowest and highest; ``frequent types`` is a macro F1."""
    return markdown_table(HEADER, [_cells(row) for row in rows])


def brief(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows that were asked for the test split, in few columns: means over seeds."""
    shown = [
        [
            _title(row),
            str(len(row["seeds"])),
            f"{statistics.mean(row['val']['f1']):.4f}",
            *(DASH if row["test"][name] is None else f"{statistics.mean(row['test'][name]):.4f}" for name in FIGURES),
            _against(row["test"]),
            _minutes(row),
        ]
        for row in rows
        if row["test"] and "f1" in row["test"]
    ]
    header = [
        "recipe",
        "seeds",
        "val F1",
        *(f"test {name}" for name in FIGURES.values()),
        "test against ours",
        "CPU min",
    ]
    return markdown_table(header, shown)


BRIEF = (
    "Means over seeds. *Frequent types*: macro F1 over the types with 30 gold entities or more; *five types*: F1 of "
    "System B's types; *against ours*: points from *profile local* of the same seeds, with a 95 % interval; *CPU min*: "
    "one core's minutes of a training."
)
"""What the columns of ``brief`` are."""
CAPTION = (
    "Each row is trained on the same sentences. *Frequent types*: macro F1 over the types with 30 gold entities or "
    "more in that split; *five types*: F1 of System B's types. *Against ours*: points of F1 from `token` or "
    "`span-marker` of the same system and seeds, with a 95 % interval over sentences and, where there are several, "
    "seeds. *CPU min*: one core's minutes of a training. Commits are in `reports/ablation.json`."
)


def looks(rows: Sequence[Mapping[str, Any]]) -> str:
    """How often the test split was looked at."""
    seen = [row["test"]["looks"] for row in rows if row["test"]]
    return f"Looks of this table at the test split: {sum(seen)}, at {len(seen)} of {len(rows)} rows."


def missing(rows: Sequence[Mapping[str, Any]], names: Iterable[str]) -> str:
    """Which recipes of ``names`` have no row of System A on real sentences with the profile's encoder."""
    there = {row["recipe"] for row in rows if (row["data"], row["system"], row["encoder"]) == ("real", "A", None)}
    lacking = [f"`{name}`" for name in names if name not in there]
    return f"Recipes that were not run: {', '.join(lacking)}." if lacking else "Every recipe was run."


def _cells(row: Mapping[str, Any]) -> list[str]:
    val, test = row["val"], row["test"]
    return [
        f"`{row['name']}`",
        f"{KINDS[row['family']]}: {row['what']}",
        ", ".join(map(str, row["seeds"])),
        *(_spread(val[name]) for name in FIGURES),
        _against(row),
        _minutes(row),
        *(_spread(test[name]) if test and name in test else "" for name in FIGURES),
        _against(test or {}),
    ]


def _against(found: Mapping[str, Any]) -> str:
    return f"{points(found['difference'])} ({interval(found['interval'])})" if "difference" in found else ""


def _title(row: Mapping[str, Any]) -> str:
    """``Token classifier A: profile local``, with another encoder, and with other sentences than real ones."""
    more = [part for part in (row["encoder"], row["data"] if row["data"] != "real" else None) if part]
    return ", ".join([f"{KINDS[row['family']]} {row['system']}: {row['what']}", *more])


def _minutes(row: Mapping[str, Any]) -> str:
    return DASH if row["cpu_seconds"] is None else f"{row['cpu_seconds'] / 60:.0f}"


def _spread(values: Sequence[float] | None) -> str:
    """The mean of seeds, with lowest and highest where there are several: ``0.8650 (0.8620–0.8690)``."""
    if values is None:
        return DASH
    mean = f"{statistics.mean(values):.4f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.4f}–{max(values):.4f})"
