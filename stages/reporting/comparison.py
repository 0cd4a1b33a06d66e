"""``comparison.{json,md,html}``: two sides compared, written in the three forms that machines and people read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.corpus.files import whole_file, write_json
from stages.reporting import markdown, page
from stages.reporting.details import details
from stages.scoring.breakdowns import Mentions
from stages.scoring.comparison import compare
from stages.scoring.predictions import read
from stages.scoring.scores import rounded


def report(
    a: Sequence[str | Path],
    b: Sequence[str | Path],
    names: tuple[str, str],
    train: Mentions | None = None,
    **options: Any,
) -> dict[str, Any]:
    """All that is said of two sides, unrounded; several files a side are several seeds.

    ``names`` are what the sides are called, ``train`` the mentions of A's training rows, and ``options`` those of
    :func:`stages.scoring.comparison.compare`.

    Raises:
        PredictionError: a file cannot be read, or the two sides are not of the same sentences.
    """
    result = compare(a, b, **options)
    more = details(read(a[0]), read(b[0]), train)
    return {"names": {"a": names[0], "b": names[1]}, **result, **more}


def write(found: Mapping[str, Any], output: Path) -> None:
    """Write what :func:`report` gives as comparison.json (to four places), comparison.md and comparison.html.

    The texts round each figure once, as the verdict does: from a rounded figure they could say .127 beside its .126.
    """
    texts = {"comparison.md": markdown.render(found), "comparison.html": page.render(found)}
    write_json(output / "comparison.json", rounded(found))
    for name, text in texts.items():
        with whole_file(output / name) as file:
            file.write(text)
