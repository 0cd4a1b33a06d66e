"""`make queue`: one experiment a seed, run one after another or side by side, and what failed is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clone import Project

pytestmark = pytest.mark.slow


def test_each_seed_runs_once_under_its_name(maker: Project, tmp_path: Path) -> None:
    queued = maker.run("make", "queue", "SEEDS=1 2", "NAME=small", "JOBS=2")
    assert queued.returncode == 0, queued.stdout + queued.stderr
    assert set(maker.run("dvc", "exp", "list", "--name-only").stdout.split()) == {"small-1", "small-2"}
    again = maker.run("make", "queue", "SEEDS=1 2", "NAME=small")
    assert again.returncode == 0, again.stdout + again.stderr
    assert (tmp_path / "log").read_text(encoding="utf-8") == "trained\n" * 2
    maker.dvc("exp", "apply", "small-2")
    assert (maker.folder / "metrics.json").read_text(encoding="utf-8") == '{"f1": 0.02}'


def test_an_experiment_that_fails_is_named_and_the_others_run(maker: Project) -> None:
    queued = maker.run("make", "queue", "SEEDS=300 3")  # 300 fits in no byte of the stand-in's files
    assert queued.returncode != 0
    assert "error: seed-300 failed, and why is told by: dvc queue logs seed-300" in queued.stderr
    assert maker.run("dvc", "exp", "list", "--name-only").stdout.split() == ["seed-3"]


def test_settings_go_with_every_seed(maker: Project) -> None:
    planned = maker.run("make", "-n", "queue", "SEEDS=1", "NAME=full", "SET=profile=full data.on_bad_row=skip")
    assert '-n "full-$seed" -S "seed=$seed" -S "profile=full" -S "data.on_bad_row=skip"' in planned.stdout
