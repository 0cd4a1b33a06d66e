"""Two machines, one git repository and one S3 bucket between them: what one made the other has, without running it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from dvc_data.hashfile.db.local import LocalHashFileDB as HashFileDB
from dvc_data.hashfile.hash import hash_file
from dvc_objects.fs.local import LocalFileSystem

from stages.mend import mend as remove_damaged
from tests.clone import ROOT, Project
from tests.pipeline.conftest import another, publish, remote
from tests.pipeline.store import NOWHERE, Key, Store


@pytest.fixture
def one(finished_clone: Project, store: Store, tmp_path: Path) -> Project:
    """The real pipeline on the first machine, finished and shared."""
    store.clear()
    made = finished_clone.copy(tmp_path / "one")
    remote(made)
    publish(made, tmp_path / "origin")
    return made


def same_reports(two: Project, one: Project) -> None:
    names = [path.relative_to(one.folder) for path in (one.folder / "reports").rglob("*") if path.is_file()]
    assert len(names) > 100
    for name in names:
        assert (two.folder / name).read_bytes() == (one.folder / name).read_bytes(), name


def test_a_second_worker_runs_no_stage_and_has_the_same_files(one: Project, tmp_path: Path) -> None:
    one.dvc("push", "--run-cache")
    two = another(tmp_path / "origin", tmp_path / "two")
    two.dvc("pull", "--run-cache")
    assert two.dvc("repro") == set()
    same_reports(two, one)


@pytest.mark.slow
def test_an_experiment_comes_to_other_machines_by_name_or_by_its_settings(one: Project, tmp_path: Path) -> None:
    """Its result is in no dvc.lock of a commit: its name leads to it, and so does the run-cache."""
    assert one.dvc("exp", "run", "-n", "B", "-S", "headline.system=B") == {"check", "headline"}
    one.dvc("push", "--run-cache")
    one.dvc("exp", "push", "origin", "B")
    two = another(tmp_path / "origin", tmp_path / "two")
    two.dvc("exp", "pull", "origin", "B")
    two.dvc("exp", "apply", "B")
    assert two.dvc("repro") == set()
    same_reports(two, one)
    third = another(tmp_path / "origin", tmp_path / "three")
    # `check` is not kept in the run-cache.
    assert third.dvc("exp", "run", "--pull", "-n", "again", "-S", "headline.system=B") <= {"check"}
    assert (third.folder / "reports/metrics.json").read_bytes() == (one.folder / "reports/metrics.json").read_bytes()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"AWS_ENDPOINT_URL": NOWHERE}, "Could not connect to the endpoint URL"),
        pytest.param({"AWS_SECRET_ACCESS_KEY": "wrong"}, "Forbidden", marks=pytest.mark.slow),
    ],
    ids=["down", "wrong credentials"],
)
def test_a_remote_that_cannot_be_used_is_told_and_nothing_is_lost(
    maker: Project, tmp_path: Path, change: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(maker)
    two = another(tmp_path / "origin", tmp_path / "two")
    with monkeypatch.context() as patch:
        for name, value in change.items():
            patch.setenv(name, value)
        for refused in (maker.run("dvc", "push", "--run-cache"), two.run("dvc", "pull", "--run-cache")):
            assert refused.returncode != 0
            assert told in refused.stderr, refused.stderr
    assert files(maker) == before
    assert not (two.folder / "models").exists()
    maker.dvc("push", "--run-cache")
    two.dvc("pull", "--run-cache")
    assert two.dvc("repro") == set()
    assert files(two) == before


def test_a_half_pushed_object_is_refused_and_mended(maker: Project, store: Store, tmp_path: Path) -> None:
    maker.dvc("push", "--run-cache")
    before = files(maker)
    name = max(store.objects(), key=store.objects().__getitem__)
    store.cut(name)

    two = another(tmp_path / "origin", tmp_path / "two")
    refused = two.run("dvc", "pull")
    assert refused.returncode != 0
    assert "models" in refused.stderr
    assert not (two.folder / "models").exists()  # all of a folder or nothing of it
    assert not (two.folder / ".dvc/cache/files/md5" / name[-33:]).exists()

    mended = mend(maker)
    assert mended.returncode == 1
    assert f"removed {name[-33:].replace('/', '')}: damaged" in mended.stdout
    assert "dvc push" in mended.stderr
    maker.dvc("push")
    assert mend(maker).stdout == "every object is what its name says\n"
    two.dvc("pull")
    assert files(two) == files(maker) == before


@pytest.mark.slow
def test_a_push_that_is_killed_is_finished_by_the_next(maker: Project, store: Store, tmp_path: Path) -> None:
    before = files(maker)
    push = maker.start("dvc", "push", "--jobs", "1")
    while len(store.objects()) < 2:
        assert push.poll() is None, maker.told()
        time.sleep(0.01)
    os.killpg(push.pid, signal.SIGKILL)
    push.wait()
    some = len(store.objects())
    two = another(tmp_path / "origin", tmp_path / "two")
    assert two.run("dvc", "pull").returncode != 0
    maker.dvc("push")
    assert some < len(store.objects()) == 32  # thirty files, their listing, metrics.json
    two.dvc("pull")
    assert files(two) == files(maker) == before


def element(project: Project, seed: int, *arguments: str, key: Key | None = None, store: Store | None = None):
    """Run one element of the Slurm array as the scheduler does, but for ``sbatch``."""
    environment = {"SLURM_ARRAY_TASK_ID": str(seed), "SLURM_SUBMIT_DIR": str(project.folder)}
    if key and store:
        environment |= key.environment(store.address)
    setting = [f"{name}={value}" for name, value in environment.items()]
    return project.run("env", *setting, "bash", str(project.folder / "cluster/slurm.sh"), *arguments)


@pytest.mark.slow
def test_a_worker_pushes_data_first_and_its_name_last(maker: Project, store: Store, tmp_path: Path) -> None:
    """With a key that may read but not write, then with the right one, then once more."""
    ran = tmp_path / "log"
    refused = element(maker, 7, key=store.reader, store=store)
    assert refused.returncode != 0
    assert "Access Denied" in refused.stderr
    assert maker.run("dvc", "exp", "list", "--name-only", "origin").stdout == ""
    assert ran.read_text(encoding="utf-8") == "trained\n"

    done = element(maker, 7)
    assert done.returncode == 0, done.stderr
    again = element(maker, 7)
    assert again.stdout.splitlines()[-1] == "seed-7 is at origin; get it by: dvc exp pull origin seed-7"
    assert ran.read_text(encoding="utf-8") == "trained\n"

    assert maker.dvc("repro") == set()  # a worker's clone is no part of the project that it lies in
    two = another(tmp_path / "origin", tmp_path / "two")
    two.dvc("exp", "pull", "origin", "seed-7")
    two.dvc("exp", "apply", "seed-7")
    assert (two.folder / "metrics.json").read_text(encoding="utf-8") == '{"f1": 0.07}'
    assert two.dvc("repro") == set()


def test_a_worker_without_its_commit_at_origin_says_so(maker: Project) -> None:
    (maker.folder / "more").touch()
    maker.commit()
    refused = element(maker, 1)
    assert refused.returncode != 0
    assert "`git push` first" in refused.stderr


def test_what_a_folder_shares_is_read_though_it_may_not_be_written(tmp_path: Path) -> None:
    objects = HashFileDB(LocalFileSystem(), str(tmp_path))
    names = []
    for text in ("one", "two", "three"):
        (source := tmp_path / "source").write_text(text)
        _, info = hash_file(str(source), objects.fs, "md5")
        assert info.value
        objects.add(str(source), objects.fs, info.value)
        names.append(info.value)
    source.unlink()
    damaged = Path(objects.get(names[1]).path)
    damaged.chmod(0o644)
    damaged.write_text("twp")
    damaged.chmod(0o444)  # as DVC leaves them
    assert list(remove_damaged(objects)) == [names[1]]
    assert sorted(objects.all()) == sorted([names[0], names[2]])


def mend(project: Project) -> subprocess.CompletedProcess[str]:
    """What `make mend` runs."""
    return project.run("env", f"PYTHONPATH={ROOT}", "python", "-m", "stages.mend")


def files(project: Project) -> dict[str, bytes]:
    """The outputs of the stand-in, by name."""
    paths = [project.folder / "metrics.json", *sorted((project.folder / "models").iterdir())]
    return {path.name: path.read_bytes() for path in paths}
