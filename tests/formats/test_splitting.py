"""Words and sentences lie where they say, in one text and in one that comes in pieces."""

from __future__ import annotations

import gc
import random
import weakref

import pytest

from stages.formats import sentences
from stages.formats.sentences import split, stream

BOOK = """CHAPTER I

  It was a bright cold day in April, and Dr. O'Neil was
in St. Petersburg.  He had 3.5 kg of tea!  "Was it cold?"
she asked.

\t\u200bSão Tomé e\u0301 \U0001f680\U0001f469\u200d\U0001f52c \u05e9\u05dc\u05d5\u05dd. The U.S. Army left\r
without a full stop\r
\r
THE END"""


def texts(text: str) -> list[str]:
    made = split(text)
    return [text[made.offsets[first][0] : made.offsets[last - 1][1]] for first, last in made.sentences]


def test_words_of_text_lie_where_they_say() -> None:
    text = "Dr. O'Neil's dog, \u200bRex\u0301, weighs 3.5 kg — isn't that (much)?"
    made = split(text)
    assert [text[start:end] for start, end in made.offsets] == made.words
    assert "".join(made.words) == text.replace(" ", "")


def test_sentences_go_over_line_ends_and_not_over_blank_lines() -> None:
    found = texts(BOOK)
    assert found[:2] == ["CHAPTER I", "It was a bright cold day in April, and Dr. O'Neil was\nin St. Petersburg."]
    assert found[-2:] == ["The U.S. Army left\r\nwithout a full stop", "THE END"]


@pytest.mark.parametrize("text", ["", "  \n\n ", "\ufeff", "a", "...", "\u3000"])
def test_every_word_is_in_one_sentence(text: str) -> None:
    made = split(text)
    assert [i for first, last in made.sentences for i in range(first, last)] == list(range(len(made.words)))


@pytest.mark.parametrize("block", [2500, 4000, 10**6])
def test_a_stream_has_the_sentences_of_the_whole(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentences, "BLOCK", block)
    generator = random.Random(block)
    lines = BOOK.split("\n")
    for _ in range(6):
        whole = "\n".join(generator.choices([*lines, "end.Next.com is here. ", "No! ", "(So.) "], k=400))
        cuts = sorted(generator.choices(range(len(whole)), k=9))
        pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
        made = list(stream(pieces))
        expected = split(whole)
        assert [one.text for one in made] == texts(whole)
        assert [word for one in made for word in one.words] == expected.words
        assert [offset for one in made for offset in one.offsets] == expected.offsets
        for one in made:
            assert whole[one.start : one.start + len(one.text)] == one.text
            assert [whole[start:end] for start, end in one.offsets] == one.words


def test_a_text_without_end_of_sentence_is_cut_at_white_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentences, "BLOCK", 100)
    made = list(stream(["word " * 99, "x" * 250, " end"]))
    assert "".join(one.text for one in made).replace(" ", "") == "word" * 99 + "x" * 250 + "end"
    assert [word for one in made for word in one.words if not word.startswith("x")] == ["word"] * 99 + ["end"]
    assert max(len(one.text) for one in made) <= 100


@pytest.mark.parametrize("mark", ["(", "。", "a", "'", "-"])
def test_a_run_without_white_space_does_not_take_forever(mark: str) -> None:
    """spaCy alone takes minutes for so many brackets."""
    text = f"He saw {mark * 8_000} in Rome"
    made = split(text)
    assert [text[start:end] for start, end in made.offsets] == made.words
    assert "".join(made.words) == text.replace(" ", "")


def test_words_of_a_stream_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else memory grows with every new word; how much is measured in tests/models/test_stream.py."""
    sentences._english.cache_clear()
    first = weakref.ref(sentences._english())
    kept = len(sentences._english().vocab.strings)
    monkeypatch.setattr(sentences, "STRINGS", kept + 500)
    monkeypatch.setattr(sentences, "BLOCK", 1000)
    made = list(stream(f"new{i}word " for i in range(4000)))
    assert sum(len(one.words) for one in made) == 4000
    assert len(sentences._english().vocab.strings) < kept + 800
    gc.collect()
    assert first() is not sentences._english(), "it was begun anew"
