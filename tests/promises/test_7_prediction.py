"""Rows come out as they went in, whatever is in them."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stages.corpus.labels import FIVE, TAGS, TYPES, spans
from stages.models import families
from stages.models.prediction import Predicted, predict
from stages.models.span_marker import tagger as span_marker
from stages.models.tagging import Model, Tagging
from stages.models.token_classifier import tagger as token_classifier
from stages.models.training import seed_everything
from stages.settings import FAMILIES, Family
from tests.clone import Project
from tests.conftest import SENTENCES
from tests.models.test_training import hyperparameters
from tests.promises.processes import Process
from tests.promises.tries import Tries

PROMISE = "7 Prediction keeps every row and its order, and offsets are exact, for any Unicode and any length"
HOW = (
    "100,000 rows made by hypothesis (combining marks, emoji, right-to-left, zero-width, words of 10,000 characters, "
    "sentences past the window; JSON escaped and not) through tiny models of both families; one row a batch against "
    "64 and more, to 1e-5"
)
QUICK, LONG = 40, 100_000
AT_ONCE = 10
"""Rows of one example of hypothesis, tagged together."""

HARD = (
    "e\u0301", "a\u0300\u0301\u0302\u0303", "\u0915\u094d\u0937", "\U0001f469\u200d\U0001f52c", "\U0001f600",
    "\U0001f3f4\U000e0067\U000e007f", "\u05e9\u05dc\u05d5\u05dd", "\u202eabc\u202c", "\u200b", "\ufeff", "\u00ad",
    "\x00", "\u2028", "ﬁ", "ẞ", "İ", "w" * 10_000, "\u4e2d" * 3_000, " ", "\t", "\n", "Warsaw", "Marie", "bear", ".",
    "'s", "don't", "3.5", "…", "[MASK]", "[SEP]", "<start>", "<end>",
)  # fmt: skip
characters = st.characters(exclude_categories=["Cs"])
words = st.one_of(st.sampled_from(HARD), st.text(characters, min_size=1, max_size=12), st.text("abc WM", min_size=1))


def repeated(some: list[str], times: int) -> list[str]:
    """A sentence far past the window, of some 20,000 characters at most."""
    return (some * times)[: min(200, 1 + 20_000 * len(some) // len("".join(some)))]


short = st.lists(words, max_size=8)
sentences = st.one_of(short, short, st.builds(repeated, st.lists(words, min_size=1, max_size=6), st.integers(1, 60)))
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
        mode = {"mode": "exact" if types is FIVE else "selective"} if family == "span_marker" else {}
        tagger = families.create(hyperparameters(family, encoder, **mode, proposal_recall=0.5), types)
        tagger.model.classifier.weight.data *= 60  # type: ignore[union-attr, operator]
        if isinstance(tagger, span_marker.SpanMarkerTagger) and tagger.proposal is not None:
            some = [line.split() for line in SENTENCES]
            tagger.settle(some, [["B-PER"] * len(words) for words in some])
            assert -5 < float(tagger.proposal.threshold) < 5  # it keeps some spans and drops others
        made[f"{family} on {encoder.name[:-1]}"] = tagger
    return made


def lines_of(given_rows: list[dict[str, Any]], escaped: bool) -> list[bytes]:
    """The rows as lines of JSON, characters beyond ASCII escaped or as they are."""
    return [json.dumps(row, ensure_ascii=escaped).encode() + b"\n" for row in given_rows]


def answers(tagger: Model, given_rows: list[dict[str, Any]], escaped: bool = True) -> list[Predicted]:
    return list(predict(tagger, lines_of(given_rows, escaped), "rows"))


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
    @given(st.lists(rows(), min_size=AT_ONCE, max_size=AT_ONCE), st.booleans())
    def look(given_rows: list[dict[str, Any]], escaped: bool) -> None:
        nonlocal counted
        made = answers(tagger, given_rows, escaped)
        assert [one.row["id"] for one in made] == [row["id"] for row in given_rows]
        for row, one in zip(given_rows, made, strict=True):
            check(row, one.row)
        counted += len(given_rows)

    look()
    assert counted >= count
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


def in_batches(tagger: Model, sentences: list[list[str]], positions: int) -> tuple[list[Tagging], list[int]]:
    """The taggings where a batch may hold so many positions, and the rows of each batch."""
    sizes: list[int] = []
    collate = tagger.collate

    def counting(features: Sequence[dict[str, Any]]) -> Any:
        sizes.append(len(features))
        return collate(features)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tagger, "collate", counting)
        for module in (token_classifier, span_marker):
            patch.setitem(module.POSITIONS, "cpu", positions)
        return tagger.tag(sentences), sizes


def assert_batches_agree(tagger: Model, generator: random.Random, tries: Tries) -> list[tuple[Tagging, Tagging]]:
    """64 random sentences, each alone, in batches as usual, and all in one: probabilities agree to 1e-5."""
    drawn = [*HARD, *("".join(map(chr, generator.choices(range(0x20, 0xD800), k=6))) for _ in range(20))]
    sentences = [generator.choices(drawn, k=generator.choice((1, 3, 9, 40))) for _ in range(64)]
    (alone, ones), (usual, _), (together, all_sizes) = (
        in_batches(tagger, sentences, positions) for positions in (1, span_marker.POSITIONS["cpu"], 10**9)
    )
    assert set(ones) == {1}
    assert max(all_sizes) >= 64
    for words, *found in zip(sentences, alone, usual, together, strict=True):
        with tries.one(repr(words)[:80]):
            first, *others = (tagging.probabilities for tagging in found)
            assert first is not None
            assert len(first) == len(words)
            for other in others:
                np.testing.assert_allclose(first, other, atol=1e-5, rtol=0)
    return list(zip(alone, together, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_alone_and_among_many_a_row_gets_the_same_answer(name: str, models: dict[str, Model], tries: Tries) -> None:
    pairs = assert_batches_agree(models[name], random.Random(11), tries)
    assert any(alone.entities for alone, _ in pairs)
    for alone, together in pairs:
        assert alone.entities == together.entities
        np.testing.assert_allclose(alone.scores, together.scores, atol=1e-5, rtol=0)


@pytest.mark.promises
@pytest.mark.parametrize("name", NAMES)
def test_alone_and_among_many_again_and_again(name: str, models: dict[str, Model], tries: Tries) -> None:
    generator = random.Random()
    for _ in range(10):
        assert_batches_agree(models[name], generator, tries)


@contextmanager
def asking_about_all(tagger: Model) -> Iterator[None]:
    """No span is too unlikely to be asked about."""
    proposal = getattr(tagger, "proposal", None)
    if proposal is None:
        yield
        return
    threshold = proposal.threshold.clone()
    proposal.threshold.fill_(-torch.inf)
    yield
    proposal.threshold.copy_(threshold)


@pytest.mark.parametrize("name", NAMES)
def test_the_end_of_a_long_sentence_is_read(name: str, models: dict[str, Model], tries: Tries) -> None:
    """Past the window, another last word changes the answer for it: it was read, not left out."""
    for length in (100, 500, 1500):
        ends = [["w"] * length + ["Warsaw", end] for end in ("Marie", "bear")]
        with asking_about_all(models[name]):
            first, second = (tagging.probabilities for tagging in models[name].tag(ends))
        with tries.one(f"{length} words"):
            assert first is not None
            assert second is not None
            assert len(first) == length + 2
            assert not np.array_equal(first[-1], second[-1])
            np.testing.assert_allclose(first[: length // 4], second[: length // 4], atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_command_keeps_a_file_of_hard_rows(family: Family, finished_clone: Project, tmp_path: Path) -> None:
    """Lines as people write them: unescaped, with separators of lines and paragraphs inside, the last one unended."""
    generator = random.Random(3)
    given_rows: list[dict[str, Any]] = [
        {"id": i, "tokens": generator.choices(HARD, k=5)} if i % 2 else {"id": i, "text": " \u2029".join(HARD[i % 9 :])}
        for i in range(40)
    ]
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(b"".join(lines_of(given_rows, escaped=False)).removesuffix(b"\n"))
    command = ["python", "-m", "stages.predict", "--model", f"models/{family}-A"]
    process = Process(finished_clone.folder, [*command, "--input", str(source), "--output", str(target)])
    assert process.wait() == 0, process.said()
    made = [json.loads(line) for line in target.read_bytes().splitlines()]
    assert len(made) == len(given_rows)
    for row, one in zip(given_rows, made, strict=True):
        check(row, one)


@pytest.mark.parametrize("family", FAMILIES)
def test_bare_surrogates_are_refused_by_line(family: Family, models: dict[str, Model]) -> None:
    """JSON can escape half a character; the decoder refuses it, and the line is named."""
    line = b'{"tokens": ["\\ud800"]}'
    with pytest.raises(ValueError, match=r"^rows:1: not valid JSON"):
        list(predict(models[f"{family} on tiny-bert"], [line], "rows"))
