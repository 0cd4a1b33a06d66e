"""Axes and rows of the page's drawings."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.reporting.geometry import EDGE, axis, extent, gap_rows, tick, type_rows

RESULT: dict[str, Any] = {
    "headline": {"difference": 0.025},
    "common": {"interval": [-0.001, 0.007]},
    "explained": {"sentences": 0.015, "types": 0.006, "left": 0.004, "share": 0.84},
}


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=9))
def test_an_axis_holds_its_values_and_zero_between_its_edges(values: list[float]):
    found = axis(values)
    for value in (*values, 0.0):
        assert EDGE - 0.01 <= found.at(value) <= 100 - EDGE + 0.01
    assert 0 in found.ticks
    assert 2 <= len(found.ticks) <= 7
    assert found.ticks == sorted(found.ticks)


def test_an_axis_is_linear():
    found = axis([-2.0, 2.0])
    assert found.at(0) == 50
    assert found.at(1) - found.at(0) == pytest.approx(found.at(2) - found.at(1))


def test_steps_are_round():
    assert axis([0.37, -0.12]).ticks == [-0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4]
    assert axis([0.0]).ticks == [0.0, 0.1]


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (1.0, "+1"), (-0.5, "−0.5"), (20, "+20")])
def test_tick(value: float, text: str):
    assert tick(value) == text


def test_the_gap_is_taken_apart_step_by_step():
    rows = gap_rows(RESULT)
    assert [round(row["from"], 6) for row in rows] == [0, 2.5, 1.0, 0]
    assert [round(row["to"], 6) for row in rows] == [2.5, 1.0, 0.4, 0.4]
    assert [round(row["value"], 6) for row in rows] == [0.025, -0.015, -0.006, 0.004]
    assert (rows[3]["low"], rows[3]["high"]) == pytest.approx((-0.1, 0.7))
    assert rows[0]["value"] + rows[1]["value"] + rows[2]["value"] == pytest.approx(rows[3]["value"])


def test_a_gap_whose_sign_turns_keeps_its_signs():
    turned = {**RESULT, "explained": {"sentences": 0.0, "types": 0.035, "left": -0.01, "share": 1.4}}
    assert [round(row["value"], 6) for row in gap_rows(turned)] == [0.025, 0.0, -0.035, -0.01]


def test_types_stand_with_the_surest_difference_first():
    rows = type_rows(
        {
            "DIS": {"difference": 0.02, "interval": [-0.04, 0.08]},
            "PER": {"difference": 0.01, "interval": [0.0, 0.02]},
        }
    )
    assert [row["label"] for row in rows] == ["PER", "DIS"]
    assert rows[1]["to"] == pytest.approx(2)
    assert (rows[1]["low"], rows[1]["high"]) == pytest.approx((-4, 8))


def test_extent_holds_bars_and_intervals():
    found = extent([{"from": 0, "to": 3}, {"to": 1, "low": -2, "high": 4}])
    assert (found.low, found.high) == (-2, 4)
