"""The two families by name. Imports are inside: a stage of one family never loads the other's code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.corpus.files import read_json
from stages.errors import UserError
from stages.models.places import locate
from stages.models.tagging import Model, Tagger
from stages.settings import FamilySettings, SpanMarkerSettings


def create(settings: FamilySettings, types: Sequence[str]) -> Model:
    """A fresh tagger for ``types``, of the family whose settings these are.

    Raises:
        EncoderError: the encoder cannot be found or used.
    """
    if isinstance(settings, SpanMarkerSettings):
        from stages.models.span_marker import SpanMarkerTagger

        return SpanMarkerTagger.create(settings, types)
    from stages.models.token_classifier import TokenClassifier

    return TokenClassifier.create(settings, types)


def load(directory: str | Path) -> Model:
    """The tagger saved in a model directory, its family read from config.json; also a token classifier as ONNX.

    Raises:
        UserError: the directory or its config.json is missing.
    """
    config = Path(directory) / "config.json"
    if not config.is_file():
        raise UserError(f"{directory}: no model here (config.json is missing); `dvc repro` makes the project's own")
    if read_json(config).get("model_type") == "span-marker":
        from stages.models.span_marker import SpanMarkerTagger

        return SpanMarkerTagger.load(directory)
    if (config.parent / "model.onnx").is_file():
        from stages.models import onnx

        return onnx.load(directory)
    from stages.models.token_classifier import TokenClassifier

    return TokenClassifier.load(directory)


def load_checkpoint(settings: FamilySettings) -> Tagger | None:
    """The encoder's checkpoint as it is, where it is an NER model of either family; None where it is not.

    Raises:
        EncoderError: the encoder cannot be found.
    """
    place = locate(settings.encoder)
    config_file = Path(place) / "config.json"
    if config_file.is_file() and not _names_a_tagger(read_json(config_file)):
        return None  # told by the file alone: the libraries take seconds to load
    import span_marker  # noqa: F401  (registers its configuration with transformers)

    from stages.models.encoder import load_config

    config = load_config(settings.encoder, settings.encoder_revision)
    if config.model_type == "span-marker":
        from stages.models.span_marker import SpanMarkerTagger

        return SpanMarkerTagger.load(place, settings.encoder_revision)
    if _names_a_tagger(config.to_dict()):
        from stages.models.token_classifier import TokenClassifier

        return TokenClassifier.load(place, settings.encoder_revision)
    return None


def _names_a_tagger(config: Mapping[str, Any]) -> bool:
    """Whether a ``config.json`` is that of an NER model of either family; one of parts of speech has no ``O``."""
    classifies = any(name.endswith("ForTokenClassification") for name in config.get("architectures") or ())
    return config.get("model_type") == "span-marker" or (classifies and "O" in (config.get("id2label") or {}).values())
