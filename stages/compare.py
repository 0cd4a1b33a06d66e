"""Stage ``compare``: A against B on the same sentences and the types that both know, with a paired test.

``python -m stages.compare --a FILE… --b FILE… --output DIR``; several files a side are several seeds.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from stages import settings
from stages.cli import clear_errors
from stages.reporting.comparison import report, write
from stages.reporting.details import training_mentions

SETTINGS = {"resamples": 10_000, "confidence": 0.95, "seed": 42}
"""What holds where neither an option nor params.yaml says otherwise."""


def parser() -> argparse.ArgumentParser:
    """The options. argparse, since typer has no option that takes several values as ``--a F1 F2``."""
    found = argparse.ArgumentParser(prog="python -m stages.compare", description=__doc__, allow_abbrev=False)
    for side in "ab":
        found.add_argument(
            f"--{side}", nargs="+", action="extend", required=True, metavar="FILE",
            help=f"predictions of side {side.upper()}; several files are several seeds",
        )  # fmt: skip
        found.add_argument(
            f"--{side}-name", default=f"System {side.upper()}", metavar="NAME", help="its name in reports"
        )
    found.add_argument("--train", metavar="FILE", help="training rows of A, to tell seen mentions from unseen")
    found.add_argument("--output", required=True, type=Path, metavar="DIR", help="where comparison.{json,md,html} go")
    found.add_argument("--resamples", type=_resamples, help="of bootstrap and test (params: compare.resamples)")
    found.add_argument("--confidence", type=_confidence, help="of the intervals (params: compare.confidence)")
    found.add_argument("--seed", type=_seed, help="of the random draws (params: seed)")
    found.add_argument("--examples", type=int, default=20, help="sentences shown of each kind; 0: none of the data")
    return found


def _resamples(text: str) -> int:
    value = int(text)
    if value < 100:
        raise argparse.ArgumentTypeError(f"{value} is too few for an interval; give 100 or more")
    return value


def _confidence(text: str) -> float:
    value = float(text)
    if not 0.5 < value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not between 0.5 and 1; give 0.95 for 95 %")
    return value


def _seed(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{value} is below 0; give a whole number from 0 up")
    return value


def chosen(options: argparse.Namespace) -> dict[str, float]:
    """Resamples, confidence and seed: from the options, else from params.yaml, else ``SETTINGS``.

    Raises:
        SettingsError: params.yaml is asked and is not sound.
    """
    given = {name: value for name in SETTINGS if (value := getattr(options, name)) is not None}
    if len(given) == len(SETTINGS) or not settings.PARAMS.exists():
        return SETTINGS | given
    params = settings.load()
    return {"resamples": params.compare.resamples, "confidence": params.compare.confidence, "seed": params.seed} | given


@clear_errors()
def main(arguments: Sequence[str] | None = None) -> None:
    """Compare two sides and write comparison.json, comparison.md and comparison.html."""
    options = parser().parse_args(arguments)
    train = None if options.train is None else training_mentions(options.train)
    names = (options.a_name, options.b_name)
    found = report(options.a, options.b, names, train, examples=options.examples, **chosen(options))
    write(found, options.output)
    print(found["verdict"])


if __name__ == "__main__":
    main()
