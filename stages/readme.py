"""Write the parts of README.md that the pipeline knows: ``python -m stages.readme``; ``--check`` only compares."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Annotated

import typer

from stages.cli import run
from stages.corpus.files import whole_file
from stages.errors import UserError
from stages.reporting.readme import fill, parts


def main(
    check: Annotated[bool, typer.Option("--check", help="write nothing; exit 1 with the difference, if any")] = False,
    only: Annotated[list[str] | None, typer.Option(help="a part by name; without it, all")] = None,
    root: Annotated[Path, typer.Option(help="the folder of README.md and reports/")] = Path(),
) -> None:
    """Fill README.md from reports/, or say how it differs from that."""
    path = root / "README.md"
    found = parts(root)
    unknown = sorted(set(only or ()) - set(found))
    if unknown:
        raise UserError(f"--only {unknown[0]}: no such part; there are {', '.join(found)}")
    if not path.exists():
        raise UserError(f"{path}: there is no README.md; name its folder with --root")
    before = path.read_text(encoding="utf-8")
    after = fill(before, {name: text for name, text in found.items() if not only or name in only})
    if not check:
        with whole_file(path) as file:
            file.write(after)
    elif before != after:
        lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), "README.md", "from reports")
        sys.stdout.writelines(lines)
        raise UserError("README.md is not what the reports say; run `make readme`")


if __name__ == "__main__":
    run(main)
