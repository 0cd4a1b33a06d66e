"""Rows in, rows out: order, keys, offsets, and faults named by file and line."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from stages.corpus.labels import Span
from stages.errors import UserError
from stages.models import prediction
from stages.models.prediction import predict, predict_file
from stages.models.tagging import Tagging
from stages.predict import main as command


class Capitals:
    """A stand-in tagger: runs of capitalised words are LOC."""

    types = ("LOC",)
    labels = ("O", "B-LOC", "I-LOC")

    def tag(self, sentences: Sequence[Sequence[str]], gold: Sequence[Sequence[str]] | None = None) -> list[Tagging]:
        return [self._tag(sentence, gold is not None) for sentence in sentences]

    def _tag(self, sentence: Sequence[str], asked: bool) -> Tagging:
        found: list[Span] = []
        for i, word in enumerate(sentence):
            if word[:1].isupper():
                joined = bool(found) and found[-1].end == i
                found[-1:] = [Span("LOC", found[-1].start, i + 1)] if joined else [*found[-1:], Span("LOC", i, i + 1)]
        return Tagging(found, [0.5] * len(found), None, 0.25 if asked else None, len(sentence))


def run(*rows: object) -> list[dict[str, object]]:
    lines = [json.dumps(row).encode() for row in rows]
    return [made.row for made in predict(Capitals(), lines, "in.jsonl")]


def test_token_rows_keep_their_keys_and_get_word_offsets() -> None:
    (row,) = run({"tokens": ["in", "New", "York"], "id": 7, "nested": {"a": [1]}})
    assert row["id"] == 7
    assert row["nested"] == {"a": [1]}
    assert row["pred"] == ["O", "B-LOC", "I-LOC"]
    assert row["entities"] == [{"type": "LOC", "start": 1, "end": 3, "text": "New York", "score": 0.5}]
    assert "gold" not in row


def test_text_rows_get_tokens_and_character_offsets() -> None:
    text = "  He left\tSão Tomé \U0001f680 for  Rome, e\u0301."
    (row,) = run({"text": text})
    assert [text[e["start"] : e["end"]] for e in row["entities"]] == [e["text"] for e in row["entities"]]  # type: ignore[index, union-attr]
    assert [e["text"] for e in row["entities"]] == ["He", "São Tomé", "Rome"]  # type: ignore[index, union-attr]
    assert len(row["tokens"]) == len(row["pred"])  # type: ignore[arg-type]


def test_gold_comes_from_the_ids_as_they_are() -> None:
    (row,) = run({"tokens": ["Zeus", "in", "Rome"], "ner_tags": [23, 0, 5]})
    assert row["gold"] == ["B-MYTH", "O", "B-LOC"]
    assert (row["loss"], row["decisions"]) == (0.25, 3)


def test_a_row_without_gold_has_no_loss_beside_one_that_has() -> None:
    first, second = run({"tokens": ["Rome"], "ner_tags": [5]}, {"tokens": ["Rome"]})
    assert "loss" in first
    assert not {"loss", "decisions", "gold"} & set(second)


def test_order_and_number_are_kept_over_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction, "CHUNK", 3)
    made = run(*({"tokens": ["x"] * (i % 4), "i": i} for i in range(10)))
    assert [row["i"] for row in made] == list(range(10))
    assert [len(row["pred"]) for row in made] == [i % 4 for i in range(10)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        (b'{"tokens": ["a"', "not valid JSON"),
        (b'{"tokens": ["\xff"]}', "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[1, 2]", "expected a row"),
        (b'{"words": ["a"]}', "expected a row"),
        (b'{"tokens": "a b"}', "field tokens"),
        (b'{"tokens": ["a", 3]}', "field tokens"),
        (b'{"text": 5}', "field text"),
        (b'{"tokens": ["a"], "ner_tags": [0, 0]}', "field ner_tags: 2 tags for 1 tokens"),
        (b'{"tokens": ["a"], "ner_tags": [31]}', "unknown id 31"),
        (b'{"tokens": ["a"], "ner_tags": ["O"]}', "unknown id 'O'"),
    ],
)
def test_a_bad_line_is_named(line: bytes, names: str) -> None:
    with pytest.raises(UserError, match=r"in\.jsonl:2: ") as raised:
        list(predict(Capitals(), [b'{"tokens": ["a"]}', line], "in.jsonl"))
    assert names in str(raised.value)


def test_twenty_bad_lines_are_named_and_the_rest_counted() -> None:
    lines = [b'{"tokens": ["a"]}', *[b'{"tokens": 1}'] * 30, b'{"tokens": ["a"]}']
    with pytest.raises(UserError) as raised:
        list(predict(Capitals(), lines, "in.jsonl"))
    *named, last = str(raised.value).split("\n")
    assert [line.split(":")[1] for line in named] == [str(i) for i in range(2, 22)]
    assert last == "… and 10 more"


def test_a_bad_line_leaves_no_output(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"tokens": ["Rome"]}\nnonsense\n', encoding="utf-8")
    with pytest.raises(UserError, match=r"in\.jsonl:2"):
        predict_file(Capitals(), str(source), str(target))
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


class Asking(Capitals):
    """Notes what it is asked at once."""

    def __init__(self) -> None:
        self.asked: list[list[list[str]]] = []

    def tag(self, sentences: Sequence[Sequence[str]], gold: Sequence[Sequence[str]] | None = None) -> list[Tagging]:
        self.asked.append([list(words) for words in sentences])
        taggings = super().tag(sentences, gold)
        tables = [np.full((len(words), 3), len(words), dtype=np.float32) for words in sentences]
        losses = [None if gold is None else float(len(words)) for words in sentences]
        return [
            tagging._replace(probabilities=table, loss=loss)
            for tagging, table, loss in zip(taggings, tables, losses, strict=True)
        ]


def test_a_long_text_is_asked_in_sentences_and_answered_as_a_row() -> None:
    text, tagger = "He left. To\nNew York he went, \U0001f680!\n\nRome", Asking()
    tags = [0, 0, 0, 0, 5, 6, 0, 0, 0, 0, 0, 5]
    lines = [json.dumps(row).encode() for row in ({"text": text, "ner_tags": tags}, {"tokens": ["A. B", ".", "C"]})]
    first, second = predict(tagger, lines, "in")
    assert [len(words) for words in tagger.asked[0]] == [3, 8, 1, 3]
    assert [*itertools.chain(*tagger.asked[0][:3])] == first.row["tokens"]
    found = [(text[e["start"] : e["end"]], e["text"]) for e in first.row["entities"]]
    assert found == [(words, words) for words in ("He", "To\nNew York", "Rome")]
    assert first.row["pred"] == [
        "B-LOC", "O", "O", "B-LOC", "I-LOC", "I-LOC", "O", "O", "O", "O", "O", "B-LOC",
    ]  # fmt: skip
    assert first.probabilities is not None
    assert first.probabilities[:, 0].tolist() == [3] * 3 + [8] * 8 + [1]
    assert (first.row["decisions"], first.row["loss"]) == (12, pytest.approx((9 + 64 + 1) / 12, abs=1e-6))
    assert len(second.row["pred"]) == 3


def test_long_rows_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction, "WORDS", 50)
    tagger = Asking()
    lines = [json.dumps({"tokens": ["x"] * size}).encode() for size in (20, 20, 20, 200, 1, 1)]
    made = [len(one.row["pred"]) for one in predict(tagger, lines, "in")]
    assert made == [20, 20, 20, 200, 1, 1]
    assert [sum(map(len, sentences)) for sentences in tagger.asked] == [60, 200, 2]


def test_prose_is_a_row_a_sentence_and_lines_are_rows(tmp_path: Path) -> None:
    text = "He left for\nSão Tomé. \U0001f680 To Rome.\n\nNo stop"
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(text.encode())
    predict_file(Capitals(), str(source), str(target), reads="text")
    rows = [json.loads(line) for line in target.read_bytes().splitlines()]
    assert [row["sentence"] for row in rows] == ["He left for\nSão Tomé.", "\U0001f680 To Rome.", "No stop"]
    assert [text[e["start"] : e["end"]] for row in rows for e in row["entities"]] == [
        e["text"] for row in rows for e in row["entities"]
    ]
    predict_file(Capitals(), str(source), str(target), reads="lines")
    rows = [json.loads(line) for line in target.read_bytes().splitlines()]
    assert [row["text"] for row in rows] == text.split("\n")
    assert [e["text"] for e in rows[1]["entities"]] == ["São Tomé", "To Rome"]


def test_the_command_takes_a_file_for_what_its_name_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stages.models.families.load", lambda _: Capitals())
    (tmp_path / "a.txt").write_text("a\nRome. New\nYork", encoding="utf-8")
    (tmp_path / "b.log").write_text("a\nRome. New\nYork", encoding="utf-8")
    inputs, outputs = ([str(tmp_path / name) for name in names] for names in (("a.txt", "b.log"), ("a.csv", "b.csv")))
    command(Path("model"), inputs, outputs, format="csv")
    found = [path.read_text(encoding="utf-8").splitlines()[1:] for path in map(Path, outputs)]
    assert found[0] == ['1,2,6,"LOC","Rome",0.5', '2,8,16,"LOC","New', 'York",0.5']
    assert found[1] == ['2,0,4,"LOC","Rome",0.5', '2,6,9,"LOC","New",0.5', '3,0,4,"LOC","York",0.5']


def test_doc_bins_on_standard_output_are_refused_before_anything_is_loaded() -> None:
    with pytest.raises(UserError, match="--format spacy --output -"):
        command(Path("no model"), ["in.jsonl"], ["-"], format="spacy")


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("screen", [Screen, io.StringIO])
def test_only_a_terminal_sees_how_far_it_is(
    screen: type[io.StringIO], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr", said := screen())
    source = tmp_path / "in.jsonl"
    source.write_bytes(b'{"tokens": ["Rome"]}\n' * 50)
    predict_file(Capitals(), str(source), str(tmp_path / "out"))
    assert ("100%" in said.getvalue() and "1.05k/1.05k" in said.getvalue()) == said.isatty()
    assert said.isatty() or said.getvalue() == ""
