"""This project beside its peers, in one run: ``python -m stages.bench``, or ``make bench``."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from stages import settings
from stages.benchmark import report
from stages.benchmark.catalogue import ROWS, chosen
from stages.benchmark.plan import Plan, recipes
from stages.benchmark.sentences import SAMPLE, read_corpus
from stages.cli import run
from stages.errors import UserError
from stages.reporting.benchmark import draw_growth, draw_ratios, outcome

CACHE = Path(".cache/bench")
OUTPUT = Path("reports/benchmark.json")


def main(
    only: Annotated[list[str] | None, typer.Option(help="rows by name: several in quotes, or repeated")] = None,
    everything: Annotated[bool, typer.Option("--all", help="every row, those of hours included")] = False,
    data: Annotated[Path | None, typer.Option(help="real sentences; else MULTINERD_DIR, else the sample")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="measured runs of each side")] = 5,
    threads: Annotated[int | None, typer.Option(min=1, help="of each side; without it, one a core")] = None,
    model: Annotated[Path | None, typer.Option(help="a trained SpanMarker; without it, one is trained once")] = None,
    output: Annotated[Path, typer.Option(help="rows of other names in it stay")] = OUTPUT,
    params: Annotated[Path, typer.Option(help="whose profile `local` names encoder and sizes")] = settings.PARAMS,
) -> None:
    """Measure rows one after the other; each is written, with a picture of all, as soon as it is there."""
    from stages.models.device import has_bf16  # here: torch takes seconds that --help does not need

    names = chosen([name for text in only or () for name in text.split()], everything, has_bf16())
    span_marker, token_classifier = recipes(settings.load(params))
    plan = Plan(
        corpus=read_corpus(data or Path(os.environ.get("MULTINERD_DIR") or SAMPLE)),
        span_marker=span_marker,
        token_classifier=token_classifier,
        repeats=repeats,
        threads=threads or report.cores(),
        cache=CACHE.resolve(),
        model=model,
    )
    origin, refused = report.origin(), []
    print(
        f"{len(names)} rows, about {sum(ROWS[name].minutes for name in names)} minutes on two quiet cores", flush=True
    )
    for name in names:
        start = time.monotonic()
        try:
            row = {"name": name, "what": ROWS[name].what, "data": plan.corpus.kind, **ROWS[name].measure(plan)}
        except UserError as error:
            refused.append(name)
            print(f"{name}: {error}", file=sys.stderr)
            continue
        rows = report.merged(report.load(output), {**row, "threads": plan.threads, **origin}, list(ROWS))
        report.save(output, rows)
        draw_ratios(output.with_suffix(".png"), rows)
        if "points" in row:
            draw_growth(output.with_name(f"{output.stem}_growth.png"), rows)
        print(f"{name}: {outcome(row)} ({time.monotonic() - start:.0f} s)", flush=True)
    if refused:
        raise UserError(f"not measured: {', '.join(refused)}; the reasons stand above")


if __name__ == "__main__":
    run(main)
