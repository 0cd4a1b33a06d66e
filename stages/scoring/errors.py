"""Every mistake of a run, classed once, by a rule that gives one answer only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from stages.corpus.labels import TYPES, Span, spans
from stages.scoring.predictions import Predictions

KINDS = ("missed", "spurious", "wrong type", "wrong boundary", "wrong both")
OUTSIDE = "O"


class Match(NamedTuple):
    """A gold entity and the answer to it. ``kind`` is ``right`` or one of ``KINDS``; a missing side is None."""

    kind: str
    gold: Span | None
    pred: Span | None


def match(gold: Sequence[Span], pred: Sequence[Span]) -> list[Match]:
    """Pair the gold entities of one sentence with the predicted ones; each stands in exactly one match.

    Entities are taken in this order, and what was paired is gone for the later rules:

    1. same type and words: ``right``;
    2. same words, other type: ``wrong type``;
    3. same type, words overlap: ``wrong boundary``;
    4. other type, words overlap: ``wrong both``;
    5. what is left is ``missed`` (gold) or ``spurious`` (predicted).

    Within rules 3 and 4, the pair with most words in common goes first, of equals the one whose gold entity, then
    whose predicted entity, begins first. So strict false negatives are ``missed`` and the three middle kinds,
    and strict false positives ``spurious`` and the three middle kinds.
    """
    found = []
    gold_left, pred_left = sorted(gold, key=_begin), sorted(pred, key=_begin)
    for _, _, _, kind, mine, given in sorted(_candidates(gold_left, pred_left)):
        if mine in gold_left and given in pred_left:
            gold_left.remove(mine)
            pred_left.remove(given)
            found.append(Match(kind, mine, given))
    found += [Match("missed", span, None) for span in gold_left]
    found += [Match("spurious", None, span) for span in pred_left]
    return sorted(found, key=lambda one: _begin(one.gold or one.pred))


def _begin(span: Span | None) -> tuple[int, int, str]:
    return (span.start, span.end, span.type) if span else (-1, -1, "")


def _candidates(gold: Sequence[Span], pred: Sequence[Span]) -> list[tuple[int, int, tuple[int, int], str, Span, Span]]:
    """Every pair that shares a word, with its rank: the rule, then minus the shared words, then both beginnings."""
    found = []
    for mine in gold:
        for given in pred:
            shared = min(mine.end, given.end) - max(mine.start, given.start)
            if shared > 0:
                same_type, same_words = mine.type == given.type, mine[1:] == given[1:]
                rule = (0 if same_type else 1) if same_words else (2 if same_type else 3)
                kind = ("right", "wrong type", "wrong boundary", "wrong both")[rule]
                found.append((rule, -shared, (mine.start, given.start), kind, mine, given))
    return found


def matches(predictions: Predictions, types: Sequence[str] = TYPES) -> pd.DataFrame:
    """Every entity of gold and prediction in one table, one row a match, in the file's order.

    Columns: ``line`` (of the file), ``row`` (its ``row``, where it has one), ``kind``, ``gold_type`` and
    ``pred_type`` (``O`` where that side has none), ``gold`` and ``pred`` (the words), ``gold_start``, ``gold_end``,
    ``pred_start``, ``pred_end`` (words, end exclusive), ``sentence`` (its words, joined by spaces) and ``words``
    (how many). Only entities of ``types`` are looked at.
    """
    records = []
    for line, row in zip(predictions.lines, predictions.rows, strict=True):
        gold = [span for span in spans(row.gold) if span.type in types]
        pred = [span for span in spans(row.pred) if span.type in types]
        if gold or pred:
            sentence = " ".join(row.tokens)
            for one in match(gold, pred):
                sides = {**_side("gold", one.gold, row.tokens), **_side("pred", one.pred, row.tokens)}
                records.append(
                    {
                        "line": line,
                        "row": row.row,
                        "kind": one.kind,
                        **sides,
                        "words": len(row.tokens),
                        "sentence": sentence,
                    }
                )
    frame = pd.DataFrame(records, columns=COLUMNS)
    places = [name for name in COLUMNS if name.endswith(("_start", "_end"))]
    return frame.astype({**dict.fromkeys(places, "Int64"), "line": "int64", "words": "int64"})


COLUMNS = (
    "line", "row", "kind", "gold_type", "pred_type", "gold", "pred",
    "gold_start", "gold_end", "pred_start", "pred_end", "words", "sentence",
)  # fmt: skip


def _side(name: str, span: Span | None, tokens: Sequence[str]) -> dict[str, object]:
    if span is None:
        return {f"{name}_type": OUTSIDE, name: "", f"{name}_start": None, f"{name}_end": None}
    words = " ".join(tokens[span.start : span.end])
    return {f"{name}_type": span.type, name: words, f"{name}_start": span.start, f"{name}_end": span.end}


def errors(matched: pd.DataFrame) -> pd.DataFrame:
    """The mistakes among ``matches``: the same columns without the right entities."""
    return matched[matched["kind"] != "right"].reset_index(drop=True)


def error_counts(matched: pd.DataFrame) -> pd.DataFrame:
    """How many errors of each kind each type has: one row a type and one ``all``, one column a kind, and ``right``.

    A match belongs to its gold type, a spurious one to its predicted type.
    """
    kind_of = matched["gold_type"].where(matched["gold_type"] != OUTSIDE, matched["pred_type"])
    table = pd.crosstab(kind_of, matched["kind"]).reindex(columns=["right", *KINDS], fill_value=0)
    table = table.reindex([kind for kind in TYPES if kind in table.index])
    table.loc["all"] = table.sum()
    return table.rename_axis(index="type", columns=None).reset_index()


def confusion(matched: pd.DataFrame) -> pd.DataFrame:
    """Gold types (rows) against predicted types (columns), ``O`` last on both sides.

    A matched pair counts at its two types, whether or not its boundaries agree; a missed entity at ``(type, O)``,
    a spurious one at ``(O, type)``. So the sum of a row is that type's gold entities, of a column its predicted ones.
    """
    seen = set(matched["gold_type"]) | set(matched["pred_type"])
    names = [*(kind for kind in TYPES if kind in seen), OUTSIDE]
    table = pd.crosstab(matched["gold_type"], matched["pred_type"])
    return table.reindex(index=names, columns=names, fill_value=0).rename_axis(index="gold", columns=None).reset_index()
