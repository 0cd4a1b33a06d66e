"""The four models, loaded once and asked about one text at a time, exactly as ``stages.predict`` asks them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from threading import Lock

import msgspec

from stages.demonstration.agreement import Answer, Entity
from stages.errors import UserError
from stages.models.families import load
from stages.models.prediction import predict
from stages.models.tagging import Tagger

MODELS = ("span_marker-A", "span_marker-B", "token_classifier-A", "token_classifier-B")
LIMIT = 3_000
"""Characters of one text: about a page, which all four answer within seconds on two cores."""
TOO_LONG = (
    f"The text is too long: this page reads up to {LIMIT:,} characters at once. "
    "Shorten it, or give the whole to python -m stages.predict."
)


class Reader:
    """A model by its name; threads wait for each other, since tokenizers bear only one at a time."""

    def __init__(self, name: str, tagger: Tagger) -> None:
        self.name = name
        self._tagger = tagger
        self._lock = Lock()

    def answer(self, text: str) -> Answer:
        """The entities of ``text``, as ``stages.predict`` writes them for a row of it, and how long that took.

        Milliseconds are those of this model at work: neither waiting for it nor the network is in them.
        """
        row = msgspec.json.encode({"text": text})
        with self._lock:
            start = time.perf_counter()
            (made,) = predict(self._tagger, [row], "the text")
            spent = time.perf_counter() - start
        entities = [Entity(one["type"], one["start"], one["end"], one["score"]) for one in made.row["entities"]]
        return Answer(self.name, tuple(self._tagger.types), entities, spent * 1000)


def read_all(folder: Path, tell: Callable[[str], None], names: Iterable[str] = MODELS) -> list[Reader]:
    """The models of ``folder`` by their ``names``, each told to ``tell`` as it is read.

    From here on the process computes with one thread a model: for one short text that is as quick, and where
    other programs use the cores, two threads that wait for each other took five to ten times as long.

    Raises:
        UserError: some are missing, all of which it names, or cannot be loaded.
    """
    places = [folder / name for name in names]
    missing = [str(place) for place in places if not (place / "config.json").is_file()]
    if missing:
        raise UserError(
            f"no model in {', '.join(missing)}; `make repro` trains them, or name another folder with --models"
        )
    import torch  # here: what is missing is told at once

    torch.set_num_threads(1)
    readers = []
    for place in places:
        tell(f"reading {place}")
        readers.append(Reader(place.name, load(place)))
    return readers


def ask(readers: Sequence[Reader], text: str) -> list[Answer]:
    """Every reader's answer, one after the other, so that each has the cores to itself.

    Raises:
        UserError: the text is empty, white space alone, or longer than ``LIMIT`` characters.
    """
    if not text.strip():
        raise UserError("There is no text yet: type a sentence, or take one of the examples.")
    if len(text) > LIMIT:
        raise UserError(TOO_LONG)
    return [reader.answer(text) for reader in readers]
