"""The two families by name. Imports are inside: a stage of one family never loads the other's code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stages.corpus.files import read_json
from stages.errors import UserError
from stages.models.tagging import Model, Tagger
from stages.settings import FamilySettings, SpanMarkerSettings


def create(settings: FamilySettings, types: Sequence[str]) -> Model:
    """A fresh tagger for ``types``, of the family whose settings these are."""
    if isinstance(settings, SpanMarkerSettings):
        from stages.models.span_marker import SpanMarkerTagger

        return SpanMarkerTagger.create(settings, types)
    from stages.models.token_classifier import TokenClassifier

    return TokenClassifier.create(settings, types)


def load(directory: str | Path) -> Model:
    """The tagger saved in a model directory, its family read from config.json.

    Raises:
        UserError: the directory or its config.json is missing.
    """
    config = Path(directory) / "config.json"
    if not config.is_file():
        raise UserError(f"{directory}: no model here (config.json is missing); `dvc repro` makes the project's own")
    if read_json(config).get("model_type") == "span-marker":
        from stages.models.span_marker import SpanMarkerTagger

        return SpanMarkerTagger.load(directory)
    from stages.models.token_classifier import TokenClassifier

    return TokenClassifier.load(directory)


def load_checkpoint(settings: FamilySettings) -> Tagger | None:
    """The encoder's checkpoint as it is, where it is an NER model of either family; None where it is not.

    Raises:
        EncoderError: the encoder cannot be found.
    """
    import span_marker  # noqa: F401  (registers its configuration with transformers)

    from stages.models.encoder import load_config, locate

    place = locate(settings.encoder)
    config = load_config(settings.encoder, settings.encoder_revision)
    if config.model_type == "span-marker":
        from stages.models.span_marker import SpanMarkerTagger

        return SpanMarkerTagger.load(place, settings.encoder_revision)
    if any(name.endswith("ForTokenClassification") for name in config.architectures or ()):
        from stages.models.token_classifier import TokenClassifier

        return TokenClassifier.load(place, settings.encoder_revision)
    return None
