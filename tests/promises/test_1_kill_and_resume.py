"""A training that is killed goes on from its newest whole checkpoint, and ends in the same bytes."""

from __future__ import annotations

import random
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from stages.settings import FAMILIES, Family
from tests.clone import Project
from tests.promises.killed import Chain, checkpoints, outcome, train
from tests.promises.training import BrokenOffError, trained
from tests.promises.tries import Tries

PROMISE = "1 A killed training goes on from its newest whole checkpoint, to the same bytes as an unbroken one"
HOW = (
    "`kill -9` at random moments, ten in a row, then SHA-256 of `model.safetensors` and of the curves; both families, "
    "accumulation, several epochs; also Ctrl-C and SIGTERM"
)


@pytest.mark.parametrize(
    ("family", "changes"),
    [
        ("span_marker", {"mode": "exact", "embeddings": "trained"}),
        ("span_marker", {"mode": "selective", "negatives": 4, "epochs": 2, "keep": "best"}),
        ("span_marker", {"mode": "selective", "embeddings": "sparse", "epochs": 2}),
        ("token_classifier", {"scheduler": "cosine", "embeddings": "trained"}),
        ("token_classifier", {"embeddings": "sparse", "epochs": 2}),
        ("token_classifier", {"embeddings": "frozen", "epochs": 2, "keep": "best"}),
    ],
)
def test_broken_off_three_times_it_ends_in_the_same_weights_and_curves(
    family: Family, changes: dict[str, Any], tiny_bert: Path, tmp_path: Path
) -> None:
    weights, curves = trained(family, tiny_bert, tmp_path / "whole", **changes)
    last = int(curves["step"].max())  # as if killed while the model is written
    moments = [*sorted(random.sample(range(1, last), 2)), last]
    for moment in moments:
        with pytest.raises(BrokenOffError):
            trained(family, tiny_bert, tmp_path / "broken", after=moment, **changes)
    again, curves_again = trained(family, tiny_bert, tmp_path / "broken", **changes)
    assert again == weights, moments
    pd.testing.assert_frame_equal(curves_again, curves)


def goes_on_to(expected: tuple[str, str], project: Project, name: str) -> None:
    process = train(project, name)
    assert process.wait() == 0, process.said()
    assert "is whole: going on after update" in process.said()
    assert outcome(project, name) == expected


@pytest.mark.parametrize("family", FAMILIES)
def test_killed_twice_it_ends_in_the_same_files(family: Family, finished_clone: Project, tmp_path: Path) -> None:
    project, name = finished_clone.copy(tmp_path / "project"), f"{family}-A"
    expected = outcome(project, name)
    chain = Chain(project, name, 12)
    chain.killed(2, chain.kill)
    goes_on_to(expected, project, name)


@pytest.mark.promises
@pytest.mark.parametrize("family", FAMILIES)
def test_ten_trainings_killed_ten_times_each(family: Family, long_clone: Project, tmp_path: Path, tries: Tries) -> None:
    for number in range(10):
        project, name = long_clone.copy(tmp_path / str(number)), f"{family}-{random.choice('AB')}"
        expected = outcome(project, name)
        chain = Chain(project, name, 48)
        with tries.one(f"{name}, training {number}"):
            chain.killed(10, chain.kill)
            goes_on_to(expected, project, name)
        shutil.rmtree(project.folder)


@pytest.mark.promises
@pytest.mark.parametrize("family", FAMILIES)
def test_ten_kills_under_dvc(family: Family, long_clone: Project, tmp_path: Path) -> None:
    project, name = long_clone.copy(tmp_path / "project"), f"{family}-A"
    expected = outcome(project, name)
    chain = Chain(project, name, 48)
    chain.killed(10, chain.kill_under_dvc)
    assert f"train@{name}" in project.dvc("repro", f"train@{name}")
    assert outcome(project, name) == expected
    assert project.dvc("repro", f"train@{name}") == set()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("family", FAMILIES)
def test_asked_to_stop_it_says_where_it_goes_on_and_does(
    family: Family, number: signal.Signals, finished_clone: Project, tmp_path: Path
) -> None:
    project, name = finished_clone.copy(tmp_path / "project"), f"{family}-B"
    expected = outcome(project, name)
    process = train(project, name, halt=3)
    process.until_halted()
    process.send(number)
    process.send(signal.SIGCONT)
    assert process.wait() == 128 + number
    said = process.said()
    assert "Traceback" not in said
    (stopped,) = re.findall(r"stopped; the same command goes on after update (\d+) of 12", said)
    assert int(stopped) in (3, 4)  # the signal may come before update 3 has ended
    process = train(project, name)
    assert process.wait() == 0
    assert f"is whole: going on after update {stopped}\n" in process.said()
    assert outcome(project, name) == expected


def test_an_ended_training_leaves_no_checkpoint_for_the_next(finished_clone: Project, tmp_path: Path) -> None:
    project, name = finished_clone.copy(tmp_path / "project"), "token_classifier-A"
    expected = outcome(project, name)
    for _ in range(2):
        process = train(project, name)
        assert process.wait() == 0
        assert "going on" not in process.said()
        assert checkpoints(project, name) == set()
    assert outcome(project, name) == expected
