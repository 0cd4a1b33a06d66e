"""The whole comparison: the published pair's figures, its parts that add up, seeds, and files on disk."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from stages.corpus.files import write_json
from stages.corpus.labels import FIVE, TYPES, project
from stages.scoring.comparison import compare
from stages.scoring.predictions import PredictionError, read
from stages.scoring.scores import rounded, score
from tests.scoring.builders import noisy, published, random_tags, write

RESAMPLES = 200


def pair(tmp_path: Path, seed: int = 0, sentences: int = 60) -> tuple[Path, Path]:
    """A on fifteen types, and B on five over the same sentences but every third."""
    rng = random.Random(seed)
    a, b = [], []
    for number in range(sentences):
        gold = random_tags(rng, 12, TYPES)
        tokens = [f"{number}.{i}" for i in range(12)]
        a.append({"row": number, "tokens": tokens, "gold": gold, "pred": noisy(rng, gold, 0.2, TYPES)})
        if number % 3:
            five = project(gold, FIVE)
            b.append({"row": number, "tokens": tokens, "gold": five, "pred": noisy(rng, five, 0.1, FIVE)})
    return write(tmp_path / f"a{seed}.jsonl", a), write(tmp_path / f"b{seed}.jsonl", b)


def compared(tmp_path: Path, seed: int = 0) -> dict[str, Any]:
    a, b = pair(tmp_path)
    return compare([a], [b], RESAMPLES, seed=seed)


def test_the_published_pair() -> None:
    found = rounded(compare([published("A")], [published("B")]))
    common = found["common"]
    assert (common["a_f1"], common["b_f1"], common["sentences"]) == (0.9610, 0.9646, 3608)
    assert (found["only_a"], found["only_b"]) == (389, 0)
    assert (found["headline"]["a_f1"], found["headline"]["b_f1"]) == (0.9395, 0.9646)
    low, high = common["interval"]
    assert low < common["difference"] == 0.0036 < high
    assert 0 < high < 0.01
    assert 0.01 < common["p_value"] < 0.1
    assert "B lacks 389 sentences of A's." in found["verdict"]
    assert "is better than" not in found["verdict"]


def test_both_sides_are_scored_on_common_ground_and_on_their_own(tmp_path: Path) -> None:
    a_path, b_path = pair(tmp_path)
    found = compare([a_path], [b_path], RESAMPLES)
    a, b = read(a_path), read(b_path)
    assert found["headline"]["a_f1"] == pytest.approx(score(a)["f1"])
    assert found["headline"]["b_f1"] == pytest.approx(score(b)["f1"])
    assert found["common"]["b_f1"] == pytest.approx(score(b)["five_f1"])
    a.rows = [row for row in a.rows if int(str(row.row)) % 3]
    assert found["common"]["a_f1"] == pytest.approx(score(a)["five_f1"])
    assert (found["common"]["sentences"], found["only_a"], found["only_b"]) == (40, 20, 0)
    assert set(found["common"]["types"]) == set(FIVE)


def test_the_parts_of_the_headline_gap_add_up(tmp_path: Path) -> None:
    found = compared(tmp_path)
    parts = found["explained"]
    assert parts["sentences"] + parts["types"] + parts["left"] == pytest.approx(found["headline"]["difference"])
    assert parts["left"] == found["common"]["difference"]
    assert parts["share"] == pytest.approx(1 - parts["left"] / found["headline"]["difference"])


def test_both_directions_are_readable(tmp_path: Path) -> None:
    common = compared(tmp_path)["common"]
    low, high = common["interval"]
    assert common["b_minus_a"] == {"difference": common["difference"], "interval": [low, high]}
    assert common["a_minus_b"] == {"difference": -common["difference"], "interval": [-high, -low]}
    assert common["difference"] == pytest.approx(common["b_f1"] - common["a_f1"])
    assert low < common["difference"] < high


def test_each_type_has_its_interval_and_a_corrected_p_value(tmp_path: Path) -> None:
    found = compared(tmp_path)
    assert set(found["per_type"]) == set(FIVE)
    for one in found["per_type"].values():
        assert one["interval"][0] <= one["difference"] <= one["interval"][1]
        assert one["p_value"] <= one["p_corrected"] <= 1
        assert one["difference"] == pytest.approx(one["b_f1"] - one["a_f1"])
    entities = found["disagreements"]
    assert sum(one["support"] for one in found["per_type"].values()) == sum(
        entities[name] for name in ("both", "neither", "a_right", "b_right")
    )


def test_order_of_rows_changes_no_figure(tmp_path: Path) -> None:
    a, b = pair(tmp_path)
    lines = b.read_text(encoding="utf-8").splitlines(keepends=True)
    shuffled = tmp_path / "shuffled.jsonl"
    shuffled.write_text("".join(random.Random(1).sample(lines, len(lines))), encoding="utf-8")
    first, second = compare([a], [b], RESAMPLES), compare([a], [shuffled], RESAMPLES)
    assert first == second


def test_the_seed_decides_the_draws(tmp_path: Path) -> None:
    first = compared(tmp_path, seed=1)
    assert compared(tmp_path, seed=1) == first
    assert compared(tmp_path, seed=2)["common"]["interval"] != first["common"]["interval"]


def test_a_run_against_itself_does_not_differ(tmp_path: Path) -> None:
    a, _ = pair(tmp_path)
    found = compare([a], [a], RESAMPLES)
    assert found["common"]["difference"] == 0
    assert found["common"]["p_value"] == 1
    assert len(found["common"]["types"]) == 15
    assert found["explained"]["share"] is None
    assert found["verdict"].startswith("On common ground (60 sentences, 15 types) A and B do not differ at all")


def several(tmp_path: Path) -> tuple[list[Path], list[Path]]:
    """Three seeds of A and two of B: the same gold, other answers."""
    a_path, b_path = pair(tmp_path)
    sides: list[list[Path]] = []
    for path, types, files in ((a_path, TYPES, 3), (b_path, FIVE, 2)):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        side = []
        for seed in range(files):
            rng = random.Random(seed)
            other = [{**one, "pred": noisy(rng, one["gold"], 0.2, types)} for one in rows]
            side.append(write(tmp_path / f"{path.stem}-seed{seed}.jsonl", other))
        sides.append(side)
    return sides[0], sides[1]


def test_several_seeds_give_mean_and_spread(tmp_path: Path) -> None:
    a, b = several(tmp_path)
    found = compare(a, b, RESAMPLES)
    seeds = found["seeds"]
    assert (len(seeds["a"]["f1"]), len(seeds["b"]["f1"])) == (3, 2)
    assert seeds["b"]["f1"] == pytest.approx([score(read(path))["five_f1"] for path in b])
    assert seeds["b"]["mean"] == found["common"]["b_f1"] == pytest.approx(sum(seeds["b"]["f1"]) / 2)
    assert seeds["b"]["spread"] == pytest.approx(abs(seeds["b"]["f1"][0] - seeds["b"]["f1"][1]) / 2**0.5)
    assert found["headline"]["a_f1"] == pytest.approx(sum(score(read(path))["f1"] for path in a) / 3)
    assert compare(a[:1], b[:1], RESAMPLES)["seeds"]["a"]["spread"] is None
    assert "Means over 3 runs of A and 2 of B" in found["verdict"]


def test_the_result_can_be_written_as_it_is(tmp_path: Path) -> None:
    found = compare(*several(tmp_path), RESAMPLES)
    write_json(tmp_path / "comparison.json", rounded(found))
    back: dict[str, Any] = json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))
    assert back["verdict"] == found["verdict"]
    assert {
        "common",
        "only_a",
        "only_b",
        "headline",
        "explained",
        "per_type",
        "seeds",
        "disagreements",
        "outside",
    } < set(back)


def test_sides_are_called_as_asked(tmp_path: Path) -> None:
    a, b = pair(tmp_path)
    found = compare([a], [b], RESAMPLES, names=("SpanMarker", "Tokens"))
    assert "Tokens lacks 20 sentences of SpanMarker's." in found["verdict"]


def test_a_side_without_files_is_refused(tmp_path: Path) -> None:
    a, _ = pair(tmp_path)
    with pytest.raises(ValueError, match="each side needs at least one predictions file"):
        compare([a], [])


def test_a_broken_file_is_named_by_line(tmp_path: Path) -> None:
    a, b = pair(tmp_path)
    with b.open("a", encoding="utf-8") as file:
        file.write("{\n")
    with pytest.raises(PredictionError, match=r"b0\.jsonl:41: not valid JSON"):
        compare([a], [b])
