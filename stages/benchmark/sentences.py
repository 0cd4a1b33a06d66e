"""The sentences that every side of every row is given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from stages.corpus.markup import read_markup
from stages.corpus.rows import Row, read_rows
from stages.corpus.source import find
from stages.errors import UserError

Sentence = dict[str, Any]
"""``tokens`` and ``ner_tags`` (MultiNERD's ids) of one sentence."""

SAMPLE = Path("data/sample")


class Corpus(NamedTuple):
    """English sentences of the three splits; ``kind`` tells whether they are the embedded sample or real ones."""

    kind: Literal["real", "sample"]
    train: list[Sentence]
    val: list[Sentence]
    test: list[Sentence]


def read_corpus(directory: Path) -> Corpus:
    """The English sentences of a directory in MultiNERD's layout or the sample's markup.

    Raises:
        DataError: the directory has another layout, or a row is bad.
    """
    files = find(directory)
    splits = [_sentences(read_file(files[split, "en"], "en")) for split in ("train", "val", "test")]
    return Corpus("sample" if directory.resolve() == SAMPLE.resolve() else "real", *splits)


def read_file(path: Path, lang: str) -> Iterator[Row]:
    """The rows of one file, whichever of the two forms it has."""
    return (read_markup if path.suffix == ".txt" else read_rows)(path, lang)


def _sentences(rows: Iterator[Row]) -> list[Sentence]:
    return [{"tokens": row.tokens, "ner_tags": row.ner_tags} for row in rows]


def pick(sentences: Sequence[Sentence], count: int) -> list[Sentence]:
    """``count`` sentences at equal distances, so that every part of the data is in; all where there are fewer."""
    count = min(count, len(sentences))
    return [sentences[i * len(sentences) // count] for i in range(count)]


def of_length(sentences: Sequence[Sentence], words: int, count: int, tokenizer: Any) -> list[Sentence]:
    """``count`` sentences of exactly ``words`` words, strung together from words of a single subword.

    So 250 words fit into 256 subwords, and no side may cut what the other reads. Each word keeps its tag.

    Raises:
        UserError: the sentences hold no such word.
    """
    known: dict[str, bool] = {}
    pairs = []
    for sentence in sentences:
        for token, tag in zip(sentence["tokens"], sentence["ner_tags"], strict=True):
            if token not in known:
                known[token] = len(tokenizer.tokenize(token)) == 1
            if known[token]:
                pairs.append((token, tag))
        if len(pairs) >= words * count:
            break
    if not pairs:
        raise UserError("no word of the data is a single subword of the encoder; give other sentences with --data")
    pairs *= -(-words * count // len(pairs))
    cut = [pairs[i * words : (i + 1) * words] for i in range(count)]
    return [{"tokens": [word for word, _ in part], "ner_tags": [tag for _, tag in part]} for part in cut]
