"""Each distinct word tokenised once gives what the tokenizer gives for the whole sentence."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from stages.models.encoder import load_tokenizer
from stages.models.subwords import special_ids, subwords

ODD = (
    "\u200b", "\u2063", "\ufeff", "\u00ad", "", " ", "a b", "🙂", "👩‍🔬", "naïve", "a\u0301", "ﬁ", "ß", "İ", "\x00",
    "##ing", "[MASK]", "[SEP]", "<mask>", "</s>", "don't", "U.S.", "…", "中文", "x" * 300,
)  # fmt: skip
WORDS = st.one_of(st.sampled_from(ODD), st.text(st.characters(exclude_categories=["Cs"]), max_size=6))
LIMIT = 40


@cache
def tokenizers(folder: Path) -> tuple[Any, Any]:
    return load_tokenizer(str(folder)), AutoTokenizer.from_pretrained(folder, add_prefix_space=True)


@pytest.mark.parametrize("encoder", ["tiny_bert", "tiny_roberta"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(WORDS, max_size=12), min_size=1, max_size=5))
def test_subwords_are_the_tokenizers_own(request: Any, encoder: str, sentences: list[list[str]]) -> None:
    tokenizer, stock = tokenizers(request.getfixturevalue(encoder))
    found = subwords(pa.array(sentences, pa.list_(pa.string())), tokenizer, LIMIT)
    prefix, _ = special_ids(tokenizer)
    for i, words in enumerate(sentences):
        whole = stock(words, is_split_into_words=True, add_special_tokens=False)
        expected = stock(words, is_split_into_words=True, truncation=True, max_length=LIMIT)
        assert found.ids[i].tolist() == expected["input_ids"]
        assert found.whole[i] == len(whole["input_ids"])
        word_ids = expected.word_ids(0)
        begun = {word: word_ids.index(word) for word in dict.fromkeys(word_ids) if word is not None}
        sizes, first = found.sizes[i], found.first[i]
        assert {word: int(first[word]) for word in range(len(first)) if sizes[word]} == begun
        assert all(place >= len(prefix) for place in begun.values())
