"""A training that is killed goes on from its newest whole checkpoint, and ends in the same bytes."""

from __future__ import annotations

import hashlib
import os
import random
import re
import signal
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from stages.models.checkpoints import MARK
from stages.settings import FAMILIES, Family
from tests.clone import Project
from tests.promises.processes import Process
from tests.promises.training import BrokenOffError, trained
from tests.promises.tries import Tries

PROMISE = "1 A killed training goes on from its newest whole checkpoint, to the same bytes as an unbroken one"
HOW = (
    "`kill -9` at random moments, ten in a row, then SHA-256 of `model.safetensors` and of the curves; both families, "
    "accumulation, several epochs; also Ctrl-C and SIGTERM"
)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("family", "changes"),
    [
        ("span_marker", {"mode": "exact", "embeddings": "trained"}),
        ("span_marker", {"mode": "selective", "negatives": 4, "epochs": 2}),
        ("span_marker", {"mode": "selective", "embeddings": "sparse", "epochs": 2}),
        ("token_classifier", {"scheduler": "cosine", "embeddings": "trained"}),
        ("token_classifier", {"embeddings": "sparse", "epochs": 2}),
        ("token_classifier", {"embeddings": "frozen", "epochs": 2}),
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


def train(project: Project, name: str) -> Process:
    """The training of one model, on its way."""
    family, system = name.split("-")
    return Process(project.folder, ["python", "-m", "stages.train", "--family", family, "--system", system])


def checkpoints(project: Project, name: str) -> set[Path]:
    """The marks of the whole checkpoints, while a training may be removing some."""
    walked = os.walk(project.folder / "checkpoints" / name)  # unlike glob, it passes over a folder that goes meanwhile
    return {Path(folder) / MARK for folder, _, files in walked if MARK in files}


def until_saved(process: Process, project: Project, name: str) -> None:
    """Wait for a checkpoint that was not there before."""
    before = checkpoints(project, name)
    while process.alive() and not checkpoints(project, name) - before:
        time.sleep(0.002)


def outcome(project: Project, name: str) -> tuple[str, str]:
    model, curves = f"models/{name}/model.safetensors", f"reports/runs/{name}/curves.csv"
    return sha256(project.folder / model), sha256(project.folder / curves)


def kill_in_training(project: Project, name: str, kills: int) -> None:
    """Kill the training of a model so many times in a row, each a random moment after it has saved."""
    for _ in range(kills):
        process = train(project, name)
        until_saved(process, project, name)
        time.sleep(random.random() * 0.1)
        process.send(signal.SIGKILL)
        process.wait()


def goes_on_to(expected: tuple[str, str], project: Project, name: str) -> None:
    process = train(project, name)
    assert process.wait() == 0, process.said()
    assert "is whole: going on after update" in process.said()
    assert outcome(project, name) == expected


@pytest.mark.parametrize("family", FAMILIES)
def test_killed_twice_it_ends_in_the_same_files(family: Family, finished_clone: Project, tmp_path: Path) -> None:
    project, name = finished_clone.copy(tmp_path / "project"), f"{family}-A"
    expected = outcome(project, name)
    kill_in_training(project, name, 2)
    goes_on_to(expected, project, name)


@pytest.mark.promises
@pytest.mark.parametrize("family", FAMILIES)
def test_ten_trainings_killed_ten_times_each(
    family: Family, finished_clone: Project, tmp_path: Path, tries: Tries
) -> None:
    for number in range(10):
        project, name = finished_clone.copy(tmp_path / str(number)), f"{family}-{random.choice('AB')}"
        expected = outcome(project, name)
        with tries.one(f"{name}, training {number}"):
            kill_in_training(project, name, 10)
            goes_on_to(expected, project, name)


@pytest.mark.promises
@pytest.mark.parametrize("family", FAMILIES)
def test_ten_kills_under_dvc(family: Family, finished_clone: Project, tmp_path: Path) -> None:
    project, name = finished_clone.copy(tmp_path / "project"), f"{family}-A"
    expected = outcome(project, name)
    project.forget(f"train@{name}")
    for _ in range(10):
        dvc = project.start("dvc", "repro", f"train@{name}")
        before = checkpoints(project, name)
        while dvc.poll() is None and not checkpoints(project, name) - before:
            time.sleep(0.002)
        trainer = int((project.folder / "checkpoints" / name / ".lock").read_text())
        time.sleep(random.random() * 0.05)
        os.kill(trainer, signal.SIGKILL)
        assert dvc.wait() != 0
    assert f"train@{name}" in project.dvc("repro", f"train@{name}")
    assert outcome(project, name) == expected


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_says_where_it_goes_on_and_does(
    number: signal.Signals, finished_clone: Project, tmp_path: Path
) -> None:
    project, name = finished_clone.copy(tmp_path / "project"), "token_classifier-B"
    expected = outcome(project, name)
    process = train(project, name)
    until_saved(process, project, name)
    process.send(number)
    assert process.wait() == 128 + number
    said = process.said()
    assert "Traceback" not in said
    (stopped,) = re.findall(r"stopped; the same command goes on after update (\d+) of 12", said)
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
