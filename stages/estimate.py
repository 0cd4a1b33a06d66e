"""What a profile's trainings would cost on one GPU: ``python -m stages.estimate --profile full --profile best``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stages import settings
from stages.cli import run
from stages.corpus.files import whole_file, write_json
from stages.errors import UserError
from stages.reporting.estimate import render
from stages.settings import Family, System

OUTPUT = Path("reports")
COUNTED = {"source": "hub", "mode": "exact", "consistency": 0.0}
"""What the steps that are counted leave out, by its field: other sentences, chosen spans and second passes."""


def main(
    profile: Annotated[list[str] | None, typer.Option(help="repeated for several; without it, full and best")] = None,
    output: Annotated[Path, typer.Option(help="folder of estimate.json and estimate.md")] = OUTPUT,
) -> None:
    """Count what one step of each model takes, and write seconds, hours and bytes for the whole training."""
    params = settings.load()
    names = settings.profiles(profile)
    for name in names:
        for family in settings.FAMILIES:
            _check_counted(name, params, family, "A")
            _check_counted(name, params, family, "B")
    from stages.benchmark import costs  # here: torch takes seconds that --help does not need

    trainings = {
        f"{name} {family}-{system}": costs.estimate(params.training(family, system, name), system)
        for name in names
        for family in settings.FAMILIES
        for system in ("A", "B")
    }
    assumed = {
        "sentences": costs.SENTENCES, "words": costs.WORDS, "positions_a_word": costs.SUBWORDS,
        "utilisation": costs.UTILISATION, "host_seconds_a_call": costs.HOST, "update_bytes_a_weight": costs.UPDATE,
        "cards": {name: card._asdict() for name, card in costs.CARDS.items()},
    }  # fmt: skip
    found = {"assumed": assumed, "trainings": trainings}
    write_json(output / "estimate.json", found)
    text = render(found)
    with whole_file(output / "estimate.md") as file:
        file.write(text)
    print(text)


def _check_counted(profile: str, params: settings.Settings, family: Family, system: System) -> None:
    """See that a training is of the kind that is counted.

    Raises:
        UserError: it is not; names what it has otherwise.
    """
    hyper = params.training(family, system, profile)
    found = {"source": getattr(params.profiles, profile).source} | hyper.model_dump(include=set(COUNTED))
    for field, value in found.items():
        if value != COUNTED[field]:
            raise UserError(
                f"--profile {profile}: {family}-{system} has {field}: {value}, and counted are trainings with "
                f"{field}: {COUNTED[field]}; set it so for the estimate"
            )


if __name__ == "__main__":
    run(main)
