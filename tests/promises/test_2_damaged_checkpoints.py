"""A checkpoint that is not whole is named and skipped, and the one before it is used."""

from __future__ import annotations

import logging
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.models.checkpoints import KEPT, MARK, Checkpoints, _Mark
from stages.settings import FAMILIES, Family
from tests.promises.training import BrokenOffError, trained
from tests.promises.tries import Tries

PROMISE = "2 A checkpoint that is cut short, incomplete or altered is named and skipped; the one before it is used"
HOW = (
    "each file of a checkpoint cut at a random byte, removed, or one random bit of it flipped; then all of them damaged"
)


def cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: random.randrange(len(content))])


def remove(path: Path) -> None:
    path.unlink()


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    path.write_bytes(content)


@pytest.fixture(scope="module")
def made(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoints of a training that was broken off after update 7."""
    folder = tmp_path_factory.mktemp("checkpoints")
    with pytest.raises(BrokenOffError):
        trained("token_classifier", tiny_bert, folder, after=7)
    return folder


def opened(made: Path, tmp_path: Path) -> tuple[Checkpoints, list[Path]]:
    """A copy of the checkpoints, to be damaged; newest first."""
    folder = tmp_path / "copy"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(made, folder)
    (mark,) = folder.glob(f"*/checkpoint-7/{MARK}")
    import msgspec

    checkpoints = Checkpoints(folder, msgspec.json.decode(mark.read_bytes(), type=_Mark).run)
    return checkpoints, [checkpoints.at(7), checkpoints.at(6)]


def test_two_checkpoints_stay_and_the_newest_is_used(made: Path, tmp_path: Path) -> None:
    checkpoints, folders = opened(made, tmp_path)
    assert sorted(path.name for path in folders[0].parent.iterdir()) == ["checkpoint-6", "checkpoint-7"]
    assert KEPT == 2
    assert checkpoints.newest() == folders[0]


@pytest.mark.parametrize("damage", [cut, remove, flip])
def test_any_damage_is_named_and_the_one_before_is_used(
    damage: Callable[[Path], None], made: Path, tmp_path: Path, tries: Tries, caplog: pytest.LogCaptureFixture
) -> None:
    names = sorted(path.name for path in opened(made, tmp_path)[1][0].iterdir())
    assert len(names) == 5
    for name in names * (1 if damage is remove else 5):
        checkpoints, (newest, before) = opened(made, tmp_path)
        damage(newest / name)
        caplog.clear()
        with tries.one(f"{damage.__name__} {name}"):
            assert checkpoints.newest() == before
            (told,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
            assert told.startswith(f"{newest} is skipped: ")
            assert name in told or name == MARK


def test_with_none_whole_it_says_so_and_starts_over(
    made: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoints, folders = opened(made, tmp_path)
    for folder in folders:
        cut(folder / "model.safetensors")
    assert checkpoints.newest() is None
    *skipped, last = caplog.messages
    assert ["is skipped: model.safetensors has " in line for line in skipped] == [True, True]
    assert last == f"{checkpoints.place}: no checkpoint is whole, training starts over"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_damaged_checkpoint_costs_updates_and_no_bit(
    family: Family, tiny_bert: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    weights, _ = trained(family, tiny_bert, tmp_path / "whole", epochs=1)
    with pytest.raises(BrokenOffError):
        trained(family, tiny_bert, tmp_path / "broken", after=9, epochs=1)
    (newest,) = (tmp_path / "broken").glob("*/checkpoint-9")
    flip(newest / "state.safetensors")
    with caplog.at_level(logging.INFO):
        assert trained(family, tiny_bert, tmp_path / "broken", epochs=1)[0] == weights
    assert "checkpoint-9 is skipped: state.safetensors has SHA-256" in caplog.text
    assert "going on after update 8" in caplog.text
