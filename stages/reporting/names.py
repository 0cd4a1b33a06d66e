"""How runs are called wherever a person reads them; the order here is that of every table and picture."""

from __future__ import annotations

KINDS = {
    "span_marker": "SpanMarker",
    "token_classifier": "Token classifier",
    "pretrained": "Pretrained",
    "lookup": "Lookup",
}
FAMILIES = ("span_marker", "token_classifier")


def run_title(run: str) -> str:
    """A run as people call it, ``span_marker-A`` being ``SpanMarker A``; a name that is none of ours stays as it is."""
    kind, _, system = run.rpartition("-")
    return f"{KINDS[kind]} {system}" if kind in KINDS else run
