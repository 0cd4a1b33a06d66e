"""Several processes, or pieces of a batch, compute what one process computes of the whole batch."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ruamel.yaml import YAML

from stages.errors import UserError
from stages.models.sharing import PIECES, WEIGHT, Shares, fitting
from stages.train import launch
from tests.clone import ROOT
from tests.models import shared_training
from tests.models.test_training import ROWS

ALIKE = 1e-4
"""The most that two losses may differ; the Trainer rounds to as much."""
LAUNCH = "--multi_gpu --num_machines 1 --num_processes 2 --mixed_precision no --dynamo_backend no --main_process_port 0"
"""Processes as for GPUs; without any they talk by gloo."""


def launched(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "accelerate.commands.launch", *LAUNCH.split(), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def two(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """What two processes of one launch found, and where."""
    folder = tmp_path_factory.mktemp("two")
    done = launched("-m", "tests.models.shared_training", str(tiny_bert), str(folder))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
    return folder, [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


def assert_alike(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert len(first["loss"]) == len(second["loss"]) == shared_training.UPDATES
    assert np.abs(np.subtract(first["loss"], second["loss"])).max() <= ALIKE
    assert first["f1"] == second["f1"]
    np.testing.assert_allclose(first["weights"], second["weights"], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("case", ["token_classifier", "span_marker"])
def test_two_processes_train_as_one_of_twice_the_batch(case: str, two: Any, tiny_bert: Path, tmp_path: Path) -> None:
    _, (main, other) = two
    assert (main["processes"], other["rank"]) == (2, 1)
    assert main[case] == other[case]
    assert_alike(main[case], shared_training.trained(case, tiny_bert, tmp_path))


def test_two_processes_train_selectively_too(two: Any) -> None:
    """Each draws spans of its own, so that curves are alike in the mean only."""
    _, (main, other) = two
    loss = main["selective"]["loss"]
    assert main["selective"] == other["selective"]
    assert np.mean(loss[-5:]) < 0.7 * np.mean(loss[:5])


def test_two_processes_stop_together_and_go_on_to_the_same_bytes(two: Any) -> None:
    _, found = two
    assert [told["updates"] for told in found] == [7, 7]
    assert [told["resumed"] for told in found] == [True, True]


def test_another_number_of_processes_is_another_run(
    two: Any, tiny_bert: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        shared_training.stopped("token_classifier", tiny_bert, two[0] / "left", 2)
    assert "broken off after update 7: training starts anew (different: processes)" in caplog.text


@pytest.mark.parametrize("case", ["token_classifier", "span_marker"])
def test_pieces_of_a_batch_weigh_as_the_whole(case: str, tiny_bert: Path, tmp_path: Path) -> None:
    whole, pieces = (shared_training.trained(case, tiny_bert, tmp_path / str(n), pieces=n) for n in (1, 3))
    assert_alike(whole, pieces)


def test_a_share_weighs_by_its_decisions() -> None:
    """Five rows of 1 to 5 labels over two processes: 1, 3, 5 are the first one's."""
    rows = [[7] * n for n in range(1, 6)]
    shares = [Shares(lambda some: {"labels": torch.ones(sum(map(len, some)))}, 0, 2, rank) for rank in (0, 1)]
    first, second = ([float(piece[WEIGHT]) for piece in share(rows)[PIECES]] for share in shares)
    assert first == pytest.approx([2 * 9 / 15])
    assert second == pytest.approx([2 * 6 / 15])
    assert [float(piece[WEIGHT]) for piece in shares[1](rows[:1])[PIECES]] == [0.0]


def test_no_more_decisions_than_spans_are_counted() -> None:
    """Two sentences of three words have six spans each, fewer than the entities and what is asked beside them."""
    share = Shares(lambda _: {}, negatives=8)
    labels = torch.tensor([1, 0, 0, 2, 0, 0] * 2)
    assert share.decisions({"labels": labels, "input_ids": torch.zeros(2, 5)}) == 12
    assert Shares(lambda _: {}, negatives=2).decisions({"labels": labels, "input_ids": torch.zeros(2, 5)}) == 8


def test_a_batch_is_halved_until_it_fits() -> None:
    tried = []

    def attempt(sentences: int) -> None:
        tried.append(sentences)
        if sentences > 5:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    assert fitting(attempt, 20) == 5
    assert tried == [20, 10, 5]
    with pytest.raises(UserError, match="one sentence's training step: set a lower max_tokens"):
        fitting(lambda _: attempt(6), 4)


def test_trying_a_batch_in_pieces_leaves_no_trace(tiny_bert: Path, tmp_path: Path) -> None:
    made = shared_training.trainer("span_marker", tiny_bert, tmp_path)
    before = [parameter.detach().clone() for parameter in made.tagger.model.parameters()]
    made._try([made.train_dataset[i] for i in range(5)], 2)  # type: ignore[index]
    assert made.shares.pieces == 2
    assert all(parameter.grad is None for parameter in made.tagger.model.parameters())
    assert all(map(torch.equal, before, made.tagger.model.parameters()))
    made.fit()  # on a processor there is nothing to try
    assert made.shares.pieces == 2


def test_launch_is_read_as_options_or_refused() -> None:
    with pytest.raises(UserError, match="LAUNCH='--config_file \"a' are no options of `accelerate launch`"):
        launch('--config_file "a', [])


@pytest.fixture
def project(tiny_bert: Path, tmp_path: Path) -> Path:
    """A folder in which the stage ``train`` can run."""
    for split in ("train", "val"):
        path = tmp_path / "data/systems/A" / f"{split}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps({**row, "lang": "en"}) + "\n" for row in ROWS))
    yaml = YAML()
    values = yaml.load((ROOT / "params.yaml").read_text())
    shared = values["profiles"]["sample"]["token_classifier"]["shared"]
    shared |= {"encoder": str(tiny_bert), "encoder_layers": None, "max_tokens": 64}
    with (tmp_path / "params.yaml").open("w") as file:
        yaml.dump(values, file)
    return tmp_path


@pytest.mark.slow
def test_the_stage_starts_its_processes_itself_and_one_of_them_writes(project: Path) -> None:
    command = [sys.executable, "-m", "stages.train", "--family", "token_classifier", "--system", "A"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LAUNCH": LAUNCH}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-6000:]
    assert (project / "models/token_classifier-A/model.safetensors").is_file()
    assert (project / "reports/runs/token_classifier-A/curves.csv").read_text().count("\n") > 3
    assert done.stdout.count("'train_runtime'") == 1
    assert [path.name for path in (project / "checkpoints/token_classifier-A").iterdir() if path.is_dir()] == []
