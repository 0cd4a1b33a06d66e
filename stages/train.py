"""Train one model: ``python -m stages.train --family token_classifier --system A``.

On several GPUs or machines the same command, and so the whole pipeline, runs through ``accelerate launch`` where the
environment says with which options: ``LAUNCH="--multi_gpu --num_processes 4" dvc repro``. No parameter and no line of
dvc.yaml knows the hardware.
"""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import nullcontext
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
from stages.errors import UserError
from stages.models import families
from stages.models.checkpoints import Checkpoints, digest, locked
from stages.models.device import process
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
    with telling(cache):
        try:
            return Dataset.from_generator(sentences, gen_kwargs={"path": str(path)}, cache_dir=str(cache))  # type: ignore[return-value]
        except DatasetGenerationError as error:
            raise error.__cause__ or error from None


def launch(options: str, arguments: list[str]) -> None:
    """Go on as ``accelerate launch`` with ``options``, which starts this stage once for each process.

    Raises:
        UserError: the options cannot be taken apart.
    """
    try:
        asked = shlex.split(options)
    except ValueError as error:
        raise UserError(f"LAUNCH={options!r} are no options of `accelerate launch`: {error}") from None
    command = [sys.executable, "-m", "accelerate.commands.launch", *asked, "-m", "stages.train", *arguments]
    os.execve(command[0], command, {name: value for name, value in os.environ.items() if name != "LAUNCH"})


def main(
    family: Annotated[Family, typer.Option(help="span_marker or token_classifier")],
    system: Annotated[System, typer.Option(help="A or B")],
) -> None:
    """Train the model of ``params.yaml`` and write models/{family}-{system} and its curves.

    A training that was cut short goes on where it stopped, as long as nothing changed that shapes its weights.
    Of several processes the first holds the lock and writes; all need the project's folder to be the same.
    """
    if options := os.environ.get("LAUNCH"):
        launch(options, sys.argv[1:])
    here = process()
    logging.basicConfig(level=logging.INFO if here.is_main_process else logging.ERROR)
    params = settings.load()
    hyper = params.training(family, system)
    name = f"{family}-{system}"
    seed_everything(params.seed)
    tagger = families.create(hyper, SYSTEMS[system])
    data = Path("data/systems") / system
    work = WORK / name
    with locked(work) if here.is_main_process else nullcontext():
        if here.is_main_process:
            shutil.rmtree(work / "rows", ignore_errors=True)  # what a killed training left
        with here.main_process_first():
            rows, validation = (dataset(data / f"{split}.jsonl", work / "rows") for split in ("train", "val"))
        run = fingerprint(
            tagger.model, hyper, seed=str(params.seed), types=" ".join(tagger.types),
            **{f"{split} sentences": digest(data / f"{split}.jsonl") for split in ("train", "val")},
        )  # fmt: skip
        checkpoints = Checkpoints(work, run)
        trainer = build(tagger, rows, validation, hyper, params.seed, work)
        curves = train(trainer, checkpoints, params.checkpoints.minutes)
        if here.is_main_process:
            with whole_folder(Path("models") / name) as target:
                tagger.save(target, place=Path("models") / name)
                (target / "README.md").write_text(card.render(family, system, params, hyper), encoding="utf-8")
            with whole_file(f"reports/runs/{name}/curves.csv") as file:
                curves.to_csv(file, index=False)
            checkpoints.clear()
    here.destroy_process_group()


if __name__ == "__main__":
    run(main)
