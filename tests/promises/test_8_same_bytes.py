"""The same seed gives the same bytes, wherever the project lies."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clone import ROOT, Project
from tests.promises.processes import Process, Stage, stages
from tests.promises.test_4_full_disk_and_kill import contents, of_each_kind
from tests.promises.tries import Tries

PROMISE = "8 The same seed gives the same bytes: metrics, predictions, models and pictures"
HOW = "every stage run again in another folder; the whole sample pipeline in two folders; SHA-256 of each output"


def run_again(project: Project, chosen: list[Stage], expected: Path, tries: Tries) -> None:
    """Run stages once more, without what they left; they leave the same bytes as in ``expected``."""
    for stage in chosen:
        for output in stage.outputs:
            path = project.folder / output
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        process = Process(project.folder, stage.command)
        with tries.one(stage.name):
            assert process.wait() == 0, process.said()
            for output in stage.outputs:
                assert contents(project.folder, output) == contents(expected, output)


def test_one_stage_of_each_kind_again_in_another_folder(finished_clone: Project, tmp_path: Path, tries: Tries) -> None:
    project = finished_clone.copy(tmp_path / "elsewhere" / "deeper")
    run_again(project, of_each_kind(stages(project.folder)), finished_clone.folder, tries)


@pytest.mark.promises
def test_every_stage_again_in_another_folder(finished_clone: Project, tmp_path: Path, tries: Tries) -> None:
    project = finished_clone.copy(tmp_path / "elsewhere" / "deeper")
    run_again(project, stages(project.folder), finished_clone.folder, tries)


@pytest.mark.promises
def test_the_whole_sample_pipeline_in_two_folders(tmp_path: Path, tries: Tries) -> None:
    """The sample profile as committed, twice from nothing: half an hour of two cores."""
    found = []
    for name in ("one", "another/deeper"):
        folder = tmp_path / name
        subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
        project = Project(folder)
        assert len(project.dvc("repro")) == len(stages(folder))
        outputs = [output for stage in stages(folder) for output in stage.outputs]
        found.append({output: contents(folder, output) for output in outputs})
    assert found[0].keys() == found[1].keys()
    for output in found[0]:
        with tries.one(output):
            assert found[0][output] == found[1][output]
