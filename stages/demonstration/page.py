"""The page and its results as HTML. Everything that comes from a text or a model is escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from stages.corpus.labels import SYSTEMS, TYPES
from stages.demonstration.agreement import Answer, Place, pieces, places
from stages.demonstration.readers import LIMIT
from stages.reporting import page as report_page
from stages.reporting.findings import TYPE_NAMES
from stages.reporting.names import run_title

HERE = Path(__file__).parent
EXAMPLES = {
    "Science": "Marie Curie was born in Warsaw in 1867. She taught at the Sorbonne in Paris, and during the First "
    "World War she drove lorries with X-ray equipment to the front for the Red Cross. She died of anaemia.",
    "Nature": "Brown bears and grey wolves share the Carpathians of Romania with the European bison, under beech and "
    "silver fir. Rabies has become rare among foxes there, as the World Health Organization reports.",
    "Ambiguous": "Jordan flew from Amman to Washington to see Michael Jordan play for the Washington Wizards. Chicago "
    "had let him go; Paris, his niece, had never been to Paris.",
    "Emoji, right to left": "👩‍🔬 Ada Lovelace wrote to Charles Babbage from London 💌.\n"
    "הרכבת מתל אביב לירושלים, then on to دمشق.\nZürich 🇨🇭 & São Paulo <3 followed.",
}
EXAMPLE = EXAMPLES["Science"]
"""What stands in the page when it opens."""


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters.update(title=run_title, thousands="{:,}".format, score="{:.4f}".format, breakable=_breakable)
    return made


def _breakable(name: str) -> Markup:
    """A name that a narrow column may break before a capital inside a word."""
    return Markup(re.sub("(?<=[a-z])(?=[A-Z])", "<wbr>", str(escape(name))))


def style() -> str:
    """The report page's style and what this page adds."""
    own = (HERE / "page.css").read_text(encoding="utf-8")
    return (Path(report_page.__file__).parent / "page.css").read_text(encoding="utf-8") + own


def script() -> str:
    """The page's script: it sends the text, shows what comes back, and follows pointer and keyboard."""
    return (HERE / "page.js").read_text(encoding="utf-8")


def whole(text: str, answers: Sequence[Answer]) -> str:
    """The page, ``text`` and the answers for it already in it."""
    return (
        _templates()
        .get_template("page.html.j2")
        .render(
            **_shown(text, answers),
            examples=EXAMPLES,
            limit=LIMIT,
            types=TYPES,
            shared=SYSTEMS["B"],
            glossary=TYPE_NAMES,
        )
    )


def results(text: str, answers: Sequence[Answer]) -> dict[str, str]:
    """What a new text changes: ``html`` of its results, and one sentence as their ``summary``."""
    shown = _shown(text, answers)
    return {"html": _templates().get_template("results.html.j2").render(shown), "summary": shown["summary"]}


def _shown(text: str, answers: Sequence[Answer]) -> dict[str, Any]:
    found = places(answers)
    panels = [
        {"answer": answer, "pieces": pieces(text, found, i, answer.types), "system": answer.model.rpartition("-")[2]}
        for i, answer in enumerate(answers)
    ]
    return {"text": text, "places": found, "panels": panels, "summary": summary(found, answers)}


def summary(found: Sequence[Place], answers: Sequence[Answer]) -> str:
    """In one sentence: how many places, on how many the models agree, and how long it took."""
    spent = f"{sum(answer.milliseconds for answer in answers):.0f} ms for all {len(answers)}."
    if not found:
        return f"No model sees an entity here. {spent}"
    differing = sum(place.differs for place in found)
    named = f"{len(found)} place{'s' if len(found) > 1 else ''} named"
    if not differing:
        return f"{named}: the models agree on {'all' if len(found) > 1 else 'it'}. {spent}"
    if differing == len(found):
        return f"{named}: the models differ on {'every one' if len(found) > 1 else 'it'}. {spent}"
    return f"{named}: the models agree on {len(found) - differing} and differ on {differing}. {spent}"
