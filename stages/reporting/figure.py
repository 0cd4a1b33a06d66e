"""The look of every picture, and how it is written: same input, same bytes, on any machine without a screen."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from stages.corpus.files import whole_file

COLOURS = {"A": "#0072B2", "B": "#D55E00"}
"""Of the two systems; from Okabe and Ito's palette, told apart by every kind of colour vision."""
BASELINE = "#8A8A8A"
INK, SOFT, GRID = "#222222", "#5F5F5F", "#E3E3E3"
DPI = 150

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that every machine draws the same letters
    "font.size": 9.5,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "lines.linewidth": 1.6,
    "lines.markersize": 6,
    "figure.facecolor": "white",
    "figure.constrained_layout.w_pad": 0.12,
    "figure.constrained_layout.h_pad": 0.12,
}


def draw(path: str | Path, size: tuple[float, float], paint: Callable[[Figure], None]) -> None:
    """Write a PNG of ``size`` inches that ``paint`` fills, at 150 dots an inch, without date or software name."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        paint(figure)
        with whole_file(path, "wb") as file:
            figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None})


def draw_note(path: str | Path, note: str) -> None:
    """Write a PNG that says in words why there is no picture."""

    def paint(figure: Figure) -> None:
        figure.text(0.5, 0.5, textwrap.fill(note, 70), ha="center", va="center", color=SOFT)

    draw(path, (6, 1.6), paint)


def plain(axes: Axes, grid: str = "x") -> None:
    """Leave of the frame only what is read: a light grid along ``grid`` and no ticks beside the names."""
    axes.grid(axis=grid)  # type: ignore[arg-type]
    axes.tick_params(length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)


def rows(axes: Axes, names: Mapping[str, str] | list[str]) -> dict[str, int]:
    """Give each name a line of its own, the first on top; returns the height of each.

    ``names`` are the names, or a mapping of them to what is written.
    """
    written = list(names.values()) if isinstance(names, Mapping) else names
    axes.set_yticks(range(len(written)), written)
    axes.set_ylim(len(written) - 0.4, -0.6)
    return {name: i for i, name in enumerate(names)}
