"""Rows in, rows out: order, keys, offsets, and faults named by file and line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from stages.corpus.labels import Span
from stages.errors import UserError
from stages.models import prediction
from stages.models.prediction import predict, predict_file, words
from stages.models.tagging import Tagging


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


def test_words_of_text_lie_where_they_say() -> None:
    text = "Dr. O'Neil's dog, \u200bRex\u0301, weighs 3.5 kg — isn't that (much)?"
    tokens, offsets = words(text)
    assert [text[start:end] for start, end in offsets] == tokens
    assert "".join(tokens) == text.replace(" ", "")
