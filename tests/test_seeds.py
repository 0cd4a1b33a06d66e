"""Experiments of several seeds, gathered from a real DVC project."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from stages import settings
from stages.corpus.files import read_json
from stages.corpus.labels import SYSTEMS
from stages.errors import UserError
from stages.seeds import FIGURES, fetch, main, table
from tests.reporting.builders import side, write_rows

RUNS = [f"{family}-{system}" for family in ("span_marker", "token_classifier") for system in "AB"]
STAGE = """
stages:
  predict:
    cmd: cp -r made/seed-${seed}/. reports/runs
    params: [seed]
    outs: [reports/runs]
"""


def run(folder: Path, *command: str) -> None:
    """Run a command that has to succeed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DVC project whose one stage gives the predictions of its seed, with experiments seed-1 and seed-2."""
    folder = tmp_path_factory.mktemp("project")
    for seed in (1, 2):
        for i, name in enumerate(RUNS):
            rows = side(SYSTEMS[name[-1]], 10 * seed + i, 0.3, sentences=30)
            write_rows(folder / "made" / f"seed-{seed}" / name / "predictions.jsonl", rows)
    (folder / "dvc.yaml").write_text(STAGE, encoding="utf-8")
    params = settings.PARAMS.read_text(encoding="utf-8").replace("resamples: 10000", "resamples: 200")
    (folder / "params.yaml").write_text(params.replace("seed: 42", "seed: 1"), encoding="utf-8")
    (folder / "reports").mkdir()
    (folder / ".gitignore").write_text("/reports/runs\n", encoding="utf-8")
    dvc = (sys.executable, "-m", "dvc")
    for command in (
        ("git", "init", "-q"),
        (*dvc, "init", "-q"),
        ("git", "config", "user.name", "t"),
        ("git", "config", "user.email", "t@example.org"),
        ("git", "add", "-A"),
        ("git", "commit", "-qm", "state"),
        (*dvc, "exp", "run", "-q", "-n", "seed-1", "-S", "seed=1"),
        (*dvc, "exp", "run", "-q", "-n", "seed-2", "-S", "seed=2"),
    ):
        run(folder, *command)
    return folder


def test_each_seed_has_its_own_predictions(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    files = fetch([2, 1], tmp_path)
    assert list(files) == RUNS
    for name, paths in files.items():
        assert paths == [tmp_path / f"seed-{seed}" / f"{name}.jsonl" for seed in (2, 1)]
        for seed, path in zip((2, 1), paths, strict=True):
            assert path.read_bytes() == (project / "made" / f"seed-{seed}" / name / "predictions.jsonl").read_bytes()


def test_experiments_of_other_settings_have_another_name(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    run(project, sys.executable, "-m", "dvc", "exp", "run", "-q", "-n", "full-2", "-S", "seed=2")
    path = fetch([2], tmp_path, "full")[RUNS[0]][0]
    assert path == tmp_path / "full-2" / f"{RUNS[0]}.jsonl"
    assert path.read_bytes() == (project / "made/seed-2" / RUNS[0] / "predictions.jsonl").read_bytes()
    with pytest.raises(
        UserError,
        match='no experiment full-1; `make seeds SEEDS=1 NAME=full SET="…"` runs it, or `dvc exp pull origin full-1`',
    ):
        fetch([1], tmp_path, "full")
    for name, settings_of, message in (
        ("mixed-1", ("seed=1", "compare.resamples=300", "data.on_bad_row=skip"), None),
        (
            "mixed-2",
            ("seed=2", "compare.resamples=200", "data.on_bad_row=stop"),
            r"differ in more than their seed \(data.on_bad_row: skip and stop\): `dvc exp remove mixed-2`",
        ),
        ("mixed-3", ("seed=2",), "experiment mixed-3 was run with seed: 2; `dvc exp remove mixed-3`"),
    ):
        changes = [part for one in settings_of for part in ("-S", one)]
        run(project, sys.executable, "-m", "dvc", "exp", "run", "-q", "-n", name, *changes)
        if message is not None:
            with pytest.raises(UserError, match=message):
                fetch([1, int(name[-1])], tmp_path / "mixed", "mixed")
    assert not (tmp_path / "mixed").exists()


def test_a_missing_experiment_is_named_before_anything_is_written(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    with pytest.raises(
        UserError, match="no experiment seed-7; `make seeds SEEDS=7` runs it, or `dvc exp pull origin seed-7` gets it"
    ):
        fetch([1, 7], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_experiment_without_predictions_is_named(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    run(project, "git", "tag", "-f", "seed-9", "HEAD")  # a revision of that name that holds no run of the stage
    with pytest.raises(UserError, match=r"experiment seed-9: reports/runs/.*is not there"):
        fetch([9], tmp_path)


def test_the_same_seed_twice_is_refused() -> None:
    with pytest.raises(UserError, match="one is there twice"):
        main([3, 3])


def test_both_families_are_compared_over_all_seeds(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    main([1, 2])
    for family in ("span_marker", "token_classifier"):
        found = read_json(f"reports/seeds/{family}/comparison.json")
        assert [len(found["seeds"][one]["f1"]) for one in "ab"] == [2, 2]
        assert found["settings"]["resamples"] == 200
        assert Path(f"reports/seeds/{family}/comparison.html").is_file()
    written = pd.read_csv("reports/seeds/seeds.csv")
    assert list(written["run"]) == RUNS
    assert (written["seeds"] == 2).all()


def test_mean_and_spread(tmp_path: Path) -> None:
    """Two files, of which one is all right and the other has one of two entities."""
    right = {"tokens": ["a", "b"], "gold": ["B-PER", "B-LOC"], "pred": ["B-PER", "B-LOC"]}
    half = {**right, "pred": ["B-PER", "O"]}
    paths = [write_rows(tmp_path / f"{i}.jsonl", [row]) for i, row in enumerate((right, half))]
    found = table({"lookup-A": paths, "lookup-B": paths[:1]})
    assert list(found.columns) == ["run", "seeds", *(name for f in FIGURES for name in (f, f"{f}_sd"))]
    assert found["recall"].tolist() == [0.75, 1.0]
    assert found["recall_sd"][0] == pytest.approx(0.5 / 2**0.5)
    assert pd.isna(found["recall_sd"][1])
