"""The benchmark's table and picture say what the rows say."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.benchmark import report
from stages.reporting.benchmark import brief, draw_growth, draw_ratios, origins, outcome, table
from stages.reporting.readme import benchmark, speed
from stages.scoring.verdict import points
from tests.benchmark.builders import row

SELECTIVE = row(
    "selective-training-f1", ratio=None, difference=-0.0012, interval=[-0.0061, 0.0034], unit="F1",
    f1={"ours": [0.78, 0.8], "peer": [0.77, 0.8124]}, speed=None, memory_mib=None, trained_at=["aaa0000", "bbb1111"],
)  # fmt: skip

GROUP = {"ours_stock": 3e-05, "ours_64_bits": 1e-05, "stock_64_bits": 2e-05, "largest_logit": 12.5}
NEARER = {"ours_stock": 1e-05, "ours_64_bits": 4e-05, "stock_64_bits": 5e-05, "largest_logit": 99.0}
GROWTH = [
    {"rows": rows, "speed": {"ours": 10.0 * rows, "peer": 2.5 * rows}, "memory_mib": {"ours": 150, "peer": rows / 10}}
    for rows in (1000, 2000, 4000)
]


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (row("a"), "2.50 × (2.25–3.00)"),
        (row("a", ratio=0.5, low=0.25, high=123.4), "0.5 × (0.25–123)"),
        (row("a", entities={"share": 0.99912}), "2.50 × (2.25–3.00); 99.91% of entities equal"),
        (row("a", entities={"share": None}), "2.50 × (2.25–3.00)"),
        (row("a", ratio=None, difference=1.16e-05), "at most 1.2e-05"),
        (
            row("a", ratio=None, difference=3e-05, by={"trained": {"2 words": NEARER, "real": GROUP}}),
            "at most 3.0e-05; trained: 3.0e-05 on `real` (from the same sums in 64 bits: ours 1.0e-05, stock 2.0e-05; "
            "largest logit 12.5)",
        ),
        (row("a", ratio=None, points=[{}, {}]), "2 points"),
        (SELECTIVE, "F1 0.7900 / 0.7912, −0.1 points (−0.6 to +0.3)"),
        (
            SELECTIVE | {"asked": {"gold": [0.9991, 0.9851, 0.99], "spans": [12.34, 12.31, 12.32]}},
            "F1 0.7900 / 0.7912, −0.1 points (−0.6 to +0.3); 98.51%–99.91% of the gold spans asked about, "
            "12.3 spans a sentence",
        ),
        (
            row("a", others={"datasets, batched": {"speed": 9.0, "ratio": 4.35, "low": 4.14, "high": 4.55}}),
            "2.50 × (2.25–3.00); datasets, batched: 4.35 × (4.14–4.55)",
        ),
        (
            row("a", growth=GROWTH),
            "2.50 × (2.25–3.00); from 1,000 to 4,000 rows: ours 10,000 to 40,000 / s, 150 to 150 MiB, "
            "peer 2,500 to 10,000 / s, 100 to 400 MiB",
        ),
    ],
)
def test_the_outcome_in_a_few_words(one: dict[str, object], said: str) -> None:
    assert outcome(one) == said


def test_a_line_of_the_table_has_both_sides_and_names_unequal_precision() -> None:
    bf16 = row("b", precision={"ours": "bf16", "peer": "fp32"})
    lines = table([row("a", repeats=5), bf16, SELECTIVE]).splitlines()
    assert lines[2] == "| `a` | What a is | the peer | 250 | 100 | 2.50 × (2.25–3.00) | 5 | fp32 | – | – | 1,234 / 99 |"
    assert "| – | bf16 / fp32 |" in lines[3]
    assert "| – | – | F1 0.7900" in lines[4]
    assert "| 2 seeds | fp32 |" in lines[4]


def test_the_brief_table_has_ratios_and_points_of_f1_alone(tmp_path: Path) -> None:
    rows = [row("a", precision={"ours": "bf16", "peer": "fp32"}), row("b", ratio=None, difference=1e-6), SELECTIVE]
    lines = brief(rows).splitlines()
    assert lines[2] == "| `a` | What a is | the peer | 2.50 × (2.25–3.00) | bf16 / fp32 |"
    low, high = SELECTIVE["interval"]
    assert [points(value) in lines[3] for value in (SELECTIVE["difference"], low, high)] == [True] * 3
    assert len(lines) == 4
    assert speed(tmp_path).startswith("*No figures yet: `make bench`")
    report.save(tmp_path / "benchmark.json", rows)
    assert speed(tmp_path).startswith(brief(rows))
    assert speed(tmp_path).endswith("Measured 2026-01-02 on real MultiNERD sentences, a processor, torch 2.0.")


def test_positions_and_share_of_the_peak_stand_in_the_table_where_they_were_counted() -> None:
    counted = row("a", positions={"ours": 301.4, "peer": 512}, peak_share={"ours": 0.456, "peer": 0.2})
    assert table([counted]).splitlines()[2].endswith("| 301 / 512 | 46% / 20% | 1,234 / 99 |")


def test_rows_of_several_origins_are_told_apart() -> None:
    one = "a processor, 2 of 2 cores"
    assert origins([row("a"), row("b")]).startswith(f"Measured 2026-01-02 on {one}")
    mixed = origins([row("a"), row("b", threads=1, commit="fff0000"), row("c", date="2026-01-05")])
    assert mixed.splitlines()[0].startswith(f"- `a`, `c`: 2026-01-02 to 2026-01-05, {one}")
    assert mixed.splitlines()[1].startswith("- `b`: 2026-01-02, a processor, 1 of 2 cores")


def test_the_readmes_part_holds_every_row_and_the_picture(tmp_path: Path) -> None:
    assert benchmark(tmp_path).startswith("*No figures yet: `make bench`")
    rows = [row("a"), row("b", ratio=None, difference=1e-6), SELECTIVE]
    report.save(tmp_path / "benchmark.json", rows)
    assert "![" not in benchmark(tmp_path)
    draw_ratios(tmp_path / "benchmark.png", rows)
    text = benchmark(tmp_path)
    assert text.endswith("(reports/benchmark.png)")
    for one in rows:
        assert text.count(f"| `{one['name']}` |") == 1


def test_pictures_are_the_same_bytes_and_change_with_the_rows(tmp_path: Path) -> None:
    for name, rows in (("a", [row("a")]), ("same", [row("a")]), ("b", [row("a", ratio=2.6)]), ("none", [])):
        draw_ratios(tmp_path / name, rows)
    first, same, other, none = ((tmp_path / name).read_bytes() for name in ("a", "same", "b", "none"))
    assert first == same
    assert len({first, other, none}) == 3


def grown(size: str, **sides: float) -> dict[str, object]:
    tasks = ("training", "prediction", "token training", "token prediction")
    points = [{"task": task, size: n, **{name: v / n for name, v in sides.items()}} for task in tasks for n in (1, 2)]
    return row(f"growth-{size}", ratio=None, points=points)


def test_growth_is_drawn_for_each_size_and_only_where_it_was_measured(tmp_path: Path) -> None:
    one, two = grown("sentences", ours=8, peer=2), grown("words", ours=8, peer=2, **{"ours, selective": 16})
    for name, rows in (("none", [row("a")]), ("one", [row("a"), one]), ("same", [one]), ("both", [one, two])):
        draw_growth(tmp_path / name, rows)
    none, first, same, both = ((tmp_path / name).read_bytes() for name in ("none", "one", "same", "both"))
    assert first == same
    assert len({none, first, both}) == 3


def test_a_side_is_drawn_over_the_points_that_it_has(tmp_path: Path) -> None:
    whole, part = grown("sentences", ours=8, peer=2), grown("sentences", ours=8, peer=2)
    del part["points"][-1]["peer"]  # type: ignore[attr-defined]
    for name, one in (("whole", whole), ("part", part)):
        draw_growth(tmp_path / name, [one])
    assert (tmp_path / "whole").read_bytes() != (tmp_path / "part").read_bytes()
