"""What a profile's trainings do on this machine: ``python -m stages.rehearse --profile full``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from stages import settings
from stages.benchmark import report
from stages.benchmark.sentences import SAMPLE, read_corpus
from stages.cli import run
from stages.corpus.files import read_json, write_json
from stages.settings import Family

OUTPUT = Path("reports/rehearsal.json")


def main(
    profile: Annotated[list[str] | None, typer.Option(help="repeated for several; without it, full and best")] = None,
    only: Annotated[Family | None, typer.Option(help="span_marker or token_classifier; without it, both")] = None,
    steps: Annotated[int, typer.Option(min=10, help="updates of each training")] = 200,
    kill: Annotated[
        bool, typer.Option(help="then kill the same training half-way, and go on from its checkpoint")
    ] = True,
    data: Annotated[Path | None, typer.Option(help="real sentences; else MULTINERD_DIR, else the sample")] = None,
    output: Annotated[Path, typer.Option(help="other trainings in it stay")] = OUTPUT,
) -> None:
    """Train each model of System A for some steps at its full size, with random weights; kill it and go on."""
    params = settings.load()
    names = settings.profiles(profile)
    from stages.benchmark.rehearsal import rehearse  # here: torch takes seconds that --help does not need

    corpus = read_corpus(data or Path(os.environ.get("MULTINERD_DIR") or SAMPLE))
    for name in names:
        for one in [only] if only else settings.FAMILIES:
            hyper = params.training(one, "A", name)
            row = rehearse(hyper, "A", params.seed, steps, corpus.train, kill)
            found = read_json(output) if output.exists() else {}  # only now: another run may have written its own
            found[f"{name} {one}-A"] = {"encoder": hyper.encoder, "data": corpus.kind, **row, **report.origin()}
            write_json(output, found)
            print(f"{name} {one}-A: {told(row)}", flush=True)


def told(row: Mapping[str, Any]) -> str:
    """A rehearsal in a line."""
    text = (
        f"{row['sentences_per_second']:.0f} sentences a second, {row['seconds_a_step']:.3f} s a step, "
        f"{row['peak_bytes'] / 1e9:.1f} GB, on {row['device']}"
    )
    resumed = row["resumed"]
    if resumed is None:
        return text
    return f"{text}; killed, went on after step {resumed['after_step']}, losses {resumed['losses_apart']:.1e} apart"


if __name__ == "__main__":
    run(main)
