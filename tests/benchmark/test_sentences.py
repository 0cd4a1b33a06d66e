"""Which sentences both sides get."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stages.benchmark.sentences import of_length, pick, read_corpus
from stages.corpus.labels import TAG_IDS
from stages.errors import UserError
from tests.benchmark.builders import directory, sentences


class Letters:
    """A tokenizer that splits words of more than five letters."""

    def tokenize(self, word: str) -> list[str]:
        return [word[i : i + 5] for i in range(0, len(word), 5)]


def test_real_and_sample_are_told_apart(tmp_path: Path) -> None:
    real = read_corpus(directory(tmp_path / "data"))
    assert real.kind == "real"
    assert real.train == real.val == real.test == sentences()
    sample = read_corpus(Path("data/sample"))
    assert sample.kind == "sample"
    assert len(sample.train) > len(sample.test) > 100


@pytest.mark.parametrize(("count", "chosen"), [(3, [0, 3, 6]), (10, list(range(10))), (99, list(range(10))), (1, [0])])
def test_picked_sentences_lie_at_equal_distances(count: int, chosen: list[int]) -> None:
    many: list[dict[str, Any]] = [{"tokens": [str(i)]} for i in range(10)]
    assert [int(one["tokens"][0]) for one in pick(many, count)] == chosen


@pytest.mark.parametrize("words", [1, 7, 250])
def test_sentences_of_a_length_are_words_of_one_subword_with_their_tags(words: int) -> None:
    made = of_length(sentences(), words, 3, Letters())
    assert [len(one["tokens"]) for one in made] == [words] * 3
    known = {pair for one in sentences() for pair in zip(one["tokens"], one["ner_tags"], strict=True)}
    assert {pair for one in made for pair in zip(one["tokens"], one["ner_tags"], strict=True)} <= known
    assert all(len(token) <= 5 for one in made for token in one["tokens"])
    if words == 250:
        assert TAG_IDS["B-PER"] in made[0]["ner_tags"]


def test_without_such_words_it_is_refused() -> None:
    with pytest.raises(UserError, match="no word of the data is a single subword"):
        of_length([{"tokens": ["Slovakia"], "ner_tags": [5]}], 2, 1, Letters())
