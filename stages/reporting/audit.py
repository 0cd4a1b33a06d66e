"""The audit of a data directory as a short page of Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stages.corpus.labels import TYPES
from stages.reporting.tables import markdown_table


def render(found: Mapping[str, Any]) -> str:
    """``audit.md`` of what ``stages.corpus.audit.audit`` found: faults first, then counts."""
    parts = ["# What is in the data", _findings(found["findings"]), "## Counts (English)", _counts(found["splits"])]
    parts += [
        "## Copies",
        _copies(found["duplicates"]),
        "## One mention, several types",
        _several(found["several_types"]),
    ]
    if "label_errors" in found:
        parts += ["## Likeliest label errors", _label_errors(found["label_errors"])]
    if "without_duplicates" in found:
        parts += ["## Scores without copies of train", _without(found["without_duplicates"])]
    return "\n\n".join(parts) + "\n"


def _findings(found: list[Mapping[str, str]]) -> str:
    if not found:
        return "No known fault was found."
    return "\n".join(
        f"- **{one['fault']}** ({one['where']}): {one['evidence']}. Way out: {one['way_out']}." for one in found
    )


def _counts(splits: Mapping[str, Any]) -> str:
    header = ["", *splits]
    lines = [
        [name, *(f"{part[key]:,}" for part in splits.values())]
        for name, key in (("sentences", "sentences"), ("of MultiNERD's", "true_sentences"), ("tokens", "tokens"),
                          ("entities", "entities"), ("of MultiNERD's", "true_entities"))
    ]  # fmt: skip
    lines += [[kind, *(f"{part['types'][kind]:,}" for part in splits.values())] for kind in TYPES]
    lines.append(["bad rows", *(f"{sum(part['bad_rows'].values()):,}" for part in splits.values())])
    return markdown_table(header, lines)


def _copies(copies: Mapping[str, Any]) -> str:
    lines = []
    for place in ("within", "across"):
        for name, exact in copies["exact"][place].items():
            near = copies["near"][place][name]
            title = f"within {name}" if place == "within" else name
            lines.append([title, f"{exact['sentences']:,}", f"{near['sentences']:,}"])
    note = "Sentences with a twin; near: at least .7 of the runs of three words are shared."
    return f"{markdown_table(['', 'exact', 'near'], lines)}\n\n{note}"


def _several(several: Mapping[str, Any]) -> str:
    text = (
        f"{several['mentions']:,} of {several['of_mentions']:,} mentions have several types; "
        f"{several['minority_entities']:,} entities are not of the more frequent one."
    )
    lines = [
        [one["mention"], ", ".join(f"{kind} {count}" for kind, count in one["types"].items())] for one in several["top"]
    ]
    return f"{text}\n\n{markdown_table(['mention', 'types'], lines)}" if lines else text


def _label_errors(errors: Mapping[str, Any]) -> str:
    return (
        f"{errors['words']:,} of {errors['of_words']:,} words in {errors['sentences']:,} sentences have a tag that the "
        "model's out-of-sample probabilities speak against (cleanlab); label_errors.csv lists them, likeliest first."
    )


def _without(scores: Mapping[str, Any]) -> str:
    return (
        f"Strict F1 {scores['f1']:.4f} on all {scores['sentences']:,} test sentences, "
        f"{scores['f1_without_duplicates']:.4f} on the {scores['sentences_without_duplicates']:,} that have no exact "
        "or near copy in train."
    )
