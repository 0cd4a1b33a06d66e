"""Push a trained model to a hub: ``python -m stages.publish --model models/span_marker-A --repo user/name``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from huggingface_hub import constants

from stages import settings
from stages.cli import run
from stages.errors import UserError
from stages.publishing import whole
from stages.publishing.bundle import gather, size
from stages.publishing.pushing import check_name, push
from stages.publishing.results import results
from stages.reporting import card
from stages.settings import FAMILIES

REPORTS = Path("reports")


def composed(name: str, repo: str) -> str:
    """The card of the pipeline's model ``name`` (``span_marker-A``) under ``repo``, with its figures.

    Raises:
        UserError: its reports are not there, or cannot be read.
    """
    family, system = name.rsplit("-", 1)
    choice = settings.load()
    figures = results(REPORTS, name, choice.compare.resamples, choice.compare.confidence, choice.seed)
    hyper = choice.training(family, system)  # type: ignore[arg-type]
    return card.render(family, system, choice, hyper, place=repo, results=figures)


def main(
    model: Annotated[Path, typer.Option(help="one of the pipeline's models, such as models/span_marker-A")],
    repo: Annotated[str, typer.Option(help="where it goes: user/name")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show what would be pushed, and push nothing")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="in place of what the repository holds")] = False,
    public: Annotated[bool, typer.Option("--public", help="a new repository is for everybody; else private")] = False,
) -> None:
    """Push weights, tokenizer and card of one model to a model repository of the hub, in one commit.

    Nothing is pushed unless model, figures and params.yaml are those of one run of the pipeline.
    """
    names = [f"{family}-{system}" for family in FAMILIES for system in "AB"]
    if model.resolve().name not in names or model.resolve().parent != Path("models").resolve():
        raise UserError(f"--model {model}: is none of the pipeline's: models/{', models/'.join(names)}")
    name = model.resolve().name
    check_name(repo)
    whole.check(name)
    text = composed(name, repo)
    bundle, left_out = gather(model, repo, text)
    lines = [f"{size(content):>13,}  {file}" for file, content in bundle.items()]
    print(f"{model} to {constants.ENDPOINT}/{repo}:", *lines, sep="\n")
    if left_out:
        print(f"not pushed, since stock libraries need none of it: {', '.join(left_out)}")
    if dry_run:
        print(f"README.md would be:\n\n{text}\nNothing was pushed.")
    else:
        print(f"pushed: {push(bundle, repo, public, replace)}")


if __name__ == "__main__":
    run(main)
