"""The untouched starting checkpoint: scored where it is an NER model of the system's types, else told why not."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from transformers import set_seed

from stages import pretrained, settings
from stages.corpus.labels import FIVE, SYSTEMS, TYPES
from stages.corpus.rows import Row, write_rows
from stages.models import families
from stages.models.encoder import EncoderError
from stages.models.span_marker import SpanMarkerTagger
from stages.models.token_classifier import TokenClassifier

TINY = {"max_tokens": 96, "encoder_layers": None}
ROWS = [
    Row(["Marie", "Curie", "was", "born", "in", "Warsaw", "."], [1, 2, 0, 0, 0, 5, 0], "en"),
    Row(["No", "one", "knew", "why", "."], [0, 0, 0, 0, 0], "en"),
]


def project(folder: Path, encoder: Path) -> None:
    """params.yaml with ``encoder`` for SpanMarker, and two sentences for each system."""
    yaml = YAML()
    values = yaml.load(settings.PARAMS.read_text(encoding="utf-8"))
    values["profiles"]["sample"]["span_marker"]["shared"] |= {"encoder": str(encoder), **TINY}
    with (folder / "params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(values, file)
    for system in SYSTEMS:
        for split in ("val", "test"):
            path = folder / f"data/systems/{system}/{split}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                write_rows(file, ROWS)


def checkpoint(kind: str, types: tuple[str, ...], encoder: Path, folder: Path) -> Path:
    """A tiny NER model of ``types``, untrained, saved in ``folder``."""
    set_seed(5)
    choice = settings.load()
    if kind == "span_marker":
        hyper = choice.training("span_marker", "A").model_copy(update={"encoder": str(encoder), **TINY})
        SpanMarkerTagger.create(hyper, types).save(folder)  # type: ignore[arg-type]
    else:
        hyper = choice.training("token_classifier", "A").model_copy(update={"encoder": str(encoder), **TINY})
        TokenClassifier.create(hyper, types).save(folder)  # type: ignore[arg-type]
    return folder


def rows(folder: Path, system: str) -> list[dict[str, object]]:
    path = folder / f"reports/runs/pretrained-{system}/predictions.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("kind", ["span_marker", "token_classifier"])
def test_an_ner_checkpoint_is_asked_for_each_systems_types(
    kind: str, tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(tmp_path, checkpoint(kind, TYPES, tiny_bert, tmp_path / "start"))
    monkeypatch.chdir(tmp_path)
    for system in ("A", "B"):
        pretrained.main(system)
        made = rows(tmp_path, system)
        assert [row["tokens"] for row in made] == [row.tokens for row in ROWS]
        given = {tag[2:] for row in made for tag in row["pred"]} - {""}  # type: ignore[attr-defined]
        assert given <= set(SYSTEMS[system])
        assert made[0]["gold"] == ["B-PER", "I-PER", "O", "O", "O", "B-LOC", "O"]


def test_a_checkpoint_that_lacks_types_has_no_score_for_a(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(tmp_path, checkpoint("span_marker", FIVE, tiny_bert, tmp_path / "start"))
    monkeypatch.chdir(tmp_path)
    pretrained.main("A")
    pretrained.main("B")
    assert "lacks the types BIO, CEL" in str(rows(tmp_path, "A")[0]["unscored"])
    assert "pred" in rows(tmp_path, "B")[0]


def test_a_plain_encoder_has_no_score_and_says_so(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_bert, tmp_path / "start")
    project(tmp_path, Path("start"))
    monkeypatch.chdir(tmp_path)
    pretrained.main("A")
    assert rows(tmp_path, "A") == [
        {"unscored": "start is no NER model: untrained, it has nothing to score as System A"}
    ]


def test_a_classifier_of_other_things_has_no_score_and_is_refused_by_name(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import AutoModelForTokenClassification

    names = {0: "NOUN", 1: "VERB"}
    tagger = AutoModelForTokenClassification.from_pretrained(tiny_bert, num_labels=2, id2label=names)
    shutil.copytree(tiny_bert, tmp_path / "start")
    tagger.save_pretrained(tmp_path / "start")
    project(tmp_path, Path("start"))
    monkeypatch.chdir(tmp_path)
    pretrained.main("A")
    assert "is no NER model" in str(rows(tmp_path, "A")[0]["unscored"])
    with pytest.raises(EncoderError, match="start: no NER model: none of its labels is O"):
        families.load(tmp_path / "start")


def test_an_encoder_that_is_no_ner_model_is_told_without_the_libraries_of_models() -> None:
    code = (
        "import sys; from stages import settings; from stages.models.families import load_checkpoint; "
        "assert load_checkpoint(settings.load().training('span_marker', 'A', 'sample')) is None; "
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
