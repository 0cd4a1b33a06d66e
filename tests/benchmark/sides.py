"""Sides for the race's own tests: quick, and honest about what was asked of them."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from stages.corpus.files import whole_folder
from stages.errors import UserError


def fill_slowly(folder: Path) -> None:
    """A minute of work on a folder that appears whole or not at all."""
    with whole_folder(folder):
        time.sleep(60)


class Noting:
    """Notes each run in a file that both sides share."""

    def __init__(self, notes: Path, name: str, seconds: float = 0.5) -> None:
        self.notes, self.name, self.seconds = notes, name, seconds

    def run(self) -> float:
        with self.notes.open("a") as file:
            file.write(self.name)
        return self.seconds

    def facts(self) -> dict[str, Any]:
        return {"sentences": 10, "threads": os.environ["OMP_NUM_THREADS"], "process": os.getpid()}


class Large:
    """Holds ``mib`` MiB for a moment."""

    def __init__(self, mib: int) -> None:
        self.mib = mib

    def run(self) -> float:
        held = bytearray(self.mib << 20)
        held[:: 1 << 12] = b"1" * len(held[:: 1 << 12])
        return 1.0

    def facts(self) -> dict[str, Any]:
        return {"sentences": 1}


class Refusing:
    def run(self) -> float:
        raise UserError("no such model; train one")

    def facts(self) -> dict[str, Any]:
        return {}


class Broken(Refusing):
    def run(self) -> float:
        raise KeyError("a fault of the program")


class Dying(Refusing):
    def run(self) -> float:
        time.sleep(0.1)
        os._exit(9)
