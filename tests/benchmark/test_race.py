"""Sides take turns in processes of their own, and what goes wrong in one is told."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from stages.benchmark.race import Side, pool, race
from stages.errors import UserError
from tests.benchmark.sides import fill_slowly

SIDES = "tests.benchmark.sides"


def test_sides_warm_up_then_take_turns_and_change_who_is_first(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    sides = {name: Side(f"{SIDES}:Noting", {"notes": notes, "name": name}) for name in "ab"}
    tracks = race(sides, repeats=3, threads=1)
    assert notes.read_text() == "ba" + "ab" + "ba" + "ab"
    assert {name: track.seconds for name, track in tracks.items()} == {"a": [0.5] * 3, "b": [0.5] * 3}
    processes = {track.facts["process"] for track in tracks.values()}
    assert len(processes | {os.getpid()}) == 3
    assert {track.facts["threads"] for track in tracks.values()} == {"1"}


def test_peak_memory_is_that_of_each_sides_own_process() -> None:
    sides = {name: Side(f"{SIDES}:Large", {"mib": mib}) for name, mib in (("small", 1), ("large", 200))}
    small, large = race(sides, repeats=1, threads=1, warm_up=False).values()
    assert 190 < large.peak_mib - small.peak_mib < 230


def test_a_pool_that_is_asked_to_stop_stops_its_work_too_and_leaves_nothing(tmp_path: Path) -> None:
    start = time.monotonic()
    with pytest.raises(SystemExit):
        _stopped_at_work(tmp_path)
    assert time.monotonic() - start < 45
    assert list(tmp_path.iterdir()) == []


def _stopped_at_work(folder: Path) -> None:
    with pool(2, 1) as processes:
        for i in range(4):
            processes.submit(fill_slowly, folder / str(i))
        while not list(folder.iterdir()):
            time.sleep(0.05)
        raise SystemExit(143)


@pytest.mark.parametrize(
    ("side", "error", "told"),
    [
        ("Refusing", UserError, "^no such model; train one$"),
        ("Dying", UserError, "'only' ended without an answer; if memory ran out"),
        ("Broken", RuntimeError, "KeyError: 'a fault of the program'"),
    ],
)
def test_what_goes_wrong_in_a_side_is_told(side: str, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        race({"only": Side(f"{SIDES}:{side}", {})}, repeats=1, threads=1)
