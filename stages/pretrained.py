"""The starting checkpoint, untouched, as a baseline: ``python -m stages.pretrained --system A``."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from stages import settings
from stages.cli import run
from stages.corpus.files import whole_file
from stages.corpus.labels import SYSTEMS
from stages.models import families
from stages.models.prediction import predict_file
from stages.models.tagging import Tagger, Tagging
from stages.settings import System

log = logging.getLogger(__name__)
SPLITS = {"val": "predictions_val.jsonl", "test": "predictions.jsonl"}


class Narrowed:
    """A tagger asked for some of its types only: its entities of other types are left out."""

    def __init__(self, tagger: Tagger, types: Sequence[str]) -> None:
        self.tagger = tagger
        self.types = tuple(types)
        self.labels = tagger.labels

    def tag(self, sentences: Sequence[Sequence[str]], gold: Sequence[Sequence[str]] | None = None) -> list[Tagging]:
        """Tag sentences of words. There is no loss, since the tagger's own types are others."""
        return [self._narrow(tagging) for tagging in self.tagger.tag(sentences)]

    def _narrow(self, tagging: Tagging) -> Tagging:
        kept = [i for i, span in enumerate(tagging.entities) if span.type in self.types]
        return Tagging([tagging.entities[i] for i in kept], [tagging.scores[i] for i in kept], None, None, 0)


def main(system: Annotated[System, typer.Option(help="A or B")]) -> None:
    """Write the untrained checkpoint's predictions, or one row that says why there are none."""
    logging.basicConfig(level=logging.INFO)
    hyper = settings.load().training("span_marker", system)
    reports = Path("reports/runs") / f"pretrained-{system}"
    tagger = families.load_checkpoint(hyper)
    missing = [kind for kind in SYSTEMS[system] if tagger is None or kind not in tagger.types]
    if tagger is not None and not missing:
        narrowed = Narrowed(tagger, SYSTEMS[system])
        for split, name in SPLITS.items():
            predict_file(narrowed, f"data/systems/{system}/{split}.jsonl", str(reports / name))
        return
    what = f"lacks the types {', '.join(missing)}" if tagger is not None else "is no NER model"
    reason = f"{hyper.encoder} {what}: untrained, it has nothing to score as System {system}"
    log.warning(reason)
    for name in SPLITS.values():
        with whole_file(reports / name) as file:
            file.write(json.dumps({"unscored": reason}) + "\n")


if __name__ == "__main__":
    run(main)
