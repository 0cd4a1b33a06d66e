"""A SpanMarker from an encoder, and its directory that stock ``span_marker`` loads too."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from span_marker import SpanMarkerConfig
from span_marker import __version__ as span_marker_version
from span_marker.tokenizer import SpanMarkerTokenizer
from tokenizers import pre_tokenizers
from transformers import AutoModel, PreTrainedModel, XLMRobertaTokenizerFast
from transformers.utils.hub import cached_file

from stages.models import encoder as encoders
from stages.models.casing import NO_TWINS, cased, ignores_case, learn_case, saved_state
from stages.models.encoder import EncoderError
from stages.models.places import POSITION_SHIFT
from stages.models.span_marker import dense
from stages.models.span_marker.modeling import SpanMarker, encoder_config
from stages.models.span_marker.proposal import FILE as PROPOSAL
from stages.models.span_marker.proposal import Proposal
from stages.settings import SpanMarkerSettings

logger = logging.getLogger(__name__)

ENCODER_CONFIG = "encoder_config.json"
_PLACES = ("_name_or_path", "_configuration_file")
VOCABULARY_MULTIPLE = 8
"""Stock resizes the embeddings to a multiple of this when it loads a model."""


def create(settings: SpanMarkerSettings, types: Sequence[str]) -> SpanMarker:
    """A model of ``types`` on the encoder that ``settings`` name, ready for training.

    Where the checkpoint is a SpanMarker itself, its encoder is taken, and its classifier's rows for the
    types that it knows by the same name; everything else is new, drawn from torch's random numbers.

    Raises:
        EncoderError: the encoder cannot be found or used, or ``max_tokens`` is more than it has positions for.
    """
    place = encoders.locate(settings.encoder)
    config = encoders.load_config(settings.encoder, settings.encoder_revision)
    start = None
    if isinstance(config, SpanMarkerConfig):
        start = _read(settings.encoder, settings.encoder_revision)
        encoder = _first_layers(start.encoder, settings)
        inner = {
            **start.config.encoder,
            **encoder.config.to_dict(),
            "_name_or_path": start.config.encoder["_name_or_path"],
        }
    else:
        config = encoders.load_config(settings.encoder, settings.encoder_revision, settings.encoder_layers)
        with encoders.reading(settings.encoder):
            revision = settings.encoder_revision or "main"
            encoder = AutoModel.from_pretrained(place, config=config, revision=revision, **encoders.SAFELY)
        inner = {**config.to_dict(), "_name_or_path": settings.encoder}
    inner["dtype"] = None  # a checkpoint stored in 16 bits is trained, and loaded again, in 32
    if Path(place).is_dir():
        inner["_configuration_file"] = ENCODER_CONFIG
    model = SpanMarker(_config(inner, settings, types), encoder)
    _check(model, settings)
    tokenizer = encoders.load_tokenizer(settings.encoder, settings.encoder_revision)
    _finish(model, tokenizer, learns_case=settings.case == "learnt")
    if start is not None:
        _copy_classifier(start, model)
    if settings.mode == "selective":
        model.proposal = Proposal(encoder.config.hidden_size, settings.entity_words)
        model.negatives = settings.negatives
    return model


def save(model: SpanMarker, directory: str | Path, place: str | Path | None = None) -> None:
    """Write the model into ``directory``: weights as safetensors, configuration, tokenizer.

    Stock ``span_marker`` asks ``config.encoder["_name_or_path"]`` for the encoder's configuration and the
    tokenizer. A name on the hub stays. For an encoder of this machine it becomes ``place``, where the
    directory will stand as seen from the project's root (by default ``directory`` itself, as seen from the
    working directory), and the directory holds both: stock loads the model when it runs in that
    root. :func:`load` needs none of this.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    inner = model.config.encoder
    if _is_local(inner):
        inner["_configuration_file"] = ENCODER_CONFIG
        inner["_name_or_path"] = _from_here(Path(place or directory))
        values = {key: value for key, value in encoder_config(model.config).to_dict().items() if key not in _PLACES}
        (directory / ENCODER_CONFIG).write_text(json.dumps(values, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    state = saved_state(model)
    model.save_pretrained(
        directory, state_dict={name: value for name, value in state.items() if "proposal." not in name}
    )
    if model.proposal is not None:
        model.proposal.save(directory)


def load(place: str | Path, revision: str | None = None) -> SpanMarker:
    """A saved model, ours or stock's, in evaluation mode; a directory is all that is read.

    Raises:
        EncoderError: there is no such model, or one of another kind.
    """
    model = _read(str(place), revision)
    _finish(model, encoders.load_tokenizer(str(place), revision))
    proposal = cached_file(
        encoders.locate(str(place)), PROPOSAL, revision=revision, _raise_exceptions_for_missing_entries=False
    )
    if proposal is not None:
        model.proposal = Proposal.load(proposal)
    return model.eval()


def _read(place: str, revision: str | None) -> SpanMarker:
    """A saved SpanMarker's weights, from a directory or the hub, without its tokenizer."""
    config = encoders.load_config(place, revision)
    if not isinstance(config, SpanMarkerConfig):
        raise EncoderError(f"{place} is a {config.model_type!r} model, not a SpanMarker")
    read: Any = PreTrainedModel.from_pretrained.__func__  # type: ignore[attr-defined]
    with encoders.reading(place):
        return read(  # type: ignore[no-any-return]
            SpanMarker, encoders.locate(place), config=config, revision=revision or "main", **encoders.SAFELY
        )


def _first_layers(encoder: PreTrainedModel, settings: SpanMarkerSettings) -> PreTrainedModel:
    layers = settings.encoder_layers
    stack: Any = encoder.encoder
    if layers is not None:
        if layers > encoder.config.num_hidden_layers:
            raise EncoderError(
                f"encoder {settings.encoder!r} has {encoder.config.num_hidden_layers} layers, "
                f"encoder_layers asks for {layers}"
            )
        del stack.layer[layers:]
        encoder.config.num_hidden_layers = layers
    return encoder


def _config(inner: dict[str, Any], settings: SpanMarkerSettings, types: Sequence[str]) -> SpanMarkerConfig:
    """Stock's configuration for BIO tags of ``types``; from these it makes its own labels, O first."""
    tags = ["O", *(f"{prefix}-{kind}" for kind in types for prefix in "BI")]
    inner["id2label"] = dict(enumerate(tags))
    inner["label2id"] = {tag: i for i, tag in enumerate(tags)}
    return SpanMarkerConfig(
        encoder_config=inner,
        model_max_length=settings.max_tokens,
        marker_max_length=settings.marker_pairs,
        entity_max_length=settings.entity_words,
        span_marker_version=span_marker_version,
    )


def _check(model: SpanMarker, settings: SpanMarkerSettings) -> None:
    positions = model.config.get("max_position_embeddings", default=None)
    if positions is not None and settings.max_tokens > positions - POSITION_SHIFT:
        raise EncoderError(
            f"encoder {settings.encoder!r} has {positions} positions, of which SpanMarker leaves the first "
            f"{POSITION_SHIFT} free: max_tokens is {settings.max_tokens}, at most {positions - POSITION_SHIFT}"
        )
    if not model.is_packable:
        dense.check_positions(model.encoder)


def _finish(model: SpanMarker, tokenizer: Any, learns_case: bool = False) -> None:
    """Give the model its tokenizer, with the markers and an embedding for each, as stock does when it loads."""
    size, found = len(tokenizer), NO_TWINS
    if learns_case and ignores_case(tokenizer):
        tokenizer, found = cased(tokenizer)
    # XLM-RoBERTa's tokenizer joins punctuation to words; stock splits it off, once is enough.
    backend = tokenizer.backend_tokenizer
    if isinstance(tokenizer, XLMRobertaTokenizerFast) and "Punctuation" not in repr(backend.pre_tokenizer):
        backend.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Punctuation(), backend.pre_tokenizer])
    model.set_tokenizer(SpanMarkerTokenizer(tokenizer, config=model.config))
    rows = -(-len(tokenizer) // VOCABULARY_MULTIPLE) * VOCABULARY_MULTIPLE
    model.resize_token_embeddings(rows - len(found.names), mean_resizing=False)
    if found.names:
        learn_case(model, size, found)


@torch.no_grad()
def _copy_classifier(source: SpanMarker, target: SpanMarker) -> None:
    """Copy the classifier's rows of the labels that both models have."""
    shared = [name for name in target.config.label2id if name in source.config.label2id]
    to = torch.tensor([target.config.label2id[name] for name in shared])
    of = torch.tensor([source.config.label2id[name] for name in shared])
    target.classifier.weight[to] = source.classifier.weight[of]
    target.classifier.bias[to] = source.classifier.bias[of]
    logger.info("classifier rows kept: %s", ", ".join(shared))


def _is_local(inner: dict[str, Any]) -> bool:
    name = str(inner.get("_name_or_path", ""))
    return "_configuration_file" in inner or not name or Path(name).is_absolute() or name.startswith(".")


def _from_here(directory: Path) -> str:
    """``directory`` seen from the working directory, or its last part where it lies elsewhere."""
    try:
        return directory.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return directory.name
