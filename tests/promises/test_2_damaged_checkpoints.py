"""A checkpoint that is not whole is named and skipped, and the one before it is used."""

from __future__ import annotations

import logging
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from stages.models.checkpoints import KEPT, MARK, Checkpoints, _Mark
from stages.settings import FAMILIES, Family
from tests.promises.training import BrokenOffError, trained
from tests.promises.tries import Tries

PROMISE = "2 A checkpoint that is cut short, incomplete or altered is named and skipped; the one before it is used"
HOW = (
    "both families: each file of a checkpoint cut at a random byte, removed, or one random bit of it flipped; all of "
    "them damaged; then trained to the end, to the weights of an unbroken run"
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


@pytest.fixture(scope="module", params=FAMILIES)
def made(request: pytest.FixtureRequest, tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoints of a training that was broken off after update 7, in a folder named after the family."""
    folder = tmp_path_factory.mktemp("checkpoints") / request.param
    with pytest.raises(BrokenOffError):
        trained(request.param, tiny_bert, folder, after=7, epochs=1)
    return folder


def opened(made: Path, tmp_path: Path) -> tuple[Checkpoints, list[Path]]:
    """A copy of the checkpoints, to be damaged; newest first."""
    folder = tmp_path / "copy"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(made, folder)
    (mark,) = folder.glob(f"*/checkpoint-7/{MARK}")
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


def test_one_that_was_being_written_is_skipped(made: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Cut short before its mark was there, whatever of it had been written."""
    checkpoints, (newest, before) = opened(made, tmp_path)
    remove(newest / MARK)
    remove(newest / "state.json")
    assert checkpoints.newest() == before
    assert f"{newest} is skipped: it has no {MARK}, so writing it was cut short" in caplog.messages


@pytest.fixture(scope="module")
def weights(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The hash of what each family's unbroken training ends in."""
    folder = tmp_path_factory.mktemp("unbroken")
    return {family: trained(family, tiny_bert, folder / family, epochs=1)[0] for family in FAMILIES}


def go_on(
    made: Path, tmp_path: Path, tiny_bert: Path, damaged: list[tuple[Callable[[Path], None], int, str]]
) -> tuple[str, str]:
    """Damage files of the checkpoints after so many updates, go on to the end; the family, and the weights' hash."""
    checkpoints, _ = opened(made, tmp_path)
    for damage, step, name in damaged:
        damage(checkpoints.at(step) / name)
    family: Family = made.name  # type: ignore[assignment]
    return family, trained(family, tiny_bert, checkpoints.folder, epochs=1)[0]


def test_a_damaged_checkpoint_costs_updates_and_no_bit(
    made: Path, weights: dict[str, str], tiny_bert: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        family, found = go_on(made, tmp_path, tiny_bert, [(flip, 7, "state.safetensors")])
    assert found == weights[family]
    assert "checkpoint-7 is skipped: state.safetensors has SHA-256" in caplog.text
    assert "going on after update 6" in caplog.text


def test_with_none_whole_training_starts_over_and_ends_in_the_same_weights(
    made: Path, weights: dict[str, str], tiny_bert: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    both = [(cut, 7, "model.safetensors"), (remove, 6, "trainer_state.json")]
    family, found = go_on(made, tmp_path, tiny_bert, both)
    assert found == weights[family]
    assert "no checkpoint is whole, training starts over" in caplog.text


@pytest.mark.promises
@pytest.mark.parametrize("damage", [cut, remove, flip])
def test_whatever_is_damaged_the_weights_are_the_same(
    damage: Callable[[Path], None], made: Path, weights: dict[str, str], tiny_bert: Path, tmp_path: Path, tries: Tries
) -> None:
    for name in sorted(path.name for path in opened(made, tmp_path)[1][0].iterdir()):
        with tries.one(f"{damage.__name__} {name}"):
            family, found = go_on(made, tmp_path, tiny_bert, [(damage, 7, name)])
            assert found == weights[family]
