"""``reports/benchmark.json``: rows, each with the commit, the day and the machine that it was measured on."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.corpus.files import read_json, write_json
from stages.errors import UserError

Row = dict[str, Any]

FIGURES = 5

FIELDS: dict[str, Any] = {
    "name": str, "peer": str, "unit": str, "ratio": (int, float, type(None)), "precision": dict, "data": str,
    "threads": int, "commit": str, "date": str, "machine": dict,
}  # fmt: skip
"""What every row has, whatever else it has; ``ratio`` is None where no single figure would be fair."""


def origin() -> dict[str, Any]:
    """Where and when a row was measured: ``commit`` (with ``+`` where files differ from it), ``date``, ``machine``."""
    machine = {"cpu": _cpu(), "cores": cores(), "torch": importlib.metadata.version("torch")}
    return {"commit": commit(), "date": datetime.date.today().isoformat(), "machine": machine}


def commit() -> str:
    """The commit that this is, with ``+`` where files differ from it; ``unknown`` where git cannot tell."""
    try:
        name = _git("rev-parse", "--short", "HEAD").stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    # What the benchmark itself writes is no change of what it measures.
    same = _git("diff", "--quiet", "HEAD", "--", ".", ":!reports", ":!README.md", ":!docs", check=False).returncode == 0
    return name if same else f"{name}+"


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load(path: Path) -> list[Row]:
    """The rows of an earlier run, none where there was none.

    Raises:
        UserError: the file holds something else.
    """
    if not path.exists():
        return []
    value = read_json(path)
    if not isinstance(value, dict) or not isinstance(value.get("rows"), list):
        raise UserError(f'{path}: expected {{"rows": [...]}}; move the file away, and it is written anew')
    check(value["rows"])
    return list(value["rows"])


def merged(before: Iterable[Row], new: Row, order: Sequence[str]) -> list[Row]:
    """The rows with ``new`` in place of the row of its name, in the order of names; unknown names go last."""
    rows = {row["name"]: row for row in before} | {new["name"]: new}
    rank = {name: i for i, name in enumerate(order)}
    return sorted(rows.values(), key=lambda row: rank.get(row["name"], len(rank)))


def save(path: Path, rows: Sequence[Row]) -> None:
    """Write the rows, every figure to ``FIGURES`` significant ones.

    Raises:
        UserError: a row lacks something, or a name is there twice.
    """
    check(rows)
    write_json(path, {"rows": significant(list(rows))})


def check(rows: Sequence[Mapping[str, Any]]) -> None:
    """Do nothing where every row has its ``FIELDS`` and each name is there once.

    Raises:
        UserError: names the row and the field.
    """
    seen: set[str] = set()
    for i, row in enumerate(rows):
        for field, kind in FIELDS.items():
            if field not in row or not isinstance(row[field], kind):
                raise UserError(f"row {row.get('name', i)!r}: {field} is {row.get(field)!r}; measure the row anew")
        if row["name"] in seen:
            raise UserError(f"row {row['name']!r} is there twice; remove one")
        seen.add(row["name"])


def significant(value: Any) -> Any:
    """The same nested dicts and lists with every float cut to ``FIGURES`` significant figures, however small."""
    if isinstance(value, float):
        return float(f"{value:.{FIGURES}g}")
    if isinstance(value, dict):
        return {key: significant(item) for key, item in value.items()}
    if isinstance(value, list):
        return [significant(item) for item in value]
    return value


def _git(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=check)


def _cpu() -> str:
    """The processor's name, as Linux tells it."""
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()
