"""What is in a data directory: ``python -m stages.audit --directory DIR --output DIR``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stages.cli import run
from stages.corpus.audit import audit
from stages.corpus.audit_reading import read_part
from stages.corpus.files import whole_file, write_json
from stages.corpus.source import find
from stages.errors import UserError
from stages.reporting.audit import render
from stages.reporting.tables import write_csv
from stages.scoring.label_errors import label_errors, read_probabilities, without_duplicates
from stages.scoring.predictions import read
from stages.scoring.scores import rounded


def main(
    directory: Annotated[Path, typer.Option(help="MultiNERD's layout, or the sample's markup")],
    output: Annotated[Path, typer.Option(help="where audit.json and audit.md go")],
    predictions: Annotated[Path | None, typer.Option(help="a model's answers for test sentences of DIR")] = None,
    probabilities: Annotated[Path | None, typer.Option(help="probabilities.npz of the same run")] = None,
    examples: Annotated[int, typer.Option(help="sentences quoted of each kind of copy; 0: none of the data")] = 0,
) -> None:
    """Count, look for copies and known faults, and list likely label errors where predictions are given."""
    if probabilities is not None and predictions is None:
        raise UserError("--probabilities needs --predictions: the words that the probabilities are of")
    found = audit(directory, examples)
    if predictions is not None:
        answers = read(predictions)
        train = [sentence.tokens for sentence in read_part("train", find(directory)["train", "en"]).sentences]
        found["without_duplicates"] = rounded(without_duplicates(answers, train))
        if probabilities is not None:
            table = label_errors(answers, *read_probabilities(probabilities))
            write_csv(output / "label_errors.csv", table)
            words = sum(len(row.tokens) for row in answers.rows)
            found["label_errors"] = {"words": len(table), "sentences": table["row"].nunique(), "of_words": words}
    write_json(output / "audit.json", found)
    with whole_file(output / "audit.md") as file:
        file.write(render(found))
    faults = ", ".join(sorted({finding["fault"] for finding in found["findings"]}))
    print(f"{output / 'audit.md'}: {faults or 'no known fault'}")


if __name__ == "__main__":
    run(main)
