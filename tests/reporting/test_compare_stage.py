"""``python -m stages.compare`` as a user types it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stages import compare, settings
from stages.corpus.labels import FIVE, TYPES
from tests.reporting.builders import side, write_rows

ROOT = Path(__file__).parents[2]
FEW = ["--resamples", "200", "--confidence", "0.9", "--seed", "3"]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    rows = {"a1": side(TYPES, 1, 0.3), "a2": side(TYPES, 2, 0.3), "b1": side(FIVE, 3, 0.3), "b2": side(FIVE, 4, 0.3)}
    return {name: str(write_rows(tmp_path / f"{name}.jsonl", one)) for name, one in rows.items()}


def run(output: Path, *arguments: str) -> dict[str, Any]:
    compare.main([*arguments, "--output", str(output), *FEW])
    return json.loads((output / "comparison.json").read_text(encoding="utf-8"))


def test_it_writes_three_reports_with_one_verdict(
    files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "out"
    found = run(out, "--a", files["a1"], "--b", files["b1"])
    assert sorted(path.name for path in out.iterdir()) == ["comparison.html", "comparison.json", "comparison.md"]
    assert found["verdict"] in (out / "comparison.md").read_text(encoding="utf-8")
    first = found["verdict"].split(": ")[0]
    assert first in (out / "comparison.html").read_text(encoding="utf-8")
    assert capsys.readouterr().out.strip() == found["verdict"]


def test_the_json_has_what_is_promised_rounded(files: dict[str, str], tmp_path: Path):
    found = run(tmp_path, "--a", files["a1"], "--b", files["b1"])
    common = found["common"]
    assert {"sentences", "a_f1", "b_f1", "difference", "interval", "p_value"} <= set(common)
    assert (common["sentences"], found["only_a"], found["only_b"]) == (60, 0, 0)
    assert len(common["interval"]) == 2
    assert not re.search(r"\.\d{5}", (tmp_path / "comparison.json").read_text(encoding="utf-8"))
    assert found["settings"] == {"resamples": 200, "confidence": 0.9, "seed": 3}
    assert found["names"] == {"a": "System A", "b": "System B"}
    assert {"errors", "by_length", "calibration", "asked", "disagreements", "outside"} <= set(found)


def test_several_files_a_side_as_typed_or_repeated(files: dict[str, str], tmp_path: Path):
    together = run(tmp_path / "1", "--a", files["a1"], files["a2"], "--b", files["b1"], files["b2"])
    repeated = run(tmp_path / "2", "--a", files["a1"], "--a", files["a2"], "--b", files["b1"], "--b", files["b2"])
    assert together == repeated
    assert len(together["seeds"]["a"]["f1"]) == len(together["seeds"]["b"]["f1"]) == 2
    assert together["seeds"]["a"]["spread"] is not None


def test_same_input_same_bytes_wherever_it_is_written(files: dict[str, str], tmp_path: Path):
    for name in ("1", "2"):
        run(tmp_path / name, "--a", files["a1"], "--b", files["b1"])
    for name in ("comparison.json", "comparison.md", "comparison.html"):
        text = (tmp_path / "1" / name).read_text(encoding="utf-8")
        assert text == (tmp_path / "2" / name).read_text(encoding="utf-8")
        assert str(tmp_path) not in text


def test_names_and_training_rows_reach_the_reports(files: dict[str, str], tmp_path: Path):
    train = write_rows(tmp_path / "train.jsonl", [{"tokens": ["w0.1", "w0.2"], "ner_tags": [1, 2], "lang": "en"}])
    names = ["--a-name", "SpanMarker <A>", "--b-name", "SpanMarker B"]
    found = run(tmp_path, "--a", files["a1"], "--b", files["b1"], "--train", str(train), *names)
    html = (tmp_path / "comparison.html").read_text(encoding="utf-8")
    assert found["names"]["a"] == "SpanMarker <A>"
    assert "SpanMarker &lt;A&gt;" in html
    assert "Seen in training or not" in html
    assert "SpanMarker B" in (tmp_path / "comparison.md").read_text(encoding="utf-8")


def test_no_sentence_is_written_without_examples(files: dict[str, str], tmp_path: Path):
    run(tmp_path / "out", "--a", files["a1"], "--b", files["b1"], "--examples", "0")
    for path in (tmp_path / "out").iterdir():
        assert "w1." not in path.read_text(encoding="utf-8")


def test_another_seed_gives_another_interval_and_the_same_f1(files: dict[str, str], tmp_path: Path):
    arguments = ["--a", files["a1"], "--b", files["b1"], "--resamples", "200", "--confidence", "0.9"]
    found = []
    for seed in ("1", "2"):
        compare.main([*arguments, "--output", str(tmp_path), "--seed", seed])
        found.append(json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))["common"])
    assert found[0]["a_f1"] == found[1]["a_f1"]
    assert found[0]["interval"] != found[1]["interval"]


def options(*given: str) -> Any:
    return compare.parser().parse_args(["--a", "x", "--b", "y", "--output", "z", *given])


def test_settings_come_from_params_unless_given(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    params = settings.load()
    assert compare.chosen(options()) == {
        "resamples": params.compare.resamples, "confidence": params.compare.confidence, "seed": params.seed,
    }  # fmt: skip
    assert compare.chosen(options("--seed", "0"))["seed"] == 0
    assert compare.chosen(options(*FEW)) == {"resamples": 200, "confidence": 0.9, "seed": 3}


def test_without_params_the_defaults_hold(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    assert compare.chosen(options("--confidence", "0.9")) == {"resamples": 10_000, "confidence": 0.9, "seed": 42}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--resamples", "5"], "too few"),
        (["--confidence", "95"], "between 0.5 and 1"),
        (["--seed", "-1"], "below 0"),
        (["--resamples", "many"], "invalid"),
        (["--exmples", "3"], "unrecognized"),
    ],
)
def test_options_that_cannot_be_are_refused(given: list[str], message: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as refused:
        options(*given)
    assert refused.value.code == 2
    assert message in capsys.readouterr().err


def test_other_tokens_are_refused_and_earlier_reports_stay(
    files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "out"
    run(out, "--a", files["a1"], "--b", files["b1"])
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    rows = side(FIVE, 3, 0.3)
    rows[4] = {**rows[4], "tokens": ["other", *rows[4]["tokens"][1:]]}
    other = str(write_rows(tmp_path / "other.jsonl", rows))
    with pytest.raises(SystemExit) as refused:
        run(out, "--a", files["a1"], "--b", other)
    assert refused.value.code == 1
    assert "other.jsonl:5" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_side_without_a_score_is_refused_with_its_reason(
    files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    bare = str(write_rows(tmp_path / "bare.jsonl", [{"unscored": "it is no NER model"}]))
    with pytest.raises(SystemExit):
        run(tmp_path, "--a", files["a1"], "--b", bare)
    assert "it is no NER model" in capsys.readouterr().err


def test_it_runs_as_a_module_without_torch(files: dict[str, str], tmp_path: Path):
    command = [sys.executable, "-X", "importtime", "-m", "stages.compare", "--a", files["a1"], "--b", files["b1"]]
    done = subprocess.run(
        [*command, "--output", str(tmp_path), *FEW], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("On common ground (60 sentences")
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "stages.scoring.comparison" in imported
    assert not {"torch", "transformers", "matplotlib"} & imported


@pytest.mark.real
def test_published_predictions_give_the_published_figures(multinerd: Path, tmp_path: Path):
    published = multinerd.parent / "published-predictions"
    if not published.exists():
        pytest.skip(f"{published} is not there: the published predictions lie beside MULTINERD_DIR")
    sides = [str(published / f"roberta-base-{system}.jsonl") for system in "AB"]
    found = run(tmp_path, "--a", sides[0], "--b", sides[1])
    common = found["common"]
    assert (common["sentences"], common["a_f1"], common["b_f1"]) == (3608, 0.9610, 0.9646)
    assert (found["only_a"], found["only_b"]) == (389, 0)
    assert "B lacks 389 sentences" in found["verdict"]
    html = (tmp_path / "comparison.html").read_text(encoding="utf-8")
    assert all(figure in html for figure in ("0.9610", "0.9646", "B lacks 389 sentences"))
