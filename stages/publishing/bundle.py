"""What of a model directory goes to a hub, as it shall lie there."""

from __future__ import annotations

import json
from pathlib import Path

from stages.corpus.files import read_json

Bundle = dict[str, Path | bytes]
"""By its name on the hub, a file of this machine or the content itself."""

SUFFIXES = (".json", ".md", ".model", ".safetensors", ".txt")
"""Weights without pickles, configuration, vocabulary: all that stock libraries need."""


def gather(model: Path, repo: str, card: str) -> tuple[Bundle, list[str]]:
    """The files of ``model`` under ``repo`` with ``card`` as README.md, and the names of those that stay here.

    Stock ``span_marker`` looks its encoder's configuration and tokenizer up by a name in config.json. Where that is
    the model's own directory, it becomes ``repo``, so that the model loads wherever it is asked for by its name.
    """
    names = sorted(path.relative_to(model).as_posix() for path in model.rglob("*") if path.is_file())
    bundle: Bundle = {name: model / name for name in names if name.endswith(SUFFIXES)}
    bundle["README.md"] = card.encode("utf-8")
    config = read_json(model / "config.json")
    encoder = config.get("encoder", {})
    if "_configuration_file" in encoder:  # the directory holds the encoder's configuration itself
        encoder["_name_or_path"] = repo
        bundle["config.json"] = (json.dumps(config, indent=2, sort_keys=True) + "\n").encode("utf-8")
    return dict(sorted(bundle.items())), [name for name in names if name not in bundle]


def size(content: Path | bytes) -> int:
    """Bytes of one file of a bundle."""
    return len(content) if isinstance(content, bytes) else content.stat().st_size
