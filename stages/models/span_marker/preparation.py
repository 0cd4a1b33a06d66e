"""What SpanMarker learns from, as arrays of a whole data set: subwords, words and gold entities."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
from datasets import Dataset

from stages.corpus.labels import TYPES
from stages.models.subwords import Ragged, subwords

if TYPE_CHECKING:
    from stages.models.span_marker.modeling import SpanMarker

logger = logging.getLogger(__name__)


class Gold(NamedTuple):
    """Entities of all sentences together: sentence, label, first word, last word (inclusive), ``(G,)`` each."""

    sentence: np.ndarray
    label: np.ndarray
    first: np.ndarray
    last: np.ndarray


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
