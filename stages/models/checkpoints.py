"""Checkpoints of a training: which are whole, to which run they belong, and who may write them.

``checkpoints/{family}-{system}/{run}/checkpoint-{step}/`` holds what :mod:`.resuming` writes, and last of all
``whole.json``: name, size and SHA-256 of each file, and the run. A checkpoint is resumed only where all of that
still holds, so that a cut, incomplete or altered one is never taken for whole, and never one of other settings.
Needs no torch.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from stages.corpus.files import telling
from stages.errors import UserError

MARK = "whole.json"
"""Written last; a checkpoint without it was cut short."""

KEPT = 2
"""Newest checkpoints of a run that stay: the second is there for the day when the first is damaged."""

log = logging.getLogger(__name__)


class _Written(msgspec.Struct, forbid_unknown_fields=True):
    size: int
    sha256: str


class _Mark(msgspec.Struct, forbid_unknown_fields=True):
    step: int
    run: dict[str, str]
    files: dict[str, _Written]


class Checkpoints:
    """The checkpoints of one run: of everything that shapes its weights, by name and value.

    Each run has a folder of its own below ``folder``; those of other runs stay until one run has ended well.
    """

    def __init__(self, folder: Path, run: Mapping[str, str]) -> None:
        self.folder = folder
        self.run = dict(run)
        self.last: int | None = None
        """Updates after which the newest whole checkpoint was made, as far as known."""
        self.place = folder / hashlib.sha256(msgspec.json.encode(self.run, order="sorted")).hexdigest()[:16]

    def at(self, step: int) -> Path:
        """Where the checkpoint after ``step`` updates lies, or will."""
        return self.place / f"checkpoint-{step}"

    def newest(self) -> Path | None:
        """The newest whole checkpoint of this run; each newer one that is not whole is named in a warning.

        Where there is none, one line says so, and what is different from another run that has some.
        """
        found = _steps(self.place)
        for step in reversed(found):
            fault = self._fault(step)
            if fault is None:
                log.info("%s is whole: going on after update %d", self.at(step), step)
                self.last = step
                return self.at(step)
            log.warning("%s is skipped: %s", self.at(step), fault)
        if found:
            log.warning("%s: no checkpoint is whole, training starts over", self.place)
        else:
            self._tell_others()
        return None

    def _fault(self, step: int) -> str | None:
        """What is wrong with a checkpoint, or None."""
        folder = self.at(step)
        try:
            mark = msgspec.json.decode((folder / MARK).read_bytes(), type=_Mark)
        except FileNotFoundError:
            return f"it has no {MARK}, so writing it was cut short"
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            return f"its {MARK} cannot be read ({error})"
        if (mark.step, mark.run) != (step, self.run):
            return f"its {MARK} speaks of another step or run"
        for name, written in mark.files.items():
            path = folder / name
            if not path.is_file():
                return f"{name} is missing"
            if path.stat().st_size != written.size:
                return f"{name} has {path.stat().st_size:,} bytes of {written.size:,}"
            found = digest(path)
            if found != written.sha256:
                return f"{name} has SHA-256 {found} where {written.sha256} was written"
        strange = sorted({path.name for path in folder.iterdir()} - {MARK, *mark.files})
        return f"{strange[0]} does not belong to it" if strange else None

    def _tell_others(self) -> None:
        """Name the newest run that was broken off in this folder, and what it had otherwise."""
        for mark in sorted(self.folder.glob(f"*/checkpoint-*/{MARK}"), key=lambda path: -path.stat().st_mtime_ns):
            try:
                known = msgspec.json.decode(mark.read_bytes(), type=_Mark)
            except (OSError, msgspec.DecodeError, UnicodeDecodeError):
                continue
            names = known.run.keys() | self.run.keys()
            other = sorted(name for name in names if known.run.get(name) != self.run.get(name))
            log.warning(
                "%s is a run of other settings, broken off after update %d: training starts anew (different: %s)",
                mark.parent.parent, known.step, ", ".join(other),
            )  # fmt: skip
            return

    def finish(self, step: int) -> None:
        """Mark a checkpoint whose files are written as whole, then remove all but it and the one before."""
        folder = self.at(step)
        names = sorted(path.name for path in folder.iterdir() if path.name != MARK)
        files = {name: _Written((folder / name).stat().st_size, digest(folder / name)) for name in names}
        (folder / MARK).write_bytes(msgspec.json.encode(_Mark(step, self.run, files)))
        self.last = step
        older = [found for found in _steps(self.place) if found < step]
        for found in set(_steps(self.place)) - {step, *older[len(older) - KEPT + 1 :]}:
            shutil.rmtree(self.at(found))

    def clear(self) -> None:
        """Remove the checkpoints of every run: this one has ended, and a forced repetition must train anew.

        They stay where somebody waits for the lock: DVC knows nothing of what an orphaned training ended, and
        the one that waits takes the end from here.
        """
        if _awaited(self.folder):
            log.warning("%s stays: another training of it waits, and takes over from here", self.place)
            return
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)


def _steps(place: Path) -> list[int]:
    """The steps after which there are checkpoints, whole or not, ascending."""
    found = (path.name.removeprefix("checkpoint-") for path in place.glob("checkpoint-*"))
    return sorted(int(step) for step in found if step.isdecimal())


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of_all(paths: Iterable[Path], root: Path) -> str:
    """One SHA-256 for names (below ``root``) and contents of several files, whatever their order."""
    lines = sorted(f"{path.relative_to(root).as_posix()} {digest(path)}\n" for path in paths)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one process at a time into ``folder``; a second one says whom it waits for, and waits.

    The lock is the system's and ends with its process, however that ends. Such a second one is there after
    ``kill -9`` of DVC: its training goes on without it, and must not share its checkpoints with the next.

    Raises:
        UserError: the folder cannot be written, or the disk is full.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("a+")
    except OSError as error:
        raise UserError(f"{folder}: no place for checkpoints: {error.strerror}") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            log.warning(
                "%s is in use by process %s, a training that still runs (its DVC may have been killed); waiting for "
                "its end. `kill %s` ends it, and its checkpoints stay.", folder, *2 * [file.read() or "?"],
            )  # fmt: skip
            with (folder / ".waiting").open("w") as waiting:
                fcntl.flock(waiting, fcntl.LOCK_SH)
                fcntl.flock(file, fcntl.LOCK_EX)
        with telling(folder / ".lock"):
            os.ftruncate(file.fileno(), 0)
            os.write(
                file.fileno(), str(os.getpid()).encode()
            )  # past the buffer, which closing would try to write again
        yield


def _awaited(folder: Path) -> bool:
    """Whether another process waits in :func:`locked` for ``folder``."""
    with (folder / ".waiting").open("w") as waiting:
        try:
            fcntl.flock(waiting, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
