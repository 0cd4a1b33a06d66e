"""Rows are read typed and whole, and a bad row is named by file, line, field and value."""

from __future__ import annotations

import io
import json
import os
import tracemalloc
from codecs import BOM_UTF8
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.corpus.labels import LANGUAGES, TAGS
from stages.corpus.rows import DataError, Faults, Row, read_rows, write_rows
from tests.corpus.builders import row, write_jsonl

GOOD = '{"tokens": ["a", "b"], "ner_tags": [0, 1], "lang": "en"}'

BAD_LINES = {
    "broken json": ('{"tokens": ["a", "b"', ["not valid JSON", 'the line begins \'{"tokens"', "mend or delete"]),
    "two rows on a line": (GOOD + GOOD, ["not valid JSON"]),
    "empty line": ("", ["an empty line", "delete it"]),
    "no object": ('["a"]', ['the row is ["a"]', "not an object"]),
    "nested too deep": ("[" * 100_000, ["not valid JSON"]),
    "tokens missing": ('{"ner_tags": [0], "lang": "en"}', ["tokens is missing", "'ner_tags', 'lang'"]),
    "ner_tags missing": ('{"tokens": ["a"], "lang": "en"}', ["ner_tags is missing"]),
    "lang missing": ('{"tokens": ["a"], "ner_tags": [0]}', ["lang is missing"]),
    "nothing there": ("{}", ["tokens is missing", "every row needs tokens, ner_tags and lang"]),
    "tokens as text": ('{"tokens": "a b", "ner_tags": [0], "lang": "en"}', ['tokens is "a b"', "not a list"]),
    "a token as number": ('{"tokens": ["a", 7], "ner_tags": [0, 0], "lang": "en"}', ["tokens[1] is 7", "quotes"]),
    "a token as null": ('{"tokens": [null], "ner_tags": [0], "lang": "en"}', ["tokens[0] is null"]),
    "an empty token": ('{"tokens": ["a", ""], "ner_tags": [0, 0], "lang": "en"}', ['tokens[1] is ""', "delete it"]),
    "an empty sentence": ('{"tokens": [], "ner_tags": [], "lang": "en"}', ["tokens is []", "empty sentence"]),
    "tags as object": ('{"tokens": ["a"], "ner_tags": {}, "lang": "en"}', ["ner_tags is {}", "not a list"]),
    "a tag as text": ('{"tokens": ["a"], "ner_tags": ["O"], "lang": "en"}', ['ner_tags[0] is "O"', "whole number"]),
    "a tag as float": ('{"tokens": ["a"], "ner_tags": [5.0], "lang": "en"}', ["ner_tags[0] is 5.0"]),
    "a tag as boolean": ('{"tokens": ["a"], "ner_tags": [true], "lang": "en"}', ["ner_tags[0] is true"]),
    "tag id too high": ('{"tokens": ["a", "b"], "ner_tags": [0, 31], "lang": "en"}', ["ner_tags[1] is 31", "0 to 30"]),
    "tag id negative": ('{"tokens": ["a"], "ner_tags": [-1], "lang": "en"}', ["ner_tags[0] is -1", "unknown tag id"]),
    "more tokens": ('{"tokens": ["a", "b"], "ner_tags": [0], "lang": "en"}', ["2 tokens but 1 ner_tags"]),
    "more tags": ('{"tokens": ["a"], "ner_tags": [0, 0, 0], "lang": "en"}', ["1 tokens but 3 ner_tags"]),
    "unknown language": ('{"tokens": ["a"], "ner_tags": [0], "lang": "sv"}', ['lang is "sv"', "none of de, en"]),
    "language as list": ('{"tokens": ["a"], "ner_tags": [0], "lang": ["en"]}', ['lang is ["en"]']),
    "language of another file": ('{"tokens": ["a"], "ner_tags": [0], "lang": "de"}', ["lang is 'de'", "of 'en'"]),
}


def read(path: Path, text: str | bytes, **options: object) -> list[Row]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_rows(path, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_row_is_named_by_file_line_field_and_value(tmp_path: Path, name: str) -> None:
    line, wanted = BAD_LINES[name]
    path = tmp_path / "rows.jsonl"
    with pytest.raises(DataError) as error:
        read(path, f"{GOOD}\n{line}\n{GOOD}\n", lang="en")
    message = str(error.value)
    assert message.startswith(f"{path}:2: ")
    assert "\n" not in message
    assert len(message) < len(str(path)) + 300
    for part in wanted:
        assert part in message


def test_bytes_that_are_no_utf8_are_refused_with_their_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"rows\.jsonl:1: not valid JSON .*utf-8"):
        read(tmp_path / "rows.jsonl", b'{"tokens": ["\xff"], "ner_tags": [0], "lang": "en"}\n')


def test_twenty_bad_rows_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        read(tmp_path / "rows.jsonl", "{}\n" * 55)
    lines = str(error.value).split("\n")
    assert [int(line.split(":")[1]) for line in lines[:-1]] == list(range(1, 21))
    assert lines[-1] == "… and 35 more"


def test_twenty_bad_rows_leave_nothing_to_count(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        read(tmp_path / "rows.jsonl", "{}\n" * 20)
    assert str(error.value).count("\n") == 19
    assert "more" not in str(error.value)


def test_faults_gather_over_files_and_good_rows_still_come(tmp_path: Path) -> None:
    faults = Faults()
    first = read(tmp_path / "a.jsonl", f"{GOOD}\n{{}}\n{GOOD}\n", faults=faults)
    second = read(tmp_path / "b.jsonl", "[]\n", faults=faults)
    assert (len(first), len(second), faults.count) == (2, 0, 2)
    with pytest.raises(DataError) as error:
        faults.check()
    assert [line.split(": ")[0][-9:] for line in str(error.value).split("\n")] == ["a.jsonl:2", "b.jsonl:1"]


def test_no_faults_pass_the_check() -> None:
    Faults().check()


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.jsonl: cannot be read: No such file"):
        list(read_rows(tmp_path / "none.jsonl"))
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        list(read_rows(tmp_path))


def test_multinerd_rows_become_canonical_and_lose_other_keys(tmp_path: Path) -> None:
    rows = read(
        tmp_path / "rows.jsonl", '{"id": 3, "lang": "en", "ner_tags": [0], "tokens": ["A"], "note": {"x": [1]}}\r\n'
    )
    out = io.BytesIO()
    assert write_rows(out, rows) == 1
    assert out.getvalue() == b'{"tokens":["A"],"ner_tags":[0],"lang":"en"}\n'


def test_writing_escapes_nothing_that_utf8_can_say() -> None:
    out = io.BytesIO()
    write_rows(out, [Row(["Łódź", "東京", "\u2028", 'a"/\\'], [5, 5, 0, 0], "pl")])
    expected = '{"tokens":["Łódź","東京","\u2028","a\\"/\\\\"],"ner_tags":[5,5,0,0],"lang":"pl"}\n'
    assert out.getvalue().decode() == expected


def test_blank_tokens_are_legal(tmp_path: Path) -> None:
    (only,) = read(
        tmp_path / "rows.jsonl", '{"tokens": [" ", "\\u200b", "\\n"], "ner_tags": [0, 0, 0], "lang": "en"}\n'
    )
    assert only.tokens == [" ", "\u200b", "\n"]


def test_a_byte_order_mark_and_a_missing_last_line_end_do_no_harm(tmp_path: Path) -> None:
    assert len(read(tmp_path / "rows.jsonl", b"\xef\xbb\xbf" + f"{GOOD}\n{GOOD}".encode())) == 2


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    assert read(tmp_path / "rows.jsonl", "") == []


def test_only_passes_over_other_languages_but_not_over_unknown_ones(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "rows.jsonl", [row("eins", lang="de"), row("one"), row("un", lang="fr"), row("two")])
    assert [r.tokens for r in read_rows(path, only="en")] == [["one"], ["two"]]
    with path.open("a") as file:
        file.write('{"tokens": ["a"], "ner_tags": [0], "lang": "xx"}\n{"tokens": ["a"], "ner_tags": [0]}\n')
    with pytest.raises(DataError, match=r':5: lang is "xx".*\n.*:6: lang is missing'):
        list(read_rows(path, only="en"))


def test_reading_takes_constant_memory(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{GOOD}\n" * 50_000)
    tracemalloc.start()
    try:
        count = sum(1 for _ in read_rows(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 50_000
    assert peak < 1_000_000


words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@st.composite
def any_rows(draw: st.DrawFn) -> Row:
    tokens = draw(st.lists(words, min_size=1))
    tags = draw(st.lists(st.integers(0, len(TAGS) - 1), min_size=len(tokens), max_size=len(tokens)))
    return Row(tokens, tags, draw(st.sampled_from(LANGUAGES)))  # type: ignore[arg-type]


@settings(deadline=None)
@given(st.lists(any_rows(), max_size=5))
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, given_rows: list[Row]) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    with path.open("wb") as file:
        assert write_rows(file, given_rows) == len(given_rows)
    assert list(read_rows(path)) == given_rows
    for line, original in zip(path.read_bytes().decode().split("\n"), given_rows, strict=False):
        assert json.loads(line)["tokens"] == original.tokens


@pytest.mark.parametrize("mark", [b"", BOM_UTF8], ids=["plain", "with a byte order mark"])
def test_a_pipe_is_read_as_a_file_is(mark: bytes, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor(1) as writer:
        writer.submit((tmp_path / "pipe").write_bytes, mark + b'{"tokens": ["a"], "ner_tags": [0], "lang": "en"}\n')
        found = list(read_rows(tmp_path / "pipe", "en"))
    assert [row.tokens for row in found] == [["a"]]
