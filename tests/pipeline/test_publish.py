"""Sharing a model of a finished pipeline: only where model, figures and parameters are of one run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clone import SECRETS, Project
from tests.publishing.model_hub import OWNER, ModelHub

REPO = "somebody/a-model"
MODEL = "models/span_marker-A"


@pytest.fixture(scope="module")
def project(finished_clone: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return finished_clone.copy(tmp_path_factory.mktemp("publish") / "project")


@pytest.fixture
def hub() -> Iterator[ModelHub]:
    with ModelHub() as running:
        yield running


def publish(project: Project, hub: ModelHub, *more: str, model: str = MODEL) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of the command, with the owner's token."""
    command = ["python", "-m", "stages.publish", "--model", model, "--repo", REPO, *more]
    done = project.run("env", f"HF_ENDPOINT={hub.url}", f"HF_TOKEN={OWNER}", "HF_HUB_OFFLINE=0", *command)
    return done.returncode, done.stdout, done.stderr


def test_a_dry_run_shows_everything_and_pushes_nothing(project: Project, hub: ModelHub) -> None:
    status, shown, _ = publish(project, hub, "--dry-run")
    assert status == 0
    assert all(name in shown for name in ("model.safetensors", "config.json", "tokenizer.json", "# SpanMarker A"))
    assert not hub.requests
    assert hub.repo == ""


def test_a_model_goes_to_the_hub_with_its_card(project: Project, hub: ModelHub) -> None:
    status, shown, said = publish(project, hub)
    assert status == 0, said
    assert f"pushed: {hub.url}/{REPO}/commit/" in shown
    assert hub.private is True
    for path in (project.folder / MODEL).iterdir():
        if path.name not in ("README.md", "config.json"):
            assert hub.files[path.name] == path.read_bytes(), path.name
    card = hub.files["README.md"].decode()
    assert re.search(r"^\| f1 \| \d\.\d{4} \| \d\.\d{4} to \d\.\d{4} \|$", card, flags=re.MULTILINE)
    assert f'from_pretrained("{REPO}")' in card


def test_nothing_of_this_machine_leaves_it(project: Project, hub: ModelHub) -> None:
    publish(project, hub)
    texts = b"\n".join(content for name, content in hub.files.items() if not name.endswith(".safetensors")).decode()
    for secret in (*SECRETS.values(), OWNER, str(project.folder), str(project.origin), str(Path.home())):
        assert secret not in texts
    assert "/tmp" not in texts


def test_an_altered_model_stays_here(project: Project, hub: ModelHub) -> None:
    weights = project.folder / MODEL / "model.safetensors"
    whole = weights.read_bytes()
    weights.unlink()  # a link or a copy of DVC's: never written in place
    weights.write_bytes(whole[:-100])
    status, _, said = publish(project, hub)
    weights.write_bytes(whole)
    assert status == 1
    assert f"{MODEL} is modified since train@span_marker-A ran" in said
    assert hub.repo == ""


def test_a_model_of_other_parameters_stays_here(project: Project, hub: ModelHub) -> None:
    project.params(seed=43)
    status, _, said = publish(project, hub)
    project.params(seed=42)
    assert status == 1
    assert "params.yaml is changed" in said
    assert "dvc repro" in said
    assert hub.repo == ""


def test_another_directory_is_refused_by_name(project: Project, hub: ModelHub) -> None:
    status, _, said = publish(project, hub, model="tiny")
    assert (status, hub.repo) == (1, "")
    assert "models/token_classifier-B" in said
