"""Our recipe, the same without each of its choices, and other people's: ``python -m stages.ablation``."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from stages import settings
from stages.bench import CACHE
from stages.benchmark import ablation, report
from stages.benchmark.plan import Plan, recipes
from stages.benchmark.recipes import OURS, RECIPES
from stages.benchmark.sentences import SAMPLE, read_corpus
from stages.cli import run
from stages.errors import UserError
from stages.scoring.verdict import points
from stages.settings import System

OUTPUT = Path("reports/ablation.json")


def main(
    only: Annotated[list[str] | None, typer.Option(help="recipes by name: several in quotes, or repeated")] = None,
    system: Annotated[System, typer.Option(help="A or B")] = "A",
    seeds: Annotated[str, typer.Option(help="of weights and batches")] = "1 2 3",
    encoder: Annotated[str | None, typer.Option(help="in place of the profile's; names a row of its own")] = None,
    test: Annotated[bool, typer.Option("--test", help="look at the test split, too; the looks are counted")] = False,
    data: Annotated[Path | None, typer.Option(help="real sentences; else MULTINERD_DIR, else the sample")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="in all; without it, one a core")] = None,
    output: Annotated[Path, typer.Option(help="rows of other names in it stay")] = OUTPUT,
) -> None:
    """Train each recipe of the profile ``local`` with each seed and compare it on val with our whole one.

    Trainings are kept in .cache/bench, so that none runs twice.
    """
    names = [name for text in only or () for name in text.split()] or list(RECIPES)
    for name in names:
        if name not in RECIPES:
            raise UserError(f"--only {name}: no such recipe; there are {', '.join(RECIPES)}")
    try:
        drawn = [int(seed) for seed in seeds.split()]
    except ValueError:
        drawn = []
    if not drawn or len(set(drawn)) < len(drawn):
        raise UserError(f"--seeds {seeds!r}: expected different whole numbers, such as '1 2 3'")
    hyper = settings.load()
    corpus = read_corpus(data or Path(os.environ.get("MULTINERD_DIR") or SAMPLE))
    plan = Plan(corpus, *recipes(hyper), repeats=1, threads=threads or report.cores(), cache=CACHE.resolve())
    rank = {name: i for i, name in enumerate(RECIPES)}
    for name in names:
        start = time.monotonic()
        looked_at = ablation.looked_at(report.load(output)) if test else None
        row = _measured(hyper, plan, name, system, drawn, encoder, looked_at)
        before = report.load(output)  # anew: another run may have written its rows meanwhile
        known = next((one["test"] for one in before if one["name"] == row["name"]), None)
        row["test"] = ablation.remembered(known, row)
        rows = report.merged(before, row, [])
        report.save(output, sorted(rows, key=lambda one: (rank.get(one["recipe"], len(rank)), one["name"])))
        f1 = sum(row["val"]["f1"]) / len(drawn)
        told = f", {points(row['difference'])} points of {row['peer']}" if row["against"] else ""
        print(f"{row['name']}: val F1 {f1:.4f}{told} ({time.monotonic() - start:.0f} s)", flush=True)


def _measured(
    hyper: settings.Settings,
    plan: Plan,
    name: str,
    system: System,
    seeds: list[int],
    encoder: str | None,
    looked_at: set[str] | None,
) -> dict[str, Any]:
    """One recipe's row, trained where it has to be, and its distance from our whole recipe.

    On test, too, where ``looked_at`` holds the trainings that were looked at there; it has a distance from ours only
    where ours are among them, since it would be a look at ours.
    """
    corpus, whole, asked = plan.corpus, OURS[RECIPES[name].family], RECIPES[name].asked
    jobs = ablation.jobs(hyper, name, system, seeds, encoder)
    ours = [] if name == whole else ablation.jobs(hyper, whole, system, seeds, encoder)
    short, against = Path(encoder).name if encoder else None, [job.name(corpus) for job in ours]
    models = ablation.answered(plan, jobs, "val", asked)
    row = {
        "name": "-".join(
            [name, system, *([short] if short else []), *([] if corpus.kind == "real" else [corpus.kind])]
        ),
        "seeds": seeds,
        "data": corpus.kind,
        "encoder": short,
        "trainings": [job.name(corpus) for job in jobs],
        "against": against,
        **ablation.row(name, corpus.val, system, models),
        "test": None,
        "threads": plan.threads,
        **report.origin(),
    }
    if ours:
        row |= ablation.distance(name, corpus.val, system, models, ablation.answered(plan, ours, "val"))
    if looked_at is not None:
        models = ablation.answered(plan, jobs, "test", asked)
        row["test"] = ablation.scores(corpus.test, system, models)
        if ours and set(against) <= looked_at:
            ours_there = ablation.answered(plan, ours, "test")
            row["test"] |= ablation.distance(name, corpus.test, system, models, ours_there)
    return row


if __name__ == "__main__":
    run(main)
