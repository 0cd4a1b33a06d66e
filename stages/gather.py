"""Figures of a finished pipeline without a sentence of its data: ``python -m stages.gather --output reports/real``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from stages import settings
from stages.cli import run
from stages.corpus.files import read_json, whole_folder, write_json
from stages.errors import UserError
from stages.reporting import overview
from stages.reporting.names import FAMILIES, KINDS
from stages.reporting.tables import by_run, entity_counts
from stages.scoring.comparison import compare
from stages.scoring.scores import rounded

LONGEST = 200
"""Characters of the longest text that may be kept; a verdict, made of figures, may be longer."""

FORBIDDEN = {"tokens", "text", "sentence", "mention"}
"""Keys under which a sentence, or a part of one, would stand."""

OWN_WORDS = {"verdict", "unscored"}
"""Keys of texts that this project writes itself."""


def refuse_sentences(value: Any, place: str = "") -> None:
    """Do nothing where ``value`` (of a JSON file) holds figures and names only.

    Raises:
        UserError: a key that holds words of the data, a text that may be a sentence, or a path of this machine.
    """
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key in FORBIDDEN:
                raise UserError(f"{place}.{key}: would hold words of the data, which are not to be kept; leave it out")
            if key not in OWN_WORDS:
                refuse_sentences(item, f"{place}.{key}")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            refuse_sentences(item, f"{place}[{i}]")
    elif isinstance(value, str) and len(value) > LONGEST:
        raise UserError(f"{place}: {len(value)} characters may be a sentence of the data; leave it out")
    elif isinstance(value, str) and Path(value).is_absolute():
        raise UserError(f"{place}: {value!r} is a path of this machine; leave it out")


def collected(reports: Path, choice: settings.Settings) -> dict[str, Any]:
    """Every file to be written, by name (without ``.json``), figures to four places.

    Raises:
        UserError: no pipeline has finished here, or something would hold words of the data.
    """
    runs = {
        "test": by_run(reports / "runs", "metrics.json", read_json),
        "val": by_run(reports / "runs", "metrics_val.json", read_json),
        "per_type": by_run(reports / "runs", "per_type.json", read_json),
    }
    models = [(family, system) for family in FAMILIES for system in "AB"]
    lacking = [f"{family}-{system}" for family, system in models if system not in runs["test"].get(family, {})]
    if lacking:
        raise UserError(f"{reports}/runs lacks {', '.join(lacking)}: no pipeline has finished here; run `dvc repro`")
    curves = by_run(reports / "runs", "curves.csv", _records)
    found: dict[str, Any] = {
        "settings": _settings(choice),
        "data": entity_counts(reports / "data").to_dict(orient="records"),
        "runs": runs,
        "curves": curves,
        **{f"comparison-{family}": _compared(reports, (family, "A"), (family, "B"), choice) for family in FAMILIES},
        **{
            f"families-{system}": _compared(reports, (FAMILIES[0], system), (FAMILIES[1], system), choice)
            for system in "AB"
        },
    }
    found = rounded(found)
    refuse_sentences(found)
    return found


def _records(path: Path) -> list[dict[str, float | None]]:
    """A table as records; an empty cell is None, as JSON has no NaN."""
    frame = pd.read_csv(path)
    return [{key: None if pd.isna(value) else value for key, value in row.items()} for row in frame.to_dict("records")]  # type: ignore[misc]


def _compared(reports: Path, a: tuple[str, str], b: tuple[str, str], choice: settings.Settings) -> dict[str, Any]:
    """``compare``'s result without examples, sides called by what they differ in."""
    files = [reports / "runs" / "-".join(side) / "predictions.jsonl" for side in (a, b)]
    names = ("A", "B") if a[0] == b[0] else (KINDS[a[0]], KINDS[b[0]])
    found = compare(
        files[:1], files[1:], choice.compare.resamples, choice.compare.confidence, choice.seed, examples=0, names=names
    )
    found["disagreements"].pop("examples")
    return {"names": {"a": names[0], "b": names[1]}, **found}


def _settings(choice: settings.Settings) -> dict[str, Any]:
    """Profile, seed and hyperparameters of the four models; of a local encoder only its folder's name."""
    models = {}
    for family in settings.FAMILIES:
        for system in ("A", "B"):
            values = choice.training(family, system).model_dump()  # type: ignore[arg-type]
            if Path(values["encoder"]).is_absolute() or values["encoder"].startswith("."):
                values["encoder"] = Path(values["encoder"]).name
            models[f"{family}-{system}"] = values
    return {"profile": choice.profile, "seed": choice.seed, "models": models}


def draw(found: Mapping[str, Any], folder: Path) -> None:
    """Draw the pictures over all runs from what the JSON files hold, and from nothing else."""
    frames = {
        family: {system: pd.DataFrame(records).astype(float) for system, records in systems.items()}
        for family, systems in found["curves"].items()
    }
    overview.loss_curves(folder / "loss_curves.png", frames)
    overview.entities(folder / "entities.png", pd.DataFrame(found["data"]))
    overview.f1_per_type(folder / "f1_per_type.png", found["runs"]["per_type"])
    overview.a_against_b(folder / "a_against_b.png", {family: found[f"comparison-{family}"] for family in FAMILIES})


def main(
    output: Annotated[Path, typer.Option(help="the folder to write, whole or not at all")],
    reports: Annotated[Path, typer.Option(help="reports of a finished pipeline")] = Path("reports"),
    params: Annotated[Path, typer.Option(help="the params.yaml that it ran with")] = settings.PARAMS,
) -> None:
    """Write the figures, comparisons and pictures of a finished pipeline, and no sentence of its data."""
    found = collected(reports, settings.load(params))
    with whole_folder(output) as folder:
        for name, value in found.items():
            write_json(folder / f"{name}.json", value)
        draw({name: read_json(folder / f"{name}.json") for name in found}, folder)


if __name__ == "__main__":
    run(main)
