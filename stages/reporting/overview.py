"""Pictures over all runs: loss curves, entities in the data, F1 per type, A against B."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from stages.reporting.figure import BASELINE, COLOURS, INK, SOFT, draw, draw_note, plain, rows
from stages.reporting.names import KINDS
from stages.scoring.verdict import p_equals, points

SPLIT_MARKS = {"train": "o", "val": "|", "test": "d"}


def loss_curves(path: str | Path, curves: Mapping[str, Mapping[str, pd.DataFrame]]) -> None:
    """Training and validation loss of A and B overlaid, one panel a family; ``curves[family][system]`` as trained."""
    if not curves:
        return draw_note(path, "No model was trained, so there is no loss to draw.")

    def paint(figure: Figure) -> None:
        panels = figure.subplots(1, len(curves), squeeze=False)[0]
        for axes, (family, systems) in zip(panels, curves.items(), strict=True):
            _loss_panel(axes, systems)
            axes.set_title(KINDS[family])
        panels[0].set_ylabel("mean loss a decision (nats, logarithmic)")

    draw(path, (4.6 * len(curves), 3.6), paint)


def _loss_panel(axes: Axes, systems: Mapping[str, pd.DataFrame]) -> None:
    ends = []
    for system, table in systems.items():
        for column, line, mark in (("train_loss", "-", None), ("val_loss", (0, (4, 2)), "o")):
            part = table.dropna(subset=[column])
            if part.empty:
                continue
            axes.plot(part["epoch"], part[column], color=COLOURS[system], linestyle=line, marker=mark, markersize=5)
            what = "training" if column == "train_loss" else "validation"
            ends.append((float(part[column].iloc[-1]), f"{system} {what}", COLOURS[system]))
    axes.set_yscale("log", nonpositive="clip")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlim(left=0)
    _label_ends(axes, ends)
    axes.set_xlabel("epoch")
    plain(axes, "y")


def _label_ends(axes: Axes, ends: list[tuple[float, str, str]]) -> None:
    """Write each line's name at its right end, moved apart where two ends lie close."""
    height = axes.transScale + axes.transLimits  # from data to a fraction of the panel's height
    at = -1.0
    for value, text, colour in sorted(ends):
        at = max(float(height.transform((1, value))[1]), at + 0.065)
        axes.annotate(
            text, (1, at), xycoords="axes fraction", xytext=(6, 0), textcoords="offset points",
            va="center", color=colour, fontsize=8.5, annotation_clip=False,
        )  # fmt: skip


def entities(path: str | Path, data: pd.DataFrame) -> None:
    """Entities of each type and split, System A beside System B, on a logarithmic scale.

    ``data`` has the columns system, split, type, entities (``reports/data/*.csv`` put together).
    """
    data = data[data["type"] != "all"]
    if data.empty:
        return draw_note(path, "There is no data, so there is nothing to count.")
    order = data[data["split"] == "train"].groupby("type")["entities"].max().sort_values(ascending=False, kind="stable")
    names = list(order.index)

    def paint(figure: Figure) -> None:
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for axes, (system, colour) in zip(panels, COLOURS.items(), strict=True):
            places = rows(axes, names)
            part = data[data["system"] == system]
            for split, mark in SPLIT_MARKS.items():
                one = part[(part["split"] == split) & (part["entities"] > 0)]
                axes.scatter(
                    one["entities"], [places[kind] for kind in one["type"]], marker=mark, color=colour,
                    s=80 if mark == "|" else 36, linewidths=2 if mark == "|" else 0, label=split, zorder=3,
                )  # fmt: skip
            for kind in (name for name in names if name not in set(part["type"])):
                place = axes.get_yaxis_transform()
                axes.text(0.02, places[kind], "becomes O", transform=place, va="center", color=SOFT)
            total = part[part["split"] == "train"]["entities"].sum()
            axes.set_title(f"System {system}: {total:,} entities in train", color=colour)
            axes.set_xscale("log")
            axes.set_xlabel("entities (logarithmic)")
            plain(axes)
        panels[0].legend(loc="lower right", frameon=False)
        panels[0].xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        panels[0].xaxis.set_major_formatter(_short_count)
        panels[0].xaxis.set_minor_locator(NullLocator())

    draw(path, (8.6, 1.5 + 0.27 * len(names)), paint)


def _short_count(value: float, _: int = 0) -> str:
    return f"{value / 1000:g}k" if value >= 10_000 else f"{value:,g}"


def f1_per_type(path: str | Path, runs: Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]]) -> None:
    """Strict F1 per type of A, B and the lookup baseline, one panel a family.

    ``runs[kind][system]`` is that run's per_type.json; types stand in the order of their support.
    """
    families = [kind for kind in KINDS if kind != "lookup" and any(runs.get(kind, {}).values())]
    floor = runs.get("lookup", {}).get("A", {})
    parts = [part for family in families for part in runs[family].values()]
    support = {kind: row["support"] for part in parts for kind, row in part.items()}
    if not support:
        return draw_note(path, "No run has a score, so there is nothing to draw.")
    names = {kind: f"{kind}  ({n:,})" for kind, n in sorted(support.items(), key=lambda item: -item[1])}

    def paint(figure: Figure) -> None:
        panels = figure.subplots(1, len(families), sharey=True, squeeze=False)[0]
        for axes, family in zip(panels, families, strict=True):
            _type_panel(axes, rows(axes, names), runs[family], floor)
            axes.set_title(KINDS[family])
        for label, colour in (*COLOURS.items(), ("lookup", BASELINE)):
            panels[-1].plot([], [], color=colour, linestyle="none", label=label, **MARKS[label])
        panels[-1].legend(
            loc="lower right", bbox_to_anchor=(1, 1), ncols=3, frameon=False, borderaxespad=0.1, handletextpad=0.1,
            columnspacing=1,
        )  # fmt: skip

    draw(path, (1.4 + 3.7 * len(families), 1.5 + 0.29 * len(names)), paint)


MARKS: dict[str, dict[str, Any]] = {
    "A": {"marker": "o", "markersize": 7},
    "B": {"marker": "D", "markersize": 6},
    "lookup": {"marker": "|", "markersize": 11, "markeredgewidth": 2},
}


def _type_panel(
    axes: Axes, places: Mapping[str, int], systems: Mapping[str, Mapping[str, Any]], floor: Mapping[str, Any]
) -> None:
    """The types of one family's A and B as marks on a line each, and where looking up would come."""
    for kind, y in places.items():
        found = {system: part[kind]["f1"] for system, part in systems.items() if kind in part}
        axes.plot(list(found.values()), [y] * len(found), color=SOFT, linewidth=1, zorder=1)
        if kind in floor:
            axes.plot(floor[kind]["f1"], y, color=BASELINE, **MARKS["lookup"])
        for system, value in found.items():
            axes.plot(value, y, color=COLOURS[system], **MARKS[system])
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("strict F1")
    plain(axes)


def a_against_b(path: str | Path, comparisons: Mapping[str, Mapping[str, Any]]) -> None:
    """The gap between A and B as usually reported, and on common ground with its interval, for each family.

    ``comparisons[family]`` is ``scoring.comparison.compare``'s. Left: both F1. Right: B minus A in points.
    """
    if not comparisons:
        return draw_note(path, "No family has both systems, so there is nothing to compare.")
    lines = [(family, ground) for family in comparisons for ground in ("headline", "common")]

    def paint(figure: Figure) -> None:
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1.15, 1])
        rows(left, [_ground(comparisons[family], ground) for family, ground in lines])
        for y, (family, ground) in enumerate(lines):
            one = comparisons[family][ground]
            _dumbbell(left, y, one, first=y == 0)
            _forest(right, y, one)
        for i, family in enumerate(comparisons):
            place = left.get_yaxis_transform()
            left.text(0, 2 * i - 0.52, KINDS[family], transform=place, fontweight="bold", va="center")
        left.set_ylim(len(lines) - 0.4, -0.8)
        right.axvline(0, color=INK, linewidth=1)
        left.set_title("F1 of A and B")
        right.set_title("B minus A, in points")
        left.set_xlabel("strict F1, percent")
        level = next(iter(comparisons.values()))["settings"]["confidence"]
        right.set_xlabel(f"points of F1; bar: {100 * level:g}% interval, paired bootstrap")
        for axes in (left, right):
            plain(axes)
            axes.margins(x=0.22)

    draw(path, (9.6, 1.4 + 0.62 * len(lines)), paint)


def _ground(result: Mapping[str, Any], ground: str) -> str:
    if ground == "headline":
        return "as usually reported\n(each on its own types)"
    return f"on common ground\n({len(result['common']['types'])} types, {result['common']['sentences']:,} sentences)"


def _dumbbell(axes: Axes, y: int, one: Mapping[str, Any], first: bool) -> None:
    values = {"A": one["a_f1"] * 100, "B": one["b_f1"] * 100}
    axes.plot(list(values.values()), [y, y], color=SOFT, linewidth=1.2, zorder=1)
    lower = min(values, key=lambda system: values[system])
    for system, value in values.items():
        axes.plot(value, y, color=COLOURS[system], **MARKS[system])
        text = f"{system} {value:.1f}" if first else f"{value:.1f}"
        side = -1 if system == lower else 1
        axes.annotate(text, (value, y), xytext=(8 * side, 0), textcoords="offset points", va="center",
                      ha="right" if side < 0 else "left", color=COLOURS[system])  # fmt: skip


def _forest(axes: Axes, y: int, one: Mapping[str, Any]) -> None:
    difference = one["difference"] * 100
    if "interval" in one:
        low, high = np.array(one["interval"]) * 100
        axes.plot([low, high], [y, y], color=INK, linewidth=2.4, solid_capstyle="butt")
        axes.plot(difference, y, marker="o", color=INK, markersize=7)
        text = f"{points(one['difference'])}  ({p_equals(one['p_value'])})"
    else:
        axes.plot(difference, y, marker="o", markerfacecolor="white", color=INK, markersize=7)
        text = points(one["difference"])
    axes.annotate(text, (difference, y), xytext=(0, 8), textcoords="offset points", ha="center", fontsize=8.5,
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})  # fmt: skip
