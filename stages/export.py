"""Export a token classifier as ONNX: ``python -m stages.export --model models/token_classifier-A --output DIR``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stages.cli import run
from stages.corpus.files import whole_file, whole_folder, write_json
from stages.errors import UserError

DATA = Path("data/systems")
REPORT = "report.json"


def main(
    model: Annotated[Path, typer.Option(help="a token classifier's directory, such as models/token_classifier-A")],
    output: Annotated[Path, typer.Option(help="where fp32/, int8/ and the report go; replaced where it is there")],
    sentences: Annotated[
        Path | None, typer.Option(help="JSON lines to compare on; without it, the system's test")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="measured runs of each model")] = 5,
    threads: Annotated[int, typer.Option(min=1, help="of each model")] = 1,
) -> None:
    """Write the model in 32-bit floats and 8-bit integers, and report.{json,md}: size, speed and answers beside torch.

    Each of the two is a directory that ``python -m stages.predict --model`` takes as any other.
    """
    from stages.benchmark import exported  # here: torch takes seconds that --help does not need
    from stages.models import onnx
    from stages.reporting.export import markdown

    rows = sentences or DATA / model.resolve().name[-1] / "test.jsonl"
    if not rows.is_file():
        raise UserError(f"{rows}: no such file; name the sentences to compare on with --sentences")
    _check_output(output)
    with whole_folder(output) as target:
        onnx.export(model, target)
        report = exported.compare(model, target, rows, repeats, threads)
        write_json(target / REPORT, report)
        with whole_file(target / "report.md") as file:
            file.write(markdown(report))
    print(markdown(report), end="")


def _check_output(output: Path) -> None:
    """Refuse to replace what no earlier export made.

    Raises:
        UserError: ``output`` is a file, or a folder with something else in it.
    """
    if output.is_dir() and (not any(output.iterdir()) or ((output / REPORT).is_file() and (output / "int8").is_dir())):
        return
    if output.exists():
        raise UserError(f"--output {output}: is there, and is no earlier export; name a folder that may be replaced")


if __name__ == "__main__":
    run(main)
