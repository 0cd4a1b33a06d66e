"""Sentences made from figures."""

from __future__ import annotations

from typing import Any

import pytest

from stages.reporting import findings


def record(kind: str, right: int, missed: int = 0, spurious: int = 0) -> dict[str, Any]:
    return {"type": kind, "right": right, "missed": missed, "spurious": spurious}


def per_type(**rows: tuple[float, float, float]) -> dict[str, dict[str, float]]:
    return {kind: {"a_f1": a, "b_f1": b, "difference": b - a, "p_corrected": p} for kind, (a, b, p) in rows.items()}


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        ("On x (p = .05) A and B differ: no evidence that B is better. More.", "No evidence that B is better"),
        ("On x B minus A is +1.0 points: B is better than A. B lacks 1 sentence of A's.", "B is better than A"),
        ("On x: the test points on, the interval does not: no firm evidence that either is better.",
         "No firm evidence that either is better"),
        ("Nothing to say.", "Nothing to say"),
    ],
)  # fmt: skip
def test_conclusion(verdict: str, expected: str):
    assert findings.conclusion(verdict) == expected


def test_sentences_part_at_full_stops_not_at_points_of_numbers():
    verdict = "A differs by +0.4 (p = .051): so. B lacks 389 of A's. One run a side: that is all."
    assert findings.sentences(verdict) == [
        "A differs by +0.4 (p = .051): so.",
        "B lacks 389 of A's.",
        "One run a side: that is all.",
    ]


def test_the_types_that_hold_two_thirds_of_the_errors():
    errors = {
        "a": [
            record("LOC", 90, 5, 5),
            record("ANIM", 10, 50, 10),
            record("DIS", 5, 20, 10),
            record("all", 105, 75, 25),
        ],
        "b": [record("LOC", 95), record("ANIM", 30, 30), record("DIS", 15, 10), record("all", 140, 40)],
    }
    assert findings.where_the_errors_are(errors) == (
        "ANIM (animals) and DIS (diseases) hold 90% of A's errors and 100% of B's, with 47% of the entities."
    )


def test_one_type_that_holds_them_all():
    rows = [record("LOC", 3), record("ANIM", 0, 1), record("all", 3, 1)]
    text = findings.where_the_errors_are({"a": rows, "b": rows})
    assert text == "ANIM (animals) holds 100% of A's errors and 100% of B's, with 25% of the entities."


def test_errors_of_one_side_only():
    clean = [record("LOC", 4), record("all", 4)]
    text = findings.where_the_errors_are({"a": [record("LOC", 2, 2), record("all", 2, 2)], "b": clean})
    assert "100% of A's errors and 0% of B's" in text


@pytest.mark.parametrize("rows", [[record("LOC", 4), record("all", 4)], [], [record("all", 0)]])
def test_no_error_at_all(rows: list[dict[str, Any]]):
    assert findings.where_the_errors_are({"a": rows, "b": rows}) == "Neither side makes an error."


def test_equal_counts_are_named_in_a_fixed_order():
    rows = [record("PER", 1, 1), record("ANIM", 1, 1), record("LOC", 1, 1), record("all", 3, 3)]
    forward = findings.where_the_errors_are({"a": rows, "b": rows})
    backward = findings.where_the_errors_are({"a": rows[::-1], "b": rows[::-1]})
    assert forward == backward
    assert forward.startswith("ANIM (animals) and LOC (places) hold")


def test_counts_of_one_record():
    row = {"type": "PER", "right": 5, "missed": 1, "spurious": 2, "wrong type": 3}
    assert findings.count(row) == 6
    assert findings.in_gold(row) == 9


def test_weakest_types_come_lowest_first():
    text = findings.weakest(per_type(PER=(0.9, 0.9, 1), DIS=(0.8, 0.7, 1), ANIM=(0.7, 0.7, 1)))
    assert text == "Hardest for both together, by F1: ANIM (A 0.700, B 0.700) and DIS (A 0.800, B 0.700)."
    assert findings.weakest({}) == "No type occurs."


def test_types_that_differ_after_correction():
    rows = per_type(PER=(0.9, 0.95, 0.01), DIS=(0.8, 0.7, 0.049), LOC=(0.9, 0.8, 0.05))
    assert findings.types_that_differ(rows, 0.95) == (
        "After correction for testing 3 types, B is ahead on PER (+5.0 points, B minus A) and A is ahead on DIS "
        "(−10.0 points, B minus A); on no other type does a difference hold."
    )
    assert findings.types_that_differ(rows, 0.9).endswith("(−10.0 points, B minus A).")
    assert findings.types_that_differ(rows, 0.995).startswith("On none of the 3 types")


def certain(low: float, high: float, p_value: float) -> str:
    return findings.certainty(
        {"common": {"interval": [low, high], "p_value": p_value}, "settings": {"confidence": 0.95}}
    )


@pytest.mark.parametrize(
    ("low", "high", "where"), [(-0.01, 0.02, "within"), (0.001, 0.02, "outside"), (-0.2, -0.1, "outside")]
)
def test_certainty_says_where_zero_lies(low: float, high: float, where: str):
    assert f"0 lies {where}" in certain(low, high, 0.5)


@pytest.mark.parametrize(
    ("p_value", "expected"),
    [
        (0.0001, "in fewer than 1 of 1,000 tests"),
        (0.0515, "in 5.1 of 100 tests"),
        (0.42, "in 42 of 100 tests"),
        (1.0, "every time"),
    ],
)
def test_certainty_says_how_often_luck_does_it(p_value: float, expected: str):
    assert certain(-1, 1, p_value).endswith(f"by luck {expected}.")


@pytest.mark.parametrize(
    ("names", "expected"), [(["x"], "x"), (["x", "y"], "x and y"), (["x", "y", "z"], "x, y and z")]
)
def test_listed(names: list[str], expected: str):
    assert findings.listed(names) == expected
