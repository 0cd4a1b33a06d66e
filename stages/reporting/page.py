"""``comparison.html``: the answer as one file that needs no network, made from comparison.json alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stages.reporting import findings
from stages.reporting.examples import blocks
from stages.reporting.geometry import extent, gap_rows, tick, type_rows
from stages.scoring.breakdowns import ORDER
from stages.scoring.errors import KINDS
from stages.scoring.verdict import points, probability

SHOWN_AT_ONCE = 3
"""Examples of each kind that are open; the rest wait behind a click."""

GROUPS = {
    "by_seen": ("Seen in training or not", "mention"),
    "by_frequency": ("By how often training has the mention", "times in training"),
    "by_length": ("By length of the entity", "words of the entity"),
    "by_sentence_length": ("By length of the sentence", "words of the sentence"),
}


def render(report: Mapping[str, Any]) -> str:
    """The whole page; ``report`` is what comparison.json holds.

    Everything that comes from data is escaped. The same report gives the same bytes.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(points=points, probability=probability, fraction=_fraction, percent=_percent, tick=tick)
    gap, types = gap_rows(report), type_rows(report["per_type"])
    return environment.get_template("page.html.j2").render(
        **report,
        conclusion=findings.conclusion(report["verdict"]),
        sentences=findings.sentences(report["verdict"]),
        culprits=f"{findings.where_the_errors_are(report['errors'])} {findings.weakest(report['per_type'])}",
        differing=findings.types_that_differ(report["per_type"], report["settings"]["confidence"]),
        certainty=findings.certainty(report),
        names_of_types=findings.TYPE_NAMES,
        gap=gap,
        gap_axis=extent(gap),
        type_dots=types,
        type_axis=extent(types),
        kinds=_pairs({kind: {side: _of_all(report, side).get(kind, 0) for side in "ab"} for kind in KINDS}),
        by_type=_pairs(_errors_by_type(report)),
        error_kinds=KINDS,
        breakdowns=_breakdowns(report),
        blocks=blocks(report["disagreements"]["examples"]),
        shown_at_once=SHOWN_AT_ONCE,
    )


def _fraction(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _percent(value: float, places: int = 0) -> str:
    return f"{value * 100:.{places}f}%"


def _of_all(report: Mapping[str, Any], side: str) -> Mapping[str, Any]:
    return next((row for row in report["errors"][side] if row["type"] == "all"), {})


def _errors_by_type(report: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Errors of each side a type, the type with most errors first."""
    found: dict[str, dict[str, int]] = {kind: {"a": 0, "b": 0} for kind in report["common"]["types"]}
    for side in "ab":
        for row in report["errors"][side]:
            if row["type"] != "all":
                found[row["type"]][side] = findings.count(row)
    return dict(sorted(found.items(), key=lambda item: -(item[1]["a"] + item[1]["b"])))


def _pairs(counts: Mapping[str, Mapping[str, int]]) -> list[dict[str, Any]]:
    """Rows of a bar chart, one bar for A and one for B; widths in percent, the longest leaves room for its figure."""
    longest = max((value for row in counts.values() for value in row.values()), default=0) or 1
    return [
        {"label": label, **row, **{f"{side}_width": round(80 * row[side] / longest, 2) for side in "ab"}}
        for label, row in counts.items()
    ]


def _breakdowns(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tables of both sides set side by side: one row a group that either has, in their own order."""
    found = []
    for name, (title, unit) in GROUPS.items():
        if name in report:
            sides = {side: {row["group"]: row for row in report[name][side]} for side in "ab"}
            groups = [group for group in ORDER[name] if any(group in side for side in sides.values())]
            rows = [{"group": group, **{side: sides[side].get(group) for side in "ab"}} for group in groups]
            found.append({"title": title, "unit": unit, "rows": rows})
    return found
