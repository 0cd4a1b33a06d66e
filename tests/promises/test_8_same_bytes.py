"""The same seed gives the same bytes, wherever the project lies."""

from __future__ import annotations

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
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


def reproduced(folder: Path) -> dict[str, dict[str, str]]:
    """The SHA-256 of all that the sample profile as committed leaves in a clone of its own, made from nothing."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    ran = Project(folder).dvc("repro")
    every = stages(folder)
    assert ran == {stage.name for stage in every}
    return {output: contents(folder, output) for stage in every for output in stage.outputs}


@pytest.mark.promises
def test_the_whole_sample_pipeline_in_two_folders(tmp_path: Path, tries: Tries) -> None:
    """Twice at the same time: half an hour of a processor."""
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(reproduced, (tmp_path / "one", tmp_path / "another/deeper"))
    assert first.keys() == second.keys()
    for output in first:
        with tries.one(output):
            assert first[output]
            assert first[output] == second[output]
