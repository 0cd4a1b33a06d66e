"""Where things stand in the page's drawings: axes and rows, as percentages of a width that the browser chooses.

A drawing whose x is a percentage and whose y is pixels is as readable in a narrow window as in a wide one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

EDGE = 3.0
"""Percent of the width left free on both sides, for marks and tick labels that stand at the end."""
STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)


class Axis(NamedTuple):
    """A horizontal axis from ``low`` to ``high``, and the values of its ticks."""

    low: float
    high: float
    ticks: list[float]

    def at(self, value: float) -> float:
        """Where ``value`` stands, in percent of the width."""
        return round(EDGE + (100 - 2 * EDGE) * (value - self.low) / (self.high - self.low), 2)


def axis(values: Sequence[float], ticks: int = 5) -> Axis:
    """An axis over ``values`` and 0, with at most ``ticks`` steps of a round width."""
    low, high = min(0.0, *values), max(0.0, *values)
    step = next((one for one in STEPS if (high - low) / one <= ticks), STEPS[-1])
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    return Axis(first * step, last * step, [round(i * step, 6) for i in range(first, last + 1)])


def gap_rows(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The headline gap taken apart: bars in points, each beginning where the last one ended, and the interval."""
    explained, headline = result["explained"], result["headline"]["difference"]
    after_sentences = headline - explained["sentences"]
    low, high = result["common"]["interval"]
    steps = [
        ("Headline gap, each on its own types", 0.0, headline, "whole"),
        ("Goes with the same sentences", headline, after_sentences, "step"),
        ("Goes with the same types", after_sentences, explained["left"], "step"),
    ]
    rows = [
        {"label": label, "from": start * 100, "to": end * 100, "value": end - start, "kind": kind}
        for label, start, end, kind in steps
    ]
    left = {"from": 0.0, "to": explained["left"] * 100, "low": low * 100, "high": high * 100}
    return [*rows, {"label": "Left on common ground", "kind": "left", "value": explained["left"], **left}]


def type_rows(per_type: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One dot with its interval a type, in points, the surest difference first."""
    rows = [
        {
            "label": kind,
            "value": row["difference"],
            "to": row["difference"] * 100,
            "low": row["interval"][0] * 100,
            "high": row["interval"][1] * 100,
        }
        for kind, row in per_type.items()
    ]
    return sorted(rows, key=lambda row: row["low"] - row["high"], reverse=True)


def tick(value: float) -> str:
    """What stands at a tick: the value with its sign, and no more places than it needs."""
    return f"{value:+g}".replace("-", "−") if value else "0"


def extent(rows: Sequence[Mapping[str, Any]]) -> Axis:
    """The axis that holds every bar and every interval of ``rows``."""
    return axis([row[name] for row in rows for name in ("from", "to", "low", "high") if name in row])
