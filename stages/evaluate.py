"""Stage ``evaluate``: scores, tables and pictures of one run, from its predictions alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from stages.cli import run
from stages.corpus.files import write_json
from stages.corpus.labels import SYSTEMS
from stages.reporting import plots
from stages.reporting.details import training_mentions
from stages.reporting.figure import draw_note
from stages.reporting.names import run_title
from stages.reporting.tables import write_csv
from stages.scoring.breakdowns import Mentions
from stages.scoring.calibration import reliability
from stages.scoring.predictions import Predictions, read
from stages.scoring.scores import rounded, score_all
from stages.scoring.tables import tables
from stages.settings import System

PER_TYPE = ("type", "support", "predicted", "precision", "recall", "f1")


def figures(predictions: Predictions, system: System | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """What metrics.json and per_type.json hold, to four places; where there is no score, the reason and nothing.

    Raises:
        PredictionError: gold holds a type that ``system`` does not know.
    """
    if predictions.unscored is not None:
        return {"unscored": predictions.unscored}, {}
    metrics, types = score_all(predictions, SYSTEMS[system] if system else None)
    return rounded(metrics), rounded(types)


def frames(predictions: Predictions, train: Mentions | None) -> dict[str, pd.DataFrame]:
    """Every table of one run by name, ``calibration`` always among them: without scores all its bins are empty."""
    empty = reliability(np.zeros(0), np.zeros(0))
    return {"calibration": empty, **tables(predictions, train=train)}


def pictures(output: Path, per_type: pd.DataFrame, found: dict[str, pd.DataFrame], unscored: str | None) -> None:
    """Draw the run's pictures into ``output``, or into each the reason why there is nothing to see."""
    title = run_title(output.resolve().name)
    if unscored is not None:
        for name in ("f1_per_type", "confusion", "calibration"):
            draw_note(output / f"{name}.png", f"{title} has no score: {unscored}.")
        return
    plots.f1_per_type(output / "f1_per_type.png", per_type, f"{title}: F1 per type")
    plots.confusion(output / "confusion.png", found["confusion"], f"{title}: gold against predicted types")
    plots.calibration(output / "calibration.png", found["calibration"], f"{title}: are its scores true?")


def main(
    predictions: Annotated[Path, typer.Option(help="JSON lines with tokens, gold and pred (BIO tag names)")],
    output: Annotated[Path, typer.Option(help="the folder to write to")],
    system: Annotated[System | None, typer.Option(help="whose types are asked for; without it, all fifteen")] = None,
    validation: Annotated[Path | None, typer.Option(help="predictions for val, scored into metrics_val.json")] = None,
    train: Annotated[Path | None, typer.Option(help="the training rows, to tell seen mentions from unseen")] = None,
) -> None:
    """Score a predictions file into metrics.json and per_type.json, with tables and pictures beside them."""
    found = read(predictions)
    metrics, types = figures(found, system)
    on_val = None if validation is None else figures(read(validation), system)[0]
    known = None if train is None else training_mentions(train)
    per_type_table = pd.DataFrame([{"type": kind, **row} for kind, row in types.items()], columns=list(PER_TYPE))
    all_tables = {"per_type": per_type_table, **frames(found, known)}
    for name, table in all_tables.items():
        write_csv(output / f"{name}.csv", table)
    pictures(output, per_type_table, all_tables, found.unscored)
    if on_val is not None:
        write_json(output / "metrics_val.json", on_val)
    write_json(output / "per_type.json", types)
    write_json(output / "metrics.json", metrics)


if __name__ == "__main__":
    run(main)
