"""How every stage ends when something is wrong: one clear message, exit status 1, no traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

from stages.errors import UserError
from stages.signals import answered_by, status


def _stop(number: int) -> None:
    print("stopped; nothing half-written stays", file=sys.stderr)
    raise SystemExit(status(number))


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn a ``UserError`` into its message on standard error and exit status 1; end in one line when asked to stop.

    Used as ``@clear_errors()`` over a stage's ``main`` or as a ``with`` block. Other exceptions pass:
    they are faults of the program, and their traceback is wanted.

    Raises:
        SystemExit: with status 1, after a ``UserError``; with 128 + the signal's number, after Ctrl-C or SIGTERM,
            when what was being written is removed.
    """
    try:
        with answered_by(_stop):
            yield
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def run(main: Callable[..., None]) -> None:
    """Run ``main`` as a command, its annotated parameters as options, a ``UserError`` told clearly."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    with clear_errors():
        app()
