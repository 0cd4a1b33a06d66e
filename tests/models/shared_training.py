"""Trainings for one process or several, run by ``accelerate launch -m tests.models.shared_training ENCODER FOLDER``."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

from accelerate import PartialState
from transformers import TrainerCallback

from stages import settings
from stages.corpus.labels import TYPES
from stages.models import families
from stages.models.checkpoints import Checkpoints
from stages.models.resuming import fingerprint
from stages.models.training import NerTrainer, build, seed_everything, train
from tests.models.span_marker.helpers import no_dropout
from tests.models.test_training import ROWS, hyperparameters
from tests.promises.training import MANY, digest_of

SENTENCES = MANY.select(range(46))
"""In batches of five the last has one sentence: a second process has none."""
UPDATES = 50
CASES: dict[str, tuple[settings.Family, dict[str, Any]]] = {
    "token_classifier": ("token_classifier", {"accumulation": 1, "epochs": 5, "embeddings": "trained"}),
    "span_marker": ("span_marker", {"accumulation": 2, "epochs": 10, "embeddings": "trained", "mode": "exact"}),
    "selective": ("span_marker", {"accumulation": 1, "epochs": 5, "embeddings": "sparse", "mode": "selective"}),
}


def trainer(case: str, encoder: Path, folder: Path, dropout: bool = False, logs: int = 1, **changes: Any) -> NerTrainer:
    family, own = CASES[case]
    hyper = hyperparameters(family, encoder, batch_size=5, learning_rate=1e-3, **{**own, **changes})
    seed_everything(3)
    tagger = families.create(hyper, TYPES)
    if not dropout:
        no_dropout(tagger.model)
    made = build(tagger, SENTENCES, ROWS, hyper, 3, folder, logging_steps=logs, bf16=False)
    made.keep_in(Checkpoints(folder, fingerprint(tagger.model, hyper, case=case)), minutes=60)
    return made


def trained(case: str, encoder: Path, folder: Path, pieces: int = 1, **changes: Any) -> dict[str, Any]:
    """The loss after each update, F1 after each epoch, and the end's weights."""
    made = trainer(case, encoder, folder, **changes)
    made.shares.pieces = pieces
    table = train(made)
    return {
        "loss": table.train_loss.dropna().tolist(),
        "f1": table.val_f1.dropna().tolist(),
        "digest": digest_of(made.tagger.model),
        "weights": [float(tensor.double().norm()) for tensor in made.tagger.model.state_dict().values()],
    }


class Stopping(TrainerCallback):
    """Asks one process to stop after an update, as a signal would."""

    def __init__(self, made: NerTrainer, update: int) -> None:
        self.made, self.update = made, update

    def on_step_end(self, args: Any, state: Any, *_: Any, **__: Any) -> None:
        if state.global_step == self.update and args.process_index == args.world_size - 1:
            self.made._ask_to_stop(signal.SIGTERM)


def stopped(case: str, encoder: Path, folder: Path, update: int, **changes: Any) -> int:
    """Train until the last process is asked to stop; returns how many updates this one made."""
    made = trainer(case, encoder, folder, **changes)
    made.add_callback(Stopping(made, update))
    try:
        made.go_on()
    except SystemExit:
        return int(made.state.global_step)
    raise AssertionError("it was not stopped")


def main(encoder: Path, folder: Path) -> None:
    here = PartialState(cpu=True)
    told: dict[str, Any] = {case: trained(case, encoder, folder / case) for case in CASES}
    shaken = {"dropout": True, "keep": "best", "logs": 5}  # so that a stop after 7 leaves a loss that is not logged
    whole = trained("token_classifier", encoder, folder / "whole", **shaken)
    updates = stopped("token_classifier", encoder, folder / "broken", 7, **shaken)
    told["resumed"] = trained("token_classifier", encoder, folder / "broken", **shaken) == whole
    stopped("token_classifier", encoder, folder / "left", 7)
    told |= {"updates": updates, "processes": here.num_processes, "rank": here.process_index}
    (folder / f"{here.process_index}.json").write_text(json.dumps(told), encoding="utf-8")
    here.destroy_process_group()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
