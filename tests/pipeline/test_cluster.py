"""The scripts for clusters: each calls `make worker` with a seed, a name and settings, and asks for what it needs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.clone import ROOT

CLUSTER = ROOT / "cluster"


def task() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load((CLUSTER / "sky.yaml").read_text(encoding="utf-8"))
    return loaded


def called(script: str, folder: Path, environment: dict[str, str]) -> str:
    """What a script says to ``make``, which only repeats it here."""
    (folder / "make").write_text('#!/bin/sh\nprintf "%s|" "$@"\n', encoding="utf-8")
    (folder / "make").chmod(0o755)
    (folder / "multinerd").mkdir()
    done = subprocess.run(
        ["bash", "-c", script, "slurm.sh", "full", "profile=full", "data.on_bad_row=skip"],
        cwd=folder, env={"PATH": f"{folder}:/usr/bin:/bin", **environment}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def test_an_array_element_runs_its_seed(tmp_path: Path) -> None:
    script = (CLUSTER / "slurm.sh").read_text(encoding="utf-8")
    told = called(script, tmp_path, {"SLURM_ARRAY_TASK_ID": "5", "SLURM_SUBMIT_DIR": str(tmp_path)})
    assert told == "worker|SEED=5|NAME=full|SET=profile=full data.on_bad_row=skip|"


def test_a_cloud_machine_runs_its_seed(tmp_path: Path) -> None:
    told = called(task()["run"], tmp_path, {**task()["envs"], "SEED": "5"})
    assert told == "worker|SEED=5|NAME=full|SET=profile=full|"


def test_an_element_outside_an_array_is_refused() -> None:
    done = subprocess.run(["bash", CLUSTER / "slurm.sh"], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True)
    assert done.returncode != 0
    assert "sbatch --array=1-3 cluster/slurm.sh" in done.stderr


def test_no_secret_has_a_value_and_all_that_is_used_is_declared() -> None:
    assert set(task()["secrets"].values()) == {None}
    used = set(re.findall(r"\$([A-Z_]+)", task()["setup"] + task()["run"]))
    assert used <= {*task()["envs"], *task()["secrets"]}


@pytest.mark.parametrize("name", ["worker.sh", "slurm.sh", "sky.yaml"])
def test_the_scripts_are_sound(name: str) -> None:
    text = (CLUSTER / name).read_text(encoding="utf-8")
    for script in (task()["setup"], task()["run"]) if name == "sky.yaml" else (text,):
        done = subprocess.run(["shellcheck", "-s", "bash", "-"], input=script, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
