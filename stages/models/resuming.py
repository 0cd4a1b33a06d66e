"""A Trainer that can be stopped at any moment and goes on to the same weights, bit by bit.

Beside the weights it keeps the optimizer's and the schedule's state, every random number generator, and the loss
that is not logged yet; all as safetensors and JSON: reading a checkpoint runs no code, as unpickling could.
Of several processes the first writes, and all read, so that they need one folder.
"""

from __future__ import annotations

import hashlib
import json
import logging
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from accelerate.utils import broadcast_object_list, gather_object
from pydantic import BaseModel
from safetensors import SafetensorError
from safetensors.torch import load_file, load_model, save_file, save_model
from torch import Tensor
from transformers.trainer import TRAINER_STATE_NAME

from stages.corpus.files import read_json
from stages.models.checkpoints import Checkpoints, digest_of_all
from stages.models.device import kind, process
from stages.models.sharing import SharingTrainer
from stages.signals import answered_by, status

WEIGHTS, TENSORS, VALUES = "model.safetensors", "state.safetensors", "state.json"
BEST = "best.safetensors"
"""The weights of the best epoch so far, where that one is to be kept."""

SHARE = 0.02
"""The most that saving may take of a training's time: a slow disk gets fewer checkpoints."""

log = logging.getLogger(__name__)


class ResumableTrainer(SharingTrainer):
    """The Trainer, with checkpoints that are whole or not there; until ``keep_in`` is called, none."""

    checkpoints: Checkpoints | None = None
    best: dict[str, Tensor] | None = None
    """What the model ends in, where it is not what the last update made of it."""
    best_f1 = -1.0
    _seconds = _wait = 0.0
    _saved_at = 0.0
    _stop = 0
    _running_loss: Tensor | None = None
    _carried: dict[str, Any] | None = None

    def keep_in(self, checkpoints: Checkpoints, minutes: float) -> None:
        """Save a checkpoint every so many minutes (0: after every update), at the end, and when asked to stop."""
        self.checkpoints, self._seconds, self._wait = checkpoints, 60 * minutes, 60 * minutes

    def go_on(self) -> None:
        """Train from the newest whole checkpoint, or from the start.

        Ctrl-C and SIGTERM end the process after the update that is under way and its checkpoint; a second
        one, at once. Either way one line says where the next run goes on.

        Raises:
            SystemExit: a signal asked to stop; status 128 + its number.
        """
        if self.checkpoints is None:
            self.fit()
            self.train()
        else:
            newest = self._newest()
            self._saved_at = time.monotonic()
            with self._stopping_gently():
                if newest is None:
                    self.fit()
                self.train(resume_from_checkpoint=newest)
        if self.best is not None:
            self.model.load_state_dict(self.best)  # type: ignore[union-attr]

    def remember(self, f1: float) -> None:
        """Keep a copy of the weights as they are, if ``f1`` is the highest so far: they are those to end in."""
        if f1 > self.best_f1:
            state: dict[str, Tensor] = self.model.state_dict()  # type: ignore[union-attr]
            self.best = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in state.items()}
            self.best_f1 = f1

    def _newest(self) -> str | None:
        """The checkpoint to go on from, which the first process chooses."""
        assert self.checkpoints is not None
        found = self.checkpoints.newest() if self.is_world_process_zero() else None
        where, self.checkpoints.last = broadcast_object_list([found and str(found), self.checkpoints.last])
        return where  # type: ignore[no-any-return]

    @contextmanager
    def _stopping_gently(self) -> Iterator[None]:
        assert self.checkpoints is not None
        try:
            with answered_by(self._ask_to_stop):
                yield
        except SystemExit:
            last = self.checkpoints.last
            where = "starts over" if last is None else f"goes on after update {last} of {self.state.max_steps}"
            log.warning("stopped; the same command %s", where)
            raise

    def _ask_to_stop(self, number: int) -> None:
        if self._stop:
            raise SystemExit(status(number))
        self._stop = number
        log.warning("stopping after this update and its checkpoint; a second time, at once")

    def _maybe_log_save_evaluate(self, tr_loss: Tensor, *args: Any, **kwargs: Any) -> None:
        """As the Trainer's own, which resets ``tr_loss`` in place when it logs; then stops, if asked to."""
        self._running_loss = tr_loss
        save = self.control.should_save = self.checkpoints is not None and self._due()
        super()._maybe_log_save_evaluate(tr_loss, *args, **kwargs)
        if save and self._stop:
            raise SystemExit(status(self._stop))

    def _due(self) -> bool:
        """Whether to save now: never between an epoch's last update and its validation.

        The curve of a training that goes on from there would lack that validation. After the last epoch a
        checkpoint is always due, as writing the model can be cut short, too.
        """
        if float(self.state.epoch or 0).is_integer() and not self.control.should_evaluate:
            return False
        ended = self.state.global_step >= self.state.max_steps
        late = self.is_world_process_zero() and time.monotonic() - self._saved_at >= self._wait
        self._stop, due = self._agreed(self._stop, int(ended or bool(self._stop) or late))
        return bool(due)

    def _agreed(self, *values: int) -> list[int]:
        """The highest of each value over all processes: each hears signals, and reads a clock, for itself."""
        if self.args.world_size == 1:
            return list(values)
        every = self.accelerator.gather(torch.tensor([values], device=self.args.device))
        return every.amax(0).tolist()  # type: ignore[no-any-return]

    def training_step(self, *args: Any, **kwargs: Any) -> Tensor:
        """As the Trainer's own; the first after resuming adds the loss that was not logged yet."""
        loss = super().training_step(*args, **kwargs)
        if self._carried is not None:
            self._globalstep_last_logged = self._carried["last_logged"]
            loss = loss + self._carried["running"]
            self._carried = None
        return loss

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Write a checkpoint and mark it whole; where that fails, training goes on, and says so."""
        assert self.checkpoints is not None
        assert self.model is not None
        start, folder = time.monotonic(), self.checkpoints.at(self.state.global_step)
        generators = gather_object([(_generators(), random.getstate())])
        running = self._mean_of_processes(self._running_loss)
        if not self.is_world_process_zero():
            self.checkpoints.last = self.state.global_step
            return
        try:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            save_model(self.model, str(folder / WEIGHTS))
            self.state.save_to_json(str(folder / TRAINER_STATE_NAME))
            self._save_state(folder, generators, running)
            self.checkpoints.finish(self.state.global_step)
        except (OSError, SafetensorError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            log.error("%s cannot be written (%s): training goes on without it", folder, error)
        self._saved_at = time.monotonic()
        if self._seconds:
            self._wait = max(self._seconds, (self._saved_at - start) / SHARE)

    def _mean_of_processes(self, loss: Tensor | None) -> float:
        """As the Trainer logs a loss, of which each process has its own."""
        if loss is None:
            return 0.0
        return float(loss if self.args.world_size == 1 else self.accelerator.gather(loss.reshape(1)).mean())

    def _save_state(self, folder: Path, generators: list[tuple[dict[str, Tensor], Any]], running: float) -> None:
        assert self.optimizer is not None
        assert self.lr_scheduler is not None
        optimizer = self.optimizer.state_dict()
        tensors: dict[str, Tensor] = {}
        for index, parts in optimizer["state"].items():
            tensors |= {f"optimizer.{index}.{name}": tensor.contiguous() for name, tensor in parts.items()}
        for rank, (found, _) in enumerate(generators):
            tensors |= {f"random.{rank}.{name}": tensor for name, tensor in found.items()}
        save_file(tensors, folder / TENSORS)
        if self.best is not None:
            save_file(self.best, folder / BEST)
        values = {
            "param_groups": optimizer["param_groups"],
            "scheduler": self.lr_scheduler.state_dict(),
            "python": [state for _, state in generators],
            "loss": {"running": running, "last_logged": self._globalstep_last_logged},
            "pieces": self.shares.pieces,
            "best_f1": self.best_f1,
        }
        (folder / VALUES).write_text(json.dumps(values), encoding="utf-8")

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        assert self.model is not None
        load_model(self.model, Path(resume_from_checkpoint) / WEIGHTS)
        if (best := Path(resume_from_checkpoint) / BEST).exists():
            self.best = load_file(best)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is None or self.optimizer is None or self.lr_scheduler is None:
            return
        tensors, values = load_file(Path(checkpoint) / TENSORS), read_json(Path(checkpoint) / VALUES)
        state: dict[int, dict[str, Tensor]] = {}
        for key, tensor in tensors.items():
            kind, _, rest = key.partition(".")
            if kind == "optimizer":
                index, _, name = rest.partition(".")
                state.setdefault(int(index), {})[name] = tensor
        self.optimizer.load_state_dict({"state": state, "param_groups": values["param_groups"]})
        self.lr_scheduler.load_state_dict(values["scheduler"])
        self._carried = values["loss"]
        self.shares.pieces, self.best_f1 = values["pieces"], values["best_f1"]

    def _load_scaler(self, checkpoint: str | None) -> None:
        """Nothing: bfloat16 needs no scaling of losses, and the Trainer would unpickle a file of that name."""

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        rank = self.args.process_index
        _set_generators(load_file(Path(checkpoint) / TENSORS), f"random.{rank}.")
        version, inner, gauss = read_json(Path(checkpoint) / VALUES)["python"][rank]
        random.setstate((version, tuple(inner), gauss))


def _generators() -> dict[str, Tensor]:
    """The state of torch's and NumPy's global random number generators."""
    state = np.random.get_state(legacy=False)
    numbers = [state["state"]["pos"], state["has_gauss"], np.float64(state["gauss"]).view(np.int64)]
    found = {
        "cpu": torch.get_rng_state(),
        "numpy": torch.from_numpy(np.concatenate((state["state"]["key"], numbers)).astype(np.int64)),
    }
    return {**found, "cuda": torch.cuda.get_rng_state()} if torch.cuda.is_available() else found


def _set_generators(tensors: dict[str, Tensor], prefix: str) -> None:
    torch.set_rng_state(tensors[prefix + "cpu"])
    *key, position, has_gauss, gauss = tensors[prefix + "numpy"].tolist()
    inner = {"key": np.array(key, dtype=np.uint32), "pos": position}
    np.random.set_state(
        {"bit_generator": "MT19937", "state": inner, "has_gauss": has_gauss, "gauss": np.int64(gauss).view(np.float64)}
    )
    if prefix + "cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors[prefix + "cuda"])


def fingerprint(model: torch.nn.Module, settings: BaseModel, **others: str) -> dict[str, str]:
    """Everything that shapes a training's weights, by name: two runs with equal ones end in equal weights.

    The hyperparameters one by one, ``others`` (seed, types, data), the weights at the start, which stand for
    the encoder too, this project's code, the libraries, the kind of processor and how many processes share it.
    """
    here = Path(__file__).parent
    start = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        start.update(name.encode() + tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return {
        **{name: str(value) for name, value in settings.model_dump().items()},
        **others,
        "starting weights": start.hexdigest(),
        "code": digest_of_all(here.rglob("*.py"), here),
        "libraries": f"torch {torch.__version__}, transformers {transformers.__version__}, numpy {np.__version__}",
        "processor": kind(),
        "processes": str(process().num_processes),
    }
