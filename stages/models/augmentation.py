"""Mention replacement: each sentence a second time, with other entities of the same types in it.

Dai and Adel, "An Analysis of Simple Data Augmentation for Named Entity Recognition", COLING 2020. A model that has seen
"Turkey" in thirty places and thirty names in the place of "Turkey" learns more of either than from thirty sentences.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from datasets import Dataset, concatenate_datasets

from stages.corpus.labels import TAG_IDS, TAGS, bio, spans

COLUMNS = ("tokens", "ner_tags")


def with_replacements(rows: Dataset, chance: float, seed: int) -> Dataset:
    """``rows`` and after them a copy of each, in which an entity is another one of ``rows`` by ``chance``.

    The other is drawn among all mentions of its type, so that frequent ones come often, and may be the same one.
    Rows have ``tokens`` and ``ner_tags`` (MultiNERD's ids); other columns are left out.
    """
    generator = np.random.default_rng(seed)
    rows = rows.select_columns(list(COLUMNS))
    sentences, tags = list(rows["tokens"]), [[TAGS[tag] for tag in ids] for ids in rows["ner_tags"]]
    mentions: dict[str, list[list[str]]] = defaultdict(list)
    for words, names in zip(sentences, tags, strict=True):
        for one in spans(names):
            mentions[one.type].append(words[one.start : one.end])
    copies = []
    for words, names in zip(sentences, tags, strict=True):
        made, entities, at = [], [], 0
        for one in spans(names):
            drawn = mentions[one.type][generator.integers(len(mentions[one.type]))]
            mention = drawn if generator.random() < chance else words[one.start : one.end]
            made += words[at : one.start]
            entities.append(one._replace(start=len(made), end=len(made) + len(mention)))
            made, at = made + mention, one.end
        made += words[at:]
        copies.append({"tokens": made, "ner_tags": [TAG_IDS[tag] for tag in bio(entities, len(made))]})
    return concatenate_datasets([rows, Dataset.from_list(copies, features=rows.features)])
