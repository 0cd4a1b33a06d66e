"""A local page to try the models: ``python -m stages.demo``, or ``make demo``."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from stages.cli import run
from stages.signals import answered_by


def main(
    models: Annotated[Path, typer.Option(help="the folder of the four models")] = Path("models"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="of 127.0.0.1; 0: any that is free")] = 8000,
) -> None:
    """Serve one page, to this machine alone: type a text and see what A and B of both families make of it."""
    from stages.demonstration.readers import read_all  # here: torch takes seconds that --help does not need
    from stages.demonstration.server import Server

    logging.basicConfig(level=logging.WARNING)
    with answered_by(_stop), Server(port) as server:
        server.show(read_all(models, _tell))
        _tell(f"open {server.address} in a browser on this machine; Ctrl-C ends it")
        server.serve_forever()


def _tell(message: str) -> None:
    print(message, flush=True)


def _stop(_: int) -> NoReturn:
    print("stopped", file=sys.stderr)
    raise SystemExit(0)  # being stopped is how a server ends well


if __name__ == "__main__":
    run(main)
