"""Whatever happens to a stage, an output is there as it should be, or not there."""

from __future__ import annotations

import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.clone import Project
from tests.promises.processes import Process, Stage, stages
from tests.promises.tries import Tries

PROMISE = "4 A full disk, a read-only folder or a kill leaves no output that is taken for whole"
HOW = (
    "every stage: `kill -9` at a random moment or while it writes, a write call that fails at a random byte, folders "
    "that may not be written; the whole `dvc repro` killed again and again; each output left must have its right hash"
)
KINDS = {
    "check", "download", "filter", "derive@B", "train@token_classifier-A", "predict@span_marker-B", "lookup@A",
    "pretrained@A", "evaluate@span_marker-A", "summary", "headline", "compare", "audit",
}  # fmt: skip
"""One stage of each kind, for the quick tests."""


def of_each_kind(every: list[Stage]) -> list[Stage]:
    return [stage for stage in every if stage.name in KINDS]


def contents(folder: Path, output: str) -> dict[str, str]:
    """The SHA-256 of each file of an output, by path; empty where it is not there."""
    path = folder / output
    files = path.rglob("*") if path.is_dir() else [path]
    return {
        str(one.relative_to(folder)): hashlib.sha256(one.read_bytes()).hexdigest() for one in files if one.is_file()
    }


class Bench:
    """A finished clone whose stages are tried one by one, and what their outputs have to be."""

    def __init__(self, project: Project) -> None:
        self.folder = project.folder
        self.stages = stages(self.folder)
        self.right = {output: contents(self.folder, output) for stage in self.stages for output in stage.outputs}
        self.sizes = {
            output: max((self.folder / name).stat().st_size for name in files) for output, files in self.right.items()
        }
        self.seconds: dict[str, float] = {}
        """What each stage took when it ran unharmed last."""

    def begin(self, stage: Stage, **faults: int | bool) -> Process:
        """Start a stage as DVC does: its outputs are removed before."""
        for output in stage.outputs:
            path = self.folder / output
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        return Process(self.folder, stage.command, **faults)  # type: ignore[arg-type]

    def torn(self, stage: Stage) -> list[str]:
        """The stage's outputs that are there and are not what they should be."""
        return [
            output
            for output in stage.outputs
            if (self.folder / output).exists() and contents(self.folder, output) != self.right[output]
        ]

    def heal(self, stage: Stage) -> None:
        """Run the stage unharmed, check that everything is right and nothing else is left."""
        start = time.monotonic()
        process = self.begin(stage)
        assert process.wait() == 0, process.said()
        assert {name: contents(self.folder, name) for name in stage.outputs} == {
            name: self.right[name] for name in stage.outputs
        }
        assert self.rests(stage) == set()
        self.seconds[stage.name] = time.monotonic() - start

    def rests(self, stage: Stage) -> set[Path]:
        """What lies half-written beside the stage's outputs."""
        return {path for output in stage.outputs for path in (self.folder / output).parent.glob(".*.part")}

    def kill(self, stage: Stage) -> None:
        """Kill it at a random moment of the time that it takes, or, as often, while it writes.

        A process that had ended before was not killed, and another is begun.
        """
        if stage.name not in self.seconds:
            self.heal(stage)
        for _ in range(100):
            before, process = self.rests(stage), self.begin(stage)
            moment = time.monotonic() + random.random() * self.seconds[stage.name]
            writing = random.random() < 0.5
            while process.alive() and (self.rests(stage) <= before if writing else time.monotonic() < moment):
                time.sleep(0.0005)
            process.send(signal.SIGKILL)
            if process.wait() == -signal.SIGKILL:
                return
        raise AssertionError(f"{stage.name} always ends before it is killed")

    def starve(self, stage: Stage) -> Process:
        """Let every write fail behind a random byte of the stage's largest file."""
        largest = max(self.sizes[output] for output in stage.outputs)
        process = self.begin(stage, largest=random.randrange(largest))
        process.wait()
        return process


@pytest.fixture(scope="module")
def bench(finished_clone: Project, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(finished_clone.copy(tmp_path_factory.mktemp("bench") / "project"))


def kill_and_heal(bench: Bench, chosen: list[Stage], kills: int, tries: Tries) -> None:
    for stage in chosen:
        for number in range(kills):
            bench.kill(stage)
            with tries.one(f"{stage.name}, kill {number}"):
                assert bench.torn(stage) == []
        bench.heal(stage)


def starve_and_heal(bench: Bench, chosen: list[Stage], times: int, tries: Tries) -> None:
    for stage in chosen:
        for number in range(times):
            process = bench.starve(stage)
            with tries.one(f"{stage.name}, starved {number}"):
                assert bench.torn(stage) == []
                assert "Traceback" not in process.said()
                assert "cannot be written" in process.said()
                if process.wait() == 0:  # only a checkpoint was refused
                    assert "training goes on without it" in process.said()
                else:
                    assert re.search(r"^error: \S+: cannot be written: File too large; ", process.said(), re.MULTILINE)
        bench.heal(stage)


def forbid_and_heal(bench: Bench, chosen: list[Stage], tries: Tries) -> None:
    for stage in chosen:
        folders = {(bench.folder / output).parent for output in stage.outputs}
        for folder in folders:
            folder.chmod(0o555)
        try:
            process = Process(bench.folder, stage.command, humble=True)
            status = process.wait()
        finally:
            for folder in folders:
                folder.chmod(0o755)
        with tries.one(f"{stage.name}, forbidden"):
            assert status == 1, process.said()
            assert re.search(r"^error: \S+: cannot be written: Permission denied; ", process.said(), re.MULTILINE)
            assert "Traceback" not in process.said()
            assert bench.torn(stage) == []
        bench.heal(stage)


def test_one_stage_of_each_kind_killed(bench: Bench, tries: Tries) -> None:
    kill_and_heal(bench, of_each_kind(bench.stages), 1, tries)


def test_one_stage_of_each_kind_on_a_full_disk(bench: Bench, tries: Tries) -> None:
    starve_and_heal(bench, of_each_kind(bench.stages), 1, tries)


def test_one_stage_of_each_kind_in_folders_that_may_not_be_written(bench: Bench, tries: Tries) -> None:
    forbid_and_heal(bench, of_each_kind(bench.stages), tries)


@pytest.mark.parametrize("room", [0, 700])
def test_a_disk_that_fills_under_the_rows_of_a_training_is_told(bench: Bench, room: int) -> None:
    stage = next(stage for stage in bench.stages if stage.name == "train@token_classifier-A")
    process = bench.begin(stage, largest=room)
    assert process.wait() == 1
    assert re.search(r"^error: \S+: cannot be written: File too large; ", process.said(), re.MULTILINE)
    assert "Traceback" not in process.said()
    bench.heal(stage)


def test_every_kind_is_tried(bench: Bench) -> None:
    assert {stage.name.split("@")[0] for stage in bench.stages} == {name.split("@")[0] for name in KINDS}


@pytest.mark.promises
@pytest.mark.parametrize("part", range(4))
def test_every_stage_killed(bench: Bench, tries: Tries, part: int) -> None:
    """Seven kills of each stage, over 200 in all, in four parts."""
    kill_and_heal(bench, bench.stages[part::4], 7, tries)


@pytest.mark.promises
def test_every_stage_on_a_full_disk(bench: Bench, tries: Tries) -> None:
    starve_and_heal(bench, bench.stages, 3, tries)


@pytest.mark.promises
def test_every_stage_in_folders_that_may_not_be_written(bench: Bench, tries: Tries) -> None:
    forbid_and_heal(bench, bench.stages, tries)


REFUSED = 255
"""DVC's exit status where it cannot read one of its files."""


def cut(lock: Path) -> bool:
    """Whether dvc.lock is no whole file."""
    found = YAML().load(lock.read_text(encoding="utf-8"))
    return not isinstance(found, dict) or "schema" not in found or "stages" not in found


def until_running(project: Project, dvc: subprocess.Popen[str], stages: int) -> bool:
    """Wait until so many stages have been begun, and some time of the last; False where ``dvc`` has ended."""
    start, seen = time.monotonic(), 0
    while dvc.poll() is None and seen < stages:
        seen = project.told().count("Running stage ")
        time.sleep(0.01)
    moment = time.monotonic() + random.random() * (time.monotonic() - start) / stages
    while dvc.poll() is None and time.monotonic() < moment:
        time.sleep(0.01)
    return dvc.poll() is None


@pytest.mark.promises
@pytest.mark.parametrize("number", range(2))
def test_the_whole_pipeline_killed_again_and_again(
    number: int, finished_clone: Project, tmp_path: Path, tries: Tries
) -> None:
    """``dvc repro`` and everything that it started, killed every few stages; nothing torn in workspace or cache.

    DVC writes dvc.lock in place: where the kill met that, its next run refuses it, and an earlier one is put back.
    """
    project = finished_clone.copy(tmp_path / "project")
    bench = Bench(project)
    project.forget(*(stage.name for stage in bench.stages))
    shutil.rmtree(project.folder / ".dvc/cache")
    shutil.rmtree(project.folder / "checkpoints", ignore_errors=True)
    lock, running = project.folder / "dvc.lock", True
    before = lock.read_text(encoding="utf-8")
    while running:
        dvc = project.start("dvc", "repro")
        running = until_running(project, dvc, random.randint(2, 5))
        if running:
            os.killpg(dvc.pid, signal.SIGKILL)
        if dvc.wait() == REFUSED and "'./dvc.lock' validation failed" in project.told():
            lock.write_text(before, encoding="utf-8")  # DVC writes it in place, and was killed in that moment
            running = True
            continue
        assert dvc.wait() in (0, -signal.SIGKILL), project.told()
        if cut(lock):
            continue  # the next run has to say so
        with tries.one(f"pipeline {number}"):
            assert torn_under_dvc(bench) == []
            assert torn_in_cache(project.folder) == []
    assert project.dvc("repro") == set()
    assert {output: contents(project.folder, output) for output in bench.right} == bench.right


def torn_under_dvc(bench: Bench) -> list[str]:
    """The outputs that are there and are not what they should be.

    Of the old output of a stage that is not in dvc.lock, DVC may have removed a part to make it anew.
    """
    done = {stage.name for stage in stages(bench.folder)}
    return [
        output
        for stage in bench.stages
        for output in bench.torn(stage)
        if stage.name in done or not contents(bench.folder, output).items() <= bench.right[output].items()
    ]


def torn_in_cache(folder: Path) -> list[str]:
    """The files of DVC's cache whose content has not the hash that is their name."""
    files = (folder / ".dvc/cache/files/md5").glob("??/*")
    return [
        f"{path.parent.name}{path.name}"
        for path in files
        if hashlib.md5(path.read_bytes()).hexdigest() != f"{path.parent.name}{path.name}".removesuffix(".dir")
    ]
