"""``python -m stages.audit`` with a model's answers: label errors, and scores without copies of train."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages.audit import main
from stages.corpus.files import read_json
from stages.corpus.labels import SPLITS, TAGS
from stages.errors import UserError
from tests.corpus.builders import row, write_jsonl

WORDS = "the old mill by the river Po was sold to Ada from town"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory of three splits, of whose test sentences one stands in train, and answers for test."""
    tags = [0] * 6 + [5, 0, 0, 0, 0, 1, 0]
    for split in SPLITS:
        other = [row(f"Ada saw {split} {i}", [1, 0, 0, 0]) for i in range(30)]
        write_jsonl(tmp_path / "data" / split / f"{split}_en.jsonl", [row(WORDS + " .", [*tags, 0]), *other])
    gold = ["B-PER", "O", "O", "O"]
    answers = [
        {"tokens": [*WORDS.split(), "."], "gold": (names := [TAGS[i] for i in [*tags, 0]]), "pred": names},
        *({"tokens": f"Ada saw test {i}".split(), "gold": gold, "pred": ["O"] * 4} for i in range(30)),
    ]
    answers[9]["gold"] = ["B-LOC", "O", "O", "O"]
    write_jsonl(tmp_path / "predictions.jsonl", answers)
    right = [*tags, 0, *[1, 0, 0, 0] * 30]
    probabilities = np.full((len(right), len(TAGS)), 0.0001, dtype=np.float32)
    probabilities[np.arange(len(right)), right] = 1 - 0.0001 * (len(TAGS) - 1)
    np.savez(tmp_path / "probabilities.npz", probabilities=probabilities, labels=np.array(TAGS))
    return tmp_path


def test_label_errors_and_scores_without_copies(folder: Path) -> None:
    main(folder / "data", folder / "out", folder / "predictions.jsonl", folder / "probabilities.npz")
    table = pd.read_csv(folder / "out" / "label_errors.csv")
    assert table.iloc[0][["row", "word", "given", "suggested"]].tolist() == [10, 0, "B-LOC", "B-PER"]
    found = read_json(folder / "out" / "audit.json")
    assert found["label_errors"] == {"words": len(table), "sentences": 1, "of_words": 134}
    scores = found["without_duplicates"]
    assert (scores["sentences"], scores["sentences_without_duplicates"]) == (31, 30)
    assert scores["f1"] > scores["f1_without_duplicates"] == 0.0
    text = (folder / "out" / "audit.md").read_text(encoding="utf-8")
    assert "1 of 134 words in 1 sentences" in text
    assert "0.0000 on the 30 that have no exact or near copy in train" in text


def test_without_answers_there_is_neither(folder: Path) -> None:
    main(folder / "data", folder / "out")
    assert not {"label_errors", "without_duplicates"} & set(read_json(folder / "out" / "audit.json"))
    assert {path.name for path in (folder / "out").iterdir()} == {"audit.json", "audit.md"}


def test_probabilities_alone_are_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="needs --predictions"):
        main(folder / "data", folder / "out", None, folder / "probabilities.npz")
    assert not (folder / "out").exists()


def test_quoted_only_when_asked(folder: Path) -> None:
    main(folder / "data", folder / "out")
    assert "old mill" not in (folder / "out" / "audit.json").read_text(encoding="utf-8")
    main(folder / "data", folder / "out", examples=1)
    assert "old mill" in (folder / "out" / "audit.json").read_text(encoding="utf-8")
