"""comparison.html as text: what it says, that it is self-contained, that it is the same each time."""

from __future__ import annotations

import copy
import itertools
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from stages.corpus.labels import FIVE, TYPES
from stages.reporting import page
from tests.reporting.builders import report as make_report
from tests.reporting.builders import side

VOID = {"meta", "link", "br", "img", "hr", "input"}


class Tree(HTMLParser):
    """Checks that every tag is closed in order, and gathers tags, attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module")
def tree(report: dict[str, Any]) -> Tree:
    return Tree(page.render(report))


def test_the_same_report_gives_the_same_bytes(report: dict[str, Any]):
    assert page.render(report) == page.render(copy.deepcopy(report))


def test_the_verdict_comes_before_anything_else(report: dict[str, Any], tree: Tree):
    body = tree.text[tree.text.index("A against B: which") :]
    first = report["verdict"].split(". ")[0]
    assert first in body[:600]
    assert [attrs for tag, attrs in tree.tags if tag == "h1"] == [{}]
    assert tree.text.index(first) < tree.text.index("Type by type")


def test_every_figure_of_common_ground_is_there(report: dict[str, Any], tree: Tree):
    common = report["common"]
    for value in (common["a_f1"], common["b_f1"], report["headline"]["a_f1"]):
        assert f"{value:.4f}" in tree.text
    for kind, row in report["per_type"].items():
        assert f"{kind}, " in tree.text
        assert f"{row['a_f1']:.4f}" in tree.text


def test_words_of_the_data_are_escaped(report: dict[str, Any], tree: Tree):
    assert "script" not in {tag for tag, _ in tree.tags}
    assert "img" not in {tag for tag, _ in tree.tags}
    assert "<script>window.hurt=1</script>" in tree.text  # as text, for people to read
    assert "{{verdict}}" in tree.text


def test_names_of_the_sides_are_escaped(report: dict[str, Any]):
    named = {**report, "names": {"a": "<b>A</b>", "b": "B & co"}}
    text = page.render(named)
    assert "&lt;b&gt;A&lt;/b&gt;" in text
    assert "B &amp; co" in text


def test_nothing_is_fetched(report: dict[str, Any], tree: Tree):
    links = [value for _, attrs in tree.tags for name, value in attrs.items() if name in ("src", "href")]
    assert links
    assert all(value and value.startswith(("#", "data:")) for value in links)
    text = page.render(report)
    assert "http" not in re.sub(r'http-equiv="Content-Security-Policy"', "", text)
    assert "@import" not in text
    assert "url(" not in text


def test_links_and_labels_lead_to_one_place_each(tree: Tree):
    ids = [attrs["id"] for _, attrs in tree.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for _, attrs in tree.tags:
        for name in ("href", "aria-labelledby"):
            value = attrs.get(name) or ""
            if name == "aria-labelledby" and value:
                assert value in ids
            if name == "href" and value.startswith("#"):
                assert value[1:] in ids


def test_headings_go_down_one_level_at_a_time(tree: Tree):
    levels = [int(tag[1]) for tag, _ in tree.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_every_table_and_picture_has_a_name(tree: Tree):
    assert tree.named("table")
    assert all("aria-labelledby" in attrs for attrs in tree.named("table"))
    boxes = [attrs for _, attrs in tree.tags if attrs.get("class") == "scroll"]
    assert len(boxes) == len(tree.named("table"))
    assert all(attrs["tabindex"] == "0" and attrs["role"] == "region" and attrs["aria-labelledby"] for attrs in boxes)
    assert all(attrs.get("role") == "img" and "aria-labelledby" in attrs for attrs in tree.named("svg"))
    assert len(tree.named("svg")) == len(tree.named("figure")) == len(tree.named("figcaption"))


def test_language_title_and_landmarks(report: dict[str, Any], tree: Tree):
    assert tree.named("html") == [{"lang": "en"}]
    assert len(tree.named("main")) == len(tree.named("header")) == len(tree.named("footer")) == 1
    assert re.search(r"<title>A against B: \S.*</title>", page.render(report))


def test_no_path_and_no_date(report: dict[str, Any], tree: Tree, tmp_path_factory: pytest.TempPathFactory):
    text = page.render(report)
    assert str(tmp_path_factory.getbasetemp()) not in text
    assert not re.search(r"\b20\d\d-\d\d", text)


def test_examples_show_what_was_right_wrong_and_missed(tree: Tree):
    kinds = {attrs.get("class") for attrs in tree.named("mark")}
    assert kinds == {"right", "wrong", "missed"}


def test_few_examples_are_open_and_the_rest_folded(report: dict[str, Any]):
    text = page.render(report)
    for name, winner in (("a_right", "A"), ("b_right", "B")):
        part = text[text.index(f"<h3>{winner} is right") :]
        shown = part[: part.index("<details>")].count("<li>")
        assert shown == page.SHOWN_AT_ONCE == 3
        folded = part[part.index("<details>") : part.index("</details>")].count("<li>")
        assert shown + folded == len(report["disagreements"]["examples"][name])


def test_without_examples_no_sentence_is_shown(tmp_path: Path):
    text = page.render(make_report(tmp_path, [side(TYPES, 1, 0.3)], [side(FIVE, 2, 0.3)], examples=0))
    assert "<mark" not in text
    assert "w1." not in text
    assert "This report shows no sentence of the data." in text


def test_without_scores_it_says_so(tmp_path: Path):
    text = page.render(make_report(tmp_path, [side(TYPES, 1, 0.3, scored=False)], [side(FIVE, 2, 0.3, scored=False)]))
    assert "carry no scores" in text
    assert "Reliability" not in text


def test_one_side_with_scores_is_drawn_alone(tmp_path: Path):
    text = page.render(make_report(tmp_path, [side(TYPES, 1, 0.3)], [side(FIVE, 2, 0.3, scored=False)]))
    assert 'class="line-A"' in text
    assert 'class="line-B"' not in text


def test_sides_that_agree_on_everything(tmp_path: Path):
    text = page.render(make_report(tmp_path, [side(FIVE, 1, 0.2)], [side(FIVE, 1, 0.2)]))
    assert "No evidence that either is better" in text
    assert "There is none." in text
    assert "both sides know the same types" in text
    Tree(text)


def test_sides_without_a_mistake(tmp_path: Path):
    text = page.render(make_report(tmp_path, [side(FIVE, 1, 0.0)], [side(FIVE, 1, 0.0)]))
    assert "Neither side makes an error." in text
    Tree(text)


def test_sides_that_find_nothing(tmp_path: Path):
    nothing = [{**row, "pred": ["O"] * 12, "entities": []} for row in side(FIVE, 1, 0.0)]
    text = page.render(make_report(tmp_path, [nothing], [nothing]))
    assert "0.0000" in text
    Tree(text)


def test_several_seeds_have_their_table(tmp_path: Path, report: dict[str, Any]):
    several = make_report(tmp_path, [side(TYPES, s, 0.3) for s in (1, 2)], [side(FIVE, s, 0.3) for s in (3, 4)])
    text = page.render(several)
    assert f"{several['seeds']['a']['f1'][1]:.4f}" in text
    assert "their spread (standard deviation" in text
    assert "their spread (standard deviation" not in page.render(report)


def test_a_group_that_one_side_alone_has_is_shown_in_its_place() -> None:
    sides = {"a": [{"group": "1"}, {"group": "2"}, {"group": "3"}], "b": [{"group": "1"}, {"group": "5 to 8"}]}
    (table,) = page._breakdowns({"by_length": sides})
    assert [row["group"] for row in table["rows"]] == ["1", "2", "3", "5 to 8"]
    assert table["rows"][-1]["a"] is None
