"""Training of either family with Hugging Face's Trainer, validated by the tagger itself."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import transformers
from accelerate.utils import set_seed
from datasets import Dataset
from seqeval.metrics import f1_score
from seqeval.scheme import IOB2
from torch import Tensor
from transformers import TrainingArguments
from transformers.trainer_pt_utils import LengthGroupedSampler, get_length_grouped_indices
from transformers.trainer_utils import TrainOutput

from stages.corpus.labels import TAGS, bio, project
from stages.errors import UserError
from stages.models.checkpoints import Checkpoints
from stages.models.device import has_bf16, precision
from stages.models.embeddings import RowAdamW, arrange
from stages.models.memory import kept_memory
from stages.models.resuming import ResumableTrainer
from stages.models.sharing import Shares
from stages.models.tagging import Model
from stages.settings import Embeddings, FamilySettings, Keep

LOGS_AN_EPOCH = 10
"""Points of the training-loss curve in one epoch."""


class EpochSampler(LengthGroupedSampler):
    """Batches of like length; their order follows from seed and epoch alone, so that a resumed epoch has it too."""

    epoch = 0

    def __init__(self, batch_size: int, lengths: list[int], seed: int) -> None:
        super().__init__(batch_size, lengths=lengths)
        self.seed = seed

    def set_epoch(self, epoch: int) -> None:
        """Told by the Trainer's data loader as each epoch begins."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        seed = int(np.random.SeedSequence((self.seed, self.epoch)).generate_state(1)[0])
        generator = torch.Generator().manual_seed(seed)
        return iter(get_length_grouped_indices(self.lengths, self.batch_size, generator=generator))


class NerTrainer(ResumableTrainer):
    """The Trainer, with validation as prediction: the tagger reads the validation sentences whole.

    So the curve shows the F1 that ``predict`` and ``evaluate`` will find: at word level, over every
    gold entity of the file, long sentences included, for both families by one scorer.
    """

    def __init__(
        self,
        tagger: Model,
        args: TrainingArguments,
        train: Dataset,
        validation: Dataset,
        embeddings: Embeddings = "trained",
        keep: Keep = "last",
        consistency: float = 0.0,
    ) -> None:
        if embeddings == "sparse" and args.world_size > 1 and args.device.type == "cuda":
            raise UserError(
                f"embeddings: sparse cannot be shared by {args.world_size} GPUs (NCCL averages no sparse gradients): "
                "train in one process, or with embeddings: trained"
            )
        arrange(tagger.model, embeddings)
        self.clipping = args.max_grad_norm if embeddings == "sparse" else None
        if self.clipping is not None:
            args.max_grad_norm = 0.0  # the optimizer does it
        super().__init__(
            model=tagger.model,
            args=args,
            train_dataset=tagger.prepare(train),
            eval_dataset=validation,
            data_collator=Shares(
                tagger.collate, getattr(tagger.model, "negatives", 0), args.world_size, args.process_index
            ),
        )
        # Both families' forward takes **kwargs, from which the Trainer concludes that it divides the
        # loss itself under accumulation. It does not.
        self.model_accepts_loss_kwargs = False
        self.tagger = tagger
        self.keep = keep
        self.consistency = consistency

    def train(self, *args: Any, **kwargs: Any) -> TrainOutput:
        """As the Trainer's own, in memory that stays; each of several processes draws dropout of its own."""
        if self.args.world_size > 1:
            set_seed(self.args.seed, device_specific=True)
        with kept_memory():
            return super().train(*args, **kwargs)

    def create_optimizer(self) -> torch.optim.Optimizer:
        """As the Trainer's own, for sparse gradients where there are any."""
        made: torch.optim.Optimizer = super().create_optimizer()
        if self.clipping is not None:
            made = self.optimizer = RowAdamW(made.param_groups, self.clipping)
        return made

    def batch_loss(self, model: Any, inputs: dict[str, Any]) -> tuple[Tensor, Any]:
        """As the Trainer's own, or with two passes that are to agree."""
        if not self.consistency:
            return super().batch_loss(model, inputs)
        return self.tagger.consistent_loss(model, inputs, self.consistency)

    def floating_point_ops(self, inputs: Any) -> int:
        """None counted: the Trainer's own walks every module at each step."""
        return 0

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> EpochSampler:
        """As the Trainer's own, but by epoch, and over a list: a ``datasets`` column is read from disk item by item."""
        dataset: Any = self.train_dataset if train_dataset is None else train_dataset
        size = self.args.train_batch_size * self.args.gradient_accumulation_steps
        return EpochSampler(size, list(dataset["length"][:]), self.args.data_seed or 0)

    def evaluate(self, *_: Any, metric_key_prefix: str = "eval", **__: Any) -> dict[str, float]:
        """Mean loss (nats a decision) and strict micro F1 on the validation sentences, logged as usual.

        Each of several processes reads them all: none waits for another, and all see the same figures.
        """
        rows: Any = self.eval_dataset
        gold = [project([TAGS[i] for i in ids], self.tagger.types) for ids in rows["ner_tags"]]
        self.tagger.settle(list(rows["tokens"]), gold)  # in 32 bits, as it will predict
        with precision(self.args.bf16):
            taggings = self.tagger.tag(list(rows["tokens"]), gold)
        decisions = sum(tagging.decisions for tagging in taggings)
        loss = sum((tagging.loss or 0.0) * tagging.decisions for tagging in taggings) / max(decisions, 1)
        found = [bio(tagging.entities, len(tags)) for tagging, tags in zip(taggings, gold, strict=True)]
        f1 = float(f1_score(gold, found, mode="strict", scheme=IOB2, zero_division=0))
        metrics = {f"{metric_key_prefix}_loss": loss, f"{metric_key_prefix}_f1": f1}
        if self.keep == "best":
            self.remember(f1)
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


def build(
    tagger: Model,
    train_rows: Dataset,
    val_rows: Dataset,
    settings: FamilySettings,
    seed: int,
    work: Path,
    **overrides: Any,
) -> NerTrainer:
    """A Trainer of ``tagger``, for :func:`train` to run.

    ``work`` is a folder for its own files; ``overrides`` win over what :func:`arguments` makes of ``settings``.
    """
    if settings.train_sentences is not None:
        train_rows = train_rows.select(range(min(settings.train_sentences, len(train_rows))))
    args = arguments(settings, seed, len(train_rows), work, **overrides)
    return NerTrainer(tagger, args, train_rows, val_rows, settings.embeddings, settings.keep, settings.consistency)


def train(trainer: NerTrainer, checkpoints: Checkpoints | None = None, minutes: float = 0.0) -> pd.DataFrame:
    """Run ``trainer``, which changes its tagger in place; returns its curves.

    With ``checkpoints``, training goes on from the newest whole one, and saves another every so many ``minutes``.
    The curves have the columns ``step``, ``epoch``, ``learning_rate``, ``train_loss`` (mean since the last row),
    ``val_loss`` and ``val_f1``; a cell that was not measured at its step is empty.

    Raises:
        SystemExit: a signal asked to stop, and the last checkpoint is written.
    """
    if checkpoints is not None:
        trainer.keep_in(checkpoints, minutes)
    trainer.go_on()
    return curves(trainer.state.log_history)


def arguments(settings: FamilySettings, seed: int, sentences: int, work: Path, **overrides: Any) -> TrainingArguments:
    """The Trainer's arguments: hyperparameters from ``settings``, hardware as found on this machine.

    ``batch_size`` is the batch of all processes together, see :mod:`stages.models.sharing`.
    """
    gpu = torch.cuda.is_available()
    steps = -(-sentences // (settings.batch_size * settings.accumulation))
    values: dict[str, Any] = {
        "output_dir": str(work),
        "num_train_epochs": settings.epochs,
        "per_device_train_batch_size": settings.batch_size,
        "gradient_accumulation_steps": settings.accumulation,
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": settings.scheduler,
        "warmup_ratio": settings.warmup_ratio,
        "weight_decay": settings.weight_decay,
        "max_grad_norm": settings.max_grad_norm,
        "optim": "adamw_torch_fused",
        "use_cpu": not gpu,
        "bf16": has_bf16(),
        "tf32": True if gpu and has_bf16() else None,
        "dataloader_pin_memory": gpu,
        "group_by_length": True,
        "eval_strategy": "epoch",
        "save_strategy": "no",
        "logging_steps": max(1, steps // LOGS_AN_EPOCH),
        "report_to": "none",
        "remove_unused_columns": False,
        "label_names": ["labels"],
        "seed": seed,
        "data_seed": seed,
    }
    values |= overrides
    # TrainingArguments would take 16 bits over from an earlier training in this process, whatever bf16 says.
    os.environ["ACCELERATE_MIXED_PRECISION"] = "bf16" if values["bf16"] else "no"
    made = TrainingArguments(**values)
    made._n_gpu = min(made.n_gpu, 1)  # a process has one GPU: with several, the Trainer would multiply the batch
    return made


def curves(history: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """The Trainer's log as one row a step."""
    names = {"learning_rate": "learning_rate", "loss": "train_loss", "eval_loss": "val_loss", "eval_f1": "val_f1"}
    rows: dict[int, dict[str, float]] = {}
    for entry in history:
        row = rows.setdefault(int(entry["step"]), {"step": entry["step"], "epoch": round(entry["epoch"], 4)})
        row |= {new: round(entry[old], 6) for old, new in names.items() if old in entry}
    return pd.DataFrame(list(rows.values()), columns=["step", "epoch", *names.values()])


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and PyTorch, before the model's head is drawn."""
    transformers.set_seed(seed)
