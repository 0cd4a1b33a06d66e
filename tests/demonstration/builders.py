"""Readers that need no torch: lookup taggers, which know exactly the mentions written here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from stages.corpus.labels import SYSTEMS
from stages.demonstration.readers import MODELS, Reader
from stages.demonstration.server import Server
from stages.formats.sentences import split
from stages.models.lookup import Lookup

MENTIONS: dict[str, dict[str, str]] = {
    "span_marker-A": {"Marie Curie": "PER", "Warsaw": "LOC", "1867": "TIME", "Paris": "LOC", "תל אביב": "LOC"},
    "span_marker-B": {"Marie Curie": "PER", "Warsaw": "LOC", "Sorbonne": "ORG", "Paris": "PER", "תל אביב": "LOC"},
    "token_classifier-A": {"Marie": "PER", "Warsaw": "LOC", "1867": "TIME", "anaemia": "DIS"},
    "token_classifier-B": {"Marie Curie": "PER", "Warsaw": "LOC", "Paris": "LOC"},
}
"""What each model takes for an entity. All agree on Warsaw, and both that know TIME on 1867."""


def reader(name: str) -> Reader:
    """The model ``name`` of ``MENTIONS``; every score is 1."""
    known = [(split(mention).words, kind) for mention, kind in MENTIONS[name].items()]
    rows = [(tokens, [f"B-{kind}", *[f"I-{kind}"] * (len(tokens) - 1)]) for tokens, kind in known]
    return Reader(name, Lookup(rows, SYSTEMS[name[-1]]))


@contextmanager
def serving(readers: list[Reader] | None = None) -> Iterator[Server]:
    """A server of the page in a thread of its own, on a free port."""
    with Server(port=0) as server:
        server.show([reader(name) for name in MODELS] if readers is None else readers)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
