"""Do a model, its figures and params.yaml belong together? DVC knows: its lock file holds the hash of each."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from stages.errors import UserError


def check(run: str) -> None:
    """Do nothing where everything from the data to the figures of ``run`` is as the pipeline's last run left it.

    Raises:
        UserError: a file of the model is missing or altered, or parameters, code, data or figures have changed since.
    """
    target = f"evaluate@{run}"
    command = [sys.executable, "-m", "dvc", "status", "--json", "--with-deps", target]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        reason = done.stderr.strip().splitlines()
        raise UserError(f"`dvc status {target}` fails: {reason[0] if reason else done.returncode}")
    changes = list(_changes(json.loads(done.stdout)))
    if changes:
        more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
        raise UserError(
            f"{run} and its figures are not of one run: {changes[0]}{more}; `dvc repro` (or, for files that are only "
            "missing or altered, `dvc checkout`) puts it right"
        )


def _changes(status: dict[str, list[Any]]) -> Iterator[str]:
    """``dvc status --json`` in words, a change at a time; outputs first, since they tell most."""
    found = [
        (kind, stage, where, what)
        for stage, entries in status.items()
        for entry in entries
        if isinstance(entry, dict)
        for kind, changed in entry.items()
        for where, what in changed.items()
    ]
    for _, stage, where, what in sorted(found, key=lambda change: change[0] != "changed outs"):
        state = what if isinstance(what, str) else f"changed ({', '.join(what)})"
        yield f"{where} is {state} since {stage} ran"
    for stage, entries in status.items():
        if "changed command" in entries:
            yield f"the command of {stage} is changed"
