"""comparison.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stages.corpus.labels import FIVE, TYPES
from stages.reporting import markdown, page
from tests.reporting.builders import NASTY, side
from tests.reporting.builders import report as make_report


def test_the_verdict_comes_first_and_no_sentence_of_the_data_at_all(report: dict[str, Any]):
    text = markdown.render(report)
    title, verdict, *_ = text.split("\n\n")
    assert title == "## System A against System B"
    assert verdict == f"**{report['verdict']}**"
    assert "w1." not in text
    assert not any(word in text for word in NASTY)


def test_tables_have_one_row_a_ground_and_one_a_type(report: dict[str, Any]):
    lines = markdown.render(report).splitlines()
    rows = [line for line in lines if line.startswith("| ") and "---" not in line]
    assert len(rows) == 1 + 2 + 1 + len(report["per_type"])
    assert len({line.count("|") for line in rows[:3]}) == 1
    common = report["common"]
    assert f"{common['a_f1']:.4f} | {common['b_f1']:.4f}" in rows[2]
    assert any(line.startswith(f"| {kind} |") for kind in FIVE for line in rows)


def test_the_method_says_resamples_confidence_and_seed(tmp_path: Path):
    found = make_report(tmp_path, [side(TYPES, 1, 0.3)], [side(FIVE, 2, 0.3)], resamples=150, confidence=0.9, seed=5)
    last = markdown.render(found).splitlines()[-1]
    assert "90% intervals" in last
    assert "150 resamples" in last
    assert "seed 5" in last


def test_a_confidence_is_not_rounded_to_another(tmp_path: Path):
    found = make_report(tmp_path, [side(TYPES, 1, 0.3)], [side(FIVE, 2, 0.3)], resamples=150, confidence=0.999)
    assert "99.9% intervals" in markdown.render(found)
    text = page.render(found)
    assert "99.9% interval" in text
    assert "p-value is below 0.001" in text
    assert "with 99.9% confidence" in text


def test_interval():
    assert markdown.interval([-0.004, 0.0071]) == "−0.4 to +0.7"


def test_same_report_same_text(report: dict[str, Any]):
    assert markdown.render(report) == markdown.render(dict(report))
