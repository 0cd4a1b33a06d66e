"""Sentences as arrays, once: subwords, the subwords of each word, and gold entities.

Everything here runs over flat arrays of a whole data set. Each distinct word is split into subwords
once: fast tokenizers split the words of a sentence that comes in words independently of each other.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
from datasets import Dataset
from transformers import PreTrainedTokenizerFast

from stages.corpus.labels import TYPES

if TYPE_CHECKING:
    from stages.models.span_marker.modeling import SpanMarker

logger = logging.getLogger(__name__)


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


class Gold(NamedTuple):
    """Entities of all sentences together: sentence, label, first word, last word (inclusive), ``(G,)`` each."""

    sentence: np.ndarray
    label: np.ndarray
    first: np.ndarray
    last: np.ndarray


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


def gold_entities(tags: np.ndarray, words: np.ndarray, labels: dict[str, int]) -> Gold:
    """The entities of flat MultiNERD tag ids by the strict IOB2 rule of :func:`stages.corpus.labels.spans`.

    ``words`` ``(S,)`` holds each sentence's number of tags; ``labels`` the label id of each type. Entities
    of a type without label are left out.
    """
    sentence = np.repeat(np.arange(len(words)), words)
    begins = np.cumsum(words) - words
    goes_on = np.zeros(len(tags), dtype=bool)
    same = (tags[1:] == tags[:-1]) | (tags[1:] == tags[:-1] + 1)
    goes_on[1:] = (tags[1:] > 0) & (tags[1:] % 2 == 0) & same & (sentence[1:] == sentence[:-1])
    runs = np.flatnonzero(~goes_on)
    ends = np.append(runs[1:], len(tags)) if len(runs) else runs
    label_of = np.array([labels.get(kind, 0) for kind in TYPES])[(np.maximum(tags[runs], 1) - 1) // 2]
    real = (tags[runs] % 2 == 1) & (label_of > 0)
    runs, ends = runs[real], ends[real]
    shift = begins[sentence[runs]]
    return Gold(sentence[runs], label_of[real], runs - shift, ends - 1 - shift)


def prepare(rows: Dataset, model: SpanMarker) -> Dataset:
    """Rows of ``tokens`` and ``ner_tags`` (MultiNERD ids) as the rows that :class:`Collator` takes.

    Columns: ``input_ids``; ``word_first`` and ``word_last``, the positions of each word's first and last
    subword; ``gold_label``, ``gold_first``, ``gold_last`` (words, inclusive) of the entities that can be asked
    about; ``length``, the positions that the sentence takes with its markers, for grouping by length.
    One warning counts the entities that cannot be asked about; they stay in the gold of the scorer.
    """
    table = rows.with_format("arrow")[:]
    tokens = table["tokens"].combine_chunks()
    words = tokens.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)
    tags = table["ner_tags"].combine_chunks().flatten().to_numpy(zero_copy_only=False).astype(np.int64)
    parts = subwords(tokens, model.fast_tokenizer, model.max_tokens)
    gold = gold_entities(tags, words, model.config.label2id)
    gold = _askable(gold, parts.first.lengths, model.config.entity_max_length, model.max_tokens)
    offsets = np.concatenate(([0], np.cumsum(np.bincount(gold.sentence, minlength=len(words)))))
    seen = parts.first.lengths
    widest = np.minimum(seen, model.config.entity_max_length)
    length = parts.ids.lengths + 2 * (widest * seen - widest * (widest - 1) // 2)
    columns = {
        "input_ids": parts.ids.arrow(),
        "word_first": parts.first.arrow(),
        "word_last": parts.last.arrow(),
        "gold_label": Ragged(gold.label, offsets).arrow(),
        "gold_first": Ragged(gold.first, offsets).arrow(),
        "gold_last": Ragged(gold.last, offsets).arrow(),
        "length": pa.array(length, pa.int32()),
    }
    return Dataset(pa.table(columns))


def _askable(gold: Gold, seen: np.ndarray, entity_words: int, max_tokens: int) -> Gold:
    """The entities that have a span to ask about; one warning counts the others."""
    too_long = gold.last - gold.first >= entity_words
    cut_off = ~too_long & (gold.last >= seen[gold.sentence])
    if too_long.any() or cut_off.any():
        logger.warning(
            "%d of %d entities cannot be learnt: %d longer than %d words (entity_words), %d past %d subwords "
            "(max_tokens). They still count in the scores.",
            (too_long | cut_off).sum(), len(too_long), too_long.sum(), entity_words, cut_off.sum(), max_tokens,
        )  # fmt: skip
    return Gold(*(part[~too_long & ~cut_off] for part in gold))
