"""Bad rows are named, or counted and skipped; never read as something else."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from stages import download, filter, summary
from stages.cli import clear_errors
from stages.corpus.labels import SPLITS
from tests.clone import Project
from tests.corpus.builders import row, tree, write_jsonl
from tests.corpus.test_rows import BAD_LINES
from tests.finished import finished
from tests.promises.processes import Process
from tests.promises.tries import Tries

PROMISE = "6 Bad rows are named by file, line and field, 20 of them, the rest counted; or skipped and counted on demand"
HOW = (
    "every kind of bad row planted at random lines of every split, both answers (`stop`, `skip`), JSON and markup; "
    "also from the command to the report"
)
ROOT = Path(__file__).parents[2]
GOOD = 30


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project on the data directory ``source`` beside it, of sound English rows; we are in it."""
    for split in SPLITS:
        rows = [row(f"Rain in {split} number {i} .", [0, 0, 0, 0, 5, 0]) for i in range(GOOD)]
        write_jsonl(tmp_path / "source" / split / f"{split}_en.jsonl", rows)
    folder = tmp_path / "project"
    folder.mkdir()
    params = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (folder / "params.yaml").write_text(params.replace("directory: data/sample ", "directory: ../source "))
    monkeypatch.chdir(folder)
    return folder


def plant(split: str, lines: list[str]) -> dict[int, str]:
    """Put lines at random places of a split's file; the bad ones by their number."""
    path = Path(f"../source/{split}/{split}_en.jsonl")
    places = set(random.sample(range(GOOD + len(lines)), len(lines)))
    sound, planted = iter(path.read_text(encoding="utf-8").splitlines()), iter(lines)
    every = [next(planted) if i in places else next(sound) for i in range(GOOD + len(lines))]
    path.write_text("\n".join(every) + "\n", encoding="utf-8")
    return {i + 1: every[i] for i in sorted(places)}


def refused(capsys: pytest.CaptureFixture[str], **options: str) -> list[str]:
    with pytest.raises(SystemExit) as stop, clear_errors():
        download.main(**options)  # type: ignore[arg-type]
    assert stop.value.code == 1
    assert set(tree(Path())) == {"params.yaml"}
    return capsys.readouterr().err.removeprefix("error: ").splitlines()


@pytest.mark.parametrize("name", BAD_LINES)
def test_it_is_named_where_it_stands(
    name: str, project: Path, capsys: pytest.CaptureFixture[str], tries: Tries
) -> None:
    line, parts = BAD_LINES[name]
    split = random.choice(SPLITS)
    ((number, _),) = plant(split, [line]).items()
    with tries.one(name):
        (told,) = refused(capsys)
        assert told.startswith(f"../source/{split}/{split}_en.jsonl:{number}: ")
        assert all(part in told for part in parts)


def test_twenty_are_named_in_order_and_the_rest_counted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line for line, _ in BAD_LINES.values()]
    planted = [(split, number) for split in SPLITS for number in plant(split, lines)]
    *named, last = refused(capsys)
    assert [line.split(": ")[0] for line in named] == [
        f"../source/{split}/{split}_en.jsonl:{number}" for split, number in planted[:20]
    ]
    assert last == f"… and {3 * len(lines) - 20} more"


@pytest.mark.parametrize("by", ["option", "params.yaml"])
def test_skipped_ones_are_counted_in_the_reports_and_the_others_are_all_there(
    by: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [line for line, _ in BAD_LINES.values()]
    planted = [f"{split}/{split}_en.jsonl:{number}" for split in SPLITS for number in plant(split, lines)]
    if by == "option":
        download.main(on_bad_row="skip")
    else:
        path = Path("params.yaml")
        path.write_text(path.read_text(encoding="utf-8").replace("on_bad_row: stop", "on_bad_row: skip"))
        download.main()
    found = json.loads(Path("reports/data/rows.json").read_text(encoding="utf-8"))
    assert (found["rows"], found["skipped"]) == (3 * GOOD, len(planted))
    assert [one.split(": ")[0] for one in found["named"]] == planted[:20]
    assert f"{3 * GOOD} sentences in 1 languages, {len(planted)} bad rows skipped" in capsys.readouterr().out
    filter.main()
    for split in SPLITS:
        kept = [json.loads(line) for line in Path(f"data/english/{split}.jsonl").read_text().splitlines()]
        assert [one["tokens"][4] for one in kept] == [str(i) for i in range(GOOD)]


def test_the_option_wins_over_params_yaml(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant("val", ["{}"])
    path = Path("params.yaml")
    path.write_text(path.read_text(encoding="utf-8").replace("on_bad_row: stop", "on_bad_row: skip"))
    assert "tokens is missing" in refused(capsys, on_bad_row="stop")[0]


def test_bad_markup_is_skipped_too(project: Path) -> None:
    Path("../source/val/val_en.jsonl").unlink()
    Path("../source/val/val_en.txt").write_text("[Rome|LOC] burns .\n[Rome|PLACE] burns .\nA [ b\n", encoding="utf-8")
    download.main(on_bad_row="skip")
    found = json.loads(Path("reports/data/rows.json").read_text(encoding="utf-8"))
    assert found["skipped"] == 2
    assert [one.split(": ")[0] for one in found["named"]] == ["val/val_en.txt:2:7", "val/val_en.txt:3:4"]


def test_doubled_and_empty_files_stop_even_where_bad_rows_are_skipped(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("../source/val/val_en.jsonl").write_text("{}\n" * 3)
    assert "holds no sentence" in refused(capsys, on_bad_row="skip")[0]
    Path("../source/val/val_en.jsonl").write_text((json.dumps(row("a")) + "\n") * 32_820)
    assert "the known doubled load" in refused(capsys, on_bad_row="skip")[0]


@pytest.mark.parametrize("skipped", [0, 1234])
def test_the_count_stands_in_the_table_of_all_runs(
    skipped: int, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(tmp_path / "other")
    monkeypatch.chdir(tmp_path / "other")
    Path("params.yaml").write_bytes((project / "params.yaml").read_bytes())
    Path("reports/data/rows.json").write_text(json.dumps({"rows": 9, "skipped": skipped, "named": []}))
    monkeypatch.setattr(summary, "comparisons", lambda *_: {})
    for name in ("loss_curves", "entities", "f1_per_type", "a_against_b"):
        monkeypatch.setattr(f"stages.reporting.overview.{name}", lambda *_: None)
    summary.main()
    text = Path("reports/runs.md").read_text(encoding="utf-8")
    assert ("**1,234 bad rows of the data were skipped**; reports/data/rows.json names them." in text) == bool(skipped)


def test_from_the_command_line_to_the_report(finished_clone: Project, tmp_path: Path) -> None:
    """As a user meets it: refused, then skipped on demand, then counted where all runs are compared."""
    project = finished_clone.copy(tmp_path / "clone")
    path = project.folder / "data/sample/val/val_en.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines[:3], "[Rome|PLACE] burns .", *lines[3:], "A [ b"]) + "\n", encoding="utf-8")
    command = ["python", "-m", "stages.download"]
    process = Process(project.folder, command)
    assert process.wait() == 1
    assert [line.partition(": ")[0] for line in process.said().removeprefix("error: ").splitlines()] == [
        "data/sample/val/val_en.txt:4:7", f"data/sample/val/val_en.txt:{len(lines) + 2}:4",
    ]  # fmt: skip
    for skipping in ([*command, "--on-bad-row", "skip"], ["python", "-m", "stages.summary"]):
        process = Process(project.folder, skipping)
        assert process.wait() == 0, process.said()
    text = (project.folder / "reports/runs.md").read_text(encoding="utf-8")
    assert "**2 bad rows of the data were skipped**; reports/data/rows.json names them." in text
