r"""The sample's markup says what a row says, and malformed markup is named by file, line and column."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.corpus.labels import TAG_IDS, TYPES
from stages.corpus.markup import MarkupError, parse, read_markup, render
from stages.corpus.rows import DataError, Faults, Row

MALFORMED = {
    " a": (1, "white space"),
    "a ": (2, "white space"),
    "a  b": (2, "white space"),
    "a\tb": (2, "white space"),
    "a\u00a0b": (2, "white space"),
    "[a|PER] ": (8, "white space"),
    "[ a|PER]": (2, "white space"),
    "[a |PER]": (3, "white space"),
    "[a  b|PER]": (3, "white space"),
    "[a|PERS] b": (4, "'PERS' is no entity type; did you mean PER?"),
    "[a|per]": (4, "did you mean PER?"),
    "[a|QQQ]": (4, "the types are PER, ORG"),
    "[a|]": (4, "'' is no entity type"),
    "[a PER] b": (7, "the entity has no type"),
    "[a|PER].": (8, "touches the ']'"),
    "[a|PER][b|LOC]": (8, "touches the ']'"),
    "x[a|PER]": (2, "'[' inside a word"),
    "[a|PER": (7, "']' should follow the type PER"),
    "[a|PER|LOC]": (7, "']' should follow the type PER"),
    "word [a b": (10, "the '[' of column 6 is never closed"),
    "[": (2, "the '[' of column 1 is never closed"),
    "[a [b|PER] c|LOC]": (4, "entities do not nest"),
    "[a[b|PER] c|LOC]": (3, "entities do not nest"),
    "a ] b": (3, "']' without its '['"),
    "a|b": (2, "'|' outside an entity"),
    "[|PER]": (2, "without words"),
    "a\\b": (2, "a backslash that escapes nothing"),
    "a\\": (2, "a backslash that escapes nothing"),
    "#a": (1, "neither a comment"),
}


@pytest.mark.parametrize("line", MALFORMED)
def test_malformed_markup_is_named_by_file_line_and_column(tmp_path: Path, line: str) -> None:
    column, what = MALFORMED[line]
    path = tmp_path / "val_en.txt"
    path.write_text(f"# comment\nFine .\n{line}\n", encoding="utf-8")
    with pytest.raises(DataError) as error:
        list(read_markup(path, "en"))
    assert str(error.value).startswith(f"{path}:3:{column}: ")
    assert what in str(error.value)


def test_the_example_of_the_readme() -> None:
    found = parse("[Marie Curie|PER] was born in [Warsaw|LOC] .", "en")
    assert found.tokens == ["Marie", "Curie", "was", "born", "in", "Warsaw", "."]
    assert found.ner_tags == [TAG_IDS[tag] for tag in ("B-PER", "I-PER", "O", "O", "O", "B-LOC", "O")]
    assert found.lang == "en"


def test_entities_that_follow_each_other_stay_two() -> None:
    tags = parse("[Ada|PER] [Bob Ray|PER]", "en").ner_tags
    assert tags == [TAG_IDS[tag] for tag in ("B-PER", "B-PER", "I-PER")]


def test_comments_and_empty_lines_are_no_sentences_and_any_line_end_will_do(tmp_path: Path) -> None:
    path = tmp_path / "train_de.txt"
    path.write_bytes("\ufeff# Kommentar\r\n\r\n#\nEs regnet .\r\n\n[Köln|LOC]".encode())
    rows = list(read_markup(path, "de"))
    assert [(row.tokens, row.lang) for row in rows] == [(["Es", "regnet", "."], "de"), (["Köln"], "de")]


def test_a_backslash_takes_the_meaning_from_signs() -> None:
    line = r"\# \[1\] a\|b \\ two\ parts line\nend [x\]|PER]"
    found = parse(line, "en")
    assert found.tokens == ["#", "[1]", "a|b", "\\", "two parts", "line\nend", "x]"]
    assert render(found) == line


def test_a_hash_that_begins_no_line_needs_no_backslash() -> None:
    assert parse("No. #1 # here", "en").tokens == ["No.", "#1", "#", "here"]


def test_many_faults_of_a_file_come_together(tmp_path: Path) -> None:
    path = tmp_path / "train_en.txt"
    path.write_bytes(b"[a|XX]\nGood .\n\xff\xfe\nb  c\n")
    faults = Faults()
    assert [row.tokens for row in read_markup(path, "en", faults)] == [["Good", "."]]
    with pytest.raises(DataError) as error:
        faults.check()
    first, second, third = str(error.value).split("\n")
    assert "train_en.txt:1:4: 'XX'" in first
    assert "train_en.txt:3: not UTF-8" in second
    assert "train_en.txt:4:2: white space" in third


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        list(read_markup(tmp_path / "none.txt", "en"))


def test_tags_that_markup_cannot_say_are_refused() -> None:
    with pytest.raises(DataError, match="O I-PER: an I- tag continues no entity"):
        render(Row(["a", "b"], [0, 2], "en"))
    with pytest.raises(DataError, match="B-PER I-LOC"):
        render(Row(["a", "b"], [1, 6], "en"))


words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
chunks = st.tuples(st.lists(words, min_size=1, max_size=4), st.sampled_from([None, *TYPES]))


@st.composite
def legal_rows(draw: st.DrawFn) -> Row:
    tokens: list[str] = []
    tags: list[int] = []
    for some, kind in draw(st.lists(chunks, min_size=1, max_size=6)):
        tokens += some
        tags += [TAG_IDS[f"{'I' if i else 'B'}-{kind}"] if kind else 0 for i in range(len(some))]
    return Row(tokens, tags, "en")


@settings(deadline=None)
@given(legal_rows())
def test_render_and_parse_are_inverse_for_any_row(row: Row) -> None:
    line = render(row)
    assert "\n" not in line
    assert "\r" not in line
    assert parse(line, "en") == row


def read_or_refused(line: str) -> Row | MarkupError:
    try:
        return parse(line, "en")
    except MarkupError as error:
        return error


@settings(deadline=None)
@given(st.text(alphabet="ab []|\\#PERLOCn\t", max_size=25))
def test_any_line_is_either_read_or_refused_at_a_place_of_its_own(line: str) -> None:
    found = read_or_refused(line)
    if isinstance(found, MarkupError):
        assert 1 <= found.column <= len(line) + 1
        assert str(found)
    else:
        assert parse(render(found), "en") == found
