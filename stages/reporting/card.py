"""The model card that lies in each model directory as README.md."""

from __future__ import annotations

from stages.corpus.labels import SYSTEMS
from stages.settings import FamilySettings, Settings

LICENCES = {
    "directory": "that of the sentences in data.directory (data/sample is CC0 1.0, MultiNERD CC BY-NC-SA 4.0)",
    "hub": "CC BY-NC-SA 4.0",
}
LOADING = {
    "span_marker": 'from span_marker import SpanMarkerModel\n\nmodel = SpanMarkerModel.from_pretrained("{place}")\n'
    'model.predict("Marie Curie was born in Warsaw.")',
    "token_classifier": "from transformers import pipeline\n\n"
    'tagger = pipeline("token-classification", model="{place}", aggregation_strategy="first")\n'
    'tagger("Marie Curie was born in Warsaw.")',
}


def render(family: str, system: str, settings: Settings, hyper: FamilySettings) -> str:
    """The card of one model as Markdown: what it knows, how it was trained, how to load it."""
    run = f"{family}-{system}"
    licence = LICENCES[settings.chosen.source]
    rows = "\n".join(f"| {name} | {value} |" for name, value in hyper.model_dump().items())
    return f"""---
language: en
license: {"cc-by-nc-sa-4.0" if settings.chosen.source == "hub" else "other"}
pipeline_tag: token-classification
tags: [named-entity-recognition, {"span-marker" if family == "span_marker" else "token-classification"}, multinerd]
---
# {run}

A named-entity recogniser for English. It knows {len(SYSTEMS[system])} types: {", ".join(SYSTEMS[system])}.

## Training

Profile `{settings.profile}`, seed {settings.seed}.
The model is derived from its training data and carries their licence: {licence}.

| parameter | value |
|---|---|
{rows}

Its figures are in `reports/runs/{run}/metrics.json` of the project that trained it.

## Loading

```python
{LOADING[family].format(place=f"models/{run}")}
```

## Limits

MultiNERD's labels were made automatically.
Other languages, and names outside encyclopedic and news prose, were not seen in training.
"""
