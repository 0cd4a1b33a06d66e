"""An encoder's configuration and tokenizer, from wherever it lies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoTokenizer, PretrainedConfig, PreTrainedTokenizerFast

from stages.errors import UserError
from stages.models.places import EncoderError, locate

__all__ = ["SAFELY", "EncoderError", "load_config", "load_tokenizer", "locate", "reading"]

SAFELY: dict[str, Any] = {"use_safetensors": True, "trust_remote_code": False}
"""How weights are loaded: neither unpickled nor with code that lies beside them."""


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn what ``transformers`` raises for an encoder that cannot be had into an ``EncoderError``.

    Raises:
        EncoderError: the body could not find or read the encoder ``name``.
    """
    try:
        yield
    except UserError:
        raise
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        if "safetensors" in reason:
            reason += " (weights are read from safetensors only; save the encoder with safe_serialization=True)"
        local = Path(name).is_dir() or name.startswith("package:")
        where = "cannot be read" if local else "is no local directory, and it cannot be had from the hub"
        raise EncoderError(f"encoder {name!r} {where}: {reason}") from error


def load_config(name: str, revision: str | None = None, layers: int | None = None) -> PretrainedConfig:
    """The encoder's configuration, cut to its first ``layers`` layers.

    Raises:
        EncoderError: it has fewer layers than asked for, or its architecture would need remote code.
    """
    with reading(name):
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
    options: dict[str, Any] = {
        "revision": revision,
        "use_fast": True,
        "add_prefix_space": True,
        "trust_remote_code": False,
    }
    with reading(name):
        tokenizer = AutoTokenizer.from_pretrained(locate(name), **options)
    if not tokenizer.is_fast:
        raise EncoderError(f"encoder {name!r} has no fast tokenizer, which subword alignment needs")
    return tokenizer  # type: ignore[no-any-return]
