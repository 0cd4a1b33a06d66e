"""Trainings of a clone as processes: killed, and taken up again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stages.models.checkpoints import MARK
from tests.clone import Project
from tests.promises.processes import Process


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def train(project: Project, name: str, **faults: Any) -> Process:
    """The training of one model, on its way."""
    family, system = name.split("-")
    command = ["python", "-m", "stages.train", "--family", family, "--system", system]
    return Process(project.folder, command, **faults)


def checkpoints(project: Project, name: str) -> set[Path]:
    """The marks of the whole checkpoints, while a training may be removing some."""
    walked = os.walk(project.folder / "checkpoints" / name)  # unlike glob, it passes over a folder that goes meanwhile
    return {Path(folder) / MARK for folder, _, files in walked if MARK in files}


def outcome(project: Project, name: str) -> tuple[str, str]:
    model, curves = f"models/{name}/model.safetensors", f"reports/runs/{name}/curves.csv"
    return sha256(project.folder / model), sha256(project.folder / curves)


class Chain:
    """Trainings of one model, each killed and the next going on from there."""

    def __init__(self, project: Project, name: str, updates: int) -> None:
        self.project, self.name, self.updates = project, name, updates

    def newest(self) -> int:
        """Updates after which the newest whole checkpoint was made."""
        return max([0, *(int(mark.parent.name.split("-")[1]) for mark in checkpoints(self.project, self.name))])

    def moments(self, kills: int) -> list[int]:
        """So many updates at random, ascending, after which to kill."""
        return sorted(random.sample(range(1, self.updates - 2), kills))

    def kill(self, after: int) -> bool:
        """Kill a training at a random moment once so many updates are behind it; False where it ended before."""
        after = max(after, self.newest() + 1)
        if after > self.updates:
            return False
        process = train(self.project, self.name, halt=after)
        process.until_halted()
        process.send(signal.SIGCONT)
        time.sleep(random.random() * 0.04)
        process.send(signal.SIGKILL)
        return process.wait() == -signal.SIGKILL

    def kill_under_dvc(self, after: int) -> bool:
        """The same below ``dvc repro``: the training alone is killed, or DVC with it."""
        dvc = self.project.start("dvc", "repro", f"train@{self.name}")
        after = max(after, self.newest() + 1)
        while dvc.poll() is None and self.newest() < after:
            time.sleep(0.002)
        if dvc.poll() is not None:
            assert dvc.returncode == 0, self.project.told()
            return False
        trainer = int((self.project.folder / "checkpoints" / self.name / ".lock").read_text())
        time.sleep(random.random() * 0.04)
        with contextlib.suppress(ProcessLookupError):
            os.kill(trainer, signal.SIGKILL) if random.random() < 0.5 else os.killpg(dvc.pid, signal.SIGKILL)
        return dvc.wait() != 0

    def killed(self, kills: int, kill: Callable[[int], bool]) -> None:
        """``kill`` so many in a row; where a training was quicker than its kill, from the start."""
        for _ in range(5):
            if all(kill(moment) for moment in self.moments(kills)):
                return
            self.project.forget(f"train@{self.name}")
            for place in ("checkpoints", "models"):
                shutil.rmtree(self.project.folder / place / self.name, ignore_errors=True)
        raise AssertionError(f"{self.name} always ends before it is killed")
