"""A stream through the command: constant memory, order kept, whatever its length."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stages.corpus.labels import FIVE
from stages.models import families
from stages.models.training import seed_everything
from tests.conftest import SENTENCES
from tests.models.test_training import hyperparameters

SPREAD = 50
"""MB that memory may rise or fall by, once the first rows are out."""


@pytest.fixture(scope="module")
def model(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random token classifier with opinions."""
    seed_everything(5)
    tagger = families.create(hyperparameters("token_classifier", tiny_bert), FIVE)
    tagger.model.classifier.weight.data *= 60  # type: ignore[union-attr, operator]
    folder = tmp_path_factory.mktemp("stream") / "model"
    tagger.save(folder)
    return folder


def resident(process: int) -> float:
    """MB of a process that lie in memory now."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


class Stream:
    """The command with a pipe on either side: what is fed, rows as they come, and memory over time."""

    def __init__(self, model: Path, parts: Iterator[bytes], *options: str) -> None:
        command = [sys.executable, "-m", "stages.predict", "--model", str(model), "--input", "-", "--output", "-"]
        self.process = subprocess.Popen([*command, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.memory: list[float] = []
        self.feeder = threading.Thread(target=self._feed, args=(parts,), daemon=True)
        self.feeder.start()

    def _feed(self, parts: Iterator[bytes]) -> None:
        assert self.process.stdin is not None
        with self.process.stdin as pipe:
            for part in parts:
                pipe.write(part)

    def rows(self, warm: int) -> Iterator[bytes]:
        """The rows; memory is looked at every hundredth of a second or so, after the first ``warm``."""
        looked = 0.0
        with self.process, self.process.stdout as out:  # type: ignore[union-attr]
            for number, line in enumerate(out):
                yield line
                if number >= warm and time.monotonic() > looked + 0.01:
                    self.memory.append(resident(self.process.pid))
                    looked = time.monotonic()
        self.feeder.join()
        assert self.process.returncode == 0

    def check(self) -> None:
        """Memory stayed where it was; says what it came to."""
        low, high = min(self.memory), max(self.memory)
        print(f"{len(self.memory)} looks at memory: {low:.0f} to {high:.0f} MB")
        assert len(self.memory) > 3
        assert high - low < SPREAD


def check_rows(model: Path, count: int, warm: int) -> None:
    """``count`` rows of words keep their order, and memory stays, after the first ``warm``."""
    parts = (json.dumps({"id": i, "tokens": SENTENCES[i % 6].split()}).encode() + b"\n" for i in range(count))
    stream, seen, known = Stream(model, parts), 0, {}
    for i, line in enumerate(stream.rows(warm)):
        head = b'{"id":%d,' % i
        assert line.startswith(head)
        assert known.setdefault(i % 6, line[len(head) :])[:200] == line[len(head) :][:200]
        seen += 1
    assert seen == count
    stream.check()


def check_prose(model: Path, count: int, warm: int) -> None:
    """So many sentences, without a line end and with ever new words, keep their places, and memory stays."""
    parts = (f"He saw No{i}x in Warsaw. ".encode() for i in range(count))
    stream, place = Stream(model, parts, "--input-format", "text"), 0
    for i, line in enumerate(stream.rows(warm)):
        sentence = f"He saw No{i}x in Warsaw."
        assert line.startswith(f'{{"sentence":"{sentence}","start":{place},'.encode())
        place += len(sentence) + 1
    assert place == sum(len(f"He saw No{i}x in Warsaw. ") for i in range(count))
    stream.check()


needs_proc = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")


@needs_proc
def test_some_thousand_rows(model: Path) -> None:
    check_rows(model, 16_000, warm=5_000)


@needs_proc
def test_some_thousand_sentences_of_prose_without_a_line_end(model: Path) -> None:
    check_prose(model, 12_000, warm=5_000)


@needs_proc
@pytest.mark.slow
def test_a_million_sentences(model: Path) -> None:
    check_rows(model, 1_000_000, warm=20_000)


@needs_proc
@pytest.mark.slow
def test_two_hundred_thousand_sentences_of_prose(model: Path) -> None:
    check_prose(model, 200_000, warm=20_000)
