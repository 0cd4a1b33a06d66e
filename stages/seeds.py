"""Several seeds side by side: ``python -m stages.seeds 1 2 3``, after ``dvc exp run -n seed-N -S seed=N`` for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import dvc.api
import pandas as pd
import typer
from dvc.exceptions import DvcException
from dvc.scm import RevError, SCMError

from stages import settings
from stages.cli import run
from stages.corpus.files import whole_file
from stages.errors import UserError
from stages.reporting.comparison import report, write
from stages.reporting.names import FAMILIES, KINDS
from stages.reporting.tables import write_csv
from stages.scoring.predictions import read
from stages.scoring.scores import score

TARGET = Path("reports/seeds")
FIGURES = ("precision", "recall", "f1", "macro_f1", "five_f1")


def predictions_of(seed: int, run_name: str) -> str:
    """The test predictions of one run as the experiment ``seed-N`` of this project left them.

    Raises:
        UserError: there is no such experiment, or it did not finish.
    """
    path = f"reports/runs/{run_name}/predictions.jsonl"
    redo = f"run `dvc exp run -n seed-{seed} -S seed={seed}` first (`make seeds` does)"
    try:
        return str(dvc.api.read(path, rev=f"seed-{seed}", encoding="utf-8"))
    except (RevError, SCMError):
        raise UserError(f"there is no experiment seed-{seed}; {redo}") from None
    except (DvcException, FileNotFoundError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"experiment seed-{seed}: {path} is not there ({reason}); `dvc exp remove seed-{seed}` and {redo}"
        ) from None


def fetch(seeds: Sequence[int], target: Path = TARGET) -> dict[str, list[Path]]:
    """Copy every seed's predictions to ``{target}/seed-N/{run}.jsonl``; returns each run's files in the order of seeds.

    All experiments are asked before the first file is written.

    Raises:
        UserError: an experiment is missing or did not finish.
    """
    names = [f"{family}-{system}" for family in FAMILIES for system in "AB"]
    texts = {(seed, name): predictions_of(seed, name) for seed in seeds for name in names}
    found: dict[str, list[Path]] = {name: [] for name in names}
    for (seed, name), text in texts.items():
        path = target / f"seed-{seed}" / f"{name}.jsonl"
        with whole_file(path) as file:
            file.write(text)
        found[name].append(path)
    return found


def table(files: dict[str, list[Path]]) -> pd.DataFrame:
    """Mean and standard deviation (n-1; empty for one seed) of each run's figures over its files, strict IOB2.

    Columns: ``run``, ``seeds`` (how many), then ``{figure}`` and ``{figure}_sd`` for each of ``FIGURES``.
    """
    records = []
    for name, paths in files.items():
        scores = pd.DataFrame([score(read(path)) for path in paths])[list(FIGURES)]
        record: dict[str, object] = {"run": name, "seeds": len(paths)}
        for figure in FIGURES:
            record |= {figure: scores[figure].mean(), f"{figure}_sd": scores[figure].std(ddof=1)}
        records.append(record)
    return pd.DataFrame(records)


def main(seeds: Annotated[list[int], typer.Argument(help="seeds whose experiments seed-N have run")]) -> None:
    """Gather the predictions of several seeds, compare A and B over all of them, and write reports/seeds/."""
    if len(set(seeds)) != len(seeds):
        raise UserError(f"seeds {' '.join(map(str, seeds))}: one is there twice; name each seed once")
    params = settings.load()
    files = fetch(seeds)
    for family in FAMILIES:
        a, b = (files[f"{family}-{system}"] for system in "AB")
        names = (f"{KINDS[family]} A", f"{KINDS[family]} B")
        write(report(a, b, names, **params.compare.model_dump()), TARGET / family)
    write_csv(TARGET / "seeds.csv", table(files))


if __name__ == "__main__":
    run(main)
