"""What tests of a shared remote need: the server, and two clones of a small project beside a bare repository."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clone import ROOT, Project
from tests.pipeline.store import Store, served

STAND_IN = """
stages:
  train:
    cmd: python made.py
    params: [seed]
    deps: [made.py]
    outs: [models, metrics.json]
"""
MADE = """
import json, os, pathlib, yaml
if "LOG" in os.environ:
    print("trained", file=open(os.environ["LOG"], "a"))
seed = yaml.safe_load(open("params.yaml"))["seed"]
for i in range(30):
    pathlib.Path("models").mkdir(exist_ok=True)
    pathlib.Path(f"models/{i}.bin").write_bytes(bytes([seed, i]) * 20_000)
pathlib.Path("metrics.json").write_text(json.dumps({"f1": seed / 100}))
"""


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    """An S3 server; the clients that the tests start have the key that may write."""
    with served() as server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.writer.environment(server.address).items():
            patch.setenv(name, value)
        yield server


def remote(project: Project) -> None:
    """Give a project its DVC remote, as a user does, and commit that."""
    (project.folder / ".venv").mkdir(exist_ok=True)
    (project.folder / ".venv/.ready").touch()  # the environment is that of these tests
    done = project.run("make", "remote", "URL=s3://shared/results")
    assert done.returncode == 0, done.stdout + done.stderr
    project.commit()


def publish(project: Project, repository: Path) -> None:
    """Give a project a bare git repository for origin, and push its commits there."""
    for command in (
        ("git", "init", "-q", "--bare", "-b", "main", str(repository)),
        ("git", "remote", "add", "origin", str(repository)),
        ("git", "push", "-q", "origin", "main"),
    ):
        done = project.run(*command)
        assert done.returncode == 0, done.stdout + done.stderr


def another(repository: Path, folder: Path) -> Project:
    """A second machine: a clone with nothing but what is in git."""
    assert Project(folder.parent).run("git", "clone", "-q", str(repository), str(folder)).returncode == 0
    return Project(folder)


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project of one stage that has run, with this project's Makefile and cluster/, and a DVC remote."""
    made = Project(tmp_path_factory.mktemp("stand-in") / "project")
    shutil.copytree(ROOT / "cluster", made.folder / "cluster")
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt", ".gitignore", ".dvcignore"):
        shutil.copy(ROOT / name, made.folder)
    (made.folder / "dvc.yaml").write_text(STAND_IN, encoding="utf-8")
    (made.folder / "made.py").write_text(MADE, encoding="utf-8")
    (made.folder / "params.yaml").write_text("seed: 42\n", encoding="utf-8")
    assert made.run("git", "init", "-q", "-b", "main").returncode == 0
    made.dvc("init", "-q")
    made.dvc("repro", "-q")
    remote(made)
    return made


@pytest.fixture
def maker(stand_in: Project, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy of the stand-in whose origin is ``{tmp_path}/origin``, beside an empty bucket.

    ``{tmp_path}/log`` gets a line for each time that the stage runs, wherever it does.
    """
    store.clear()
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    made = stand_in.copy(tmp_path / "maker")
    publish(made, tmp_path / "origin")
    return made
