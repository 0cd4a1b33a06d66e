"""comparison.html in a real browser: headless Chromium, wide and narrow, light and dark, by keyboard alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stages.reporting import page
from tests.browser import CONTRAST, chromium, emulate, names_by_role, press

# What a keyboard user reaches, as one line each; `open` pages only, so that nothing is hidden.
FOCUSED = """
const e = document.activeElement, s = getComputedStyle(e);
const name = e.getAttribute('href') || e.getAttribute('aria-labelledby');
return {what: e === document.body ? null : e.tagName + ' ' + (name
  || e.textContent.trim().slice(0, 40)), outline: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2};
"""
REACHABLE = "return document.querySelectorAll('a[href], summary, [tabindex=\"0\"]').length;"


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture
def show(driver: Any, report: dict[str, Any], tmp_path: Path) -> Any:
    """A function that opens the page at a width, in a colour scheme, and returns the driver."""
    path = tmp_path / "comparison.html"
    path.write_text(page.render(report), encoding="utf-8")

    def opened(width: int = 1200, scheme: str = "light", unfold: bool = True) -> Any:
        emulate(driver, width, scheme)
        driver.get(path.as_uri())
        if unfold:
            driver.execute_script("document.querySelectorAll('details').forEach(e => e.open = true)")
        return driver

    return opened


def test_it_fetches_nothing_and_runs_no_word_of_the_data(show: Any):
    driver = show()
    assert driver.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert driver.execute_script("return window.hurt === undefined")
    asked = [
        entry["message"] for entry in driver.get_log("performance") if "Network.requestWillBeSent" in entry["message"]
    ]
    assert not [message for message in asked if '"url":"http' in message]
    assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []


@pytest.mark.parametrize("width", [1200, 360])
def test_the_finding_is_seen_without_scrolling(show: Any, width: int):
    driver = show(width)
    bottom = driver.execute_script("return document.querySelector('.lead').getBoundingClientRect().bottom")
    assert 0 < bottom < 900


@pytest.mark.parametrize("width", [1200, 600, 360, 320])
def test_the_page_never_scrolls_sideways(show: Any, width: int):
    driver = show(width)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [1200, 360])
def test_no_text_of_a_picture_leaves_the_window_or_lies_on_another(show: Any, width: int):
    driver = show(width)
    boxes = driver.execute_script(
        "return [...document.querySelectorAll('svg')].map(s => [...s.querySelectorAll('text')].map(t => {"
        "const b = t.getBoundingClientRect(); return [b.left, b.right, b.top, b.bottom, t.textContent]; }))"
    )
    assert boxes
    for picture in boxes:
        for left, right, _, _, text in picture:
            assert left >= 0, text
            assert right <= width, text
        for i, one in enumerate(picture):
            for other in picture[i + 1 :]:
                across = min(one[1], other[1]) - max(one[0], other[0])
                down = min(one[3], other[3]) - max(one[2], other[2])
                assert across <= 1 or down <= 4, (one[4], other[4])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast_enough(show: Any, scheme: str):
    found = show(1200, scheme).execute_script(CONTRAST)
    assert len(found) > 200
    assert [(text, round(ratio, 2)) for text, ratio in found if ratio < 4.5] == []


def test_dark_mode_is_dark_and_light_mode_light(show: Any):
    paper = "return getComputedStyle(document.body).backgroundColor"
    assert show(1200, "light").execute_script(paper) == "rgb(255, 255, 255)"
    assert show(1200, "dark").execute_script(paper) == "rgb(22, 24, 27)"


def test_every_link_table_and_fold_is_reached_by_tab_and_seen(show: Any):
    driver = show(360)
    expected = driver.execute_script(REACHABLE)
    reached = []
    for _ in range(expected):
        press(driver, "TAB")
        focused = driver.execute_script(FOCUSED)
        assert focused["outline"], focused
        reached.append(focused["what"])
    assert None not in reached
    assert reached[0] == "A #content"
    assert len({what for what in reached if what.startswith("A ")}) == 9
    assert any(what.startswith("SUMMARY") for what in reached)
    assert any(what.startswith("DIV") for what in reached)


def test_the_skip_link_shows_itself_and_leads_to_the_content(show: Any):
    driver = show()
    press(driver, "TAB")
    assert driver.execute_script("return document.activeElement.getBoundingClientRect().left") >= 0
    press(driver, "ENTER")
    assert driver.execute_script("return document.activeElement.id") == "content"


def test_folds_open_by_keyboard(show: Any):
    driver = show(unfold=False)
    driver.execute_script("document.querySelector('summary').focus()")
    assert not driver.execute_script("return document.querySelector('details').open")
    press(driver, "ENTER")
    assert driver.execute_script("return document.querySelector('details').open")


def test_wide_tables_scroll_by_arrow_keys_in_a_narrow_window(show: Any):
    driver = show(360)
    driver.execute_script("const e = document.querySelector('#types .scroll'); e.focus(); window.box = e")
    assert driver.execute_script("return box.scrollWidth > box.clientWidth")
    for _ in range(3):
        press(driver, "ARROW_RIGHT")
    until = time.monotonic() + 60
    while driver.execute_script("return box.scrollLeft") == 0 and time.monotonic() < until:
        time.sleep(0.05)
    assert driver.execute_script("return box.scrollLeft") > 0


def test_the_accessibility_tree_names_the_landmarks_and_pictures(show: Any):
    driver = show()
    roles = names_by_role(driver)
    assert len(roles["main"]) == 1
    assert roles["navigation"] == ["On this page"]
    assert len(roles["image"]) >= 4
    assert all(roles["image"])
    assert all(roles["table"])
