"""From two sides' tracks to the figures of a row."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from stages.benchmark.race import Track


class Ratio(NamedTuple):
    """Ours over the peer's, run by run: the median, the lowest and the highest."""

    middle: float
    low: float
    high: float


def speeds(track: Track) -> list[float]:
    """Sentences a second of each run."""
    return [track.facts["sentences"] / seconds for seconds in track.seconds]


def ratio(ours: Sequence[float], peer: Sequence[float]) -> Ratio:
    """Of paired runs: the i-th of ours and the i-th of the peer's were neighbours in time.

    Raises:
        ValueError: the two sides ran unequally often.
    """
    found = [mine / theirs for mine, theirs in zip(ours, peer, strict=True)]
    return Ratio(statistics.median(found), min(found), max(found))


def figures(tracks: Mapping[str, Track]) -> dict[str, Any]:
    """The fields of a row of ``ours`` against ``peer``; what other sides there are stand under ``others``.

    Speeds are medians in sentences a second; memory is in MiB, positions are a sentence's, and
    ``peak_share`` is the share of the machine's measured matrix-product peak, for training only.
    """
    ours = tracks["ours"]
    middle, low, high = ratio(speeds(ours), speeds(tracks["peer"]))
    sides = {name: tracks[name] for name in ("ours", "peer")}
    row: dict[str, Any] = {
        "unit": "sentences per second",
        "speed": {name: statistics.median(speeds(track)) for name, track in sides.items()},
        "ratio": middle,
        "low": low,
        "high": high,
        "repeats": len(ours.seconds),
        "sentences": {name: track.facts["sentences"] for name, track in sides.items()},
        "memory_mib": {name: track.peak_mib for name, track in sides.items()},
    }
    if "positions" in ours.facts:
        row["positions"] = {name: track.facts["positions"] for name, track in sides.items()}
    if "flops" in ours.facts:
        row["peak_share"] = {name: _peak_share(track) for name, track in sides.items()}
        row["peak_gflops"] = {name: track.facts["peak_flops"] / 1e9 for name, track in sides.items()}
    others = {name: _other(ours, track) for name, track in tracks.items() if name not in sides}
    return row | ({"others": others} if others else {})


def _peak_share(track: Track) -> float:
    return float(track.facts["flops"] / statistics.median(track.seconds) / track.facts["peak_flops"])


def _other(ours: Track, other: Track) -> dict[str, float]:
    """Another side's speed, and ours over it."""
    middle, low, high = ratio(speeds(ours), speeds(other))
    return {"speed": statistics.median(speeds(other)), "ratio": middle, "low": low, "high": high}
