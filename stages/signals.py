"""Being asked to stop: Ctrl-C (SIGINT) and SIGTERM."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def answered_by(stop: Callable[[int], None]) -> Iterator[None]:
    """Call ``stop`` with the signal's number for either signal inside the block.

    A signal that the caller has the process ignore (``nohup``, a shell's background jobs) stays ignored.
    """

    def handler(number: int, _: FrameType | None) -> None:
        stop(number)

    heard = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) != signal.SIG_IGN]
    earlier = {number: signal.signal(number, handler) for number in heard}
    try:
        yield
    finally:
        for number, before in earlier.items():
            signal.signal(number, before)


def status(number: int) -> int:
    """The exit status of a process that signal ``number`` stopped, as shells give it."""
    return 128 + number
