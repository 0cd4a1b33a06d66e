"""Our sides do the work that their rows say, on the settings that the rows give them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from stages import settings
from stages.benchmark import speed
from stages.benchmark.catalogue import ROWS
from stages.benchmark.ours import Preparation, Training
from stages.benchmark.plan import Plan, recipes
from stages.benchmark.race import Side
from stages.benchmark.sentences import Corpus
from tests.benchmark.builders import sentences


@pytest.fixture
def plan(tiny_bert: Path, tmp_path: Path) -> Plan:
    changes = {"encoder": str(tiny_bert), "max_tokens": 64, "learning_rate": 1e-2}
    span, token = (part.model_copy(update=changes) for part in recipes(settings.load()))
    return Plan(Corpus("real", *[sentences(3)] * 3), span, token, repeats=1, threads=1, cache=tmp_path)


def sides_of(name: str, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Side]:
    """What the row would let race."""

    def instead(sides: Mapping[str, Side], *_: Any) -> None:
        raise StopIteration(sides)  # before any process starts

    monkeypatch.setattr(speed, "race", instead)
    with pytest.raises(StopIteration) as found:
        ROWS[name].measure(plan)
    return found.value.args[0]


def test_preparation_ends_in_batches_of_every_sentence(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as stock's preparation goes, with every span and its label."""
    side = Preparation(**sides_of("preparation", plan, monkeypatch)["ours"].arguments)
    collate, made = side.tagger.collate, []
    monkeypatch.setattr(side.tagger, "collate", lambda rows: made.append(collate(rows)) or made[-1])
    side.run()
    assert [len(batch["input_ids"]) for batch in made] == [12]
    every = sum(min(8, left) for one in sentences(3) for left in range(1, len(one["tokens"]) + 1))
    assert len(made[0]["labels"]) == len(made[0]["span_first"]) == every
    side.batch_size = 5
    side.run()
    assert [len(batch["input_ids"]) for batch in made[1:]] == [5, 5, 2]


@pytest.mark.parametrize(
    ("name", "read_move", "others_move"), [("", True, True), ("-sparse", True, False), ("-frozen", False, False)]
)
def test_rows_of_training_treat_embeddings_as_they_are_called(
    name: str, read_move: bool, others_move: bool, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All, those of the subwords that were read, or none."""
    sides = sides_of(f"token-training{name}", plan, monkeypatch)
    side = Training(**sides["ours"].arguments)
    table: Any = side.tagger.model.get_input_embeddings()
    before = table.weight.detach().clone()
    side.run()
    moved = (table.weight.detach() != before).any(-1)
    read = torch.zeros_like(moved)
    read[[subword for row in side.tagger.prepare(side.rows)["input_ids"] for subword in row]] = True
    assert (bool(moved[read].any()), bool(moved[~read].any())) == (read_move, others_move)
    assert (sides["ours"].arguments["bf16"], sides["peer"].arguments["sentences"]) == (False, sentences(3))
