"""The token classifier: labels on first subwords, batches, windows, saving, and odd words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import Dataset
from transformers import AutoModelForTokenClassification, AutoTokenizer, set_seed

from stages import settings
from stages.corpus.labels import FIVE, TAG_IDS, TYPES, bio
from stages.models.token_classifier import TokenClassifier
from stages.models.token_classifier.preparation import IGNORED, OVERLAP, pieces
from stages.models.windows import windows

WORDS = ["Marie", "Sklodowska-Curie", "visited", "Warsaw", "."]
TAGS = ["B-PER", "I-PER", "O", "B-LOC", "O"]


def hyperparameters(encoder: Path, **changes: object) -> settings.TokenClassifierSettings:
    base = settings.load().training("token_classifier", "A", "sample")
    return base.model_copy(update={"encoder": str(encoder), "encoder_layers": None, "max_tokens": 128, **changes})


@pytest.fixture(params=["tiny_bert", "tiny_roberta"])
def tagger(request: pytest.FixtureRequest) -> TokenClassifier:
    set_seed(3)
    created = TokenClassifier.create(hyperparameters(request.getfixturevalue(request.param)), TYPES)
    created.model.classifier.weight.data *= 40  # a fresh head is nearly indifferent; this one has opinions
    return created


def rows(*sentences: tuple[list[str], list[str]]) -> Dataset:
    return Dataset.from_list([{"tokens": w, "ner_tags": [TAG_IDS[t] for t in tags]} for w, tags in sentences])


def test_labels_stand_on_first_subwords_only(tagger: TokenClassifier) -> None:
    made = tagger.prepare(rows((WORDS, TAGS)))[0]
    word_ids = tagger.tokenizer(WORDS, is_split_into_words=True).word_ids(0)
    first = [word_ids.index(word) for word in range(len(WORDS))]
    assert [tagger.labels[made["labels"][i]] for i in first] == TAGS
    assert sum(label != IGNORED for label in made["labels"]) == len(WORDS) < len(made["labels"])
    assert made["length"] == len(made["input_ids"])


def test_input_ids_are_the_tokenizers_own(tagger: TokenClassifier) -> None:
    made = tagger.prepare(rows((WORDS, TAGS)))[0]
    assert made["input_ids"] == tagger.tokenizer(WORDS, is_split_into_words=True)["input_ids"]


def test_labels_are_those_of_the_usual_alignment(tagger: TokenClassifier) -> None:
    """As transformers' own example aligns them: a word's label where ``word_ids`` first names it."""
    odd = ["\u200b", "naïve", "", "🙂", "\ufeff", "[MASK]", "x" * 60, "don't"]
    sentences = [(WORDS, TAGS), (odd, ["B-DIS"] * len(odd)), (WORDS * 40, TAGS * 40)]
    made = tagger.prepare(rows(*sentences))
    for got, (words, tags) in zip(made, sentences, strict=True):
        encoded = tagger.tokenizer(words, is_split_into_words=True, truncation=True, max_length=128)
        seen: set[int | None] = {None}
        expected = []
        for word in encoded.word_ids(0):
            expected.append(IGNORED if word in seen else tagger.labels.index(tags[word]))
            seen.add(word)
        assert (got["input_ids"], got["labels"]) == (encoded["input_ids"], expected)
        assert got["length"] == len(expected)


def test_each_word_is_answered_for_once(tagger: TokenClassifier) -> None:
    sentences = [WORDS, [], ["w1", "\u200b", "w2"] * 90, ["river"]]
    read = pieces(sentences, tagger.tokenizer, tagger.limit)
    assert len(read.ids.lengths) > len(sentences)
    assert read.ids.lengths.max() <= tagger.limit
    empty = 0 if tagger.model.config.model_type == "roberta" else 90  # BERT's tokenizer drops \u200b
    assert sorted(set(read.words.values.tolist())) == sorted(read.words.values.tolist())
    assert len(read.words.values) == sum(map(len, sentences)) - empty
    for i in range(len(read.ids.lengths)):
        assert (read.places[i] < read.ids.lengths[i]).all()


def test_types_outside_the_system_are_learnt_as_o(tiny_bert: Path) -> None:
    tagger = TokenClassifier.create(hyperparameters(tiny_bert), FIVE)
    made = tagger.prepare(rows((["Zeus", "in", "Athens"], ["B-MYTH", "O", "B-LOC"])))[0]
    assert [tagger.labels[i] for i in made["labels"] if i != IGNORED] == ["O", "O", "B-LOC"]
    assert len(tagger.labels) == 11


def test_batches_are_cut_to_their_longest(tagger: TokenClassifier) -> None:
    made = tagger.prepare(rows((WORDS, TAGS), (["Hello"], ["O"])))
    batch = tagger.collate([made[0], made[1]])
    assert batch["input_ids"].shape == (2, made[0]["length"])
    assert batch["attention_mask"].sum(-1).tolist() == made["length"][:]
    assert (batch["labels"][1, made[1]["length"] :] == IGNORED).all()


def test_answers_do_not_depend_on_company_or_order(tagger: TokenClassifier) -> None:
    sentences = [WORDS, ["No"], [], ["The", "brown", "bear"] * 9, ["\u200b"], ["a" * 10_000, "river"]]
    together = tagger.tag(sentences)
    for words, tagging in zip(sentences, together, strict=True):
        alone = tagger.tag([words])[0]
        assert alone.entities == tagging.entities
        np.testing.assert_allclose(alone.probabilities, tagging.probabilities, atol=1e-5)
        assert tagging.probabilities.shape == (len(words), len(tagger.labels))
        np.testing.assert_allclose(tagging.probabilities.sum(-1), 1, atol=1e-5)


def test_probabilities_are_those_of_transformers(tagger: TokenClassifier) -> None:
    encoded = tagger.tokenizer(WORDS, is_split_into_words=True, return_tensors="pt")
    with torch.inference_mode():
        logits = tagger.model(encoded["input_ids"], attention_mask=encoded["attention_mask"]).logits[0]
    word_ids = encoded.word_ids(0)
    first = [word_ids.index(word) for word in range(len(WORDS))]
    np.testing.assert_allclose(tagger.tag([WORDS])[0].probabilities, logits.softmax(-1)[first].numpy(), atol=1e-5)


def test_a_word_without_subwords_is_outside(tiny_bert: Path) -> None:
    tagger = TokenClassifier.create(hyperparameters(tiny_bert), TYPES)
    tagging = tagger.tag([["\u200b", "Warsaw", "\u00ad"]])[0]
    assert tagging.probabilities[[0, 2], 0].tolist() == [1.0, 1.0]


def test_long_sentences_are_read_to_their_end(tagger: TokenClassifier) -> None:
    """Every word gets its probabilities from a window that holds it, the last one too: as if that were asked alone."""
    words = [f"w{i % 7}" for i in range(900)]
    table = tagger.tag([words])[0].probabilities
    sizes = [len(tagger.tokenizer(word, add_special_tokens=False)["input_ids"]) for word in words]
    read = windows(sizes, tagger.limit - tagger.tokenizer.num_special_tokens_to_add(), OVERLAP)
    assert len(read) > 3
    for window in read:
        alone = tagger.tag([words[window.first : window.last]])[0].probabilities
        kept = slice(window.keep_first, window.keep_last)
        np.testing.assert_allclose(table[kept], alone[kept.start - window.first :][: kept.stop - kept.start], atol=1e-5)
    assert (read[0].keep_first, read[-1].keep_last, len(table)) == (0, 900, 900)
    assert abs(table - np.roll(table, 7, axis=0)).max() > 1e-3, "a word's neighbours and place matter"


def test_loss_is_the_mean_over_words(tagger: TokenClassifier) -> None:
    tagging = tagger.tag([WORDS], [TAGS])[0]
    expected = -np.log([tagging.probabilities[i, tagger.labels.index(tag)] for i, tag in enumerate(TAGS)]).mean()
    assert tagging.loss == pytest.approx(expected, rel=1e-5)
    batch = tagger.collate([tagger.prepare(rows((WORDS, TAGS)))[0]])
    tagger.model.eval()
    assert float(tagger.model(**batch).loss.detach()) == pytest.approx(expected, rel=1e-4)


def test_entities_are_legal_bio(tagger: TokenClassifier) -> None:
    for tagging in tagger.tag([WORDS, ["The", "brown", "bear"] * 9]):
        assert len(bio(tagging.entities, len(tagging.probabilities))) == len(tagging.probabilities)
        assert all(0 <= score <= 1 for score in tagging.scores)
        assert len(tagging.scores) == len(tagging.entities)


def test_saved_and_loaded_it_answers_the_same(tagger: TokenClassifier, tmp_path: Path) -> None:
    tagger.save(tmp_path)
    loaded = TokenClassifier.load(tmp_path)
    assert (loaded.labels, loaded.types, loaded.limit) == (tagger.labels, tagger.types, tagger.limit)
    np.testing.assert_array_equal(loaded.tag([WORDS])[0].probabilities, tagger.tag([WORDS])[0].probabilities)


def test_the_saved_model_is_stock_and_names_no_path(tagger: TokenClassifier, tmp_path: Path) -> None:
    tagger.save(tmp_path)
    stock = AutoModelForTokenClassification.from_pretrained(tmp_path)
    assert stock.config.id2label[1] == "B-PER"
    assert AutoTokenizer.from_pretrained(tmp_path).is_fast
    assert {path.suffix for path in tmp_path.iterdir()} <= {".json", ".safetensors", ".txt"}
    for path in tmp_path.glob("*.json"):
        assert "/tiny-" not in path.read_text(encoding="utf-8")


def test_gradients_reach_every_parameter_that_is_used(tagger: TokenClassifier) -> None:
    batch = tagger.collate([tagger.prepare(rows((WORDS, TAGS)))[0]])
    tagger.model.train()
    tagger.model(**batch).loss.backward()
    idle = [name for name, p in tagger.model.named_parameters() if p.grad is None]
    assert idle == [] or all("pooler" in name for name in idle)


def test_a_sentence_without_a_subword_is_not_trained_on_and_is_told(
    tiny_bert: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A batch or a process's share of such sentences alone has no mean loss: it would make every weight NaN."""
    tagger = TokenClassifier.create(hyperparameters(tiny_bert), TYPES)
    rows = Dataset.from_list(
        [{"tokens": words, "ner_tags": [0] * len(words)} for words in (["Marie"], ["\u200b"], [], ["in", "\u200b"])]
    )
    prepared = tagger.prepare(rows)
    assert len(prepared) == 2
    assert prepared["length"][:] == [len(ids) for ids in prepared["input_ids"][:]]
    assert "2 of 4 sentences have no word with a subword, and are not trained on" in caplog.text
