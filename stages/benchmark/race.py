"""Sides that take turns: each in a process of its own, one at work at a time.

A process of its own makes peak memory belong to one side, and keeps one side's settings from the other.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import multiprocessing
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple, Self

from stages.errors import UserError
from stages.signals import status


class Side(NamedTuple):
    """What a process makes and then asks: ``place`` is ``module:class``, imported there and not here.

    The class is built with ``arguments`` and has two methods: ``run()`` does the work once and returns its
    seconds, ``facts()`` tells what was done, at least ``sentences`` a run.
    """

    place: str
    arguments: dict[str, Any]


class Track(NamedTuple):
    """What a side did: seconds of each run, its facts, and its process's peak memory (MiB) after the runs."""

    seconds: list[float]
    facts: dict[str, Any]
    peak_mib: float


def race(sides: Mapping[str, Side], repeats: int, threads: int, warm_up: bool = True) -> dict[str, Track]:
    """Start every side, then let each run ``repeats`` times by turns; who goes first changes from turn to turn.

    With ``warm_up`` each side first runs once unmeasured. Every process computes with ``threads`` threads.

    Raises:
        UserError: a side refuses its work, or its process ends (most often for want of memory).
    """
    with contextlib.ExitStack() as stack:
        workers = {name: stack.enter_context(Worker(name, side, threads)) for name, side in sides.items()}
        for worker in workers.values():
            worker.answer()
        seconds: dict[str, list[float]] = {name: [] for name in sides}
        for turn in range(1 - warm_up, repeats + 1):
            for name in list(sides) if turn % 2 else reversed(list(sides)):
                taken = workers[name].call("run")
                if turn:
                    seconds[name].append(taken)
        peaks = {name: worker.peak_mib for name, worker in workers.items()}
        return {name: Track(seconds[name], workers[name].call("facts"), peaks[name]) for name in sides}


class Worker:
    """One side in its process, which ends with the ``with`` block.

    Attributes:
        peak_mib: the process's peak memory at its last answer.
    """

    def __init__(self, name: str, side: Side, threads: int) -> None:
        self.name = name
        self.peak_mib = 0.0
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, side, threads), daemon=True)
        self._process.start()
        other.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._process.join(timeout=5)
        self._process.kill()

    def call(self, method: str) -> Any:
        """What the side's method ``method`` returns."""
        self._connection.send(method)
        return self.answer()

    def answer(self) -> Any:
        """What the side has to say next; first that it is ready (None).

        Raises:
            UserError: the side refuses, or its process has ended.
            RuntimeError: a fault of the program in the side, with its traceback.
        """
        try:
            value, self.peak_mib = self._connection.recv()
        except (EOFError, ConnectionError):
            raise UserError(
                f"the process of {self.name!r} ended without an answer; if memory ran out, give it fewer sentences"
            ) from None
        if isinstance(value, Exception):
            raise value
        return value


@contextmanager
def pool(tasks: int, threads: int) -> Iterator[ProcessPoolExecutor]:
    """As many processes as there are tasks or threads, which share the threads; for work that is not raced.

    Where the block is asked to stop, so are they, since their work may have hours to go; each takes away what it had
    half written.
    """
    at_once = max(1, min(tasks, threads))
    with ProcessPoolExecutor(at_once, multiprocessing.get_context("spawn"), _begin, (threads // at_once,)) as made:
        try:
            yield made
        except (SystemExit, KeyboardInterrupt):
            processes = list((made._processes or {}).values())
            made.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                _stop(process)
            raise


def _begin(threads: int) -> None:
    """A process of a pool: quiet, and its work ends as any program's does that is asked to stop."""
    quiet(threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent passes it on
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(status(number)))


def _stop(process: BaseProcess) -> None:
    """Ask a process of a pool to stop, once for its work and again for work that it had taken beforehand."""
    for _ in range(10):
        process.terminate()
        process.join(3)
        if not process.is_alive():
            return
    process.kill()


def peak_mib() -> float:
    """The most memory that this process has held at once (resident, MiB), as Linux tells.

    Not ``ru_maxrss``: a spawned process inherits its parent's there.

    Raises:
        UserError: the machine does not tell (it is no Linux).
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        raise UserError("peak memory is read from /proc/self/status, which only Linux has; run it there") from None
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _serve(connection: Connection, side: Side, threads: int) -> None:
    """Make the side and answer calls until the other end closes."""
    quiet(threads)
    with contextlib.suppress(EOFError, ConnectionError):
        try:
            module, name = side.place.split(":")
            made = getattr(importlib.import_module(module), name)(**side.arguments)
            if "torch" in sys.modules:
                sys.modules["torch"].set_num_threads(threads)
            connection.send((None, peak_mib()))
            while True:
                connection.send((getattr(made, connection.recv())(), peak_mib()))
        except UserError as error:
            connection.send((UserError(str(error)), peak_mib()))
        except (EOFError, ConnectionError):
            raise
        except Exception:
            connection.send((RuntimeError(traceback.format_exc()), peak_mib()))


def quiet(threads: int) -> None:
    """Set this process up before it loads libraries: so many threads, no progress bars, no logs, no output."""
    os.environ |= {name: str(threads) for name in ("OMP_NUM_THREADS", "RAYON_NUM_THREADS")}
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    os.environ |= {"HF_DATASETS_DISABLE_PROGRESS_BARS": "1", "TRANSFORMERS_VERBOSITY": "error", "TQDM_DISABLE": "1"}
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
