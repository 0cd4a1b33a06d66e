"""Two sides brought onto common ground: the same sentences, the same types, the same gold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from stages.corpus.labels import FIVE, SYSTEMS, TYPES, project
from stages.scoring.predictions import PredictionError, Predictions


class Common(NamedTuple):
    """What two sides share; all positions run over the common sentences, in A's order.

    Attributes:
        types: the types that both sides know.
        tokens: ``(sentences, words)``.
        gold: the gold tags cut to ``types``, equal on both sides, ``(sentences, words)``.
        a: one list of predicted tags cut to ``types`` a file of side A, ``(files, sentences, words)``.
        b: the same of side B.
        a_rows: where each common sentence stands in A's files; ``b_rows`` in B's.
        only_a: how many sentences B lacks; ``only_b`` how many A lacks.
    """

    types: tuple[str, ...]
    tokens: list[list[str]]
    gold: list[list[str]]
    a: list[list[list[str]]]
    b: list[list[list[str]]]
    a_rows: list[int]
    b_rows: list[int]
    only_a: int
    only_b: int


def system_of(side: Predictions) -> str:
    """``B`` where gold holds no type beyond System B's five, ``A`` otherwise."""
    seen = {tag[2:] for tags in side.gold for tag in tags if tag != "O"}
    return "B" if seen <= set(FIVE) else "A"


def shared_types(a: Predictions, b: Predictions) -> tuple[str, ...]:
    """The types that both sides are asked for, as their gold tells: System B's five, or all fifteen."""
    known = set(SYSTEMS[system_of(a)]) & set(SYSTEMS[system_of(b)])
    return tuple(kind for kind in TYPES if kind in known)


def align(a: Sequence[Predictions], b: Sequence[Predictions]) -> Common:
    """Find the sentences that both sides hold, and cut both sides to the types that both know.

    Sentences match by ``row`` where every row of every file has one, else by position. Several files a side
    are several seeds of one system and hold the same sentences.

    Raises:
        PredictionError: a side has no score; a file repeats a ``row``; files of one side hold other
            sentences; matched sentences differ in tokens, or in gold once cut to the shared types; or
            no sentence is common. Names file and line of both.
    """
    for file in (*a, *b):
        if file.unscored is not None:
            raise PredictionError(f"{file.path}: cannot be compared, it has no score: {file.unscored}")
    by_row = all(row.row is not None for file in (*a, *b) for row in file.rows)
    a, b = _in_one_order(a, by_row), _in_one_order(b, by_row)
    keys_a, keys_b = _keys(a[0], by_row), _keys(b[0], by_row)
    matched = [(i, keys_b[key]) for key, i in keys_a.items() if key in keys_b]
    if not matched:
        raise PredictionError(f"{a[0].path} and {b[0].path}: no `row` is in both, so there is nothing to compare")
    types = shared_types(a[0], b[0])
    a_rows, b_rows = [i for i, _ in matched], [j for _, j in matched]
    for i, j in matched:
        _check_tokens(a[0], i, b[0], j)
    gold = _common_gold(a[0], b[0], matched, types)
    return Common(
        types,
        [a[0].rows[i].tokens for i in a_rows],
        gold,
        [[project(file.rows[i].pred, types) for i in a_rows] for file in a],
        [[project(file.rows[j].pred, types) for j in b_rows] for file in b],
        a_rows,
        b_rows,
        len(keys_a) - len(matched),
        len(keys_b) - len(matched),
    )


def _in_one_order(files: Sequence[Predictions], by_row: bool) -> list[Predictions]:
    """The files of one side with their rows in the order of the first, after the check that they agree."""
    first = _keys(files[0], by_row)
    ordered = [files[0]]
    for other in files[1:]:
        keys = _keys(other, by_row)
        if keys.keys() != first.keys():
            lacking = next(iter(first.keys() ^ keys.keys()))
            raise PredictionError(
                f"{other.path} ({len(other.rows)} rows) and {files[0].path} ({len(files[0].rows)} rows) are two seeds "
                f"of one side, but row {lacking!r} is in one of them only; give each side predictions on one test set"
            )
        places = [keys[key] for key in first]
        ordered.append(Predictions(other.path, [other.rows[i] for i in places], [other.lines[i] for i in places]))
        _check_same_gold(files[0], ordered[-1])
    return ordered


def _check_same_gold(first: Predictions, other: Predictions) -> None:
    for i, (row, twin) in enumerate(zip(first.rows, other.rows, strict=True)):
        _check_tokens(first, i, other, i)
        if row.gold != twin.gold:
            raise PredictionError(
                f"{other.at(i)}: field 'gold': differs from {first.at(i)}, which is another seed of the same side; "
                "give each side predictions on one gold"
            )


def _keys(file: Predictions, by_row: bool) -> dict[int | str, int]:
    keys: dict[int | str, int] = {}
    for i, row in enumerate(file.rows):
        key = row.row if by_row and row.row is not None else i
        if key in keys:
            raise PredictionError(
                f"{file.at(i)}: field 'row': value {key!r} is already on line {file.lines[keys[key]]}; "
                "a sentence counts once (was the test set loaded twice?)"
            )
        keys[key] = i
    return keys


def _check_tokens(a: Predictions, i: int, b: Predictions, j: int) -> None:
    mine, other = a.rows[i].tokens, b.rows[j].tokens
    if mine != other:
        at = next((k for k, (x, y) in enumerate(zip(mine, other, strict=False)) if x != y), min(len(mine), len(other)))
        raise PredictionError(
            f"{b.at(j)}: field 'tokens[{at}]': value {_word(other, at)} where {a.at(i)} has {_word(mine, at)}; "
            "only predictions on the same sentences can be paired: give every row its `row`, or predict one file"
        )


def _word(tokens: list[str], at: int) -> str:
    return repr(tokens[at]) if at < len(tokens) else "nothing (the sentence has ended)"


def _common_gold(
    a: Predictions, b: Predictions, matched: Sequence[tuple[int, int]], types: tuple[str, ...]
) -> list[list[str]]:
    gold = []
    for i, j in matched:
        mine, other = project(a.rows[i].gold, types), project(b.rows[j].gold, types)
        if mine != other:
            at = next(k for k, (x, y) in enumerate(zip(mine, other, strict=True)) if x != y)
            raise PredictionError(
                f"{b.at(j)}: field 'gold[{at}]': value {other[at]!r} where {a.at(i)} has {mine[at]!r}, on the types "
                f"that both sides know ({', '.join(types)}); derive both systems from the same rows"
            )
        gold.append(mine)
    return gold
