"""``report.md`` of an exported model: what is gained in size and speed, and what is lost in F1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stages.reporting.tables import markdown_table

HEADER = ("model", "MiB", "sentences a second", "times torch", "F1", "F1 lost, points", "same tags", "same sentences")


def markdown(report: Mapping[str, Any]) -> str:
    """The table of ``report`` (what report.json holds), and how it was measured."""
    rows = []
    for row in report["rows"]:
        middle, low, high = row["ratio"]
        loss, least, most = (_points(value) for value in (row["f1_loss"], *row["interval"]))
        rows.append(
            [
                row["name"],
                f"{row['size_mib']:.1f}",
                f"{row['speed']:,.0f}",
                f"{middle:.2f} ({low:.2f} to {high:.2f})",
                f"{row['f1']:.4f}",
                f"{loss} ({least} to {most})",
                f"{100 * row['same_words']:.2f} %",
                f"{100 * row['same_sentences']:.1f} %",
            ]
        )
    threads = "1 thread" if report["threads"] == 1 else f"{report['threads']} threads"
    method = (
        f"On {report['sentences']:,} sentences with {report['entities']:,} entities; speed on {report['raced']} of "
        f"them, {threads}, {report['repeats']} runs by turns, tokenising and decoding included: medians, with the "
        "lowest and the highest ratio of neighbouring runs. torch is asked as `python -m stages.predict` asks it. "
        f"F1 is strict IOB2, with {100 * report['confidence']:g}% intervals by a paired bootstrap over sentences."
    )
    return "\n\n".join([f"# {report['model']}, exported", markdown_table(HEADER, rows), method]) + "\n"


def _points(fraction: float) -> str:
    """An F1 loss in points, to two places: what is allowed is tenths of a point."""
    return f"{100 * fraction:.2f}".replace("-", "−")
