"""Every output format, read back by what people read it with: the same words and the same entities."""

from __future__ import annotations

import html.parser
import io
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin
from spacy.util import get_words_and_spaces

from stages.corpus.labels import Span, spans
from stages.formats import writing
from stages.formats.reading import READERS, InputFormat, pieces
from stages.formats.writing import WRITERS, OutputFormat, Predicted
from stages.models.prediction import predict
from tests.models.test_prediction import Capitals

PROSE = 'He left "São Tomé", <b>Rome</b>,\r\n  and New\nYork.\n\n{x} & e\u0301 \U0001f43b in Łódź. The end\n'
ROWS: list[dict[str, object]] = [
    {"tokens": ["in", "New", "York", ",", "x"], "id": 1},
    {"text": PROSE},
    {"tokens": []},
    {"text": " \n"},
    {"tokens": ["Rio de\tJaneiro", "", "and", 'O"Hara']},
    {"text": "Rome"},
]


def rows_of(data: bytes, kind: InputFormat = "jsonl") -> list[Predicted]:
    return list(predict(Capitals(), pieces(io.BytesIO(data), kind), "in", READERS[kind]))


@pytest.fixture(scope="module")
def rows() -> list[Predicted]:
    return rows_of(b"\n".join(json.dumps(row).encode() for row in ROWS))


def entities(made: Predicted) -> list[Span]:
    return spans(made.row["pred"])


def test_jsonl_is_the_rows(rows: list[Predicted], tmp_path: Path) -> None:
    WRITERS["jsonl"](rows, str(tmp_path / "out"))
    assert [json.loads(line) for line in (tmp_path / "out").read_bytes().splitlines()] == [made.row for made in rows]


def test_conll_has_a_word_a_line_and_a_blank_line_after_each_sentence(rows: list[Predicted], tmp_path: Path) -> None:
    WRITERS["conll"](rows, str(tmp_path / "out"))
    found = [
        [line.split(" ") for line in sentence.split("\n")]
        for sentence in (tmp_path / "out").read_text(encoding="utf-8").split("\n\n")[:-1]
    ]
    expected = [
        list(zip(made.asked.tokens[first:last], made.row["pred"][first:last], strict=True))
        for made in rows
        for first, last in made.asked.sentences
        if last > first
    ]
    assert len(found) == 6
    assert [[tag for _, tag in sentence] for sentence in found] == [[tag for _, tag in one] for one in expected]
    words = [word for sentence in found for word, _ in sentence]
    assert words[-5:] == ["Rio_de_Janeiro", "_", "and", 'O"Hara', "Rome"]
    assert words[:-5] == [word for one in expected for word, _ in one][:-5]


def test_a_table_has_every_entity_under_its_row(rows: list[Predicted], tmp_path: Path) -> None:
    WRITERS["csv"](rows, str(tmp_path / "out.csv"))
    table = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert list(table) == ["row", "start", "end", "type", "text", "score"]
    expected = [{"row": i, **entity} for i, made in enumerate(rows, 1) for entity in made.row["entities"]]
    assert table.to_dict("records") == [{name: one[name] for name in table} for one in expected]
    assert "New\nYork" in set(table["text"])


def test_places_in_prose_are_places_in_the_file(tmp_path: Path) -> None:
    made = rows_of(PROSE.encode(), "text")
    WRITERS["csv"](made, str(tmp_path / "out.csv"))
    table = pd.read_csv(tmp_path / "out.csv")
    assert [PROSE[start:end] for start, end in zip(table["start"], table["end"], strict=True)] == list(table["text"])
    assert len(table) == 6
    assert set(table["row"]) == {1, 2, 3}


class Marks(html.parser.HTMLParser):
    """The text of each row of a page, and of each of its marks."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.marks: list[str] = []
        self.open: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if ("class", "entities") in attrs:
            self.texts.append("")
        if tag == "mark":
            self.marks.append("")
        if tag == "br":
            self.texts[-1] += "\n"
        elif tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "div" in self.open and "span" not in self.open:
            self.texts[-1] += data
            if "mark" in self.open:
                self.marks[-1] += data


def test_a_page_shows_text_and_marks_and_nothing_of_the_text_is_code(rows: list[Predicted], tmp_path: Path) -> None:
    WRITERS["displacy"](rows, str(tmp_path / "out.html"))
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    read = Marks()
    read.feed(page)
    assert read.open == []
    assert read.tags == {"html", "head", "meta", "title", "body", "div", "mark", "span", "br"}
    assert "http" not in page
    assert [" ".join(mark.split()) for mark in read.marks] == [
        " ".join(entity["text"].split()) for made in rows for entity in made.row["entities"]
    ]
    texts = [row["text"] if "text" in row else " ".join(row["tokens"]) for row in ROWS]  # type: ignore[arg-type]
    assert ["".join(text.split()) for text in read.texts] == ["".join(str(text).split()) for text in texts]


def test_the_name_of_a_type_is_no_code_either(tmp_path: Path) -> None:
    made = rows_of(b'{"text": "Rome"}')
    made[0].row["pred"] = ["B-<script>"]
    WRITERS["displacy"](made, str(tmp_path / "out.html"))
    assert "<script>" not in (tmp_path / "out.html").read_text(encoding="utf-8")


def docs_of(*paths: Path) -> list[Doc]:
    vocabulary = spacy.blank("en").vocab
    return [doc for path in paths for doc in DocBin().from_disk(path).get_docs(vocabulary)]


def assert_same(docs: list[Doc], rows: list[Predicted]) -> None:
    assert len(docs) == len(rows)
    for doc, made in zip(docs, rows, strict=True):
        words = [token for token in doc if made.asked.text is None or not token.is_space]
        assert [token.text for token in words] == [word or "_" for word in made.asked.tokens]
        if made.asked.text is not None:
            assert doc.text == made.asked.text
        number = {token.i: i for i, token in enumerate(words)}
        found = [(ent.label_, number[ent.start], number[ent.end - 1] + 1) for ent in doc.ents]
        assert found == [tuple(span) for span in entities(made)]
        if len(doc):
            assert len(list(doc.sents)) == max(1, len(made.asked.sentences))


def test_a_doc_bin_has_a_doc_a_row(rows: list[Predicted], tmp_path: Path) -> None:
    WRITERS["spacy"](rows, str(tmp_path / "out.spacy"))
    docs = docs_of(tmp_path / "out.spacy")
    assert_same(docs, rows)
    assert [ent.text for ent in docs[1].ents][:2] == ["He", "São Tomé"]
    assert [path.name for path in tmp_path.iterdir()] == ["out.spacy"]


def test_many_words_take_several_doc_bins(
    rows: list[Predicted], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "DOC_BIN_WORDS", 7)
    WRITERS["spacy"](rows, str(tmp_path / "out.spacy"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out-2.spacy", "out.spacy"]
    assert_same(docs_of(tmp_path / "out.spacy", tmp_path / "out-2.spacy"), rows)


def test_parts_of_an_earlier_longer_answer_are_told(
    rows: list[Predicted], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(writing, "DOC_BIN_WORDS", 7)
    (tmp_path / "out-3.spacy").write_text("another's")
    WRITERS["spacy"](rows, str(tmp_path / "out.spacy"))
    assert "out-3.spacy is of another answer: this one ends with" in caplog.text
    assert (tmp_path / "out-3.spacy").read_text() == "another's"


def test_an_answer_that_ends_where_a_part_is_full_has_no_empty_one(
    rows: list[Predicted], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(writing, "DOC_BIN_WORDS", sum(len(made.asked.tokens) for made in rows))
    (tmp_path / "out-2.spacy").write_text("another's")
    WRITERS["spacy"](rows, str(tmp_path / "out.spacy"))
    assert "out-2.spacy is of another answer: this one ends with" in caplog.text
    assert (tmp_path / "out-2.spacy").read_text() == "another's"
    assert_same(docs_of(tmp_path / "out.spacy"), rows)


@given(st.lists(st.text("ab.", min_size=1, max_size=3), max_size=6), st.data())
def test_words_and_spaces_are_spacys(words: list[str], data: st.DataObject) -> None:
    text, offsets = data.draw(st.sampled_from(["", " ", "  "])), []
    for word in words:
        offsets.append((len(text), len(text) + len(word)))
        text += word + data.draw(st.sampled_from(["", " ", "  ", "\n", " \t", "   "]))
    found, spaces, places = writing._words_and_spaces(text, offsets)
    assert (found, spaces) == get_words_and_spaces(words, text)
    assert [found[i] for i in places] == words


def test_what_is_no_file_is_written_as_it_is(rows: list[Predicted], tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as reader:
        read = reader.submit(pipe.read_bytes)
        WRITERS["jsonl"](rows, str(pipe))
        assert len(read.result(timeout=20).splitlines()) == len(rows)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


@pytest.mark.parametrize("kind", WRITERS)
def test_nothing_is_a_whole_file_too(kind: OutputFormat, tmp_path: Path) -> None:
    WRITERS[kind]([], str(tmp_path / "out"))
    content = (tmp_path / "out").read_bytes()
    if kind == "spacy":
        assert docs_of(tmp_path / "out") == []
    else:
        assert {"jsonl": b"", "conll": b"", "csv": b'"row"', "displacy": b"<!DOCTYPE html>"}[kind] == content[
            :15
        ].split(b",")[0]


@pytest.mark.parametrize("kind", WRITERS)
def test_a_fault_after_some_rows_leaves_no_file(kind: OutputFormat, rows: list[Predicted], tmp_path: Path) -> None:
    def broken() -> object:
        yield from rows
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        WRITERS[kind](broken(), str(tmp_path / "out"))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [kind for kind in WRITERS if kind != "spacy"])
def test_rows_are_written_as_they_come(kind: OutputFormat, rows: list[Predicted], tmp_path: Path) -> None:
    """None waits for the last: what is written after many rows does not wait in memory."""
    sizes = []

    def many() -> object:
        for _ in range(2000):
            yield rows[1]
            sizes.append(max(path.stat().st_size for path in tmp_path.iterdir()))

    WRITERS[kind](many(), str(tmp_path / "out"))  # type: ignore[arg-type]
    assert sizes[1000] > 0.4 * (tmp_path / "out").stat().st_size


CUT = """
from stages.cli import clear_errors
from stages.formats.reading import Asked
from stages.formats.writing import WRITERS, Predicted

made = Predicted({"text": "Rome"}, None, Asked({}, [], []))
with clear_errors():
    WRITERS["jsonl"]((made for _ in range(100_000)), "-")
"""


def test_a_reader_that_has_enough_is_no_fault() -> None:
    """As ``head`` ends: no traceback, the status that shells give."""
    with subprocess.Popen([sys.executable, "-c", CUT], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"text":"Rome"')
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (141, b"")
