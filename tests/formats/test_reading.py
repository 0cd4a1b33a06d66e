"""Every input format: its rows, their places in the original, and its faults by name and line."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from stages.corpus.rows import Faults
from stages.errors import UserError
from stages.formats import reading
from stages.formats.reading import READERS, Asked, InputFormat, format_of, pieces


def asked(data: bytes, kind: InputFormat) -> list[Asked]:
    faults = Faults()
    made = list(READERS[kind](pieces(io.BytesIO(data), kind), "in", faults))
    faults.check()
    return made


def test_a_text_row_is_read_in_sentences_and_stays_a_row() -> None:
    text = "Marie left. She\u00a0went to Warsaw!\n\nThe end"
    (row,) = asked(json.dumps({"text": text, "id": 4}).encode(), "jsonl")
    assert row.row == {"text": text, "id": 4}
    assert [" ".join(row.tokens[first:last]) for first, last in row.sentences] == [
        "Marie left .", "She went to Warsaw !", "The end",
    ]  # fmt: skip
    assert row.offsets is not None
    assert [text[start:end] for start, end in row.offsets] == row.tokens


@pytest.mark.parametrize("text", ["", "   ", "Marie left for Warsaw"])
def test_a_short_text_is_one_sentence(text: str) -> None:
    (row,) = asked(json.dumps({"text": text}).encode(), "jsonl")
    assert row.sentences == [(0, len(row.tokens))]


def test_prose_is_a_row_a_sentence_with_places_in_the_whole() -> None:
    whole = "\n\nThe \U0001f43b went to\r\nSlovakia.  It e\u0301t there.\n\nNo stop"
    made = asked(whole.encode(), "text")
    assert [row.row["sentence"] for row in made] == [
        "The \U0001f43b went to\r\nSlovakia.",
        "It e\u0301t there.",
        "No stop",
    ]
    for row in made:
        assert row.offsets is not None
        assert [whole[start:end] for start, end in row.offsets] == row.tokens
        assert whole[row.row["start"] :].startswith(row.row["sentence"])


def test_lines_are_rows_also_empty_ones() -> None:
    made = asked("one. two\r\n\n\u2028three\x0b\n".encode(), "lines")
    assert [row.row for row in made] == [{"text": "one. two"}, {"text": ""}, {"text": "\u2028three\x0b"}]
    assert [row.sentences for row in made] == [[(0, 2), (2, 3)], [(0, 0)], [(0, 1)]]


@pytest.mark.parametrize("kind", READERS)
def test_a_byte_order_mark_is_no_character(kind: InputFormat) -> None:
    line = b'{"text": "Warsaw"}' if kind == "jsonl" else b"Warsaw"
    (row,) = asked(b"\xef\xbb\xbf" + line, kind)
    assert (row.tokens, row.offsets) == (["Warsaw"], [(0, 6)])


@pytest.mark.parametrize("kind", READERS)
def test_nothing_is_no_rows(kind: InputFormat) -> None:
    assert asked(b"", kind) == []


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_character_may_lie_in_two_pieces(cut: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PIECE", cut)
    whole = "Łódź \U0001f43b in Gdańsk."
    (row,) = asked(whole.encode(), "text")
    assert row.row == {"sentence": whole, "start": 0}


@pytest.mark.parametrize("kind", ["text", "lines"])
@pytest.mark.parametrize("bad", [b"caf\xe9 noir", b"cut off \xe2\x82"])
def test_another_encoding_is_refused_by_line(kind: InputFormat, bad: bytes) -> None:
    with pytest.raises(UserError, match=r"^in:3: not UTF-8 .*iconv"):
        asked(b"one\ntwo\n" + bad, kind)


@pytest.mark.parametrize("kind", ["jsonl", "lines"])
def test_a_line_that_fits_in_no_memory_is_refused_and_the_next_ones_are_read(
    kind: InputFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LONGEST", 20)
    short = b'{"tokens": ["a"]} \n'
    data = short + b'{"text": "' + b"w " * 50 + b'"}\n' + short + b"x" * 20 + b"\n" + short
    faults, made = Faults(), 0
    for _ in READERS[kind](pieces(io.BytesIO(data), kind), "in", faults):
        made += 1
    assert (made, faults.count) == (3, 2)
    assert [place.split(":")[1] for place in faults.named] == ["2", "4"]
    assert "--input-format text" in faults.named[0]


def test_a_line_of_the_largest_size_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LONGEST", 20)
    assert [row.row["text"] for row in asked(b"x" * 19 + b"\n" + b"y" * 19, "lines")] == ["x" * 19, "y" * 19]


@pytest.mark.parametrize(
    ("name", "kind"), [("a.txt", "text"), ("A.TXT", "text"), ("x.log", "lines"), ("a.jsonl", "jsonl"), ("-", "jsonl")]
)
def test_a_name_tells_the_format(name: str, kind: str, tmp_path: Path) -> None:
    assert format_of(name) == format_of(str(tmp_path / name)) == kind
