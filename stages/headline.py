"""Copy one run's figures to the fixed place that ``dvc metrics diff`` compares: ``python -m stages.headline``."""

from __future__ import annotations

from pathlib import Path

from stages import settings
from stages.cli import run
from stages.corpus.files import read_json, whole_file, write_json


def main() -> None:
    """Copy metrics.json and per_type.{json,csv} of the run that ``headline`` chooses to reports/."""
    choice = settings.load().headline
    folder = Path("reports/runs") / f"{choice.family}-{choice.system}"
    for name in ("metrics.json", "per_type.json"):
        write_json(Path("reports") / name, read_json(folder / name))
    with whole_file("reports/per_type.csv") as file:  # the same figures in the form that DVC can plot
        file.write((folder / "per_type.csv").read_text(encoding="utf-8"))


if __name__ == "__main__":
    run(main)
