"""Several seeds side by side: ``python -m stages.seeds 1 2 3``, after ``dvc exp run -n seed-N -S seed=N`` for each.

Experiments of other settings have another name: ``--name full`` compares full-1, full-2 and full-3.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import dvc.api
import pandas as pd
import typer
from dvc.exceptions import DvcException
from dvc.scm import RevError, SCMError
from ruamel.yaml import YAML

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
SHAPING = ("data", "hub", "systems")
"""What shapes predictions in params.yaml, beside seed and profile."""
FIGURES = ("precision", "recall", "f1", "macro_f1", "five_f1")


def predictions_of(seed: int, run_name: str, name: str = "seed") -> str:
    """The test predictions of one run as the experiment ``{name}-{seed}`` of this project left them.

    Raises:
        UserError: there is no such experiment, or it did not finish.
    """
    path = f"reports/runs/{run_name}/predictions.jsonl"
    experiment = f"{name}-{seed}"
    settings = "" if name == "seed" else f' NAME={name} SET="…"'
    redo = f"`make seeds SEEDS={seed}{settings}` runs it, or `dvc exp pull origin {experiment}` gets it"
    try:
        return str(dvc.api.read(path, rev=experiment, encoding="utf-8"))
    except (RevError, SCMError):
        raise UserError(f"there is no experiment {experiment}; {redo}") from None
    except (DvcException, FileNotFoundError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"experiment {experiment}: {path} is not there ({reason}); `dvc exp remove {experiment}`, then {redo}"
        ) from None


def fetch(seeds: Sequence[int], target: Path = TARGET, name: str = "seed") -> dict[str, list[Path]]:
    """Copy every seed's predictions to ``{target}/{name}-N/{run}.jsonl``; returns each run's files in the seeds' order.

    All experiments are asked before the first file is written.

    Raises:
        UserError: an experiment is missing or did not finish, or was run with other settings than the first.
    """
    runs = [f"{family}-{system}" for family in FAMILIES for system in "AB"]
    texts = {(seed, run_name): predictions_of(seed, run_name, name) for seed in seeds for run_name in runs}
    check_settings(seeds, name)
    found: dict[str, list[Path]] = {run_name: [] for run_name in runs}
    for (seed, run_name), text in texts.items():
        path = target / f"{name}-{seed}" / f"{run_name}.jsonl"
        with whole_file(path) as file:
            file.write(text)
        found[run_name].append(path)
    return found


def check_settings(seeds: Sequence[int], name: str) -> None:
    """See that of what shapes a prediction the experiments differ in their seed alone, which is that of their name.

    Raises:
        UserError: one was run with another seed, or with settings that the first had not.
    """
    first: dict[str, Any] = {}
    for seed in seeds:
        experiment = f"{name}-{seed}"
        found = YAML(typ="safe").load(dvc.api.read(str(settings.PARAMS), rev=experiment, encoding="utf-8"))
        redo = f"`dvc exp remove {experiment}`, then `make seeds` with the settings that you mean runs it anew"
        if found["seed"] != seed:
            raise UserError(f"experiment {experiment} was run with seed: {found['seed']}; {redo}")
        profile = {"profile": found["profile"], found["profile"]: found["profiles"][found["profile"]]}
        # Zero and unset are what a setting was before it came.
        others = {key: value for key, value in _flat({**profile, **{k: found[k] for k in SHAPING}}).items() if value}
        first = first or others
        for key in sorted(first.keys() | others.keys()):
            if first.get(key) != others.get(key):
                raise UserError(
                    f"experiments {name}-{seeds[0]} and {experiment} differ in more than their seed ({key}: "
                    f"{first.get(key)} and {others.get(key)}): {redo}"
                )


def _flat(value: Any, key: str = "") -> dict[str, Any]:
    """Nested settings by their dotted names."""
    if not isinstance(value, dict):
        return {key: value}
    return {name: one for k, v in value.items() for name, one in _flat(v, f"{key}.{k}" if key else str(k)).items()}


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


def main(
    seeds: Annotated[list[int], typer.Argument(help="seeds whose experiments NAME-SEED have run")],
    name: Annotated[str, typer.Option(help="what the experiments' names begin with")] = "seed",
) -> None:
    """Gather the predictions of several seeds, compare A and B over all of them, and write reports/seeds/."""
    if len(set(seeds)) != len(seeds):
        raise UserError(f"seeds {' '.join(map(str, seeds))}: one is there twice; name each seed once")
    params = settings.load()
    files = fetch(seeds, name=name)
    for family in FAMILIES:
        a, b = (files[f"{family}-{system}"] for system in "AB")
        names = (f"{KINDS[family]} A", f"{KINDS[family]} B")
        write(report(a, b, names, **params.compare.model_dump()), TARGET / family)
    write_csv(TARGET / "seeds.csv", table(files))


if __name__ == "__main__":
    run(main)
