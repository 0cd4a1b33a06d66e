"""Rows come out as they went in, whatever is in them."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stages.corpus.labels import FIVE, TAGS, TYPES, spans
from stages.models import families
from stages.models.prediction import Predicted, predict
from stages.models.span_marker import tagger as span_marker
from stages.models.tagging import Model
from stages.models.token_classifier import tagger as token_classifier
from stages.models.training import seed_everything
from stages.settings import FAMILIES, Family
from tests.models.test_training import hyperparameters
from tests.promises.tries import Tries

PROMISE = "7 Prediction keeps every row and its order, and offsets are exact, for any Unicode and any length"
HOW = (
    "rows made by hypothesis (combining marks, emoji, right-to-left, zero-width, words of 10,000 characters, bare "
    "surrogates escaped in JSON, sentences past the window) through tiny models of both families; one row a batch "
    "against many, to 1e-5"
)
QUICK, LONG = 40, 100_000
AT_ONCE = 5
"""Rows of one example of hypothesis, tagged together."""

HARD = (
    "e\u0301", "a\u0300\u0301\u0302\u0303", "\u0915\u094d\u0937", "\U0001f469\u200d\U0001f52c", "\U0001f600",
    "\U0001f3f4\U000e0067\U000e007f", "\u05e9\u05dc\u05d5\u05dd", "\u202eabc\u202c", "\u200b", "\ufeff", "\u00ad",
    "\x00", "\u2028", "ﬁ", "ẞ", "İ", "w" * 10_000, "\u4e2d" * 3_000, " ", "\t", "\n", "Warsaw", "Marie", "bear", ".",
    "'s", "don't", "3.5", "…", "[MASK]", "[SEP]", "<start>", "<end>",
)  # fmt: skip
characters = st.characters(exclude_categories=["Cs"])
words = st.one_of(st.sampled_from(HARD), st.text(characters, min_size=1, max_size=12), st.text("abc WM", min_size=1))
sentences = st.one_of(
    st.lists(words, max_size=8),
    st.builds(lambda some, times: (some * times)[:200], st.lists(words, min_size=1, max_size=6), st.integers(1, 60)),
)
texts = st.one_of(
    st.text(characters, max_size=60),
    st.builds(str.join, st.sampled_from([" ", "", "  ", "\u00a0", "\n"]), st.lists(words, max_size=30)),
)


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    """A row of tokens or of text, with other keys beside, and gold tags for some."""
    row: dict[str, Any] = {"id": draw(st.integers(0, 10**9))}
    if draw(st.booleans()):
        row["text"] = draw(texts)
    else:
        row["tokens"] = draw(sentences)
        if draw(st.integers(0, 3)) == 0:
            row["ner_tags"] = draw(
                st.lists(st.integers(0, len(TAGS) - 1), min_size=len(row["tokens"]), max_size=len(row["tokens"]))
            )
    return row


@pytest.fixture(scope="module")
def models(tiny_bert: Path, tiny_roberta: Path) -> dict[str, Model]:
    """Random models with opinions: their heads are made loud, so that they find entities everywhere."""
    made: dict[str, Model] = {}
    for family, (encoder, types) in itertools.product(FAMILIES, ((tiny_bert, TYPES), (tiny_roberta, FIVE))):
        seed_everything(5)
        tagger = families.create(hyperparameters(family, encoder), types)
        tagger.model.classifier.weight.data *= 60  # type: ignore[union-attr, operator]
        made[f"{family} on {encoder.name[:-1]}"] = tagger
    return made


def answers(tagger: Model, given_rows: list[dict[str, Any]]) -> list[Predicted]:
    return list(predict(tagger, [json.dumps(row).encode() for row in given_rows], "rows"))


def check(row: dict[str, Any], made: dict[str, Any]) -> None:
    """Nothing of the row is lost or changed, and what is added fits it."""
    assert {name: made[name] for name in row} == row
    assert len(made["pred"]) == len(made["tokens"])
    found = spans(made["pred"])
    assert len(found) == len(made["entities"])
    end = 0
    for span, entity in zip(found, made["entities"], strict=True):
        assert entity["type"] == span.type
        assert 0 <= entity["score"] <= 1
        if "text" in row:
            assert end <= entity["start"] < entity["end"] <= len(row["text"])
            assert row["text"][entity["start"] : entity["end"]] == entity["text"]
            end = entity["end"]
        else:
            assert (entity["start"], entity["end"]) == (span.start, span.end)
            assert entity["text"] == " ".join(row["tokens"][span.start : span.end])
    if "ner_tags" in row:
        assert made["gold"] == [TAGS[i] for i in row["ner_tags"]]
        assert np.isfinite(made["loss"])
    else:
        assert "loss" not in made
    msgspec.json.decode(msgspec.json.encode(made))


def fuzz(tagger: Model, count: int, tries: Tries) -> None:
    """So many rows of hypothesis through a model, each group checked row by row."""
    counted = 0

    @settings(max_examples=-(-count // AT_ONCE), deadline=None, database=None, suppress_health_check=list(HealthCheck),
              phases=[Phase.explicit, Phase.generate, Phase.shrink])  # fmt: skip
    @given(st.lists(rows(), min_size=AT_ONCE, max_size=AT_ONCE))
    def look(given_rows: list[dict[str, Any]]) -> None:
        nonlocal counted
        made = answers(tagger, given_rows)
        assert [one.row["id"] for one in made] == [row["id"] for row in given_rows]
        for row, one in zip(given_rows, made, strict=True):
            check(row, one.row)
        counted += len(given_rows)

    look()
    tries.add(counted)


NAMES = [f"{family} on tiny-{kind}" for family in FAMILIES for kind in ("bert", "roberta")]


@pytest.mark.parametrize("name", NAMES)
def test_no_row_is_lost_or_changed(name: str, models: dict[str, Model], tries: Tries) -> None:
    fuzz(models[name], QUICK, tries)


@pytest.mark.promises
@pytest.mark.parametrize("part", range(5))
@pytest.mark.parametrize("name", NAMES)
def test_a_hundred_thousand_rows(name: str, part: int, models: dict[str, Model], tries: Tries) -> None:
    fuzz(models[name], LONG // len(NAMES) // 5, tries)


@pytest.mark.parametrize("name", NAMES)
def test_alone_and_among_many_a_row_gets_the_same_answer(
    name: str, models: dict[str, Model], tries: Tries, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every row in a batch of its own, against batches of up to 64 rows: probabilities agree to 1e-5."""
    tagger, generator = models[name], random.Random(11)
    sentences = [generator.choices(HARD, k=generator.choice((0, 1, 3, 9, 40))) for _ in range(64)]
    together = tagger.tag(sentences)
    monkeypatch.setitem(token_classifier.POSITIONS, "cpu", 1)
    monkeypatch.setitem(span_marker.POSITIONS, "cpu", 1)
    for words, alone, among in zip(sentences, tagger.tag(sentences), together, strict=True):
        with tries.one(repr(words)[:80]):
            assert alone.probabilities is not None
            assert among.probabilities is not None
            assert alone.probabilities.shape[0] == len(words)
            np.testing.assert_allclose(alone.probabilities, among.probabilities, atol=1e-5, rtol=0)
            assert alone.entities == among.entities


@pytest.mark.parametrize("name", NAMES)
def test_the_end_of_a_long_sentence_is_read(name: str, models: dict[str, Model], tries: Tries) -> None:
    """Past the window, another last word changes the answer for it: it was read, not left out."""
    tagger = models[name]
    for length in (100, 500, 1500):
        ends = [["w"] * length + ["Warsaw", end] for end in ("Marie", "bear")]
        with tries.one(f"{length} words"):
            first, second = (tagging.probabilities for tagging in tagger.tag(ends))
            assert first is not None
            assert second is not None
            assert len(first) == length + 2
            assert not np.array_equal(first[-1], second[-1])
            np.testing.assert_allclose(first[: length // 4], second[: length // 4], atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_bare_surrogates_are_refused_by_line_or_kept(family: Family, models: dict[str, Model]) -> None:
    """JSON can escape half a character; the decoder refuses it, and the line is named."""
    line = b'{"tokens": ["\\ud800"]}'
    with pytest.raises(ValueError, match=r"^rows:1: not valid JSON"):
        list(predict(models[f"{family} on tiny-bert"], [line], "rows"))
