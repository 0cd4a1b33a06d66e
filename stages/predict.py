"""Tag a file, or a stream: ``python -m stages.predict --model DIR --input FILE --output FILE``."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from stages.cli import run
from stages.corpus.files import whole_file
from stages.errors import UserError
from stages.formats.reading import InputFormat, format_of
from stages.formats.writing import OutputFormat
from stages.models import families
from stages.models.prediction import predict_file


def main(
    model: Annotated[Path, typer.Option(help="a model directory, such as models/token_classifier-A")],
    input: Annotated[list[str], typer.Option(help="what to tag; - is standard input")],
    output: Annotated[list[str], typer.Option(help="where the rows go, one for each input; - is standard output")],
    probabilities: Annotated[
        Path | None,
        typer.Option(help="NumPy archive for the last input's words × labels, row after row; held in memory"),
    ] = None,
    input_format: Annotated[
        InputFormat | None,
        typer.Option(
            help='jsonl: lines of {"tokens"} or {"text"}; text: prose, in sentences; lines: text, a row each line. '
            "By default text for .txt, lines for .log, else jsonl"
        ),
    ] = None,
    format: Annotated[
        OutputFormat,
        typer.Option(help="rows as jsonl or conll (word and tag), entities as csv, a displacy page, a spacy DocBin"),
    ] = "jsonl",
) -> None:
    """Write each row again with its entities: ``pred``, ``entities``, and ``gold`` where it has ner_tags."""
    logging.basicConfig(level=logging.WARNING)
    if len(input) != len(output):
        raise UserError(f"{len(input)} --input but {len(output)} --output: give one output for each input")
    if format == "spacy" and "-" in output:
        raise UserError("--format spacy --output -: a DocBin of many rows takes several files; name the first")
    tagger = families.load(model)
    for source, target in zip(input, output, strict=True):
        kept: list[np.ndarray] | None = [] if probabilities is not None else None
        predict_file(tagger, source, target, kept, input_format or format_of(source), format)
    if probabilities is not None:
        table = np.concatenate(kept) if kept else np.zeros((0, len(tagger.labels)), dtype=np.float32)
        with whole_file(probabilities, "wb") as file:
            # stored, not compressed: compressed bytes depend on the zlib that Python was built with
            np.savez(file, probabilities=table, labels=np.array(tagger.labels))


if __name__ == "__main__":
    run(main)
