"""Rows by name."""

from __future__ import annotations

import pytest

from stages.benchmark.catalogue import ROWS, chosen
from stages.errors import UserError

PROMISED = {
    "exact-training", "exact-prediction", "exact-prediction-bf16", "preparation", "selective-training",
    "selective-prediction", "token-training", "token-prediction", "data",
}  # fmt: skip


def test_promised_rows_are_measured_unasked_and_in_under_an_hour() -> None:
    names = chosen([], everything=False, bf16=True)
    assert set(names) >= PROMISED
    assert sum(ROWS[name].minutes for name in names) < 60


def test_slow_rows_wait_to_be_asked_for() -> None:
    unasked, everything = (set(chosen([], everything, bf16=True)) for everything in (False, True))
    assert everything == set(ROWS)
    assert {name for name in everything - unasked if name.endswith("-f1")} == {
        "selective-training-f1", "selective-prediction-f1", "token-training-f1",
    }  # fmt: skip
    assert chosen(["token-training-f1"], everything=False, bf16=True) == ["token-training-f1"]


def test_names_come_in_the_order_of_the_file() -> None:
    assert chosen(["data", "preparation", "data"], everything=False, bf16=True) == ["preparation", "data"]


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UserError, match="--only exact: no such row; there are preparation, exact-training"):
        chosen(["exact"], everything=False, bf16=True)


def test_without_bfloat16_its_rows_are_left_out_or_refused() -> None:
    names = chosen([], everything=True, bf16=False)
    assert names == [name for name in ROWS if not name.endswith("bf16")]
    with pytest.raises(UserError, match="--only exact-prediction-bf16: this processor does not multiply bfloat16"):
        chosen(["exact-prediction-bf16"], everything=False, bf16=False)
