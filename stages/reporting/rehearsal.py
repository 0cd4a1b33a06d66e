"""What trainings at full size took on a real machine, as a table, from ``reports/rehearsal.json`` alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stages.reporting.benchmark import DASH
from stages.reporting.names import run_title
from stages.reporting.tables import markdown_table, number

HEADER = ("training", "on", "steps × batch", "sentences / s", "s a step", "peak memory, GB", "killed and resumed")


def table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """The rehearsals as Markdown; a step is an update, of all its accumulated batches."""
    return markdown_table(HEADER, [_cells(name, row) for name, row in found.items()])


def _cells(name: str, row: Mapping[str, Any]) -> list[str]:
    return [
        f"{name} ({row['date']}, `{row['commit']}`)",
        f"{row['device']}, torch {row['machine']['torch']}",
        f"{row['steps']} × {row['batch'] * row['accumulation']}",
        f"{row['sentences_per_second']:.0f}",
        f"{row['seconds_a_step']:.3f}",
        f"{row['peak_bytes'] / 1e9:.1f}",
        _resumed(row["resumed"]),
    ]


def _resumed(resumed: Mapping[str, Any] | None) -> str:
    if resumed is None:
        return DASH
    ended = "the same bytes" if resumed["same_bytes"] else f"losses at most {resumed['losses_apart']:.1e} apart"
    return f"after step {resumed['after_step']}: {ended}"


def elsewhere(kept: Mapping[str, Any], here: Mapping[str, float]) -> str:
    """The sample's models by another machine beside this one's, in one sentence of test F1."""
    pairs = [f"{run_title(run)} {number(f1)} ({number(here[run])})" for run, f1 in kept["test_f1"].items()]
    where = f"{kept['device']} ({kept['date']}, `{kept['commit']}`)"
    return (
        f"The sample's models, trained by the stages as they are on {where}, against README's sample, test F1: "
        f"{'; '.join(pairs)}."
    )
