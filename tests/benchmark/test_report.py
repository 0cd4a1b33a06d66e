"""The file of rows: what each must have, each name once, and what stays when some are measured anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stages.benchmark import report
from stages.corpus.files import read_json
from stages.errors import UserError
from tests.benchmark.builders import row


def test_a_row_measured_anew_replaces_its_own_name_only() -> None:
    before = [row("c", ratio=1.0), row("a", ratio=2.0), row("old", ratio=3.0)]
    after = report.merged(before, row("c", ratio=9.0), ["a", "b", "c"])
    assert [(one["name"], one["ratio"]) for one in after] == [("a", 2.0), ("c", 9.0), ("old", 3.0)]
    assert [one["name"] for one in report.merged(after, row("b"), ["a", "b", "c"])] == ["a", "b", "c", "old"]


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "benchmark.json"
    assert report.load(path) == []
    rows = [row("a"), row("b", ratio=None)]
    report.save(path, rows)
    assert report.load(path) == rows
    assert set(read_json(path)) == {"rows"}


@pytest.mark.parametrize("field", list(report.FIELDS))
def test_a_row_without_one_of_its_fields_is_refused(field: str, tmp_path: Path) -> None:
    short = row("a")
    del short[field]
    with pytest.raises(UserError, match=rf"{field} is None; measure the row anew"):
        report.save(tmp_path / "benchmark.json", [short])
    assert not list(tmp_path.iterdir())


def test_a_name_may_be_there_once() -> None:
    with pytest.raises(UserError, match="'a' is there twice"):
        report.check([row("a"), row("b"), row("a")])


@pytest.mark.parametrize("text", ["[]", '{"rows": 1}', "{"])
def test_another_file_is_not_overwritten(text: str, tmp_path: Path) -> None:
    path = tmp_path / "benchmark.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"benchmark\.json"):
        report.load(path)


@pytest.mark.parametrize(
    ("value", "kept"),
    [(1.2345678e-05, 1.2346e-05), (123456.7, 123460.0), (0.0, 0.0), ([{"a": 1 / 3}], [{"a": 0.33333}]), (7, 7)],
)
def test_small_figures_keep_their_digits(value: Any, kept: Any) -> None:
    assert report.significant(value) == kept


def test_origin_tells_commit_day_and_machine_and_no_place() -> None:
    origin = report.origin()
    assert set(origin) == {"commit", "date", "machine"}
    assert set(origin["machine"]) == {"cpu", "cores", "torch"}
    assert "/" not in str(origin)
    report.check([row("a") | origin])


def test_the_committed_file_is_such_a_file() -> None:
    path = Path(__file__).parents[2] / "reports/benchmark.json"
    if not path.exists():
        pytest.skip("reports/benchmark.json is not there yet: `make bench` writes it")
    assert report.load(path)
