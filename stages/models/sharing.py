"""One batch over several processes, and in pieces where memory is short, with the gradient of the whole.

``accelerate launch`` starts the processes and averages their gradients. Each takes every so-manieth sentence of the
same batch, and weighs its mean loss by its share of the batch's decisions: labelled words, or spans. So hardware
changes how long a training takes, and not what it computes, but for rounding. accelerate's own split would complete
the last batch of an epoch with sentences of the first, and the Trainer's would count decisions over an update.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from accelerate.data_loader import prepare_data_loader
from accelerate.utils import find_executable_batch_size
from torch import Tensor
from torch.utils.data import DataLoader
from transformers import Trainer

from stages.errors import UserError
from stages.models.tagging import IGNORED

PIECES, WEIGHT = "pieces", "weight"


@dataclass
class Shares:
    """Collates rows: all of them as one batch, or this process's share of them in ``pieces``.

    Attributes:
        collate: makes a batch of rows; the model's loss is a mean over the batch's decisions.
        negatives: SpanMarker's spans a sentence that are drawn beside the entities; 0 where nothing is drawn. Each
            piece draws its own, with the chances of its own: other spans than from the whole, right in the mean.
        processes: that share a batch.
        rank: which of them this is.
        pieces: in which each process computes its share.
    """

    collate: Callable[[Sequence[Any]], dict[str, Tensor]]
    negatives: int = 0
    processes: int = 1
    rank: int = 0
    pieces: int = 1

    def __call__(self, rows: Sequence[Any]) -> dict[str, Any]:
        """A batch for the model; or where it is shared, ``{PIECES: batches}``, each with its ``WEIGHT``.

        A process for which no row is left gets one with weight 0: all have to take part in each step.
        """
        parts = self.processes * self.pieces
        if parts == 1:
            return self.collate(rows)
        made = [self.collate(rows[i::parts]) for i in range(min(parts, len(rows)))]
        counts = [self.decisions(batch) for batch in made]
        scale = self.processes / max(sum(counts), 1)  # gradients are averaged over processes
        own = range(self.rank, len(made), self.processes)
        pieces = [{**made[i], WEIGHT: torch.tensor(scale * counts[i])} for i in own]
        return {PIECES: pieces or [{**made[0], WEIGHT: torch.tensor(0.0)}]}

    def decisions(self, batch: dict[str, Tensor]) -> int:
        """How many decisions the loss of ``batch`` is the mean of."""
        labels = batch["labels"]
        if self.negatives:
            drawn = int((labels > 0).sum()) + self.negatives * len(batch["input_ids"])
            return min(drawn, len(labels))
        return int((labels != IGNORED).sum())


def fitting(attempt: Callable[[int], None], sentences: int) -> int:
    """The most sentences, ``sentences`` halved as often as need be, for which ``attempt`` has memory.

    Raises:
        UserError: not even for one.
    """
    size = sentences

    def halved() -> int:
        nonlocal size
        size //= 2
        return size

    def tried(batch_size: int) -> int:
        attempt(batch_size)
        return batch_size

    try:
        return int(find_executable_batch_size(tried, sentences, halved)())
    except RuntimeError as error:
        if "No executable batch size" not in str(error):
            raise
        raise UserError(
            "the GPU's memory does not hold one sentence's training step: set a lower max_tokens or a smaller encoder"
        ) from None


class SharingTrainer(Trainer):
    """The Trainer over batches that :class:`Shares` collates; alone and in one piece it is the Trainer itself."""

    @property
    def shares(self) -> Shares:
        """The collator."""
        assert isinstance(self.data_collator, Shares)
        return self.data_collator

    def get_train_dataloader(self) -> DataLoader[Any]:
        """As the Trainer's own; where several processes share each batch, all of them get its rows."""
        if self.args.world_size == 1:
            return super().get_train_dataloader()
        dataset: Any = self.train_dataset
        loader: DataLoader[Any] = DataLoader(
            dataset, self._train_batch_size, sampler=self._get_train_sampler(), collate_fn=self.data_collator,
            pin_memory=self.args.dataloader_pin_memory,
        )  # fmt: skip
        return prepare_data_loader(loader, self.args.device, num_processes=1, process_index=0, put_on_device=True)

    def get_total_train_batch_size(self, args: Any) -> int:
        """Sentences of one update, whatever the number of processes."""
        return int(self._train_batch_size * args.gradient_accumulation_steps)

    def training_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Tensor:
        """As the Trainer's own, piece by piece; gradients meet after the last."""
        if PIECES not in inputs:
            return super().training_step(model, inputs, *args, **kwargs)
        *others, last = inputs[PIECES]
        losses = []
        for piece in (*others, last):
            with nullcontext() if piece is last else self.accelerator.no_sync(model):
                losses.append(super().training_step(model, piece, *args, **kwargs))
        return torch.stack(losses).sum()

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The loss of a batch, by the weight that a piece has."""
        weight = inputs.get(WEIGHT)
        loss, outputs = self.batch_loss(model, {name: value for name, value in inputs.items() if name != WEIGHT})
        loss = loss if weight is None else loss * weight
        return (loss, outputs) if return_outputs else loss

    def batch_loss(self, model: Any, inputs: dict[str, Any]) -> tuple[Tensor, Any]:
        """The mean loss of a batch's decisions, and the model's output: the Trainer's own."""
        loss, outputs = super().compute_loss(model, inputs, return_outputs=True)
        return loss, outputs

    def fit(self) -> None:
        """Cut batches into as few pieces as this GPU's memory asks for; tried on the longest sentences.

        Neither the effective batch nor any random number changes. On a processor nothing is tried.
        """
        if self.args.device.type != "cuda":
            return
        dataset: Any = self.train_dataset
        size = self.args.train_batch_size
        longest = np.argsort(-np.asarray(dataset["length"][:]), kind="stable")[:size]
        rows = [dataset[int(i)] for i in longest]
        own = max(len(rows[self.args.process_index :: self.args.world_size]), 1)
        with torch.random.fork_rng(devices=[self.args.device]):
            most = fitting(lambda sentences: self._try(rows, -(-own // sentences)), own)
        self.shares.pieces = int(self.accelerator.gather(torch.tensor(-(-own // most), device=self.args.device)).max())

    def _try(self, rows: Sequence[Any], pieces: int) -> None:
        """One step's memory: the largest piece forward and back, and what the optimizer and other processes' need."""
        model: Any = self.model
        self.shares.pieces = pieces
        batch = self.shares(rows)
        piece = batch.get(PIECES, [batch])[0]
        weights = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
        rest = torch.empty((2 if self.args.world_size == 1 else 3) * weights, device=self.args.device)
        try:
            model.train()
            with self.compute_loss_context_manager():
                loss = self.compute_loss(model, self._prepare_inputs(piece))
            loss.backward()
        finally:
            del rest
            model.zero_grad()
