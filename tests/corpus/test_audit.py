"""The audit names every planted fault, and finds none where there is none."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from stages.corpus.anchors import NAMES, known_type
from stages.corpus.audit import audit
from stages.corpus.audit_duplicates import NEAR, SHORTEST, exact_groups, near_pairs
from stages.corpus.audit_findings import CASES
from stages.corpus.audit_reading import read_part
from stages.corpus.labels import SPLITS, TYPES
from stages.corpus.rows import DataError
from stages.corpus.source import TRUE_ROWS
from tests.corpus.builders import row, write_jsonl
from tests.corpus.planted import (
    SAMPLE,
    Data,
    copied,
    doubled,
    flipped,
    interleaved,
    load,
    renamed,
    retyped,
    save,
    swapped,
    tner,
)

Plant = Callable[[Data], Data]

PLANTED: dict[str, tuple[Plant, str, str]] = {
    "doubled train": (partial(doubled, split="train"), "doubled", "train"),
    "doubled test": (partial(doubled, split="test"), "doubled", "test"),
    "each row twice": (partial(interleaved, split="val"), "doubled", "val"),
    "PER and ORG": (partial(swapped, one="PER", other="ORG"), "swapped type names", "train"),
    "LOC and ORG": (partial(swapped, one="LOC", other="ORG"), "swapped type names", "train"),
    "DIS and ANIM in test": (partial(swapped, one="DIS", other="ANIM", splits=("test",)), "swapped type names", "test"),
    "PER and LOC in val": (partial(swapped, one="PER", other="LOC", splits=("val",)), "swapped type names", "val"),
    "FOOD and PLANT": (partial(swapped, one="FOOD", other="PLANT"), "swapped type names", "train"),
    "three in a ring": (
        partial(renamed, names={"PER": "LOC", "LOC": "ORG", "ORG": "PER"}), "swapped type names", "train",
    ),
    "tner's ids": (tner, "tner label ids", "train"),
    "tner's ids in train": (partial(tner, splits=("train",)), "tner label ids", "train"),
    "flipped": (flipped, "flipped tags", "train"),
    "flipped test": (partial(flipped, splits=("test",)), "flipped tags", "test"),
    "a block of test in train": (partial(copied, source="test", target="train", count=8, block=True),
                                 "cross-split copies", "test in train"),
    "val in test": (partial(copied, source="val", target="test", count=60, block=False),
                    "cross-split copies", "val in test"),
}  # fmt: skip


def faults(folder: Path) -> dict[str, str]:
    """Each fault that the audit names, with all places."""
    found: dict[str, str] = {}
    for one in audit(folder)["findings"]:
        assert one["fault"] in CASES
        assert one["evidence"]
        assert one["way_out"]
        found[one["fault"]] = f"{found.get(one['fault'], '')} {one['where']}"
    return found


@pytest.fixture(scope="module")
def sample() -> Data:
    return load(SAMPLE)


@pytest.fixture(scope="module")
def real(multinerd: Path) -> Data:
    return load(multinerd)


def check(data: Data, case: str, folder: Path) -> None:
    """Plant a fault; it is named, at its place, and no other fault is, but what comes with it."""
    plant, fault, where = PLANTED[case]
    found = faults(save(plant(data), folder / "planted"))
    assert where in found.get(fault, "")
    with_it = {"flipped tags": {"illegal tags"}, "cross-split copies": set()}.get(fault, set())
    assert set(found) - {fault} <= with_it


def test_sample_has_no_fault() -> None:
    assert faults(SAMPLE) == {}


@pytest.mark.parametrize("case", PLANTED)
def test_sample_with_a_planted_fault(case: str, sample: Data, tmp_path: Path) -> None:
    check(sample, case, tmp_path)


@pytest.mark.real
def test_real_sentences_have_no_fault(multinerd: Path) -> None:
    assert faults(multinerd) == {}


@pytest.mark.real
@pytest.mark.parametrize("case", PLANTED)
def test_real_sentences_with_a_planted_fault(case: str, real: Data, tmp_path: Path) -> None:
    check(real, case, tmp_path)


@pytest.mark.real
def test_one_percent_of_entities_of_another_type(real: Data, tmp_path: Path) -> None:
    """No sequence is illegal then, and only the settled mentions tell."""
    found = faults(save(retyped(real), tmp_path / "planted"))
    assert list(found) == ["flipped tags"]
    assert "train" in found["flipped tags"]


def test_tner_ids_beyond_ours_are_told(tmp_path: Path, sample: Data) -> None:
    folder = save(sample, tmp_path / "planted")
    path = folder / "train" / "train_en.jsonl"
    path.write_text(
        path.read_text(encoding="utf-8") + json.dumps(row("Superman flies", [31, 0])) + "\n", encoding="utf-8"
    )
    assert set(faults(folder)) == {"tner label ids", "bad rows"}


def test_true_size_twice_is_the_known_doubled_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, directory: Path
) -> None:
    """By the number of rows alone, even where the second copy is not word for word the first."""
    monkeypatch.setitem(TRUE_ROWS, "val", 1)
    (found,) = [one for one in audit(directory)["findings"] if one["fault"] == "doubled"]
    assert "known doubled load" in found["evidence"]
    assert found["where"] == "val/val_en.jsonl"


def test_bad_rows_do_not_stop_the_audit(directory: Path) -> None:
    path = directory / "test" / "test_en.jsonl"
    lines = ["{broken", json.dumps(row("a b", [0])), json.dumps(row("a b", [0, 99])), json.dumps({"tokens": ["a"]})]
    path.write_text("\n".join(lines) + "\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    found = audit(directory)
    test = found["splits"]["test"]
    assert test["sentences"] == 2
    assert test["bad_rows"] == {
        "broken JSON": 1, "unequal lengths": 1, "unknown tag id": 1, "a field is missing": 1,
    }  # fmt: skip
    assert test["bad_rows_at"] == [f"test/test_en.jsonl:{line}" for line in (1, 2, 3, 4)]
    (bad,) = [one for one in found["findings"] if one["fault"] == "bad rows"]
    assert "first at line 1" in bad["evidence"]


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    """Comments, empty and bad lines are passed over, and counted."""
    path = tmp_path / "train" / "train_en.txt"
    path.parent.mkdir()
    path.write_text("# a comment\n[Ada|PER] wrote .\n\nbad [line\nIt rained .\n", encoding="utf-8")
    part = read_part("train", path)
    assert [sentence.line for sentence in part.sentences] == [2, 5]
    assert [bad.line for bad in part.bad] == [4]
    assert part.at(1) == "train/train_en.txt:5"


def test_counts_types_illegal_and_other_languages(directory: Path) -> None:
    write_jsonl(
        directory / "val" / "val_en.jsonl",
        [row("Ada met Ada .", [1, 0, 3, 0]), row("Lake Como", [2, 2]), row("Lake Como", [5, 6])],
    )
    found = audit(directory)
    val = found["splits"]["val"]
    assert (val["sentences"], val["tokens"], val["entities"]) == (3, 8, 3)
    assert (val["types"]["PER"], val["types"]["ORG"], val["types"]["LOC"]) == (1, 1, 1)
    assert found["illegal"]["val"] == {"tags": 1, "sentences": 1, "at": ["val/val_en.jsonl:2"]}
    several = found["several_types"]
    assert several["top"] == [{"mention": "Ada", "types": {"PER": 3, "ORG": 1}}]
    assert several["minority_entities"] == 1
    assert found["other_languages"] == {f"{split}_de": 1 for split in SPLITS}


def test_copies_name_places_and_quote_only_when_asked(directory: Path) -> None:
    words = "the old mill by the river was sold to a brewer from town"
    near = words.replace("town", "abroad")
    write_jsonl(directory / "train" / "train_en.jsonl", [row(words), row("It rained .")])
    write_jsonl(directory / "test" / "test_en.jsonl", [row("It snowed ."), row(near), row(words)])
    copies = audit(directory)["duplicates"]
    exact, close = copies["exact"]["across"]["test in train"], copies["near"]["across"]["test in train"]
    assert exact == {
        "sentences": 1, "longest_run": 1,
        "at": [{"sentence": "test/test_en.jsonl:3", "twin": "train/train_en.jsonl:1"}],
    }  # fmt: skip
    assert close["at"] == [{"sentence": "test/test_en.jsonl:2", "twin": "train/train_en.jsonl:1"}]
    assert copies["near"]["within"]["test"]["sentences"] == 2
    assert audit(directory, examples=1)["duplicates"]["exact"]["across"]["test in train"]["examples"] == [words]


def test_near_pairs_are_all_pairs_above_the_threshold() -> None:
    rng = random.Random(3)
    sentences = [[rng.choice("abcdefgh") for _ in range(rng.randint(3, 14))] for _ in range(60)]
    sentences += [[*words[:-1], "Z"] for words in sentences] + [[word.upper() for word in sentences[0] * 2]]
    sets = [
        {tuple(word.lower() for word in words[i : i + 3]) for i in range(len(words) - 2)}
        if len(words) >= SHORTEST
        else set()
        for words in sentences
    ]
    expected = [
        [i, j]
        for i in range(len(sets))
        for j in range(i + 1, len(sets))
        if sets[i] and len(sets[i] & sets[j]) >= NEAR * len(sets[i] | sets[j])
    ]
    assert expected
    assert near_pairs(sentences).tolist() == expected


def test_no_pairs_of_nothing_or_of_short_sentences() -> None:
    assert near_pairs([]).shape == (0, 2)
    assert near_pairs([["a", "b"], ["a", "b"]]).shape == (0, 2)
    assert exact_groups([["a", "b"], ["a b"], ["a", "b"]]).tolist() == [0, 1, 0]
    assert exact_groups([]).shape == (0,)
    assert isinstance(near_pairs([["a"] * 9]), np.ndarray)


def test_anchors_are_of_known_types_and_no_mention_has_two() -> None:
    every = [name for names in NAMES.values() for name in names.split("|")]
    assert set(NAMES) == set(TYPES)
    assert len(every) == len(set(every))
    assert all(name == name.lower().strip() and name for name in every)


@pytest.mark.parametrize(
    ("mention", "kind"),
    [
        ("United States", "LOC"), ("World War II", "EVE"), ("malaria", "DIS"), ("Barack Obama", "PER"),
        ("European Union", "ORG"), ("John Smith", "PER"), ("John Smith University", "ORG"), ("Xyz River", "LOC"),
        ("university", None), ("Mercury", None), ("john doe", None),
    ],
)  # fmt: skip
def test_known_type(mention: str, kind: str | None) -> None:
    assert known_type(mention.split()) == kind


def test_a_directory_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        audit(tmp_path / "nowhere")


def test_command_writes_both_files_and_no_sentence(tmp_path: Path, sample: Data) -> None:
    folder = save(copied(sample, "test", "train", 8, True), tmp_path / "planted")
    command = [sys.executable, "-m", "stages.audit", "--directory", str(folder), "--output", str(tmp_path / "out")]
    done = subprocess.run(command, cwd=SAMPLE.parents[1], capture_output=True, text=True, check=True)
    assert "cross-split copies" in done.stdout
    found = json.loads((tmp_path / "out" / "audit.json").read_text(encoding="utf-8"))
    assert found["findings"][0]["fault"] == "cross-split copies"
    text = (tmp_path / "out" / "audit.md").read_text(encoding="utf-8")
    assert "**cross-split copies** (test in train)" in text
    assert " ".join(sample["test"][10].tokens) not in text + json.dumps(found, ensure_ascii=False)
