"""A trained model, of either family, in a spaCy pipeline.

.. code-block:: python

    import spacy
    import stages.models.spacy_component

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("multinerd_ner", config={"model": "models/span_marker-A"})
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from spacy.language import Language
from spacy.tokens import Doc, Span, Token
from spacy.util import filter_spans, minibatch

from stages.models import families
from stages.models.tagging import Tagger

BATCH = 128
"""Docs tagged together where nobody says how many."""


class MultinerdNer:
    """Sets ``Doc.ents``, sentence by sentence where an earlier component found sentences, or else of the whole Doc.

    A Doc keeps the entities that it has; of some that overlap, the longest is kept.
    """

    def __init__(self, tagger: Tagger) -> None:
        self.tagger = tagger

    def __call__(self, doc: Doc) -> Doc:
        """One Doc, its entities set."""
        return next(self.pipe([doc]))

    def pipe(self, docs: Iterable[Doc], batch_size: int = BATCH) -> Iterator[Doc]:
        """Docs in order, their entities set; ``batch_size`` of them are tagged together."""
        for batch in minibatch(docs, batch_size):
            sentences = [list(_sentences(doc)) for doc in batch]
            taggings = iter(self.tagger.tag([[t.text for t in words] for words in itertools.chain(*sentences)]))
            for doc, parts in zip(batch, sentences, strict=True):
                found = [
                    Span(doc, words[start].i, words[end - 1].i + 1, label=kind)
                    for words, tagging in zip(parts, taggings, strict=False)
                    for kind, start, end in tagging.entities
                ]
                doc.set_ents(filter_spans([*found, *doc.ents]))
                yield doc


def _sentences(doc: Doc) -> Iterator[list[Token]]:
    """The words of each sentence; white space is no word."""
    for part in doc.sents if doc.has_annotation("SENT_START") else [doc]:
        yield [token for token in part if not token.is_space]


@Language.factory("multinerd_ner", assigns=["doc.ents", "token.ent_iob", "token.ent_type"])
def multinerd_ner(nlp: Language, name: str, model: str) -> MultinerdNer:
    """The component of a model directory, such as ``models/span_marker-A``.

    Raises:
        UserError: there is no model.
    """
    return MultinerdNer(families.load(model))
