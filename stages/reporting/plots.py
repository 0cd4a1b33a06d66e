"""Pictures of one run: F1 per type, the confusion matrix, calibration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from stages.reporting.figure import COLOURS, GRID, INK, SOFT, draw, draw_note, plain, rows
from stages.scoring.calibration import expected_calibration_error

BLUE = COLOURS["A"]
NOTHING = "No entity in gold or prediction, so there is nothing to draw."


def f1_per_type(path: str | Path, table: pd.DataFrame, title: str) -> None:
    """Strict F1 of each type as a bar, most frequent type on top; ``table`` has type, support, precision, recall, f1.

    Precision and recall stand beside it as a tick each, so that one sees which of the two a type lacks.
    """
    if table.empty:
        return draw_note(path, NOTHING)
    table = table.sort_values("support", ascending=False, kind="stable")

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        places = rows(axes, {row.type: f"{row.type}  ({row.support:,})" for row in table.itertuples()})
        axes.barh(list(places.values()), table["f1"], height=0.62, color=BLUE, alpha=0.85)
        for row in table.itertuples():
            y = places[row.type]
            axes.plot([row.precision], [y], marker=5, color=INK, linestyle="none", markersize=7)
            axes.plot([row.recall], [y], marker="|", color=INK, linestyle="none", markersize=12, markeredgewidth=1.8)
            axes.text(1.04, y, f"{row.f1:.3f}", va="center", ha="left")
        axes.plot([], [], marker=5, color=INK, linestyle="none", label="precision")
        axes.plot([], [], marker="|", color=INK, linestyle="none", markeredgewidth=1.8, markersize=10, label="recall")
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, frameon=False, borderaxespad=0.2)
        axes.set_xlim(0, 1.03)
        axes.set_xlabel("strict F1 (bar; figure at the right); in brackets: entities in gold")
        axes.set_title(title)
        plain(axes)

    draw(path, (7, 1.3 + 0.3 * len(table)), paint)


def confusion(path: str | Path, table: pd.DataFrame, title: str) -> None:
    """Gold types (rows) against predicted ones (columns): counts, shaded by their share of the row.

    ``table`` is ``scoring.errors.confusion``'s: the column ``gold``, then one a type, and O last on both sides.
    """
    if len(table) < 2:
        return draw_note(path, NOTHING)
    names = list(table["gold"])
    counts = table[names].to_numpy(dtype=float)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1.15, aspect="auto")
        for i, j in zip(*np.nonzero(counts), strict=True):
            ink = "white" if share[i, j] > 0.6 else INK
            axes.text(j, i, f"{counts[i, j]:,.0f}", ha="center", va="center", color=ink, fontsize=8)
        labels = [name if name != "O" else "none" for name in names]
        axes.set_xticks(range(len(names)), labels, rotation=45, ha="left", rotation_mode="anchor")
        axes.set_yticks(range(len(names)), labels)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        axes.set_xticks(np.arange(len(names) + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(len(names) + 1) - 0.5, minor=True)
        axes.grid(which="minor", color=GRID, linewidth=0.6)
        axes.tick_params(which="minor", length=0)
        for line in (axes.axhline, axes.axvline):
            line(len(names) - 1.5, color=SOFT, linewidth=1)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.set_ylabel("in gold")
        axes.set_xlabel("predicted; shade: share of the row\nright column: missed; bottom row: spurious")
        axes.set_title(title)

    draw(path, (2.2 + 0.42 * len(names), 1.9 + 0.33 * len(names)), paint)


def calibration(path: str | Path, table: pd.DataFrame, title: str) -> None:
    """A reliability diagram: share of right answers against their score, and below how many have that score.

    ``table`` is ``scoring.calibration.reliability``'s.
    """
    if not table["answers"].sum():
        return draw_note(path, "These predictions carry no scores, so there is no calibration to draw.")
    full = table[table["answers"] > 0]

    def paint(figure: Figure) -> None:
        axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        axes.text(0.3, 0.34, "as sure as right", rotation=45, rotation_mode="anchor", color=SOFT, fontsize=8.5)
        axes.plot(full["confidence"], full["accuracy"], color=BLUE, marker="o", clip_on=False)
        axes.set_ylim(0, 1.03)
        axes.set_ylabel("share that is right")
        axes.set_title(f"{title}\nexpected calibration error {expected_calibration_error(table):.3f}")
        below.bar(table["low"] + 0.05, table["answers"], width=0.09, color=BLUE, alpha=0.85)
        below.set_ylabel("entities")
        below.set_xlabel("score that the model gave")
        below.set_xlim(0, 1.03)
        plain(axes, "both")
        plain(below, "y")

    draw(path, (5.2, 5.6), paint)
