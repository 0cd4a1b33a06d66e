"""Stages as processes of their own, quickly: forked from a server that has imported them, to be killed or starved."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import resource
import runpy
import shlex
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import Any

from ruamel.yaml import YAML

from stages.models.checkpoints import Checkpoints

MODULES = [
    f"stages.{name}"
    for name in (
        "check", "download", "filter", "derive", "train", "predict", "lookup", "pretrained", "evaluate", "summary",
        "headline", "audit", "compare", "models.span_marker", "models.token_classifier",
    )
]  # fmt: skip
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(MODULES)


@dataclass(frozen=True)
class Stage:
    """A stage as dvc.lock has it after a finished run: its command, and its outputs."""

    name: str
    command: list[str]
    outputs: list[str]


def stages(folder: Path) -> list[Stage]:
    """Every stage of the finished clone in ``folder``, in the order of its graph."""
    lock = YAML(typ="safe").load((folder / "dvc.lock").read_text(encoding="utf-8"))["stages"]
    order = ["check", "download", "filter", "derive", "train", "predict", "lookup", "pretrained", "evaluate"]
    found = [
        Stage(name, shlex.split(entry["cmd"]), [out["path"] for out in entry["outs"]]) for name, entry in lock.items()
    ]
    return sorted(found, key=lambda one: order.index(kind) if (kind := one.name.split("@")[0]) in order else len(order))


@dataclass(frozen=True)
class Faults:
    """What a process meets.

    Attributes:
        largest: bytes at which any file of it is refused more: EFBIG at the very write call, for native code and
            for root alike.
        humble: root loses the right to write where permissions forbid it.
        watched: it says ``written outside: PATH`` for each path outside its folder that Python opens to write.
        home: its home folder, in which the system's temporary folder lies, too.
        halt: a training stops itself (SIGSTOP) once a checkpoint of so many updates or more is whole: what a test does
            then meets it there, however slow the machine is.
    """

    largest: int | None = None
    humble: bool = False
    watched: bool = False
    home: str | None = None
    halt: int = 0


class Process:
    """``python -m MODULE ARGUMENTS`` in ``folder``; ``said`` gives its standard output and error.

    ``faults`` are those of :class:`Faults`.
    """

    def __init__(self, folder: Path, command: list[str], **faults: Any) -> None:
        assert command[:2] == ["python", "-m"]
        reader, writer = _FORKS.Pipe(duplex=False)  # no file, as files may be limited
        self._said: list[bytes] = []
        self._process = _FORKS.Process(
            target=_work, args=(writer, str(folder), command[2:], Faults(**faults)), daemon=True
        )
        self._process.start()
        writer.close()
        self.pid = self._process.pid or 0
        self._listener = Thread(target=self._listen, args=(reader,), daemon=True)
        self._listener.start()

    def _listen(self, reader: Connection) -> None:
        with reader:
            while block := os.read(reader.fileno(), 1 << 16):
                self._said.append(block)

    def send(self, number: int) -> None:
        """Send a signal to it, where it still runs."""
        if self._process.is_alive():
            os.kill(self.pid, number)

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.is_alive()

    def until_halted(self) -> None:
        """Wait until it has stopped itself; see ``Faults.halt``."""
        while self.alive() and not self._halted():
            time.sleep(0.002)
        assert self.alive(), f"ended before it halted: {self.said()}"

    def _halted(self) -> bool:
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
        except FileNotFoundError:
            return False

    def wait(self, seconds: float = 900) -> int:
        """Its exit status once it has ended, minus the signal's number where one ended it."""
        self._process.join(seconds)
        assert self._process.exitcode is not None, f"still runs after {seconds} s: {self.said()}"
        self._listener.join(seconds)
        return self._process.exitcode

    def said(self) -> str:
        """What it has written so far."""
        return b"".join(self._said).decode(errors="replace")


def _work(writer: Connection, folder: str, command: list[str], faults: Faults) -> None:
    """Be the stage: in the child process."""
    os.setpgid(0, 0)
    os.chdir(folder)
    for number in (1, 2):
        os.dup2(writer.fileno(), number)
    writer.close()
    sys.stdout, sys.stderr = (os.fdopen(n, "w", encoding="utf-8", buffering=1, closefd=False) for n in (1, 2))
    sys.argv = command
    status = 1
    try:
        _arrange(faults)
        warnings.simplefilter("ignore", RuntimeWarning)  # that the module is imported already
        runpy.run_module(command[0], run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = int(end.code or 0) if not isinstance(end.code, str) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _arrange(faults: Faults) -> None:
    """Let this process meet its faults."""
    if faults.home is not None:
        os.environ |= {"HOME": faults.home, "TMPDIR": f"{faults.home}/tmp"}
        tempfile.tempdir = None
    if faults.watched:
        sys.addaudithook(_tell_writes(os.getcwd()))
    if faults.halt:
        _halt(faults.halt)
    if faults.humble:
        _drop_capabilities()
    if faults.largest is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (faults.largest, resource.RLIM_INFINITY))


def _halt(after: int) -> None:
    """Have the first checkpoint after so many updates or more end in a stop of this process."""
    finish = Checkpoints.finish

    def finish_and_halt(self: Checkpoints, step: int) -> None:
        finish(self, step)
        if step >= after:
            Checkpoints.finish = finish  # type: ignore[method-assign]
            os.kill(os.getpid(), signal.SIGSTOP)

    Checkpoints.finish = finish_and_halt  # type: ignore[method-assign]


def _drop_capabilities() -> None:
    """Without capabilities even root is bound by a folder's permissions."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    assert ctypes.CDLL(None, use_errno=True).capset(header, (ctypes.c_uint32 * 6)()) == 0


def _tell_writes(folder: str) -> Callable[[str, tuple[Any, ...]], None]:
    """An audit hook that prints the paths outside ``folder`` that are opened to write, made, moved or removed."""
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
    changing = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "shutil.rmtree", "tempfile.mkstemp")

    def tell(event: str, details: tuple[Any, ...]) -> None:
        opened = event == "open" and isinstance(details[2], int) and details[2] & writing
        if (opened or event in changing) and isinstance(details[0], str | bytes | os.PathLike):
            for name in details[: 2 if event == "os.rename" else 1]:
                path = os.path.abspath(os.fsdecode(name))
                if not path.startswith((f"{folder}/", "/dev/", "/proc/")):
                    print(f"written outside: {path} ({event})", flush=True)

    return tell
