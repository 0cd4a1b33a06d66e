"""Every picture: it is drawn, it is the same each time, and it speaks where there is nothing to draw."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from stages.corpus.labels import FIVE, TYPES
from stages.reporting import figure, overview, plots
from stages.scoring.calibration import reliability

PNG = b"\x89PNG\r\n\x1a\n"


def per_type(types: tuple[str, ...] = TYPES) -> dict[str, dict[str, Any]]:
    return {
        kind: {"precision": 0.9 - i / 40, "recall": 0.8, "f1": 0.85 - i / 50, "support": 400 - 20 * i, "predicted": 300}
        for i, kind in enumerate(types)
    }


def type_table(types: tuple[str, ...] = TYPES) -> pd.DataFrame:
    return pd.DataFrame([{"type": kind, **row} for kind, row in per_type(types).items()])


def confusion_table(names: tuple[str, ...] = (*FIVE, "O")) -> pd.DataFrame:
    counts = np.eye(len(names), dtype=int) * 50 + 1
    counts[-1, -1] = 0
    return pd.DataFrame(counts, columns=list(names)).assign(gold=names)


def curve(scale: float) -> pd.DataFrame:
    steps = range(1, 21)
    val = [scale / step if step % 10 == 0 else None for step in steps]
    return pd.DataFrame(
        {"step": steps, "epoch": [s / 10 for s in steps], "train_loss": [scale / s for s in steps], "val_loss": val}
    )


def counts_table() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"system": system, "split": split, "type": kind, "entities": entities // (i + 1)}
            for system, types in (("A", TYPES), ("B", FIVE))
            for split, entities in (("train", 900), ("val", 90), ("test", 100))
            for i, kind in enumerate(("all", *types))
        ]
    )


def comparison(difference: float = 0.004) -> dict[str, Any]:
    common = {"a_f1": 0.961, "b_f1": 0.961 + difference, "difference": difference, "interval": [-0.001, 0.008],
              "p_value": 0.05, "sentences": 3608, "types": list(FIVE)}  # fmt: skip
    headline = {"a_f1": 0.94, "b_f1": 0.965, "difference": 0.025}
    return {"common": common, "headline": headline, "settings": {"confidence": 0.95}}


CURVES = {"span_marker": {"A": curve(1), "B": curve(0.9)}, "token_classifier": {"A": curve(2)}}
RUNS = {"span_marker": {"A": per_type(), "B": per_type(FIVE)}, "lookup": {"A": per_type()}}
SCORES = reliability(np.array([0.2, 0.6, 0.95]), np.array([False, True, True]))

DRAWN: dict[str, Callable[[Path], None]] = {
    "f1_per_type": lambda path: plots.f1_per_type(path, type_table(), "title"),
    "confusion": lambda path: plots.confusion(path, confusion_table(), "title"),
    "calibration": lambda path: plots.calibration(path, SCORES, "title"),
    "loss_curves": lambda path: overview.loss_curves(path, CURVES),
    "entities": lambda path: overview.entities(path, counts_table()),
    "f1_of_all": lambda path: overview.f1_per_type(path, RUNS),
    "a_against_b": lambda path: overview.a_against_b(path, {"span_marker": comparison()}),
}
NOTHING: dict[str, tuple[Callable[[Path], None], str]] = {
    "f1_per_type": (lambda path: plots.f1_per_type(path, type_table(()), "title"), "No entity"),
    "confusion": (lambda path: plots.confusion(path, confusion_table(("O",)), "title"), "No entity"),
    "calibration": (lambda path: plots.calibration(path, reliability(np.zeros(0), np.zeros(0)), "t"), "no scores"),
    "loss_curves": (lambda path: overview.loss_curves(path, {}), "No model"),
    "entities": (lambda path: overview.entities(path, counts_table().query("type == 'all'")), "no data"),
    "f1_of_all": (lambda path: overview.f1_per_type(path, {"span_marker": {"A": {}}}), "No run"),
    "a_against_b": (lambda path: overview.a_against_b(path, {}), "No family"),
}


def texts(painted: Figure) -> list[str]:
    return [one.get_text() for one in painted.findobj(lambda artist: hasattr(artist, "get_text")) if one.get_text()]


@pytest.fixture
def caught(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that were painted, to look at what is on them."""
    found: list[Figure] = []
    save = Figure.savefig

    def keep(self: Figure, *args: Any, **options: Any) -> None:
        found.append(self)
        save(self, *args, **options)

    monkeypatch.setattr(Figure, "savefig", keep)
    return found


@pytest.mark.parametrize("name", DRAWN)
def test_same_input_same_bytes(name: str, tmp_path: Path):
    first, second = tmp_path / "1.png", tmp_path / "2.png"
    DRAWN[name](first)
    DRAWN[name](second)
    assert first.read_bytes() == second.read_bytes()
    data = first.read_bytes()
    assert data.startswith(PNG)
    assert b"matplotlib" not in data
    assert b"tIME" not in data


@pytest.mark.parametrize("name", NOTHING)
def test_a_picture_of_nothing_says_why(name: str, tmp_path: Path, caught: list[Figure]):
    draw, words = NOTHING[name]
    draw(tmp_path / "x.png")
    assert words in " ".join(" ".join(texts(caught[0])).split())


@pytest.mark.parametrize("name", DRAWN)
def test_everything_lies_within_the_picture(name: str, tmp_path: Path, caught: list[Figure]):
    DRAWN[name](tmp_path / "x.png")
    drawn = caught[0].get_tightbbox()  # inches, everything that is drawn
    width, height = caught[0].get_size_inches()
    assert min(drawn.x0, drawn.y0) >= 0
    assert drawn.x1 <= width
    assert drawn.y1 <= height


def test_loss_curves_have_both_losses_of_both_systems(tmp_path: Path, caught: list[Figure]):
    overview.loss_curves(tmp_path / "x.png", CURVES)
    left, right = caught[0].axes
    assert (left.get_title(loc="left"), right.get_title(loc="left")) == ("SpanMarker", "Token classifier")
    assert len(left.lines) == 4
    assert {"A training", "A validation", "B training", "B validation"} <= set(texts(caught[0]))
    assert list(left.lines[1].get_xdata()) == [1.0, 2.0]  # only where validation was measured


def test_entities_shows_what_becomes_o(tmp_path: Path, caught: list[Figure]):
    overview.entities(tmp_path / "x.png", counts_table())
    assert texts(caught[0]).count("becomes O") == len(TYPES) - len(FIVE)
    assert any(text.startswith("System B: ") for text in texts(caught[0]))


def test_f1_of_all_shares_its_lines_between_families(tmp_path: Path, caught: list[Figure]):
    overview.f1_per_type(tmp_path / "x.png", {**RUNS, "token_classifier": RUNS["span_marker"]})
    assert len(caught[0].axes) == 2
    assert "PER  (400)" in texts(caught[0])


def test_an_unscored_start_has_no_panel(tmp_path: Path, caught: list[Figure]):
    overview.f1_per_type(tmp_path / "x.png", {**RUNS, "pretrained": {"A": {}, "B": {}}})
    assert len(caught[0].axes) == 1


def test_a_against_b_shows_the_interval_beside_the_headline_gap(tmp_path: Path, caught: list[Figure]):
    overview.a_against_b(tmp_path / "x.png", {"span_marker": comparison(), "token_classifier": comparison(-0.002)})
    left, right = caught[0].axes
    assert {"+2.5", "+0.4  (p = .050)", "−0.2  (p = .050)"} <= set(texts(caught[0]))
    ranges = [
        list(line.get_xdata()) for line in right.lines if len(line.get_xdata()) == 2 and line.get_ydata()[0] in (1, 3)
    ]
    assert ranges[0] == pytest.approx([-0.1, 0.8])
    assert "(5 types, 3,608 sentences)" in " ".join(texts(caught[0]))
    assert left.get_title(loc="left") == "F1 of A and B"


def test_confusion_writes_every_count_and_calls_o_none(tmp_path: Path, caught: list[Figure]):
    plots.confusion(tmp_path / "x.png", confusion_table(), "title")
    assert texts(caught[0]).count("51") == len(FIVE)
    axes = caught[0].axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [*FIVE, "none"]
    assert [label.get_text() for label in axes.get_xticklabels()] == [*FIVE, "none"]
    assert "O" not in texts(caught[0])


def test_f1_per_type_orders_by_support(tmp_path: Path, caught: list[Figure]):
    table = type_table().sort_values("f1")
    plots.f1_per_type(tmp_path / "x.png", table, "title")
    assert [label.get_text() for label in caught[0].axes[0].get_yticklabels()][:2] == ["PER  (400)", "ORG  (380)"]


def test_calibration_says_its_error(tmp_path: Path, caught: list[Figure]):
    plots.calibration(tmp_path / "x.png", SCORES, "mine")
    assert "expected calibration error 0.217" in " ".join(texts(caught[0]))


def test_nothing_is_left_open_and_no_style_leaks(tmp_path: Path):
    before = dict(plt.rcParams)
    figure.draw_note(tmp_path / "x.png", "a note")
    assert plt.get_fignums() == []
    assert dict(plt.rcParams) == before


def test_a_painter_that_fails_leaves_no_file(tmp_path: Path):
    def paint(_: Figure) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        figure.draw(tmp_path / "x.png", (2, 2), paint)
    assert list(tmp_path.iterdir()) == []
