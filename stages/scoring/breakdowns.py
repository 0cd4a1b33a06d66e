"""Where a run is strong and where weak: strict F1 by what the mention and its sentence are like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from stages.corpus.labels import spans
from stages.scoring.errors import OUTSIDE

Mentions = Mapping[tuple[str, str], int]
"""How often train has a mention (its words, joined by spaces) with a type."""

LENGTHS = {1: "1", 2: "2", 3: "3", 4: "4", 5: "5 to 8", 9: "9 and more"}
"""Words of an entity: the first of each group. SpanMarker sees up to 8 by default, so 9 begins what it cannot find."""
SENTENCES = {1: "1 to 10", 11: "11 to 20", 21: "21 to 40", 41: "41 to 80", 81: "81 and more"}
FREQUENCIES = {0: "0", 1: "1", 2: "2 to 4", 5: "5 to 19", 20: "20 to 99", 100: "100 and more"}
SEEN = ("seen with this type", "seen with another type only", "unseen")
ORDER = {
    "by_seen": SEEN,
    "by_frequency": tuple(FREQUENCIES.values()),
    "by_length": tuple(LENGTHS.values()),
    "by_sentence_length": tuple(SENTENCES.values()),
}
"""The groups of each table, in the order in which they are shown."""


def mentions(sentences: Iterable[tuple[Sequence[str], Sequence[str]]]) -> Counter[tuple[str, str]]:
    """Count each (mention, type) of the training sentences; ``sentences`` are pairs of words and BIO tag names."""
    return Counter((" ".join(words[start:end]), kind) for words, tags in sentences for kind, start, end in spans(tags))


def by_length(matched: pd.DataFrame) -> pd.DataFrame:
    """Strict scores by the number of words of the entity; columns as in ``_scores``."""
    items = _items(matched)
    return _scores(items["right"], items["side"], _binned(items["length"], LENGTHS), ORDER["by_length"])


def by_sentence_length(matched: pd.DataFrame) -> pd.DataFrame:
    """Strict scores by the number of words of the sentence; columns as in ``_scores``."""
    items = _items(matched)
    return _scores(items["right"], items["side"], _binned(items["words"], SENTENCES), ORDER["by_sentence_length"])


def by_frequency(matched: pd.DataFrame, train: Mentions) -> pd.DataFrame:
    """Strict scores by how often train has the same words with the same type; columns as in ``_scores``."""
    items = _items(matched)
    frequency = pd.Series([train.get(key, 0) for key in zip(items["text"], items["type"], strict=True)], dtype="int64")
    return _scores(items["right"], items["side"], _binned(frequency, FREQUENCIES), ORDER["by_frequency"])


def by_seen(matched: pd.DataFrame, train: Mentions) -> pd.DataFrame:
    """Strict scores of mentions seen in train with this type, with other types only, and not at all (case counts).

    The columns are those of ``_scores``. A predicted entity that is not in gold stands under its own words and type.
    """
    items = _items(matched)
    known = {text for text, _ in train}
    group = [
        SEEN[0] if train.get((text, kind), 0) else SEEN[1] if text in known else SEEN[2]
        for text, kind in zip(items["text"], items["type"], strict=True)
    ]
    return _scores(items["right"], items["side"], pd.Series(group, dtype="object"), ORDER["by_seen"])


def _items(matched: pd.DataFrame) -> pd.DataFrame:
    """One row an entity of each side: ``side``, ``type``, ``text``, ``length``, its sentence's ``words``, ``right``."""
    parts = []
    for side in ("gold", "pred"):
        rows = matched[matched[f"{side}_type"] != OUTSIDE]
        parts.append(
            pd.DataFrame(
                {
                    "side": side,
                    "type": rows[f"{side}_type"],
                    "text": rows[side],
                    "length": (rows[f"{side}_end"] - rows[f"{side}_start"]).astype("int64"),
                    "words": rows["words"],
                    "right": rows["kind"] == "right",
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _binned(values: pd.Series, groups: Mapping[int, str]) -> pd.Series:
    """The name of each value's group, given the first value of each."""
    names = np.array(list(groups.values()), dtype=object)
    return pd.Series(names[np.searchsorted(list(groups), values, side="right") - 1], dtype="object")


def _scores(right: pd.Series, side: pd.Series, group: pd.Series, order: Sequence[str]) -> pd.DataFrame:
    """One row a group that occurs: ``group``, entities ``gold``, ``predicted``, ``right``, and the three scores.

    A gold entity counts in its own group and so does a predicted one; a right pair is in one group.
    """
    of_gold = side == "gold"
    table = pd.DataFrame(
        {
            "gold": of_gold.groupby(group).sum(),
            "predicted": (~of_gold).groupby(group).sum(),
            "right": (of_gold & right).groupby(group).sum(),
        }
    )
    table = table.reindex([name for name in order if name in table.index]).astype("int64")
    table["precision"] = (table["right"] / table["predicted"]).where(table["predicted"] > 0, 0.0)
    table["recall"] = (table["right"] / table["gold"]).where(table["gold"] > 0, 0.0)
    table["f1"] = 2 * table["right"] / (table["gold"] + table["predicted"])
    return table.rename_axis("group").reset_index()
