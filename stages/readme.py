"""Write what the pipeline knows in README.md and docs/: ``python -m stages.readme``; ``--check`` only compares."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Annotated

import typer

from stages.cli import run
from stages.corpus.files import whole_file
from stages.errors import UserError
from stages.reporting.readme import fill, pages, parts


def main(
    check: Annotated[bool, typer.Option("--check", help="write nothing; exit 1 with the difference, if any")] = False,
    only: Annotated[list[str] | None, typer.Option(help="a part by name; without it, all")] = None,
    root: Annotated[Path, typer.Option(help="the folder of README.md, docs/ and reports/")] = Path(),
) -> None:
    """Fill README.md and the pages in docs/ from reports/, or say how they differ from that."""
    found = parts(root)
    unknown = sorted(set(only or ()) - set(found))
    if unknown:
        raise UserError(f"--only {unknown[0]}: no such part; there are {', '.join(found)}")
    if not (root / "README.md").exists():
        raise UserError(f"{root / 'README.md'}: there is no README.md; name its folder with --root")
    wanted = {name: text for name, text in found.items() if not only or name in only}
    stale = []
    for path in pages(root):
        name, before = path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")
        after = fill(before, wanted, name)
        if before == after:
            continue
        stale.append(name)
        if check:
            lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), name, "from reports")
            sys.stdout.writelines(lines)
        else:
            with whole_file(path) as file:
                file.write(after)
    if check and stale:
        raise UserError(f"not what the reports say: {', '.join(stale)}; run `make readme`")


if __name__ == "__main__":
    run(main)
