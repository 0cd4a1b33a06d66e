"""Our models in spaCy's pipelines: by our component, and by span_marker's own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span

import stages.models.spacy_component  # noqa: F401  (registers the component)
from stages.corpus.labels import TYPES
from stages.corpus.labels import Span as Entity
from stages.errors import UserError
from stages.formats.sentences import split
from stages.models import families
from stages.models.tagging import Tagging
from stages.models.training import seed_everything
from stages.settings import FAMILIES, Family
from tests.models.test_training import hyperparameters

TEXT = (
    "Marie Curie was born in  Warsaw.\n\nThe brown bear lives in Romania ; it's old. Jordan e\u0301t \U0001f43b there"
)


@pytest.fixture(scope="module", params=FAMILIES)
def model(request: pytest.FixtureRequest, tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model with opinions, saved as the pipeline saves it."""
    family: Family = request.param
    seed_everything(5)
    mode = {"mode": "exact"} if family == "span_marker" else {}
    tagger = families.create(hyperparameters(family, tiny_bert, **mode), TYPES)
    tagger.model.classifier.weight.data *= 60  # type: ignore[union-attr, operator]
    root = tmp_path_factory.mktemp("project")
    tagger.save(root / f"models/{family}-A", place=f"models/{family}-A")
    return root / f"models/{family}-A"


def pipeline(model: Path) -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("multinerd_ner", config={"model": str(model)})
    return nlp


def found(doc: Doc) -> list[tuple[str, str]]:
    return [(ent.label_, ent.text) for ent in doc.ents]


def test_entities_are_the_models_own_sentence_by_sentence(model: Path) -> None:
    doc = pipeline(model)(TEXT)
    words = [token for token in doc if not token.is_space]
    sentences = [[token.text for token in sent if not token.is_space] for sent in doc.sents]
    firsts = itertools.accumulate(map(len, sentences), initial=0)
    expected = [
        (kind, words[first + start].i, words[first + end - 1].i + 1)
        for first, tagging in zip(firsts, families.load(model).tag(sentences), strict=False)
        for kind, start, end in tagging.entities
    ]
    assert len(sentences) == 3
    assert expected
    assert [(ent.label_, ent.start, ent.end) for ent in doc.ents] == expected
    assert [word.text for word in words] == split(TEXT).words


def test_a_stream_of_docs_is_as_each_alone(model: Path) -> None:
    nlp = pipeline(model)
    texts = [TEXT, "", "  ", "Warsaw", TEXT[::-1], "No one knew. " * 9]
    alone = [found(nlp(text)) for text in texts]
    for size in (1, 4, 100):
        assert [found(doc) for doc in nlp.pipe(iter(texts), batch_size=size)] == alone
    assert any(alone)


def test_docs_are_tagged_together(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = pipeline(model)
    tagger, asked = nlp.get_pipe("multinerd_ner").tagger, []
    tag = tagger.tag
    monkeypatch.setattr(tagger, "tag", lambda sentences: asked.append(len(sentences)) or tag(sentences))

    def texts() -> Iterator[str]:
        yield from ["One. Two."] * 10

    assert len(list(nlp.pipe(texts(), batch_size=8))) == 10
    assert asked == [16, 4]


def test_without_sentences_a_doc_is_read_whole_however_long(model: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("multinerd_ner", config={"model": str(model)})
    doc = nlp("Warsaw bear " * 400)
    assert doc.ents[-1].end > 700


def test_entities_found_before_stay_where_none_longer_is(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = pipeline(model)
    known = [[("PER", 0, 2)], [("ANIM", 1, 3), ("LOC", 5, 6)], [("PER", 0, 1)]]
    answers = [Tagging([Entity(*e) for e in entities], [1.0] * len(entities), None, None, 0) for entities in known]
    monkeypatch.setattr(nlp.get_pipe("multinerd_ner").tagger, "tag", lambda _: answers)
    doc = nlp.make_doc(TEXT)
    at = {token.text: token.i for token in doc}
    before = [("Curie", "Curie"), ("Warsaw", "Warsaw"), ("lives", "Romania"), ("Jordan", "Jordan")]
    doc.set_ents([Span(doc, at[first], at[last] + 1, label="MINE") for first, last in before])
    after = [proc(doc) for _, proc in nlp.pipeline][-1]
    assert found(after) == [
        ("PER", "Marie Curie"), ("MINE", "Warsaw"), ("ANIM", "brown bear"), ("MINE", "lives in Romania"),
        ("PER", "Jordan"),
    ]  # fmt: skip


def test_a_saved_pipeline_loads_again(model: Path, tmp_path: Path) -> None:
    nlp = pipeline(model)
    nlp.to_disk(tmp_path / "pipeline")
    assert found(spacy.load(tmp_path / "pipeline")(TEXT)) == found(nlp(TEXT))


def test_no_model_is_said() -> None:
    with pytest.raises(UserError, match="no model here"):
        spacy.blank("en").add_pipe("multinerd_ner", config={"model": "models/none"})


def test_span_markers_own_component_takes_our_models(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As its documentation says, in the project's root; and it finds what ours finds."""
    if model.name != "span_marker-A":
        pytest.skip("the component is for SpanMarker alone")
    monkeypatch.chdir(model.parents[1])
    stock = spacy.blank("en")
    stock.add_pipe("sentencizer")
    stock.add_pipe("span_marker", config={"model": "models/span_marker-A"})
    text = " ".join(TEXT.split())  # stock takes white space between words for words, which it cannot read
    ours = pipeline(model)(text)
    assert ours.ents
    assert [(e.label_, e.start, e.end) for e in stock(text).ents] == [(e.label_, e.start, e.end) for e in ours.ents]
