"""Two at once: one waits or is refused, and nothing is torn."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stages.settings import FAMILIES, Family
from tests.clone import Project
from tests.promises.killed import checkpoints, outcome, train
from tests.promises.processes import stages
from tests.promises.test_4_full_disk_and_kill import Bench, contents, torn_in_cache
from tests.promises.tries import Tries

PROMISE = "10 Two runs at once, or eight that share a cache, tear nothing; a second training waits for an orphaned one"
HOW = (
    "two `dvc repro` in one folder; eight clones on one DVC cache; a training beside one that still runs, orphaned by "
    "`kill -9` of its dvc"
)
LIGHT = ["derive@A", "derive@B", "lookup@A", "lookup@B"]


def until_said(process: object, text: str) -> None:
    """Wait until a process has said it, or has ended."""
    while text not in process.said() and process.alive():  # type: ignore[attr-defined]
        time.sleep(0.01)
    assert text in process.said()  # type: ignore[attr-defined]


@pytest.mark.parametrize("end", ["killed", "finished"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_second_training_names_the_first_waits_and_takes_over(
    family: Family, end: str, finished_clone: Project, tmp_path: Path
) -> None:
    project, name = finished_clone.copy(tmp_path / "project"), f"{family}-B"
    expected = outcome(project, name)
    first = train(project, name, halt=3)
    first.until_halted()
    second = train(project, name)
    until_said(second, "waiting for its end")
    assert f"checkpoints/{name} is in use by process {first.pid}, " in second.said()
    assert f"`kill {first.pid}` ends it" in second.said()
    first.send(signal.SIGKILL if end == "killed" else signal.SIGCONT)
    assert first.wait() == (-signal.SIGKILL if end == "killed" else 0)
    assert second.wait() == 0, second.said()
    assert ("going on after update 12\n" in second.said()) == (end == "finished")
    assert outcome(project, name) == expected
    assert checkpoints(project, name) == set()


def test_a_waiting_training_can_be_stopped(finished_clone: Project, tmp_path: Path) -> None:
    project, name = finished_clone.copy(tmp_path / "project"), "token_classifier-B"
    first = train(project, name, halt=3)
    first.until_halted()
    second = train(project, name)
    until_said(second, "waiting for its end")
    second.send(signal.SIGINT)
    assert second.wait() == 128 + signal.SIGINT
    assert "Traceback" not in second.said()
    first.send(signal.SIGKILL)
    first.wait()


def two_at_once(project: Project, pause: float) -> None:
    """Two ``dvc repro``, the second begun while the first runs a stage: one ends well, the other too or says why not.

    Either way what they leave is whole, and the next ``dvc repro`` makes the rest.
    """
    bench = Bench(project)
    project.forget(*(stage.name for stage in bench.stages if stage.name in LIGHT))
    first = project.start("dvc", "repro", *LIGHT)
    while "Running stage" not in project.told() and first.poll() is None:
        time.sleep(0.01)
    time.sleep(pause)
    overlapping = first.poll() is None
    second = project.run("dvc", "repro", *LIGHT)
    ends = [(first.wait(), project.told()), (second.returncode, second.stdout + second.stderr)]
    assert overlapping, "the first had ended before the second began"
    assert 0 in [status for status, _ in ends], ends
    for status, said in ends:
        if status:
            assert "lock" in said or "busy" in said, said
            assert "Traceback" not in said
    assert [torn for stage in bench.stages for torn in bench.torn(stage)] == []
    assert torn_in_cache(project.folder) == []
    project.dvc("repro", *LIGHT)
    assert project.dvc("repro", *LIGHT) == set()
    assert {output: contents(project.folder, output) for output in bench.right} == bench.right


def test_two_repros_at_once(finished_clone: Project, tmp_path: Path) -> None:
    two_at_once(finished_clone.copy(tmp_path / "project"), 0)


@pytest.mark.promises
def test_two_repros_at_once_ten_times(finished_clone: Project, tmp_path: Path, tries: Tries) -> None:
    for number in range(10):
        with tries.one(f"pair {number}"):
            two_at_once(finished_clone.copy(tmp_path / str(number)), random.uniform(0, 1))


@pytest.mark.promises
def test_eight_clones_on_one_cache(finished_clone: Project, tmp_path: Path, tries: Tries) -> None:
    """All eight write the same objects into an empty cache at the same time, three times over."""
    for number in range(3):
        cache = tmp_path / f"cache-{number}"
        projects = [finished_clone.copy(tmp_path / f"{number}-{i}") for i in range(8)]
        for project in projects:
            shutil.rmtree(project.folder / ".dvc/cache")
            project.forget(*LIGHT)
            assert project.run("dvc", "cache", "dir", "--local", str(cache)).returncode == 0
        with ThreadPoolExecutor(8) as pool:
            done = list(pool.map(lambda one: one.run("dvc", "repro", "--single-item", *LIGHT), projects))
        for project, run in zip(projects, done, strict=True):
            with tries.one(f"round {number}"):
                assert run.returncode == 0, run.stderr
                for stage in stages(project.folder):
                    for output in stage.outputs if stage.name in LIGHT else []:
                        assert contents(project.folder, output) == contents(finished_clone.folder, output)
        with tries.one(f"cache {number}"):
            files = [path for path in cache.rglob("*") if path.is_file() and "files" in path.parts]
            assert files
            for path in files:
                name = f"{path.parent.name}{path.name}".removesuffix(".dir")
                assert hashlib.md5(path.read_bytes()).hexdigest() == name


@pytest.mark.promises
@pytest.mark.parametrize("family", FAMILIES)
def test_an_orphan_of_dvc_is_waited_for(family: Family, long_clone: Project, tmp_path: Path, tries: Tries) -> None:
    for number in range(3):
        project, name = long_clone.copy(tmp_path / str(number)), f"{family}-A"
        expected = outcome(project, name)
        first = project.start("dvc", "repro", f"train@{name}")
        while not checkpoints(project, name) and first.poll() is None:
            time.sleep(0.005)
        orphan = int((project.folder / "checkpoints" / name / ".lock").read_text())
        os.kill(orphan, signal.SIGSTOP)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        second = project.start("dvc", "repro", f"train@{name}")
        with tries.one(f"{name} {number}"):
            while "waiting for its end" not in project.told() and second.poll() is None:
                time.sleep(0.05)
            assert f"in use by process {orphan}," in project.told()
            os.kill(orphan, signal.SIGCONT if number else signal.SIGKILL)
            assert second.wait() == 0, project.told()
            assert outcome(project, name) == expected
            assert project.dvc("repro", f"train@{name}") == set()
