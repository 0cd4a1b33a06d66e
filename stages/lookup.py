"""The lookup baseline's predictions: ``python -m stages.lookup --system A``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stages.cli import run
from stages.corpus.labels import SYSTEMS, TAGS
from stages.corpus.rows import read_rows
from stages.models.lookup import Lookup
from stages.models.prediction import predict_file
from stages.settings import System


def main(system: Annotated[System, typer.Option(help="A or B")]) -> None:
    """Learn the mentions of train by heart and write predictions for val and test."""
    data = Path("data/systems") / system
    train = ((row.tokens, [TAGS[i] for i in row.ner_tags]) for row in read_rows(data / "train.jsonl"))
    lookup = Lookup(train, SYSTEMS[system])
    reports = Path("reports/runs") / f"lookup-{system}"
    predict_file(lookup, str(data / "val.jsonl"), str(reports / "predictions_val.jsonl"))
    predict_file(lookup, str(data / "test.jsonl"), str(reports / "predictions.jsonl"))


if __name__ == "__main__":
    run(main)
