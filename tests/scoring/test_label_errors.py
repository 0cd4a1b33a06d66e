"""Planted label errors are found, first of all; copies of train are taken out of the test set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stages.corpus.labels import TAGS
from stages.scoring.label_errors import COLUMNS, label_errors, read_probabilities, without_duplicates
from stages.scoring.predictions import PredictionError, Predictions, Row

LABELS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


def made(sentences: int = 300, seed: int = 0) -> tuple[Predictions, np.ndarray]:
    """Sentences of ten words with right tags, and the probabilities of a model that knows them well."""
    rng = np.random.default_rng(seed)
    rows, probabilities = [], []
    for _ in range(sentences):
        columns = [0, 1, 2, 0, 3, 0, 0, 1, 0, 0]
        rows.append(Row([f"w{i}" for i in range(10)], [LABELS[i] for i in columns], ["O"] * 10))
        certain = np.eye(len(LABELS))[columns] * 0.9
        probabilities.append(certain + 0.1 * rng.dirichlet(np.ones(len(LABELS)), 10))
    return Predictions("p.jsonl", rows, list(range(1, sentences + 1))), np.concatenate(probabilities)


def test_planted_errors_come_first() -> None:
    predictions, probabilities = made()
    predictions.rows[17].gold[4] = "B-PER"
    predictions.rows[40].gold[1] = "O"
    predictions.rows[99].row = "named"
    predictions.rows[99].gold[7] = "B-LOC"
    for row, word in ((17, 4), (40, 1), (99, 7)):
        right = probabilities[10 * row + word].argmax()
        probabilities[10 * row + word] = np.where(np.arange(len(LABELS)) == right, 0.996, 0.001)
    found = label_errors(predictions, probabilities, LABELS)
    assert list(found.columns) == list(COLUMNS)
    assert {tuple(line) for line in found[["row", "word", "given", "suggested"]].itertuples(index=False)} == {
        (18, 4, "B-PER", "B-LOC"), (41, 1, "O", "B-PER"), ("named", 7, "B-LOC", "B-PER"),
    }  # fmt: skip
    assert found["score"].is_monotonic_increasing
    assert (found["score"] < 0.1).all()


def test_nothing_to_find() -> None:
    predictions, probabilities = made(50)
    assert label_errors(predictions, probabilities, LABELS).empty


def test_one_tag_alone_cannot_be_wrong() -> None:
    predictions = Predictions("p.jsonl", [Row(["a", "b"], ["O", "O"], ["O", "O"])], [1])
    assert label_errors(predictions, np.full((2, len(LABELS)), 0.2), LABELS).empty


def test_other_words_and_unknown_tags_are_refused() -> None:
    predictions, probabilities = made(3)
    with pytest.raises(PredictionError, match="30 words, but probabilities of 29"):
        label_errors(predictions, probabilities[1:], LABELS)
    predictions.rows[1].gold[0] = "B-DIS"
    with pytest.raises(PredictionError, match=r"p\.jsonl:2: field 'gold': value 'B-DIS'"):
        label_errors(predictions, probabilities, LABELS)


def test_probabilities_are_read_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "probabilities.npz"
    np.savez(path, probabilities=np.ones((4, 31), dtype=np.float16), labels=np.array(TAGS))
    probabilities, labels = read_probabilities(path)
    assert probabilities.shape == (4, 31)
    assert labels == list(TAGS)
    np.savez(path, probabilities=np.ones((4, 30)), labels=np.array(TAGS))
    with pytest.raises(PredictionError, match="31 labels"):
        read_probabilities(path)
    np.savez(path, probabilities=np.ones((4, 1)), labels=np.array(["PERSON"]))
    with pytest.raises(PredictionError, match="'PERSON'"):
        read_probabilities(path)
    np.savez(path, other=np.ones(1))
    with pytest.raises(PredictionError, match="no NPZ"):
        read_probabilities(path)
    with pytest.raises(PredictionError, match="no NPZ"):
        read_probabilities(tmp_path / "nowhere.npz")


def test_f1_without_exact_and_near_copies() -> None:
    """Two copies are right and leave; of the two that stay, one is right."""
    words = [*"abcdefghijkl", "town"]
    near = [*words[:-1], "abroad"]
    right = ["B-LOC", *["O"] * 12]
    rows = [
        Row(words, right, right),
        Row(near, right, right),
        Row(["It", "rained"], ["B-TIME", "O"], ["B-TIME", "O"]),
        Row(["It", "snowed"], ["B-TIME", "O"], ["B-EVE", "O"]),
    ]
    found = without_duplicates(Predictions("p.jsonl", rows, [1, 2, 3, 4]), [words, ["It", "hailed"]])
    assert found == {"sentences": 4, "f1": 0.75, "sentences_without_duplicates": 2, "f1_without_duplicates": 0.5}


def test_no_copy_changes_nothing_and_all_copies_leave_nothing() -> None:
    row = Row(["It", "rained"], ["B-TIME", "O"], ["B-TIME", "O"])
    predictions = Predictions("p.jsonl", [row], [1])
    assert without_duplicates(predictions, [])["f1_without_duplicates"] == 1.0
    assert without_duplicates(predictions, [row.tokens]) == {
        "sentences": 1, "f1": 1.0, "sentences_without_duplicates": 0, "f1_without_duplicates": 0.0,
    }  # fmt: skip
