"""Sentences as a token classifier's input, by arrays: no Python loop over words."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from datasets import Dataset
from transformers import PreTrainedTokenizerFast

from stages.corpus.labels import TAGS
from stages.models.subwords import Ragged, arrow, ragged_arange, special_ids, subwords, subwords_of_words
from stages.models.tagging import IGNORED
from stages.models.windows import Window, windows

log = logging.getLogger(__name__)

OVERLAP = 32
"""Words that neighbouring windows of a long sentence share."""


class Pieces(NamedTuple):
    """Sentences in windows that the model can read.

    Attributes:
        ids: subword ids of each window, special ones included.
        places: positions of the first subwords that each window answers for.
        words: the words that these begin, counted over all sentences.
    """

    ids: Ragged
    places: Ragged
    words: Ragged


def prepare(rows: Dataset, tokenizer: PreTrainedTokenizerFast, limit: int, labels: Sequence[str]) -> Dataset:
    """Rows of ``tokens`` and ``ner_tags`` (MultiNERD's ids) as the rows that :func:`collate` takes.

    Columns: ``input_ids``, cut to ``limit`` with the special ones; ``labels``, a word's at its first subword and
    the rest ignored, a tag outside ``labels`` as the first of them; ``length``, for grouping by length. One
    warning counts the sentences that are cut; prediction reads them whole, in windows. Another counts those without
    any subword: there is nothing to learn from them, and a batch of them alone has no mean loss.
    """
    table = rows.with_format("arrow")[:]
    tokens = table["tokens"].combine_chunks().cast(pa.list_(pa.string()))
    words = tokens.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)
    tags = table["ner_tags"].combine_chunks().flatten().to_numpy(zero_copy_only=False).astype(np.int64)
    parts = subwords(tokens, tokenizer, limit)
    known = {label: i for i, label in enumerate(labels)}
    label_of_tag = np.array([known.get(tag, 0) for tag in TAGS])
    seen = parts.first.lengths
    sentence = np.repeat(np.arange(len(seen)), seen)
    word = (np.cumsum(words) - words)[sentence] + ragged_arange(seen)
    begun = parts.sizes.values > 0
    made = np.full(len(parts.ids.values), IGNORED)
    made[(parts.ids.offsets[sentence] + parts.first.values)[begun]] = label_of_tag[tags[word[begun]]]
    cut = int((parts.whole + sum(map(len, special_ids(tokenizer))) > limit).sum())
    if cut:
        log.warning("%d of %d sentences are longer than max_tokens; training sees their beginnings", cut, len(rows))
    columns = {
        "input_ids": parts.ids.arrow(),
        "labels": Ragged(made, parts.ids.offsets).arrow(),
        "length": pa.array(parts.ids.lengths, pa.int32()),
    }
    told = np.bincount(sentence[begun], minlength=len(seen)) > 0
    if not told.all():
        log.warning("%d of %d sentences have no word with a subword, and are not trained on", (~told).sum(), len(rows))
    return Dataset(pa.table(columns).filter(pa.array(told)).combine_chunks())


def collate(features: Sequence[Mapping[str, Any]], padding: int) -> dict[str, torch.Tensor]:
    """``input_ids``, ``attention_mask`` and, where the rows have them, ``labels``: ``(batch, longest)`` each."""
    lengths = np.array([len(feature["input_ids"]) for feature in features])
    mask = np.arange(lengths.max()) < lengths[:, None]
    batch = {"input_ids": np.full(mask.shape, padding), "attention_mask": mask.astype(np.int64)}
    if "labels" in features[0]:
        batch["labels"] = np.full(mask.shape, IGNORED)
    for name in batch.keys() - {"attention_mask"}:
        batch[name][mask] = np.concatenate([np.asarray(feature[name], dtype=np.int64) for feature in features])
    return {name: torch.from_numpy(array) for name, array in batch.items()}


def pieces(sentences: Sequence[Sequence[str]], tokenizer: PreTrainedTokenizerFast, limit: int) -> Pieces:
    """Sentences of words in windows of at most ``limit`` subwords, special ones included; empty ones in one too."""
    parts = subwords(arrow(sentences), tokenizer, limit)
    room = limit - sum(map(len, special_ids(tokenizer)))
    read = [(i, Window(0, len(words), 0, len(words))) for i, words in enumerate(sentences)]
    if (parts.whole > room).any():
        read = [
            (i, window)
            for (i, whole), size in zip(read, parts.whole, strict=True)
            for window in (_windows(sentences[i], tokenizer, room) if size > room else [whole])
        ]
        parts = subwords(arrow([sentences[i][w.first : w.last] for i, w in read]), tokenizer, limit)
    begins = np.cumsum([0, *map(len, sentences)])
    piece = np.repeat(np.arange(len(read)), parts.first.lengths)
    sentence = np.array([i for i, _ in read], dtype=np.int64)
    first, _, keep_first, keep_last = np.array([w for _, w in read], dtype=np.int64).reshape(-1, 4).T
    word = first[piece] + ragged_arange(parts.first.lengths)
    kept = (parts.sizes.values > 0) & (keep_first[piece] <= word) & (word < keep_last[piece])
    offsets = np.concatenate(([0], np.cumsum(np.bincount(piece[kept], minlength=len(read)))))
    return Pieces(
        parts.ids,
        Ragged(parts.first.values[kept], offsets),
        Ragged((begins[sentence[piece]] + word)[kept], offsets),
    )


def _windows(words: Sequence[str], tokenizer: PreTrainedTokenizerFast, room: int) -> list[Window]:
    sizes = subwords_of_words(pa.array(words, pa.string()), tokenizer).lengths
    return windows(sizes.tolist(), room, OVERLAP)
