"""Stages as processes of their own, quickly: forked from a server that has imported them, to be killed or starved."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import resource
import runpy
import shlex
import sys
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import Any

from ruamel.yaml import YAML

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


class Process:
    """``python -m MODULE ARGUMENTS`` in ``folder``; ``said`` gives its standard output and error.

    ``largest`` is the size in bytes at which any file of it is refused more (EFBIG at the very write call, for
    native code and for root alike); ``humble`` takes away root's right to write where permissions forbid it;
    ``watched`` has it say ``written outside: PATH`` for each path outside ``folder`` that Python opens to write.
    """

    def __init__(
        self, folder: Path, command: list[str], largest: int | None = None, humble: bool = False, watched: bool = False
    ) -> None:
        assert command[:2] == ["python", "-m"]
        reader, writer = _FORKS.Pipe(duplex=False)  # no file, as files may be limited
        self._said: list[bytes] = []
        self._process = _FORKS.Process(
            target=_work, args=(writer, str(folder), command[2:], largest, humble, watched), daemon=True
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

    def wait(self, seconds: float = 300) -> int:
        """Its exit status once it has ended, minus the signal's number where one ended it."""
        self._process.join(seconds)
        assert self._process.exitcode is not None, f"still runs after {seconds} s: {self.said()}"
        self._listener.join(seconds)
        return self._process.exitcode

    def said(self) -> str:
        """What it has written so far."""
        return b"".join(self._said).decode(errors="replace")


def _work(
    writer: Connection, folder: str, command: list[str], largest: int | None, humble: bool, watched: bool
) -> None:
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
        if watched:
            sys.addaudithook(_tell_writes(os.getcwd()))
        if humble:
            _drop_capabilities()
        if largest is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
        warnings.simplefilter("ignore", RuntimeWarning)  # that the module is imported already
        runpy.run_module(command[0], run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = int(end.code or 0) if not isinstance(end.code, str) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


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
            path = os.path.abspath(os.fsdecode(details[0]))
            if not path.startswith((folder, "/dev/", "/proc/")):
                print(f"written outside: {path} ({event})", flush=True)

    return tell
