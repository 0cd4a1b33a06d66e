"""The page as HTML: exact, escaped, and clear about who differs."""

from __future__ import annotations

import re

import pytest

from stages.corpus.labels import TYPES
from stages.demonstration import page
from stages.demonstration.agreement import places
from stages.demonstration.readers import LIMIT, MODELS, ask
from stages.errors import UserError
from tests.demonstration.builders import reader
from tests.demonstration.reading import Page

TEXT = "Marie Curie, of Warsaw (1867), taught at the Sorbonne in Paris and died of anaemia."
HARD = (
    "<script>hurt = 1</script> & \"quotes\" 'of' <b> Warsaw </b> </p></textarea>",
    "\U0001f469\u200d\U0001f52c Marie Curie \U0001f48c wrote to Warsaw \U0001f1f5\U0001f1f1",
    "הרכבת מ תל אביב ל Warsaw, דמשק\n\n  Paris\t1867  ",
    "e\u0301 Warsaw \u202e Paris\u202c {{ 7 * 7 }} {% raw %} &lt;",
)


def read(text: str) -> Page:
    answers = ask([reader(name) for name in MODELS], text)
    return Page(page.results(text, answers)["html"])


@pytest.mark.parametrize("text", HARD)
def test_every_panel_shows_the_text_and_nothing_but_the_text(text: str) -> None:
    found = read(text)
    assert found.texts == [text] * 4
    assert not {"script", "textarea", "b"} & {tag for tag, attributes in found.tags if "class" not in attributes}
    assert any("Warsaw" in mark for marks in found.marks for mark in marks)


@pytest.mark.parametrize("text", HARD)
def test_the_whole_page_holds_the_text_escaped(text: str) -> None:
    html = page.whole(text, ask([reader(name) for name in MODELS], text))
    assert html.count("<script") == 1
    assert html.count("</textarea>") == 1
    assert Page(html).texts == [text] * 4


def test_marks_say_type_score_characters_and_whether_models_differ() -> None:
    a, b, other_a, other_b = read(TEXT).marks
    assert a[0] == ("Marie Curie", "≠ PER 1.0000", "PER, score 1.0000, characters 0 to 11")
    assert other_a[0] == ("Marie", "≠ PER 1.0000", "PER, score 1.0000, characters 0 to 5")
    assert a[1] == ("Warsaw", "LOC 1.0000", "LOC, score 1.0000, characters 16 to 22")
    assert ("1867", "TIME 1.0000", "TIME, score 1.0000, characters 24 to 28") in a
    assert "1867" not in [text for text, *_ in (*b, *other_b)]
    assert ("Sorbonne", "none", "no entity here") in a
    assert ("Sorbonne", "≠ ORG 1.0000", "ORG, score 1.0000, characters 45 to 53") in b


def test_the_table_sets_all_four_side_by_side_in_the_order_of_the_text() -> None:
    head, *rows = read(TEXT).table
    assert head == ["entity", "SpanMarker A", "SpanMarker B", "Token classifier A", "Token classifier B"]
    per, loc, none = "PER 1.0000", "LOC 1.0000", "none"
    assert rows == [
        ["Marie Curie ≠ the models differ", per, per, f"{per} Marie", per],
        ["Warsaw", loc, loc, loc, loc],
        ["1867", "TIME 1.0000", "not asked", "TIME 1.0000", "not asked"],
        ["Sorbonne ≠ the models differ", none, "ORG 1.0000", none, none],
        ["Paris ≠ the models differ", loc, per, none, loc],
        ["anaemia ≠ the models differ", none, none, "DIS 1.0000", none],
    ]


def test_one_mark_of_each_panel_is_a_stop_of_the_tab_key() -> None:
    stops = [attributes["tabindex"] for tag, attributes in read(TEXT).tags if tag == "mark"]
    assert stops.count("0") == 4
    assert set(stops) == {"0", "-1"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Warsaw", "1 place named: the models agree on it."),
        ("Warsaw, 1867", "2 places named: the models agree on all."),
        ("anaemia", "1 place named: the models differ on it."),
        ("anaemia, Paris", "2 places named: the models differ on every one."),
        (TEXT, "6 places named: the models agree on 2 and differ on 4."),
        ("nothing", "No model sees an entity here."),
    ],
)
def test_the_summary_counts_where_models_agree(text: str, says: str) -> None:
    answers = ask([reader(name) for name in MODELS], text)
    told = page.summary(places(answers), answers)
    assert re.fullmatch(re.escape(says) + r" \d+ ms for all 4\.", told)


def test_a_text_without_an_entity_has_no_table() -> None:
    found = read("nothing")
    assert found.table == []
    assert found.marks == [[], [], [], []]


@pytest.mark.parametrize("text", ["", "  \n\t "])
def test_an_empty_text_is_refused_kindly(text: str) -> None:
    with pytest.raises(UserError, match="no text yet"):
        ask([reader("span_marker-A")], text)


def test_the_longest_text_is_read_and_one_more_character_is_not() -> None:
    (answer,) = ask([reader("span_marker-A")], ("Warsaw \U0001f600 " * LIMIT)[:LIMIT])
    assert len(answer.entities) == LIMIT // 9
    with pytest.raises(UserError, match="3,000 characters"):
        ask([reader("span_marker-A")], "a" * (LIMIT + 1))


def test_every_type_has_a_colour_of_its_own() -> None:
    hues = dict(re.findall(r"\.t-([A-Z]+) \{ --hue: (\d+); \}", page.style()))
    assert set(hues) == set(TYPES)
    assert len(set(hues.values())) == len(TYPES)


@pytest.mark.parametrize("name", page.EXAMPLES)
def test_examples_are_short_enough(name: str) -> None:
    assert 0 < len(page.EXAMPLES[name]) < 400
