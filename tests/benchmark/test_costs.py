"""What a training would cost: counts that scale as the whole model would count, and a table that says how."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import BertConfig

from stages import settings
from stages.benchmark import architectures, costs
from stages.benchmark.architectures import PUBLISHED, architecture
from stages.benchmark.costs import Step, scaled, span_step, token_step
from stages.benchmark.counting import BACKWARD, Shape, packed_flops, token_flops
from stages.errors import UserError
from stages.estimate import main

SMALL = {"hidden_size": 48, "intermediate_size": 96, "num_attention_heads": 4}
WORDS, LABELS, LONGEST = 10, 9, 4
SPANS = 4 + 4 + 4 + 4 + 4 + 4 + 4 + 3 + 2 + 1
POSITIONS = round(costs.SUBWORDS * WORDS)


def of_tokens(layers: int, sentences: int) -> Step:
    config = BertConfig(**SMALL, vocab_size=60, num_hidden_layers=layers)
    return token_step(config, LABELS, sentences, WORDS)


def of_spans(layers: int, sentences: int) -> Step:
    config = BertConfig(**SMALL, vocab_size=60, num_hidden_layers=layers)
    return span_step(config, LABELS, sentences, WORDS, LONGEST)


@pytest.mark.parametrize("step_of", [of_tokens, of_spans])
def test_a_scaled_step_is_the_step_of_the_whole_model(step_of: Callable[[int, int], Step]) -> None:
    whole, found = step_of(5, 4), scaled(step_of, 5, 4)
    assert found.flops == pytest.approx(whole.flops)
    assert found.weights == whole.weights
    assert found.kept == pytest.approx(whole.kept, rel=0.02)
    assert found.calls == pytest.approx(whole.calls, rel=0.02)


def test_operations_are_those_of_the_formulas() -> None:
    shape = Shape(48, 96, 5, LABELS)
    assert of_tokens(5, 3).flops == pytest.approx((1 + BACKWARD) * token_flops(shape, 3, POSITIONS), rel=0.02)
    found = of_spans(5, 3).flops
    assert found == pytest.approx((1 + BACKWARD) * packed_flops(shape, 3, POSITIONS, 3 * SPANS), rel=0.05)


@pytest.mark.parametrize("profile", ["full", "best"])
@pytest.mark.parametrize("family", settings.FAMILIES)
def test_the_encoders_of_params_yaml_are_known_without_a_network(profile: str, family: settings.Family) -> None:
    assert architecture(settings.load().training(family, "A", profile).encoder).num_hidden_layers in (12, 24)


def test_the_command_writes_the_table_and_its_assumptions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = {name: {**values, **SMALL, "vocab_size": 60, "num_hidden_layers": 4} for name, values in PUBLISHED.items()}
    monkeypatch.setattr(architectures, "PUBLISHED", small)
    main(["best"], tmp_path)
    found: dict[str, Any] = json.loads((tmp_path / "estimate.json").read_text())
    assert set(found["trainings"]) == {f"best {f}-{s}" for f in settings.FAMILIES for s in "AB"}
    one = found["trainings"]["best token_classifier-A"]
    assert one["total_bytes"] == sum(one["bytes"].values())
    assert one["bytes"]["optimizer"] == 2 * one["bytes"]["weights"] == 8 * one["weights"]
    assert one["cards"]["H100"]["hours"] <= one["cards"]["A100"]["hours"]
    text = (tmp_path / "estimate.md").read_text()
    assert "An estimate; what a GPU really took stands in docs/scale.md" in text
    assert text in capsys.readouterr().out
    with pytest.raises(
        UserError,
        match="local: span_marker-A has source: directory, and counted are trainings with source: hub",
    ):
        main(["local"], tmp_path)
    with pytest.raises(UserError, match="--profile ful: no such profile; known: sample, local, full, best"):
        main(["ful"], tmp_path)
