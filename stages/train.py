"""Train one model: ``python -m stages.train --family token_classifier --system A``."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from datasets import Dataset
from datasets.exceptions import DatasetGenerationError

from stages import settings
from stages.cli import run
from stages.corpus.files import telling, whole_file, whole_folder
from stages.corpus.labels import SYSTEMS
from stages.corpus.rows import read_rows
from stages.models import families
from stages.models.checkpoints import Checkpoints, digest, locked
from stages.models.resuming import fingerprint
from stages.models.training import build, seed_everything, train
from stages.reporting import card
from stages.settings import Family, System

WORK = Path("checkpoints")
"""Where training keeps what is no output; git and DVC ignore it."""


def sentences(path: str) -> Iterator[dict[str, Any]]:
    """The ``tokens`` and ``ner_tags`` of each row of a JSON-lines file."""
    for row in read_rows(path):
        yield {"tokens": row.tokens, "ner_tags": row.ner_tags}


def dataset(path: Path, cache: Path) -> Dataset:
    """The rows of a JSON-lines file as a memory-mapped Arrow data set, kept in ``cache``.

    Raises:
        DataError: the file is missing or a row is bad.
        WriteError: the disk is full, or the folder may not be written.
    """
    try:
        with telling(cache):
            return Dataset.from_generator(sentences, gen_kwargs={"path": str(path)}, cache_dir=str(cache))  # type: ignore[return-value]
    except DatasetGenerationError as error:
        raise error.__cause__ or error from None


def main(
    family: Annotated[Family, typer.Option(help="span_marker or token_classifier")],
    system: Annotated[System, typer.Option(help="A or B")],
) -> None:
    """Train the model of ``params.yaml`` and write models/{family}-{system} and its curves.

    A training that was cut short goes on where it stopped, as long as nothing changed that shapes its weights.
    """
    logging.basicConfig(level=logging.INFO)
    params = settings.load()
    hyper = params.training(family, system)
    name = f"{family}-{system}"
    seed_everything(params.seed)
    tagger = families.create(hyper, SYSTEMS[system])
    data = Path("data/systems") / system
    work = WORK / name
    with locked(work):
        shutil.rmtree(work / "rows", ignore_errors=True)  # what a killed training left
        rows, validation = (dataset(data / f"{split}.jsonl", work / "rows") for split in ("train", "val"))
        run = fingerprint(
            tagger.model, hyper, seed=str(params.seed), types=" ".join(tagger.types),
            **{f"{split} sentences": digest(data / f"{split}.jsonl") for split in ("train", "val")},
        )  # fmt: skip
        checkpoints = Checkpoints(work, run)
        trainer = build(tagger, rows, validation, hyper, params.seed, work)
        curves = train(trainer, checkpoints, params.checkpoints.minutes)
        with whole_folder(Path("models") / name) as target:
            tagger.save(target, place=Path("models") / name)
            (target / "README.md").write_text(card.render(family, system, params, hyper), encoding="utf-8")
        with whole_file(f"reports/runs/{name}/curves.csv") as file:
            curves.to_csv(file, index=False)
        checkpoints.clear()


if __name__ == "__main__":
    run(main)
