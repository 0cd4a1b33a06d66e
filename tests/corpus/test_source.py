"""A data directory is collected whole and canonical, or refused with what was found and expected."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from stages.corpus import source
from stages.corpus.labels import SPLITS
from stages.corpus.rows import DataError, read_rows
from tests.corpus.builders import row, tree, write_jsonl


def refused(directory: Path, target: Path) -> str:
    """The message with which ``collect`` refuses, after a look that nothing was written."""
    before = tree(target.parent)
    with pytest.raises(DataError) as error:
        source.collect(directory, target)
    assert tree(target.parent) == before
    assert not list(target.parent.rglob("*.part"))
    return str(error.value)


def test_every_file_is_rewritten_canonically(directory: Path, tmp_path: Path) -> None:
    counts = source.collect(directory, tmp_path / "raw")
    assert counts == {(split, lang): n for split in SPLITS for lang, n in (("en", 2), ("de", 1))}
    files = tree(tmp_path / "raw")
    assert set(files) == {f"{split}/{split}_{lang}.jsonl" for split in SPLITS for lang in ("en", "de")}
    assert (
        files["val/val_de.jsonl"]
        == '{"tokens":["Köln","liegt","hier","."],"ner_tags":[5,0,0,0],"lang":"de"}\n'.encode()
    )


def test_collecting_what_was_collected_changes_nothing(directory: Path, tmp_path: Path) -> None:
    source.collect(directory, tmp_path / "raw")
    source.collect(tmp_path / "raw", tmp_path / "again")
    assert tree(tmp_path / "raw") == tree(tmp_path / "again")


def test_markup_and_rows_may_lie_side_by_side(directory: Path, tmp_path: Path) -> None:
    (directory / "val" / "val_en.jsonl").unlink()
    (directory / "val" / "val_en.txt").write_text("# two\n[Ada|PER] sang .\nIt rained .\n")
    assert source.collect(directory, tmp_path / "raw")["val", "en"] == 2
    rows = list(read_rows(tmp_path / "raw" / "val" / "val_en.jsonl", "en"))
    assert [r.tokens for r in rows] == [["Ada", "sang", "."], ["It", "rained", "."]]
    assert rows[0].ner_tags == [1, 0, 0]


def test_an_earlier_copy_is_replaced_as_a_whole(directory: Path, tmp_path: Path) -> None:
    source.collect(directory, tmp_path / "raw")
    for split in SPLITS:
        (directory / split / f"{split}_de.jsonl").unlink()
    source.collect(directory, tmp_path / "raw")
    assert set(tree(tmp_path / "raw")) == {f"{split}/{split}_en.jsonl" for split in SPLITS}


def test_faults_of_all_files_come_together_and_nothing_is_written(directory: Path, tmp_path: Path) -> None:
    source.collect(directory, tmp_path / "raw")
    write_jsonl(directory / "train" / "train_de.jsonl", [row("a", [99], "de")])
    write_jsonl(directory / "test" / "test_en.jsonl", [row("a"), row("b", lang="de"), {"tokens": ["x"]}])
    lines = refused(directory, tmp_path / "raw").split("\n")
    assert [line.split(": ")[0].removeprefix(f"{directory}/") for line in lines] == [
        "train/train_de.jsonl:1",
        "test/test_en.jsonl:2",
        "test/test_en.jsonl:3",
    ]


def test_no_directory(tmp_path: Path) -> None:
    message = refused(tmp_path / "nowhere", tmp_path / "raw")
    assert f"data directory {tmp_path / 'nowhere'} does not exist" in message
    assert "expected {train,val,test}/{split}_{lang}.jsonl" in message
    assert "set data.directory in params.yaml" in message


def test_a_file_for_a_directory(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("")
    assert "rows.jsonl is a file" in refused(tmp_path / "rows.jsonl", tmp_path / "raw")


def test_an_empty_directory(tmp_path: Path) -> None:
    (tmp_path / "empty" / "train").mkdir(parents=True)
    message = refused(tmp_path / "empty", tmp_path / "raw")
    assert "no train/train_en.jsonl (or .txt), val/val_en.jsonl (or .txt), test/test_en.jsonl (or .txt)" in message
    assert "; found train; expected" in message
    (tmp_path / "empty" / "train").rmdir()
    assert "; it is empty; expected" in refused(tmp_path / "empty", tmp_path / "raw")


def test_another_layout_is_told_with_what_was_found(tmp_path: Path) -> None:
    for split in SPLITS:
        write_jsonl(tmp_path / "flat" / f"{split}_en.jsonl", [row("a")])
    message = refused(tmp_path / "flat", tmp_path / "raw")
    assert "found test_en.jsonl, train_en.jsonl, val_en.jsonl; expected" in message


def test_a_long_listing_is_cut(tmp_path: Path) -> None:
    for i in range(20):
        write_jsonl(tmp_path / "flat" / f"{i:02}.jsonl", [])
    assert "07.jsonl and 12 more; expected" in refused(tmp_path / "flat", tmp_path / "raw")


@pytest.mark.parametrize("split", SPLITS)
def test_english_has_to_be_in_every_split(directory: Path, tmp_path: Path, split: str) -> None:
    (directory / split / f"{split}_en.jsonl").unlink()
    assert f"no {split}/{split}_en.jsonl (or .txt); found" in refused(directory, tmp_path / "raw")


def test_an_english_file_without_sentences(directory: Path, tmp_path: Path) -> None:
    (directory / "val" / "val_en.jsonl").write_text("")
    assert "val_en.jsonl: holds no sentence" in refused(directory, tmp_path / "raw")


def test_a_file_in_both_forms_is_refused(directory: Path, tmp_path: Path) -> None:
    (directory / "val" / "val_de.txt").write_text("Hallo .\n")
    message = refused(directory, tmp_path / "raw")
    assert "val_de.txt and " in message
    assert "val_de.jsonl are both there" in message


def test_other_files_are_left_out_with_a_warning(
    directory: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_jsonl(directory / "train" / "train_sv.jsonl", [row("a", lang="sv")])
    with caplog.at_level(logging.WARNING):
        source.collect(directory, tmp_path / "raw")
    assert "left out, as no {split}_{lang} file: train/train_sv.jsonl (1 in all)" in caplog.text
    assert "train/train_sv.jsonl" not in tree(tmp_path / "raw")


def test_a_clean_directory_raises_no_warning(directory: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source.collect(directory, tmp_path / "raw")
    assert caplog.text == ""


def test_the_doubled_load_is_recognised_by_name(directory: Path, tmp_path: Path) -> None:
    line = json.dumps(row("a")) + "\n"
    (directory / "test" / "test_en.jsonl").write_text(line * 32_908)
    message = refused(directory, tmp_path / "raw")
    assert "test_en.jsonl: 32,908 rows are twice MultiNERD's 16,454" in message
    assert "doubled load" in message


@pytest.mark.parametrize(("split", "rows"), [("train", 262_560), ("val", 32_820), ("test", 32_908)])
def test_each_doubled_number_is_refused_and_its_half_is_not(split: str, rows: int) -> None:
    with pytest.raises(DataError, match="twice"):
        source.check_rows("x.jsonl", split, rows)
    source.check_rows("x.jsonl", split, rows // 2)
