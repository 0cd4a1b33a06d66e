"""Words as subwords: which subword is the first of each word, and what fits into a window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from transformers import PreTrainedTokenizerFast


class Subwords(NamedTuple):
    """A sentence in subwords, without special ones.

    Attributes:
        ids: ``(subwords,)`` int64, the vocabulary's ids.
        words: ``(subwords,)`` int64, the word that each belongs to, ascending.
    """

    ids: np.ndarray
    words: np.ndarray

    def first(self) -> np.ndarray:
        """``(words that have subwords,)``: the index of each such word's first subword."""
        return np.flatnonzero(np.diff(self.words, prepend=-1))

    def counts(self, words: int) -> np.ndarray:
        """``(words,)``: how many subwords each word has."""
        return np.bincount(self.words, minlength=words)

    def cut(self, first: int, last: int) -> Subwords:
        """The subwords of the words ``first`` to ``last`` (exclusive), words counted from ``first``."""
        low, high = np.searchsorted(self.words, (first, last))
        return Subwords(self.ids[low:high], self.words[low:high] - first)


def split(sentences: Sequence[Sequence[str]], tokenizer: PreTrainedTokenizerFast) -> list[Subwords]:
    """Each sentence's words in subwords, nothing truncated."""
    if not sentences:
        return []
    encoded = tokenizer(
        [list(words) for words in sentences], is_split_into_words=True, add_special_tokens=False, verbose=False
    )
    return [
        Subwords(np.asarray(encoding.ids, dtype=np.int64), np.asarray(encoding.word_ids, dtype=np.int64))
        for encoding in encoded.encodings
    ]


def special_ids(tokenizer: PreTrainedTokenizerFast) -> tuple[list[int], list[int]]:
    """The special ids that ``tokenizer`` puts before and behind a sentence.

    Asked of the tokenizer's own post-processor: ``build_inputs_with_special_tokens`` of a generic
    fast tokenizer adds none, whatever its post-processor does.
    """
    encoding = tokenizer([["a"]], is_split_into_words=True).encodings[0]
    inside = [i for i, word in enumerate(encoding.word_ids) if word is not None]
    return encoding.ids[: inside[0]], encoding.ids[inside[-1] + 1 :]
