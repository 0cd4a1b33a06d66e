"""Our recipe, the same without each of its choices, and other people's: ``python -m stages.ablation``."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

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
    real, origin, rank = corpus.kind == "real", report.origin(), {name: i for i, name in enumerate(RECIPES)}
    for name in names:
        start = time.monotonic()
        wanted = ablation.jobs(hyper, name, system, drawn, encoder)
        asked = RECIPES[name].asked
        models = ablation.answered(plan, wanted, "val", asked)
        whole = OURS[RECIPES[name].family]
        reference = [] if name == whole else ablation.jobs(hyper, whole, system, drawn, encoder)
        parts = [name, system, *([Path(encoder).name] if encoder else []), *([] if real else [corpus.kind])]
        label, trainings, against = (
            "-".join(parts),
            *([one.name(corpus) for one in jobs] for jobs in (wanted, reference)),
        )
        row = {
            "name": label,
            "seeds": drawn,
            "data": corpus.kind,
            "encoder": Path(encoder).name if encoder else None,
            "trainings": trainings,
            "against": against,
            **ablation.row(name, corpus.val, system, models),
        }
        if reference:
            row |= ablation.distance(name, corpus.val, system, models, ablation.answered(plan, reference, "val"))
        before = report.load(output)
        found = None
        if test:
            answers = ablation.answered(plan, wanted, "test", asked)
            found = ablation.scores(corpus.test, system, answers)
            if against and set(against) <= ablation.seen(before):  # else it would be a look at ours, too
                ours = ablation.answered(plan, reference, "test")
                found |= ablation.distance(name, corpus.test, system, answers, ours)
        before = report.load(output)  # anew: another run may have written its rows meanwhile
        known = next((one["test"] for one in before if one["name"] == label), None)
        row["test"] = ablation.looked(known, trainings, found)
        rows = report.merged(before, {**row, "threads": plan.threads, **origin}, [])
        report.save(output, sorted(rows, key=lambda one: (rank.get(one["recipe"], len(rank)), one["name"])))
        f1 = sum(row["val"]["f1"]) / len(drawn)
        told = f", {points(row['difference'])} points of {whole}" if reference else ""
        print(f"{label}: val F1 {f1:.4f}{told} ({time.monotonic() - start:.0f} s)", flush=True)


if __name__ == "__main__":
    run(main)
