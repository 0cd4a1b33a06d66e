"""Sentences as arrays: subwords, and the subwords of each word.

Everything here runs over flat arrays of many sentences. Each distinct word is split into subwords
once: fast tokenizers split the words of a sentence that comes in words independently of each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from transformers import PreTrainedTokenizerFast

WORDS_AT_ONCE = 256
"""Distinct words that go to the tokenizer as one text: quicker than one by one."""


class Ragged(NamedTuple):
    """Lists of different lengths: item ``i`` is ``values[offsets[i]:offsets[i + 1]]``."""

    values: np.ndarray
    offsets: np.ndarray

    def __getitem__(self, item: int) -> np.ndarray:  # type: ignore[override]
        return self.values[self.offsets[item] : self.offsets[item + 1]]

    @property
    def lengths(self) -> np.ndarray:
        """The length of each list."""
        return np.diff(self.offsets)

    def arrow(self) -> pa.ListArray:
        """The same as an Arrow list array of int32."""
        return pa.ListArray.from_arrays(self.offsets.astype(np.int32), self.values.astype(np.int32))


class Subwords(NamedTuple):
    """``S`` sentences cut to a number of subwords.

    Attributes:
        ids: subword ids of each sentence, special ones included.
        first, last: position of each word's first and last subword; 0 for a word without any, as in
            ``span_marker``. Only words up to the last one with a subword within the cut.
        sizes: subwords of each of those words, within the cut.
        whole: ``(S,)``, subwords of each sentence before the cut, special ones not counted.
    """

    ids: Ragged
    first: Ragged
    last: Ragged
    sizes: Ragged
    whole: np.ndarray


def ragged_arange(counts: np.ndarray) -> np.ndarray:
    """``0 … n - 1`` for each ``n`` of ``counts``, one after the other."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)


def subwords_of_words(words: pa.Array, tokenizer: PreTrainedTokenizerFast) -> Ragged:
    """The subword ids of each word of a flat Arrow array of strings, without special ones."""
    coded = words.dictionary_encode()
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    vocabulary = coded.dictionary.to_pylist()
    chunks = [vocabulary[i : i + WORDS_AT_ONCE] for i in range(0, len(vocabulary), WORDS_AT_ONCE)]
    encodings = backend.encode_batch(chunks, is_pretokenized=True, add_special_tokens=False)
    flat = np.array([i for encoding in encodings for i in encoding.ids], dtype=np.int64)
    counts = np.concatenate(
        [
            np.bincount(encoding.word_ids, minlength=len(chunk))
            for encoding, chunk in zip(encodings, chunks, strict=True)
        ]
        or [np.zeros(0, dtype=np.int64)]
    )
    starts = np.cumsum(counts) - counts
    which = coded.indices.to_numpy()
    sizes = counts[which]
    values = flat[np.repeat(starts[which], sizes) + ragged_arange(sizes)]
    return Ragged(values, np.concatenate(([0], np.cumsum(sizes))))


def arrow(sentences: Iterable[Sequence[str]]) -> pa.ListArray:
    """Sentences of words as what :func:`subwords` reads."""
    return pa.array([list(words) for words in sentences], type=pa.list_(pa.string()))


def special_ids(tokenizer: PreTrainedTokenizerFast) -> tuple[list[int], list[int]]:
    """The ids that the tokenizer puts before and after every sentence."""
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    probe = backend.encode(["a"], is_pretokenized=True)
    text = [i for i, word in enumerate(probe.word_ids) if word is not None]
    return probe.ids[: text[0]], probe.ids[text[-1] + 1 :]


def subwords(tokens: pa.ListArray, tokenizer: PreTrainedTokenizerFast, limit: int) -> Subwords:
    """Sentences (an Arrow array of lists of strings) as subwords, cut to ``limit`` with the special ones."""
    prefix, suffix = special_ids(tokenizer)
    words = tokens.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)
    pieces = subwords_of_words(tokens.flatten(), tokenizer)
    sentence = np.repeat(np.arange(len(words)), words)
    word_ends = np.cumsum(words)
    starts = pieces.offsets[word_ends - words]
    whole = pieces.offsets[word_ends] - starts
    kept = np.minimum(whole, limit - len(prefix) - len(suffix))
    before = pieces.offsets[:-1] - starts[sentence]
    sizes = np.clip(kept[sentence] - before, 0, pieces.lengths)
    seen = np.zeros(len(words), dtype=np.int64)
    filled = np.flatnonzero(sizes)
    seen[sentence[filled]] = filled - (word_ends - words)[sentence[filled]] + 1
    visible = ragged_arange(words) < seen[sentence]
    offsets = np.concatenate(([0], np.cumsum(seen)))
    first = np.where(sizes > 0, len(prefix) + before, 0)[visible]
    sizes = sizes[visible]
    return Subwords(
        _with_special(pieces.values, starts, kept, prefix, suffix),
        Ragged(first, offsets),
        Ragged(first + np.maximum(sizes, 1) - 1, offsets),
        Ragged(sizes, offsets),
        whole,
    )


def _with_special(
    values: np.ndarray, starts: np.ndarray, lengths: np.ndarray, prefix: list[int], suffix: list[int]
) -> Ragged:
    """``values[start : start + length]`` of each sentence between ``prefix`` and ``suffix``."""
    ends = np.cumsum(lengths + len(prefix) + len(suffix))
    begins = ends - lengths - len(prefix) - len(suffix)
    out = np.empty(ends[-1] if len(ends) else 0, dtype=np.int64)
    within = ragged_arange(lengths)
    out[np.repeat(begins + len(prefix), lengths) + within] = values[np.repeat(starts, lengths) + within]
    for i, special in enumerate(prefix):
        out[begins + i] = special
    for i, special in enumerate(suffix):
        out[ends - len(suffix) + i] = special
    return Ragged(out, np.concatenate(([0], ends)))
