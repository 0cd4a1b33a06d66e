"""An exported token classifier answers as the torch model does, through the same windows, words and labels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from transformers import set_seed

from stages import settings
from stages.corpus.labels import TYPES
from stages.errors import UserError
from stages.models import families, onnx
from stages.models.prediction import predict
from stages.models.token_classifier import TokenClassifier

WORDS = ["Marie", "Sklodowska-Curie", "visited", "Warsaw", "."]
SENTENCES = [
    WORDS, [], ["river"], ["\u200b", "Warsaw", "\u00ad"], [f"w{i % 7}" for i in range(300)], ["a" * 9000, "bear"],
    *(WORDS * n for n in range(2, 9)),
]  # fmt: skip
"""Short and empty ones, words without subwords or with too many, and one of several windows."""


@pytest.fixture(scope="module", params=["tiny_bert", "tiny_roberta"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A saved token classifier with opinions, and its exports."""
    folder = tmp_path_factory.mktemp("exported")
    changes = {"encoder": str(request.getfixturevalue(request.param)), "encoder_layers": None, "max_tokens": 128}
    base = settings.load().training("token_classifier", "A", "sample")
    set_seed(3)
    tagger = TokenClassifier.create(base.model_copy(update={**changes, "decoding": "legal"}), TYPES)
    tagger.model.classifier.weight.data *= 40
    tagger.save(folder / "model")
    onnx.export(folder / "model", folder / "onnx")
    return folder / "model", folder / "onnx"


def test_it_predicts_exactly_what_torch_predicts(exported: tuple[Path, Path]) -> None:
    torch, fp32 = families.load(exported[0]), families.load(exported[1] / "fp32")
    pairs = list(zip(torch.tag(SENTENCES), fp32.tag(SENTENCES), strict=True))
    assert [mine.entities for _, mine in pairs] == [theirs.entities for theirs, _ in pairs]
    assert sum(len(theirs.entities) for theirs, _ in pairs) > 10
    for theirs, mine in pairs:
        np.testing.assert_allclose(mine.probabilities, theirs.probabilities, atol=2e-4)


def test_in_eight_bits_it_is_close(exported: tuple[Path, Path]) -> None:
    torch, int8 = families.load(exported[0]), families.load(exported[1] / "int8")
    theirs, mine = (np.concatenate([t.probabilities for t in tagger.tag(SENTENCES)]) for tagger in (torch, int8))
    assert (theirs.argmax(-1) == mine.argmax(-1)).mean() > 0.8  # of a head forty times as sharp as a fresh one
    assert np.abs(theirs - mine).max() > 0  # or nothing was quantised
    assert (exported[1] / "int8/model.onnx").stat().st_size < (exported[1] / "fp32/model.onnx").stat().st_size


def test_an_export_is_a_model_as_any_other(exported: tuple[Path, Path]) -> None:
    torch, fp32 = families.load(exported[0]), families.load(exported[1] / "fp32")
    assert (fp32.labels, fp32.types) == (torch.labels, torch.types)
    assert (fp32.decoding, fp32.limit) == (torch.decoding, torch.limit) == ("legal", 128)  # type: ignore[attr-defined]
    line = json.dumps({"text": "Marie Curie visited Warsaw."}).encode()
    rows = [next(predict(tagger, [line], "a line")).row for tagger in (torch, fp32)]
    assert rows[0]["pred"] == rows[1]["pred"]


def test_an_export_holds_no_weights_of_torch(exported: tuple[Path, Path]) -> None:
    names = {path.name for path in (exported[1] / "int8").iterdir()}
    assert {"model.onnx", "config.json", "tokenizer.json"} <= names
    assert not [name for name in names if name.endswith((".safetensors", ".bin"))]


def test_a_cut_graph_is_told(exported: tuple[Path, Path], tmp_path: Path) -> None:
    for file in (exported[1] / "int8").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[: 5000 if file.name == "model.onnx" else None])
    with pytest.raises(UserError, match=r"model\.onnx: cannot be read: .*; export it again"):
        families.load(tmp_path)


def test_a_span_marker_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "span-marker"}')
    with pytest.raises(UserError, match="only a token classifier"):
        onnx.export(tmp_path, tmp_path / "onnx")
    assert not (tmp_path / "onnx").exists()
