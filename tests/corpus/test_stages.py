"""From a data directory to what both systems are trained on, by the stages themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from stages import check, derive, download, filter
from stages.cli import clear_errors
from stages.corpus.labels import FIVE, SPLITS, TAG_IDS, TAGS, TYPES, spans
from tests.corpus.builders import row, tree, write_jsonl

ROOT = Path(__file__).parents[2]
FIVE_IDS = {0, *(TAG_IDS[f"{prefix}-{kind}"] for kind in FIVE for prefix in "BI")}


@pytest.fixture
def project(directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project beside the data directory, whose params.yaml names that directory; we are in it."""
    folder = tmp_path / "project"
    folder.mkdir()
    params = (ROOT / "params.yaml").read_text()
    assert "directory: data/sample " in params
    (folder / "params.yaml").write_text(params.replace("directory: data/sample ", f"directory: {directory} "))
    monkeypatch.chdir(folder)
    return folder


def fails(stage: object, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a stage tells when it stops, after a look that it wrote nothing."""
    before = tree(Path())
    with pytest.raises(SystemExit) as stop, clear_errors():
        stage.main(*arguments)  # type: ignore[attr-defined]
    assert stop.value.code == 1
    assert tree(Path()) == before
    assert not list(Path().rglob("*.part"))
    return capsys.readouterr().err


def run_all() -> None:
    check.main()
    download.main()
    filter.main()
    derive.main("A")
    derive.main("B")


def rows(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_all_stages_write_what_they_promise(project: Path) -> None:
    run_all()
    assert set(tree(project)) == {
        "params.yaml",
        "data/params.ok",
        *(f"data/raw/{split}/{split}_{lang}.jsonl" for split in SPLITS for lang in ("de", "en")),
        *(f"data/english/{split}.jsonl" for split in SPLITS),
        *(f"data/systems/{system}/{split}.jsonl" for system in "AB" for split in SPLITS),
        "reports/data/A.csv",
        "reports/data/B.csv",
        "reports/data/rows.json",
    }


def test_a_second_run_writes_the_same_bytes(project: Path) -> None:
    run_all()
    before = tree(project)
    run_all()
    assert tree(project) == before


def test_the_checks_output_does_not_depend_on_the_parameters(project: Path) -> None:
    check.main()
    before = Path("data/params.ok").read_bytes()
    params = Path("params.yaml").read_text()
    Path("params.yaml").write_text(params.replace("seed: 42", "seed: 7"))
    check.main()
    assert Path("data/params.ok").read_bytes() == before


def test_a_bad_parameter_leaves_every_output_in_place(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_all()
    params = Path("params.yaml").read_text()
    Path("params.yaml").write_text(params.replace("profile: sample", "profile: smple"))
    message = fails(check, capsys)
    assert message.startswith("error: params.yaml:")
    assert "profile is the text 'smple'" in message


def test_bad_data_leaves_the_earlier_rows(project: Path, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_all()
    write_jsonl(directory / "val" / "val_en.jsonl", [row("fine"), row("a b", [0])])
    message = fails(download, capsys)
    assert message == f"error: {directory}/val/val_en.jsonl:2: 2 tokens but 1 ner_tags; each token needs one tag\n"


def test_a_missing_directory_is_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    params = Path("params.yaml").read_text()
    Path("params.yaml").write_text(params.replace("directory: /", "directory: nowhere/"))
    assert "does not exist; expected {train,val,test}" in fails(download, capsys)


def test_the_row_and_not_the_file_says_its_language(project: Path) -> None:
    """Files of ``data/raw`` that hold other languages than they are named for, as no download writes them."""
    for split in SPLITS:
        write_jsonl(
            Path(f"data/raw/{split}/{split}_de.jsonl"), [row("eins", lang="de"), row("one"), row("zwei", lang="de")]
        )
        write_jsonl(Path(f"data/raw/{split}/{split}_en.jsonl"), [row("un", lang="fr"), row("two")])
        write_jsonl(Path(f"data/raw/{split}/{split}_zh.jsonl"), [row("three")])
    filter.main()
    for split in SPLITS:
        assert [r["tokens"] for r in rows(f"data/english/{split}.jsonl")] == [["one"], ["two"], ["three"]]


def test_the_filter_refuses_an_unknown_language(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    download.main()
    with Path("data/raw/train/train_de.jsonl").open("a") as file:
        file.write('{"tokens":["a"],"ner_tags":[0],"lang":"xx"}\n')
    assert 'train_de.jsonl:2: lang is "xx"' in fails(filter, capsys)


def test_the_filter_refuses_a_split_without_english(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    download.main()
    Path("data/raw/val/val_en.jsonl").unlink()
    assert "data/raw/val: no row has lang 'en'" in fails(filter, capsys)


def test_filter_and_derive_without_their_input_are_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no row has lang 'en'; run the stage download again" in fails(filter, capsys)
    assert "data/english/train.jsonl: cannot be read" in fails(derive, capsys, "A")


def test_derive_refuses_a_spoilt_row_and_keeps_the_earlier_files(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_all()
    with Path("data/english/test.jsonl").open("a") as file:
        file.write('{"tokens":["a"],"ner_tags":[31],"lang":"en"}\n')
    assert "data/english/test.jsonl:3: ner_tags[0] is 31" in fails(derive, capsys, "B")


def test_system_a_is_the_english_rows_byte_for_byte(project: Path) -> None:
    run_all()
    assert tree(project / "data" / "systems" / "A") == tree(project / "data" / "english")


def assert_b_is_a_in_five_types() -> None:
    """Same sentences, same tokens to the byte, same tags of the five types, and none of the others."""
    for split in SPLITS:
        a, b = (Path(f"data/systems/{system}/{split}.jsonl").read_bytes().splitlines() for system in "AB")
        assert [line.split(b'],"ner_tags"')[0] for line in a] == [line.split(b'],"ner_tags"')[0] for line in b]
        for line_a, line_b in zip(a, b, strict=True):
            tags_a, tags_b = json.loads(line_a)["ner_tags"], json.loads(line_b)["ner_tags"]
            assert set(tags_b) <= FIVE_IDS
            assert tags_b == [tag if tag in FIVE_IDS else 0 for tag in tags_a]


def test_system_b_keeps_every_sentence_and_only_five_types(project: Path) -> None:
    run_all()
    assert rows("data/systems/B/train.jsonl") == [
        row("Ada met a cat .", [1, 0, 0, 7, 0]),
        row("Rain in train today .", [0, 0, 5, 0, 0]),
    ]
    assert_b_is_a_in_five_types()


def test_every_tag_goes_where_it_should(project: Path, directory: Path) -> None:
    write_jsonl(directory / "train" / "train_en.jsonl", [row(f"word {tag}", [0, tag]) for tag in range(len(TAGS))])
    run_all()
    assert [r["ner_tags"][1] for r in rows("data/systems/A/train.jsonl")] == list(range(len(TAGS)))
    assert_b_is_a_in_five_types()


def test_tners_numbering_would_not_pass_unnoticed(project: Path, directory: Path) -> None:
    """In tner/multinerd LOC is 3 and ORG 5: a row read with those ids must come out as another row."""
    write_jsonl(directory / "train" / "train_en.jsonl", [row("Paris Unesco", [TAG_IDS["B-LOC"], TAG_IDS["B-ORG"]])])
    run_all()
    (found,) = rows("data/systems/B/train.jsonl")
    assert [TAGS[tag] for tag in found["ner_tags"]] == ["B-LOC", "B-ORG"]
    assert found["ner_tags"] != [3, 5]


def test_the_table_counts_entities_words_and_sentences(project: Path, directory: Path) -> None:
    given = [
        row("Ada Lovelace met Bob in Rome", [1, 2, 0, 1, 0, 5]),
        row("Nothing here"),
        row("Mars and a rose", [11, 0, 0, 25]),
    ]
    write_jsonl(directory / "train" / "train_en.jsonl", given)
    run_all()
    frame = pd.read_csv("reports/data/A.csv", keep_default_na=False)
    assert list(frame.columns) == ["split", "type", "entities", "words", "sentences"]
    assert list(frame["type"]) == ["all", *TYPES] * 3
    assert list(frame["split"].unique()) == list(SPLITS)
    train = frame[frame["split"] == "train"].set_index("type")[["entities", "words", "sentences"]]
    assert train.loc["all"].tolist() == [5, 12, 3]
    assert train.loc["PER"].tolist() == [2, 3, 1]
    assert train.loc["CEL"].tolist() == [1, 1, 1]
    assert train.loc["VEHI"].tolist() == [0, 0, 0]
    frame = pd.read_csv("reports/data/B.csv")
    assert list(frame["type"]) == ["all", *FIVE] * 3
    assert frame.set_index(["split", "type"]).loc[("train", "all")].tolist() == [3, 12, 3]


def test_doubled_rows_are_refused_by_the_stage(
    project: Path, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / "val" / "val_en.jsonl").write_text((json.dumps(row("a")) + "\n") * 32_820)
    assert "32,820 rows are twice MultiNERD's 16,410" in fails(download, capsys)


def stage(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", f"stages.{name}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_a_stage_as_a_command_ends_with_one_line_and_status_one(project: Path, directory: Path) -> None:
    (directory / "train" / "train_en.jsonl").write_text('{"tokens": [], "ner_tags": [], "lang": "en"}\n')
    done = stage("download")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: {directory}/train/train_en.jsonl:1: tokens is []: an empty sentence; delete the row\n"
    )


def test_derive_as_a_command_knows_two_systems(project: Path) -> None:
    download.main()
    filter.main()
    assert stage("derive", "--system", "B").returncode == 0
    refused = stage("derive", "--system", "C")
    assert refused.returncode == 2
    assert "'C' is not one of 'A', 'B'" in refused.stderr


@pytest.mark.real
def test_real_sentences_pass_unchanged(project: Path, multinerd: Path) -> None:
    params = Path("params.yaml").read_text()
    real = multinerd.resolve()
    Path("params.yaml").write_text(
        "\n".join(f"  directory: {real}" if "  directory: /" in line else line for line in params.split("\n"))
    )
    run_all()
    assert_b_is_a_in_five_types()
    for split in SPLITS:
        original = rows(str(real / split / f"{split}_en.jsonl"))
        assert rows(f"data/systems/A/{split}.jsonl") == original
        strict = Counter(span.type for r in original for span in spans([TAGS[tag] for tag in r["ner_tags"]]))
        frame = pd.read_csv("reports/data/A.csv")
        table = frame[(frame["split"] == split) & (frame["type"] != "all")]
        assert dict(zip(table["type"], table["entities"], strict=True)) == {kind: strict[kind] for kind in TYPES}
