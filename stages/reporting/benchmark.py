"""The benchmark's rows as a table and as a picture, from ``reports/benchmark.json`` alone."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from stages.reporting.figure import BASELINE, COLOURS, INK, SOFT, draw, draw_note, plain
from stages.reporting.figure import rows as lines
from stages.reporting.markdown import interval
from stages.reporting.tables import markdown_table
from stages.scoring.verdict import points

Row = Mapping[str, Any]

HEADER = (
    "row", "what", "peer", "ours / s", "peer / s", "ratio", "runs", "precision", "positions", "of peak", "peak memory",
)  # fmt: skip
TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
SENTENCES = {
    "real": "real MultiNERD sentences",
    "sample": "sentences of data/sample",
    "made": "rows made from data/sample",
}
DASH = "–"
BOTH = ("ours", "peer")
TASKS = ("training", "prediction", "token training", "token prediction")
"""Of the rows of growth."""
SIDES = {"ours": (COLOURS["A"], "o"), "ours, selective": (COLOURS["B"], "s"), "peer": (BASELINE, "^")}
"""Of the rows of growth, each with its colour and mark."""


BRIEF = (
    "Ratios are of speed, with the lowest and the highest run; F1 is of three seeds on 3,000 sentences in two epochs, "
    "to compare ways and not to be good, with a 95 % interval; precisions are ours / the peer's."
)
"""What the columns of ``brief`` are."""
CAPTION = (
    "*ours / s*, *peer / s*: sentences (of `data`: rows) a second. *Positions*: subwords and markers computed a "
    "sentence; *of peak*: share of the speed at which this machine multiplies matrices; *peak memory*: MiB; these, and "
    "two precisions, are ours / the peer's. The rows `…-f1` train 3,000 sentences for two epochs, to compare ways and "
    "not to be good. Points of a growth row are in the second picture. The commits of each row, and of the models that "
    "it asks, are in `reports/benchmark.json`."
)


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown: speeds a second, ratio with its lowest and highest run, measured runs (or seeds) of a side.

    The other columns are those that ``CAPTION`` tells.
    """
    return markdown_table(HEADER, [_cells(row) for row in rows])


def brief(rows: Sequence[Row]) -> str:
    """The rows that have a ratio or an F1, as Markdown in few columns; precisions are ours / the peer's."""
    shown = [
        [
            f"`{row['name']}`",
            row["what"],
            row["peer"],
            _ratio(row) if row["ratio"] is not None else _gain(row),
            _precision(row),
        ]
        for row in rows
        if row["ratio"] is not None or "f1" in row
    ]
    return markdown_table(["row", "what", "peer", "ratio, or F1", "precision"], shown)


def origins(rows: Sequence[Row]) -> str:
    """Where and when the rows were measured, one line for each machine and kind of sentences among them.

    The commits, of the row and of the models that it asks, stay in the JSON.
    """
    found: dict[str, list[Row]] = {}
    for row in rows:
        machine = row["machine"]
        cores = f"{row['threads']} of {machine['cores']} cores"
        where = f"{machine['cpu']}, {cores}, torch {machine['torch']}, {SENTENCES[row['data']]}"
        found.setdefault(where, []).append(row)
    if len(found) == 1:
        return f"Measured {_days(rows)} on {next(iter(found))}."
    names = {where: ", ".join(f"`{row['name']}`" for row in some) for where, some in found.items()}
    return "\n".join(f"- {names[where]}: {_days(some)}, {where}." for where, some in found.items())


def where(rows: Sequence[Row]) -> str:
    """All machines, days and kinds of sentences of the rows, in one sentence."""
    found = [
        dict.fromkeys(texts)
        for texts in (
            (SENTENCES[row["data"]] for row in rows),
            (row["machine"]["cpu"] for row in rows),
            (f"torch {row['machine']['torch']}" for row in rows),
        )
    ]
    return f"Measured {_days(rows)} on {', '.join(' and '.join(texts) for texts in found)}."


def _days(rows: Sequence[Row]) -> str:
    days = sorted({row["date"] for row in rows})
    return " to ".join(dict.fromkeys((days[0], days[-1])))


def outcome(row: Row) -> str:
    """What a row says in a few words: ratio, F1 and its difference, or largest difference of a logit, and what else."""
    parts = []
    if row["ratio"] is not None:
        parts.append(_ratio(row))
    if "f1" in row:
        f1 = " / ".join(f"{statistics.mean(row['f1'][side]):.4f}" for side in BOTH)
        parts.append(f"F1 {f1}, {_gain(row)}")
    elif "difference" in row:
        parts.append(f"at most {row['difference']:.1e}")
        parts += [_weights(name, groups) for name, groups in row.get("by", {}).items()]
    if "asked" in row:
        share, spans = _range(row["asked"]["gold"], "{:.2%}"), _range(row["asked"]["spans"], "{:.1f}")
        parts.append(f"{share} of the gold spans asked about, {spans} spans a sentence")
    if row.get("entities", {}).get("share") is not None:
        parts.append(f"{row['entities']['share']:.2%} of entities equal")
    parts += [f"{name}: {_ratio(other)}" for name, other in row.get("others", {}).items()]
    if "growth" in row:
        parts.append(_growth(row["growth"]))
    return "; ".join(parts) or f"{len(row['points'])} points"


def _gain(row: Row) -> str:
    return f"{points(row['difference'])} points ({interval(row['interval'])})"


def _precision(row: Row) -> str:
    both = dict.fromkeys(row["precision"][side] for side in BOTH)
    return " / ".join(both)


def _ratio(row: Row) -> str:
    return f"{_short(row['ratio'])} × ({_short(row['low'])}–{_short(row['high'])})"


def _range(values: Sequence[float], form: str) -> str:
    """The lowest to the highest of several seeds."""
    ends = dict.fromkeys(form.format(end) for end in (min(values), max(values)))
    return "–".join(ends)


def _weights(name: str, groups: Mapping[str, Row]) -> str:
    """What the row of logits found for weights of one kind, all of the group where ours are farthest from stock's."""
    group = max(groups, key=lambda one: groups[one]["ours_stock"])
    found = groups[group]
    return (
        f"{name}: {found['ours_stock']:.1e} on `{group}` (from the same sums in 64 bits: ours "
        f"{found['ours_64_bits']:.1e}, stock {found['stock_64_bits']:.1e}; largest logit {found['largest_logit']:.1f})"
    )


def _growth(sizes: Sequence[Row]) -> str:
    """Speed and memory of both sides at the fewest and at the most rows."""
    ends = sizes[0], sizes[-1]
    sides = [
        f"{side} {' to '.join(_short(end['speed'][side]) for end in ends)} / s, "
        f"{' to '.join(_short(end['memory_mib'][side]) for end in ends)} MiB"
        for side in BOTH
    ]
    return f"from {ends[0]['rows']:,} to {ends[1]['rows']:,} rows: {', '.join(sides)}"


def _cells(row: Row) -> list[str]:
    speed = row.get("speed")

    def both(field: str, form: str) -> str:
        return " / ".join(form.format(row[field][side]) for side in BOTH) if row.get(field) else DASH

    return [
        f"`{row['name']}`",
        row["what"],
        row["peer"],
        *([_short(speed[side]) for side in BOTH] if speed else [DASH, DASH]),
        outcome(row),
        f"{len(row['f1']['ours'])} seeds" if "f1" in row else str(row.get("repeats", DASH)),
        _precision(row),
        both("positions", "{:,.0f}"),
        both("peak_share", "{:.0%}"),
        both("memory_mib", "{:,.0f}"),
    ]


def _short(value: float) -> str:
    """Three figures: ``0.123``, ``1.23``, ``12.3``, ``1,234``."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}" if value < 1 else f"{value:.{2 - (value >= 10)}f}"


def draw_ratios(path: str | Path, rows: Sequence[Row]) -> None:
    """Each ratio as a bar on a logarithmic axis, with a whisker from its lowest run to its highest."""
    shown = [row for row in rows if row["ratio"] is not None]
    if not shown:
        return draw_note(path, "No row has a ratio yet.")

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        _bars(axes, shown)
        axes.axvline(1, color=SOFT, linewidth=1)
        axes.set_xscale("log")
        top = max(2.0, *(row["high"] for row in shown))
        axes.set_xlim(min(1.0, *(row["low"] for row in shown)) * 0.9, top * 1.9)
        axes.set_xticks([tick for tick in TICKS if tick <= top * 1.2], labels=None)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g} ×")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("as fast as the peer (bar: median of paired runs; whisker: lowest and highest)")
        axes.set_title("Speed beside the peers, same sentences, encoder and machine")
        plain(axes)

    draw(path, (8, 1.3 + 0.34 * len(shown)), paint)


def _bars(axes: Axes, rows: Sequence[Row]) -> None:
    places = lines(axes, [row["name"] for row in rows])
    for row in rows:
        y, same = places[row["name"]], row["precision"]["ours"] == row["precision"]["peer"]
        axes.barh(y, row["ratio"] - 1, left=1, height=0.6, color=COLOURS["A"] if same else BASELINE, alpha=0.85)
        axes.plot([row["low"], row["high"]], [y, y], color=INK, linewidth=1.2, marker="|", markersize=6)
        note = "" if same else f" ({row['precision']['ours']} beside {row['precision']['peer']})"
        axes.annotate(
            f"{_short(row['ratio'])} ×{note}", (row["high"], y), xytext=(6, 0), textcoords="offset points",
            va="center", fontsize=8.5,
        )  # fmt: skip


def draw_growth(path: str | Path, rows: Sequence[Row]) -> None:
    """Speed by the number of sentences and by their length: a panel a task, a line a side, both axes logarithmic."""
    grown = [(row, size) for row in rows if "points" in row for size in (_grows_by(row["points"]),)]
    if not grown:
        return draw_note(path, "Growth has not been measured yet.")

    def paint(figure: Figure) -> None:
        panels = figure.subplots(len(grown), len(TASKS), squeeze=False)
        for line, (row, size) in zip(panels, grown, strict=True):
            for axes, task in zip(line, TASKS, strict=True):
                _lines(axes, [point for point in row["points"] if point["task"] == task], size)
                axes.set_title(task.capitalize())
                axes.set_xlabel("words a sentence" if size == "words" else "sentences")
            line[0].set_ylabel("sentences a second")
            line[0].legend(frameon=False, fontsize=8)

    draw(path, (12, 0.4 + 2.9 * len(grown)), paint)


def _grows_by(points: Sequence[Row]) -> str:
    return "words" if "words" in points[0] else "sentences"


def _lines(axes: Axes, points: Sequence[Row], size: str) -> None:
    """One line a side, over the points at which it was measured."""
    for side, (colour, mark) in SIDES.items():
        there = [point for point in points if side in point]
        if there:
            axes.plot(
                [point[size] for point in there],
                [point[side] for point in there],
                color=colour,
                marker=mark,
                label=side,
            )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(sorted({point[size] for point in points}), labels=None)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.set_minor_locator(NullLocator())
    axes.set_ylim(bottom=min(point[side] for point in points for side in SIDES if side in point) / 2)
    plain(axes, "both")
