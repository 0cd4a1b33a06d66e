"""The row ``data``: filter and derive at MultiNERD's true size, and how both sides grow with the rows."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.benchmark.figures import figures, speeds
from stages.benchmark.multilingual import check_equal, make
from stages.benchmark.plan import Plan
from stages.benchmark.race import Side, Track, race

PARTS = (8, 4, 2)
"""Growth is measured at one part in so many of the rows, once each, before the whole."""
SMALL = 2000
"""Rows of the files that a side warms up on."""
MOST_REPEATS = 3
"""A run of the peer takes minutes, and the ratios of its runs differ little."""
PEER = "datasets: load_dataset, filter, map and to_json a row at a time, its cache empty"


def data(plan: Plan) -> dict[str, Any]:
    """Files of ten languages to what both systems are trained on, byte for byte the same on all sides.

    Raises:
        UserError: the sides wrote different bytes.
    """
    plan.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=plan.cache, prefix="data-") as name:
        folder = Path(name)
        make(folder / "small", SMALL)
        points = []
        for part in PARTS:
            tracks = _tracks(plan, folder, plan.data_rows // part, 1, ("stages", "datasets"))
            points.append(_point(tracks))
        every = ("stages", "datasets", "datasets, batched")
        tracks = _tracks(plan, folder, plan.data_rows, min(plan.repeats, MOST_REPEATS), every)
    row = figures(tracks) | {"unit": "rows per second", "growth": [*points, _point(tracks)]}
    return {"data": "made", "peer": PEER, "precision": {"ours": "none", "peer": "none"}, **row}


def _tracks(plan: Plan, folder: Path, rows: int, repeats: int, ways: tuple[str, ...]) -> dict[str, Track]:
    """Each way over files of so many rows; the first is ours, the second the peer."""
    source = folder / str(rows)
    made = make(source, rows)
    names = ("ours", "peer", *ways[2:])
    common = {"source": source, "small": folder / "small", "work": folder, "rows": made}
    sides = {
        name: Side("stages.benchmark.multilingual:Pass", {"way": way, **common})
        for name, way in zip(names, ways, strict=True)
    }
    tracks = race(sides, repeats, plan.threads, warm_up=False)
    for name in names[1:]:
        check_equal(tracks["ours"].facts["digests"], tracks[name].facts["digests"], name)
    return tracks


def _point(tracks: Mapping[str, Track]) -> dict[str, Any]:
    """Rows a second (of the first run, as at every size) and peak memory of both sides at one size."""
    sides = {name: tracks[name] for name in ("ours", "peer")}
    return {
        "rows": tracks["ours"].facts["sentences"],
        "speed": {name: speeds(track)[0] for name, track in sides.items()},
        "memory_mib": {name: track.peak_mib for name, track in sides.items()},
    }
