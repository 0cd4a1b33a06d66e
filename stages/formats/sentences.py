"""Text in words and sentences, by spaCy's English rules: one text, or one that never ends."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

BLOCK = 1 << 16
"""Characters of a stream looked at together. A longer sentence is none: it is cut there, at white space."""


STRINGS = 50_000
"""Words that spaCy may remember, some 20 MB; then it begins anew, or an endless stream would fill the memory."""

RUN = re.compile(r"\S{1000}")
"""More than a word: cut after it, since spaCy's time for a run of marks grows with the square of its length."""


class Text(NamedTuple):
    """A text's words; white space is none.

    Attributes:
        words: as they stand in the text.
        offsets: of each word, in characters of the text, end exclusive.
        sentences: in words, end exclusive; one after the other, they hold every word.
    """

    words: list[str]
    offsets: list[tuple[int, int]]
    sentences: list[tuple[int, int]]


class Sentence(NamedTuple):
    """A sentence of a stream: its text, where that begins in the stream, its words and where they lie in the stream."""

    text: str
    start: int
    words: list[str]
    offsets: list[tuple[int, int]]


def split(text: str) -> Text:
    """``text`` in words and sentences. A sentence ends at a mark that ends sentences, or at a blank line."""
    made, first = Text([], [], []), 0
    for sentence in _read(text).sents:
        for token in sentence:
            if not token.is_space:
                made.words.append(token.text)
                made.offsets.append((token.idx, token.idx + len(token.text)))
            elif token.text.count("\n") > 1:
                first = _close(made, first)
        first = _close(made, first)
    return made


def _read(text: str) -> Any:
    """``text`` as spaCy's Doc with sentences."""
    if len(_english().vocab.strings) > STRINGS:
        _english.cache_clear()
    nlp = _english()
    cuts = [0, *(run.end() for run in RUN.finditer(text)), len(text)]
    parts = [nlp.tokenizer(text[start:end]) for start, end in pairwise(cuts)]
    doc = parts[0] if len(parts) == 1 else type(parts[0]).from_docs(parts, ensure_whitespace=False)
    return nlp.get_pipe("sentencizer")(doc)


def _close(text: Text, first: int) -> int:
    """End the sentence that begins at word ``first``, if it has words; returns where the next begins."""
    if len(text.words) > first:
        text.sentences.append((first, len(text.words)))
    return len(text.words)


@cache
def _english() -> Any:
    import spacy

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    return nlp


def stream(pieces: Iterable[str]) -> Iterator[Sentence]:
    """The sentences of a text that comes in pieces, whatever their number: they are :func:`split`'s of the whole.

    The last sentence of a block waits for what follows it. White space around a sentence is left out.
    """
    rest, begin = "", 0
    for piece in pieces:
        rest += piece
        while len(rest) > BLOCK:
            block = _to_white_space(rest[:BLOCK])
            text = split(block)
            whole, end = _whole(block, text)
            yield from _sentences(block, begin, text, whole)
            rest, begin = rest[end:], begin + end
    text = split(rest)
    yield from _sentences(rest, begin, text, len(text.sentences))


def _to_white_space(block: str) -> str:
    """``block`` without the word that it may have cut; all of it, where there is no white space."""
    end = next((i for i in range(len(block), 0, -1) if block[i - 1].isspace()), len(block))
    return block[:end]


def _whole(block: str, text: Text) -> tuple[int, int]:
    """How many sentences of a block are whole, and where the others begin: after white space, as words are found."""
    for i in range(len(text.sentences) - 1, 0, -1):
        start = text.offsets[text.sentences[i][0]][0]
        if block[start - 1].isspace():
            return i, start
    return len(text.sentences), len(block)


def _sentences(block: str, begin: int, text: Text, count: int) -> Iterator[Sentence]:
    for first, last in text.sentences[:count]:
        offsets = text.offsets[first:last]
        start, end = offsets[0][0], offsets[-1][1]
        there = [(begin + low, begin + high) for low, high in offsets]
        yield Sentence(block[start:end], begin + start, text.words[first:last], there)
