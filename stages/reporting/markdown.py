"""``comparison.md``: the answer, short, for a pull request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stages.reporting.findings import types_that_differ, weakest, where_the_errors_are
from stages.reporting.tables import markdown_table, number
from stages.scoring.verdict import points, probability


def render(result: Mapping[str, Any]) -> str:
    """The comparison as Markdown: the verdict, the gap, and the types; ``result`` is comparison.json's."""
    names = result["names"]
    parts = [
        f"## {names['a']} against {names['b']}",
        f"**{result['verdict']}**",
        f"A is {names['a']}, B is {names['b']}. F1 is strict IOB2, micro; differences are B minus A, in points.",
        _gap(result),
        f"{where_the_errors_are(result['errors'])} {weakest(result['per_type'])}",
        "### Per type",
        _per_type(result),
        types_that_differ(result["per_type"], result["settings"]["confidence"]),
        _method(result["settings"]),
    ]
    return "\n\n".join(parts) + "\n"


def interval(bounds: list[float]) -> str:
    """An interval of F1 differences in points: ``−0.4 to +0.7``."""
    return f"{points(bounds[0])} to {points(bounds[1])}"


def _gap(result: Mapping[str, Any]) -> str:
    common, headline = result["common"], result["headline"]
    rows = [
        ["as usually reported, each on its own types", *_sides(headline), points(headline["difference"]), "", ""],
        [
            f"on common ground: {common['sentences']:,} sentences, {len(common['types'])} types",
            *_sides(common),
            points(common["difference"]),
            interval(common["interval"]),
            probability(common["p_value"]),
        ],
    ]
    return markdown_table(["", "A F1", "B F1", "difference", "interval", "p"], rows)


def _per_type(result: Mapping[str, Any]) -> str:
    rows = [
        [
            kind,
            f"{row['support']:,}",
            *_sides(row),
            points(row["difference"]),
            interval(row["interval"]),
            probability(row["p_corrected"]),
        ]
        for kind, row in result["per_type"].items()
    ]
    return markdown_table(["type", "entities", "A F1", "B F1", "difference", "interval", "p, corrected"], rows)


def _sides(row: Mapping[str, Any]) -> tuple[str, str]:
    return number(row["a_f1"]), number(row["b_f1"])


def _method(settings: Mapping[str, Any]) -> str:
    return (
        f"{100 * settings['confidence']:g}% intervals: paired bootstrap over sentences; p: paired randomisation test; "
        f"{settings['resamples']:,} resamples each, seed {settings['seed']}; per type corrected by Holm's method."
    )
