"""The page in a real browser: headless Chromium, wide and narrow, light and dark, by keyboard alone."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from stages.demonstration import page
from stages.demonstration.readers import LIMIT, Reader
from stages.demonstration.server import Server
from stages.models.tagging import Tagging
from tests.browser import CONTRAST, chromium, emulate, names_by_role, press
from tests.demonstration.builders import serving

TEXT = "Marie Curie, of Warsaw (1867), taught at the Sorbonne in Paris and died of anaemia."
SHOWN = """
return [...document.querySelectorAll('.text')].map((p) => { const copy = p.cloneNode(true);
  copy.querySelectorAll('i').forEach((label) => label.remove()); return copy.textContent; });
"""
DETAILS = "return [...document.querySelectorAll('.detail')].map((line) => line.textContent)"
HERE = "return [...document.querySelectorAll('mark.here')].map((mark) => mark.firstChild.data)"
FOCUSED = """
const e = document.activeElement, s = getComputedStyle(e), box = e.getBoundingClientRect();
return {what: e.id || (e.dataset.place === undefined ? e.textContent : 'mark ' + e.firstChild.data),
  seen: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 && box.width > 0 && box.left >= 0};
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture
def show(driver: Any, server: Server) -> Any:
    """A function that opens the page at a width, in a colour scheme, and returns the driver."""

    def opened(width: int = 1280, scheme: str = "light") -> Any:
        emulate(driver, width, scheme)
        driver.get(server.address)
        until(driver, "return window.innerWidth", width)  # a phone's window becomes a desk's a moment later
        return driver

    return opened


def write(driver: Any, text: str) -> None:
    """Put ``text`` into the field as a paste does: all at once, any character."""
    driver.execute_script(
        "const e = document.getElementById('text'); e.focus(); e.select();"
        "document.execCommand('insertText', false, arguments[0])",
        text,
    )


def until(driver: Any, script: str, wanted: Any) -> None:
    """Wait for ``script`` to return ``wanted``."""
    end = time.monotonic() + 30
    while (found := driver.execute_script(script)) != wanted and time.monotonic() < end:
        time.sleep(0.02)
    assert found == wanted


def asked(driver: Any, text: str) -> None:
    """Write ``text``, press Ctrl+Enter and wait until all panels show it."""
    write(driver, text)
    press(driver, "CONTROL", "ENTER")
    until(driver, SHOWN, [text] * 4)


def test_it_opens_with_the_example_read_and_fetches_nothing_from_elsewhere(show: Any, server: Server) -> None:
    driver = show()
    driver.get_log("performance")
    driver.get_log("browser")
    driver.refresh()
    assert driver.execute_script(SHOWN) == [page.EXAMPLE] * 4
    asked(driver, TEXT)
    sent = [one["message"] for one in driver.get_log("performance") if "Network.requestWillBeSent" in one["message"]]
    elsewhere = [one for one in sent if '"url":"http' in one and f'"url":"{server.address}/' not in one]
    assert sent
    assert elsewhere == []
    assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []


@pytest.mark.parametrize("width", [1280, 360])
def test_what_the_models_say_begins_in_the_first_window(show: Any, width: int) -> None:
    bottom = "return document.querySelector(arguments[0]).getBoundingClientRect().bottom"
    driver = show(width)
    assert driver.execute_script(bottom, "#summary") < 900
    assert driver.execute_script(bottom, ".panel .text mark") < 900


def test_side_by_side_when_wide_and_one_below_the_other_when_narrow(show: Any) -> None:
    corners = (
        "return [...document.querySelectorAll('.panel')].map((panel) => {"
        "const box = panel.getBoundingClientRect(); return [box.left, box.top]; })"
    )
    (a, b, other_a, other_b) = show(1280).execute_script(corners)
    assert a[1] == b[1] < other_a[1] == other_b[1]
    assert a[0] == other_a[0] < b[0] == other_b[0]
    narrow = show(360).execute_script(corners)
    assert len({left for left, _ in narrow}) == 1
    assert sorted(top for _, top in narrow) == [top for _, top in narrow]


@pytest.mark.parametrize("width", [1280, 600, 400, 360, 320])
def test_the_page_never_scrolls_sideways(show: Any, width: int) -> None:
    driver = show(width)
    asked(driver, f"{TEXT} {'w' * 500} Marie Curie{'́' * 50} Warsaw, {'Paris ' * 40}")
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_every_text_has_contrast_enough(show: Any, scheme: str, width: int) -> None:
    driver = show(width, scheme)
    asked(driver, TEXT)
    press(driver, "CONTROL", "ENTER")
    write(driver, "")
    press(driver, "CONTROL", "ENTER")
    until(driver, "return document.getElementById('fault').hidden", False)
    until(driver, "return document.getAnimations().length", 0)
    found = driver.execute_script(CONTRAST)
    assert len(found) > 120
    assert [(text, round(ratio, 2)) for text, ratio in found if ratio < 4.5] == []


def test_the_type_stands_beside_every_entity_in_words(show: Any) -> None:
    driver = show()
    asked(driver, TEXT)
    labels = driver.execute_script("return [...document.querySelectorAll('.text mark i')].map(e => e.innerText.trim())")
    assert {label.split()[-2 if "." in label else -1] for label in labels} >= {"PER", "LOC", "none"}


def test_the_tab_key_reaches_everything_in_order_and_it_is_seen(show: Any) -> None:
    driver = show(360)
    asked(driver, TEXT)
    driver.execute_script("document.activeElement.blur(); window.scrollTo(0, 0)")
    driver.execute_script("document.querySelector('.skip').focus()")
    reached = []
    for _ in range(2 + 1 + len(page.EXAMPLES) + 4):
        focused = driver.execute_script(FOCUSED)
        assert focused["seen"], focused
        reached.append(focused["what"])
        press(driver, "TAB")
    marks = ["mark Marie Curie", "mark Marie Curie", "mark Marie", "mark Marie Curie"]
    assert reached == ["To the results", "text", "Find entities", *page.EXAMPLES, *marks]


@pytest.mark.parametrize("keys", [("CONTROL", "ENTER"), ("META", "ENTER")])
def test_control_and_enter_ask(show: Any, keys: tuple[str, ...]) -> None:
    driver = show()
    write(driver, "Warsaw \U0001f600 Paris")
    press(driver, *keys)
    until(driver, SHOWN, ["Warsaw \U0001f600 Paris"] * 4)


def test_enter_alone_is_a_new_line_and_the_button_asks(show: Any) -> None:
    driver = show()
    write(driver, "Warsaw")
    press(driver, "ENTER")
    assert driver.execute_script("return document.getElementById('text').value") == "Warsaw\n"
    assert driver.execute_script(SHOWN)[0] == page.EXAMPLE
    press(driver, "TAB")
    press(driver, "ENTER")
    until(driver, SHOWN, ["Warsaw\n"] * 4)


@pytest.mark.parametrize("name", page.EXAMPLES)
def test_an_example_is_read_at_the_press_of_its_button(show: Any, name: str) -> None:
    driver = show()
    write(driver, "")
    driver.execute_script(
        "[...document.querySelectorAll('[data-text]')].find(e => e.textContent === arguments[0]).click()", name
    )
    until(driver, SHOWN, [page.EXAMPLES[name]] * 4)
    assert driver.execute_script("return document.getElementById('text').value") == page.EXAMPLES[name]


@pytest.mark.parametrize(
    "text",
    [
        "<script>window.hurt = 1</script><img src=x onerror='window.hurt = 1'> \"Warsaw\" & </p></textarea> &amp;",
        "\U0001f469\u200d\U0001f52c\U0001f600 Marie Curie \U0001f48c Warsaw \U0001f1f5\U0001f1f1 Paris",
        "הרכבת מ תל אביב ל Warsaw, דמשק\n\n  Paris   ;\t1867",
    ],
)
def test_any_text_is_shown_as_it_is_with_the_right_words_marked(show: Any, text: str) -> None:
    driver = show()
    asked(driver, text)
    assert driver.execute_script(
        "return window.hurt === undefined && !document.querySelector('.text img, .text script')"
    )
    first = driver.execute_script(
        "return [...document.querySelector('.text').querySelectorAll('mark')].map(e => e.firstChild.data)"
    )
    assert [name for name in ("Marie Curie", "תל אביב", "Warsaw", "Paris", "1867") if name in text] == first


def test_copied_text_has_no_labels_in_it(show: Any) -> None:
    driver = show()
    asked(driver, TEXT)
    copied = driver.execute_script(
        "getSelection().selectAllChildren(document.querySelector('.text')); return getSelection().toString()"
    )
    assert copied == TEXT


def test_a_right_to_left_text_begins_at_the_right(show: Any) -> None:
    driver = show()
    asked(driver, "הרכבת מ תל אביב")
    box = (
        "const range = new Range(), p = document.querySelector('.text'); range.selectNodeContents(p);"
        "return [range.getBoundingClientRect().right, p.getBoundingClientRect().right]"
    )
    right, edge = driver.execute_script(box)
    assert abs(right - edge) < 2


def test_results_are_announced_once_as_one_sentence(show: Any) -> None:
    driver = show()
    asked(driver, TEXT)
    live = driver.execute_script(
        "return [...document.querySelectorAll('[role=status], [aria-live]')].map(e => e.innerText)"
    )
    assert len(live) == 1
    assert live[0].startswith("6 places named: the models agree on 2 and differ on 4.")


def test_an_empty_text_is_answered_at_the_field_and_results_stay(show: Any) -> None:
    driver = show()
    write(driver, "")
    press(driver, "CONTROL", "ENTER")
    fault = "const e = document.getElementById('fault'); return e.hidden ? '' : e.innerText"
    until(driver, fault, "There is no text yet: type a sentence, or take one of the examples.")
    assert driver.execute_script("return document.getElementById('text').getAttribute('aria-invalid')") == "true"
    assert driver.execute_script(SHOWN) == [page.EXAMPLE] * 4
    asked(driver, TEXT)
    assert driver.execute_script(fault) == ""


def test_the_limit_is_told_before_and_after(show: Any) -> None:
    driver = show()
    count = "return document.getElementById('count').innerText"
    assert driver.execute_script(count) == f"{len(page.EXAMPLE)} of 3,000 characters"
    write(driver, "\U0001f600" * (LIMIT + 1))
    assert driver.execute_script(count) == "3,001 of 3,000 characters"
    press(driver, "CONTROL", "ENTER")
    until(driver, "return document.getElementById('fault').innerText.slice(0, 21)", "The text is too long:")


def test_pointing_and_walking_show_all_four_answers_for_one_place(show: Any) -> None:
    driver = show()
    asked(driver, TEXT)
    assert driver.execute_script(DETAILS) == ["4 entities", "4 entities", "4 entities", "3 entities"]
    driver.execute_script("document.querySelector('.text mark').focus()")
    assert driver.execute_script(HERE) == ["Marie Curie", "Marie Curie", "Marie", "Marie Curie"]
    for _ in range(2):
        press(driver, "ARROW_RIGHT")
    time_of = "TIME, score 1.0000, characters 24 to 28"
    unasked = "not asked: none of its types"
    assert driver.execute_script(DETAILS) == [time_of, unasked, time_of, unasked]
    press(driver, "END")
    assert driver.execute_script(DETAILS)[2:] == ["DIS, score 1.0000, characters 75 to 82", "no entity here"]
    press(driver, "TAB")
    press(driver, "SHIFT", "TAB")
    assert driver.execute_script(HERE)[0] == "anaemia"  # one goes back to where one was
    driver.execute_script("document.activeElement.blur()")
    point(driver, ".places tbody tr:nth-child(4)")
    assert driver.execute_script(HERE) == ["Sorbonne"] * 4
    point(driver, "h1")
    assert driver.execute_script(HERE) == []
    assert driver.execute_script(DETAILS)[0] == "4 entities"


def point(driver: Any, selector: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(driver).move_to_element(driver.find_element("css selector", selector)).perform()


def test_only_the_newest_of_two_questions_is_shown(show: Any) -> None:
    driver = show()
    write(driver, "Paris")
    press(driver, "CONTROL", "ENTER")
    asked(driver, "Warsaw")
    time.sleep(0.3)
    assert driver.execute_script(SHOWN) == ["Warsaw"] * 4


class Slow:
    """A tagger that takes a second, after the example."""

    types, labels = ("LOC",), ("O", "B-LOC", "I-LOC")

    def tag(self, sentences: Sequence[Sequence[str]], gold: Sequence[Sequence[str]] | None = None) -> list[Tagging]:
        time.sleep(1.0 if sentences[0][0] == "slowly" else 0)
        return [Tagging([], [], None, None, 0) for _ in sentences]


def test_a_slow_answer_says_that_it_is_on_its_way(driver: Any) -> None:
    told = "return document.getElementById('summary').innerText.slice(0, 31)"
    with serving([Reader("span_marker-A", Slow())]) as made:
        emulate(driver, 1280)
        driver.get(made.address)
        write(driver, "slowly")
        press(driver, "CONTROL", "ENTER")
        until(driver, told, "Reading…")
        until(driver, told, "No model sees an entity here. 1")


def test_a_server_that_is_gone_is_told_in_the_page(driver: Any) -> None:
    with serving() as made:
        emulate(driver, 1280)
        driver.get(made.address)
    write(driver, TEXT)
    press(driver, "CONTROL", "ENTER")
    until(driver, "return document.getElementById('fault').innerText.slice(0, 27)", "The server does not answer.")
    assert driver.execute_script(SHOWN) == [page.EXAMPLE] * 4
    assert not driver.execute_script("return document.getElementById('results').hasAttribute('aria-busy')")


def test_the_accessibility_tree_names_what_is_there(show: Any) -> None:
    driver = show(360)
    asked(driver, TEXT)
    roles = names_by_role(driver)
    assert len(roles["main"]) == 1
    assert roles["textbox"] == ["Your text, in English"]
    assert all(roles["button"])
    assert [name for name in roles["region"] if name in (titles := [
        "SpanMarker A", "SpanMarker B", "Token classifier A", "Token classifier B"])] == titles  # fmt: skip
    assert roles["table"] == ["Place by place"]
    assert len(roles["columnheader"]) >= 4
    assert len(roles["rowheader"]) == 6
