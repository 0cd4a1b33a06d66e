"""Sizes of the encoders that params.yaml names, from their published ``config.json``: no network is asked."""

from __future__ import annotations

from typing import Any

from transformers import AutoConfig, PretrainedConfig

_BASE = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}
_LARGE = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16}
_MULTILINGUAL = {"model_type": "bert", "vocab_size": 119547, **_BASE}
_ROBERTA = {
    "model_type": "roberta", "vocab_size": 50265, "max_position_embeddings": 514, "type_vocab_size": 1,
    "layer_norm_eps": 1e-5, "pad_token_id": 1,
}  # fmt: skip
_DEBERTA = {
    "model_type": "deberta-v2", "vocab_size": 128100, "max_position_embeddings": 512, "type_vocab_size": 0,
    "layer_norm_eps": 1e-7, "relative_attention": True, "position_buckets": 256, "max_relative_positions": -1,
    "pos_att_type": ["p2c", "c2p"], "norm_rel_ebd": "layer_norm", "share_att_key": True, "position_biased_input": False,
}  # fmt: skip
PUBLISHED: dict[str, dict[str, Any]] = {
    "google-bert/bert-base-multilingual-cased": _MULTILINGUAL,
    "tomaarsen/span-marker-mbert-base-multinerd": _MULTILINGUAL,
    "FacebookAI/roberta-base": {**_ROBERTA, **_BASE},
    "numind/entity-recognition-general-sota-v1": {**_ROBERTA, **_BASE},
    "FacebookAI/roberta-large": {**_ROBERTA, **_LARGE},
    "microsoft/deberta-v3-base": {**_DEBERTA, **_BASE},
    "microsoft/deberta-v3-large": {**_DEBERTA, **_LARGE},
}


def architecture(name: str, revision: str | None = None, layers: int | None = None) -> PretrainedConfig:
    """The configuration of an encoder: of the table above, or else as it is loaded; cut to ``layers``.

    Raises:
        EncoderError: it is not in the table, and cannot be had either.
    """
    if name not in PUBLISHED:
        from stages.models.encoder import load_config

        found = load_config(name, revision, layers)
        return getattr(found, "encoder_config", found)
    config = AutoConfig.for_model(**PUBLISHED[name])
    if layers is not None:
        config.num_hidden_layers = layers
    return config
