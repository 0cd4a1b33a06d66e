"""Encoders of full size, from their published configurations with random weights, take real training steps."""

from __future__ import annotations

import resource
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import AutoModel, BertTokenizerFast, PretrainedConfig, set_seed

from stages import settings
from stages.benchmark.architectures import architecture
from stages.corpus.labels import TYPES
from stages.models import families, places
from stages.models.encoder import EncoderError
from stages.models.training import build, seed_everything, train
from tests.models.test_training import ROWS

STEPS = 3
BYTES = 24 << 30
TINY = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
LETTERS = "abcdefghijklmnopqrstuvwxyz.ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def encoder(config: PretrainedConfig, folder: Path) -> Path:
    """A folder with an encoder of ``config``, random, and a WordPiece of letters that fills its vocabulary."""
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    names += [f"[unused{i}]" for i in range(config.vocab_size - len(names))]
    vocabulary = {name: i for i, name in enumerate(names)}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=False)
    made.pre_tokenizer, made.decoder = pre_tokenizers.BertPreTokenizer(), decoders.WordPiece()
    made.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    BertTokenizerFast(tokenizer_object=made, model_max_length=512).save_pretrained(folder)
    set_seed(0)
    AutoModel.from_config(config).save_pretrained(folder)
    return folder


def stepped(family: settings.Family, name: str, profile: str, folder: Path, **changes: Any) -> tuple[Any, float]:
    """A tagger of a profile's settings after a few steps on an encoder of published size, and their seconds."""
    config = architecture(name)
    for field, value in changes.items():
        setattr(config, field, value)
    hyper = settings.load().training(family, "A", profile)
    hyper = hyper.model_copy(update={"encoder": str(encoder(config, folder / "encoder")), "epochs": 1})
    seed_everything(1)
    tagger = families.create(hyper, TYPES)
    before = [parameter.detach().clone() for parameter in tagger.model.parameters() if parameter.numel() < 1e5]
    trainer = build(tagger, ROWS, ROWS.select(range(2)), hyper, 1, folder, max_steps=STEPS, warmup_ratio=0.0)
    start = time.monotonic()
    curves = train(trainer)
    seconds = time.monotonic() - start
    assert trainer.state.global_step == STEPS
    assert curves.train_loss.dropna().between(0, 20).all()
    after = [parameter for parameter in tagger.model.parameters() if parameter.numel() < 1e5]
    assert any(not torch.equal(old, new) for old, new in zip(before, after, strict=True))
    return tagger, seconds


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "name", "weights"),
    [
        ("span_marker", "google-bert/bert-base-multilingual-cased", 177.9e6),
        ("token_classifier", "FacebookAI/roberta-base", 124.1e6),
        ("token_classifier", "microsoft/deberta-v3-base", 183.9e6),
    ],
)
def test_three_steps_at_full_size(
    family: settings.Family, name: str, weights: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tagger, seconds = stepped(family, name, "full", tmp_path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    count = sum(parameter.numel() for parameter in tagger.model.parameters())
    assert count == pytest.approx(weights, rel=0.01)
    assert peak < BYTES
    with capsys.disabled():
        print(f"\n{family} on {name}: {count:,} weights, {STEPS} steps in {seconds:.1f} s, peak {peak / 2**30:.1f} GiB")


@pytest.mark.parametrize(
    ("family", "name"),
    [("span_marker", "FacebookAI/roberta-large"), ("token_classifier", "microsoft/deberta-v3-large")],
)
def test_the_best_profiles_architectures_train_when_they_are_small(
    family: settings.Family, name: str, tmp_path: Path
) -> None:
    tagger, _ = stepped(family, name, "best", tmp_path, vocab_size=200, **TINY)
    assert len(tagger.tag([["Marie", "Curie", "was", "born", "in", "Warsaw", "."]])[0].probabilities) == 7


def test_a_span_marker_on_deberta_is_refused_before_and_when_it_is_made(tmp_path: Path) -> None:
    changes = {"vocab_size": 200, **TINY}
    with pytest.raises(EncoderError, match=r"DebertaV2Model cannot take markers.*or the token_classifier family"):
        stepped("span_marker", "microsoft/deberta-v3-large", "best", tmp_path, **changes)
    local = (
        settings.load().training("span_marker", "A", "best").model_copy(update={"encoder": str(tmp_path / "encoder")})
    )
    with pytest.raises(EncoderError, match=r"encoder' has relative positions \(deberta\), and SpanMarker tells"):
        places.check(local)
