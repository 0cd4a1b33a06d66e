"""Whole trainings, each kept in the cache under a name of what decides its result but for the code: none runs twice.

What a newer commit would train otherwise is trained anew only where its folder is removed; rows name the commit of
each training (``trained_at``).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from stages.benchmark.plan import Plan
from stages.benchmark.race import pool
from stages.benchmark.report import commit
from stages.benchmark.sentences import Corpus, Sentence
from stages.corpus.files import read_json, whole_folder, write_json
from stages.corpus.labels import SYSTEMS, TAGS, bio, project, projection, spans
from stages.errors import UserError
from stages.settings import FamilySettings, System, TokenClassifierSettings

LIBRARIES = ("torch", "transformers")
NEUTRAL = {"consistency": 0.0, "keep": "last"}
"""Settings that came later: at these values a training is what it was without them, and keeps its name."""


@dataclass(frozen=True)
class Job:
    """One training: by this project or plainly, in 32 bits or (``bf16``) in the precision that the machine has.

    Plain ones are of System A.
    """

    way: Literal["ours", "plain"]
    settings: FamilySettings
    seed: int
    bf16: bool
    system: System = "A"

    def name(self, corpus: Corpus) -> str:
        """A folder's name: another one for other settings, seed, sentences, torch or transformers.

        Not for another machine, another commit of this project, or an encoder directory that holds something else now.
        """
        settings = {k: v for k, v in self.settings.model_dump().items() if k not in NEUTRAL or v != NEUTRAL[k]}
        values: dict[str, Any] = {
            "way": self.way, "settings": settings, "seed": self.seed, "bf16": self.bf16,
            "sentences": [corpus.train, corpus.val, corpus.test],
            "versions": {name: importlib.metadata.version(name) for name in LIBRARIES},
        }  # fmt: skip
        if self.system != "A":
            values["system"] = self.system
        digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
        return f"{self.way}-{self.seed}-{digest[:12]}"


class Trained(NamedTuple):
    """A training: its model directory, the ``commit`` that it ran at, BIO tags of the sentences that were asked for.

    ``cpu_seconds`` is the processor's time in all of its threads, preparing and predicting included; it and the
    ``precision`` of training are None where they were not noted.
    """

    model: Path
    commit: str
    tags: list[list[str]]
    cpu_seconds: float | None = None
    precision: str | None = None


def trained(plan: Plan, jobs: Sequence[Job]) -> list[Trained]:
    """Every job's result, from the cache or trained now; several at once share the threads.

    Raises:
        UserError: an encoder cannot be found, the sentences cannot be trained on, or the settings ask for another
            epoch than the last, which is not done here.
    """
    for job in jobs:
        if job.settings.keep != "last":
            raise UserError(
                f"keep: {job.settings.keep}: trainings compared here end in their last epoch; set it to last"
            )
    folders = [plan.cache / job.name(plan.corpus) for job in jobs]
    missing = [pair for pair in zip(jobs, folders, strict=True) if not pair[1].exists()]
    if missing:
        with pool(len(missing), plan.threads) as processes:
            for done in [processes.submit(train, job, plan.corpus, folder, commit()) for job, folder in missing]:
                done.result()
    return [_read(folder) for folder in folders]


def train(job: Job, corpus: Corpus, folder: Path, commit: str) -> None:
    """Train one model and tag the test sentences with it; ``folder`` appears whole or not at all."""
    with whole_folder(folder) as target:
        by = _plainly if job.way == "plain" else _by_us
        start = time.process_time()
        write_json(target / "tags.json", by(job, corpus, target / "model"))
        seconds, precision = time.process_time() - start, found_precision() if job.bf16 else "fp32"
        write_json(target / "training.json", {"commit": commit, "cpu_seconds": seconds, "precision": precision})


def _by_us(job: Job, corpus: Corpus, model: Path) -> list[list[str]]:
    """As the stage ``train`` does it, with the validation after the last epoch at most: for a threshold."""
    from datasets import Dataset  # here, so that the process that only waits need not load torch

    from stages.models import families
    from stages.models.device import has_bf16
    from stages.models.training import build, seed_everything

    seed_everything(job.seed)
    types = SYSTEMS[job.system]
    tagger = families.create(job.settings, types)
    rows, val = (Dataset.from_list(_known(part, job.system)) for part in (corpus.train, corpus.val))
    overrides = {"bf16": job.bf16 and has_bf16(), "disable_tqdm": True, "eval_strategy": "no"}
    with tempfile.TemporaryDirectory() as work:
        build(tagger, rows, val, job.settings, job.seed, Path(work), **overrides).train()
    gold = [project([TAGS[i] for i in row["ner_tags"]], types) for row in corpus.val]
    tagger.settle([row["tokens"] for row in corpus.val], gold)  # in 32 bits, as it will predict
    tagger.save(model)
    return tagged(model, None, corpus.test)


def _known(sentences: list[Sentence], system: System) -> list[Sentence]:
    """The sentences with the tags that ``system`` knows."""
    table = projection(SYSTEMS[system])
    return [{**sentence, "ner_tags": [table[i] for i in sentence["ner_tags"]]} for sentence in sentences]


def _plainly(job: Job, corpus: Corpus, model: Path) -> list[list[str]]:
    """The plain Trainer with our recipe."""
    import torch

    from stages.benchmark.plain import Plain
    from stages.models.device import has_bf16

    assert isinstance(job.settings, TokenClassifierSettings)
    names = ("weight_decay", "warmup_ratio", "max_grad_norm")
    recipe: dict[str, Any] = {name: getattr(job.settings, name) for name in names}
    recipe |= {"num_train_epochs": job.settings.epochs, "lr_scheduler_type": job.settings.scheduler}
    recipe |= {"bf16": job.bf16 and has_bf16(), "use_cpu": not torch.cuda.is_available()}
    plain = Plain(job.settings, seed=job.seed, **recipe)
    trainer = plain.trainer(plain.prepare(corpus.train[: job.settings.train_sentences]))
    trainer.train()
    plain.model.save_pretrained(model)
    plain.tokenizer.save_pretrained(model)
    return plain.tag(trainer, plain.prepare(corpus.test), corpus.test)


def tagged(model: Path, mode: str | None, sentences: list[Sentence]) -> list[list[str]]:
    """BIO tags of ``sentences`` by a saved model of ours, asked in ``mode`` in 32 bits."""
    from stages.benchmark.ours import load

    answers = load(model, mode).tag([sentence["tokens"] for sentence in sentences])
    return [bio(one.entities, len(row["tokens"])) for one, row in zip(answers, sentences, strict=True)]


def proposed(model: Path, sentences: list[Sentence]) -> tuple[float, float]:
    """What a selective model of ours asks about: the share of the gold spans, and how many spans a sentence.

    Gold spans of more words than any model asks about are left out.
    """
    from stages.benchmark.ours import load

    tagger = load(model, "selective")
    longest = tagger.model.config.entity_max_length
    answers = tagger.answers([sentence["tokens"] for sentence in sentences])
    gold = hit = 0
    for answer, sentence in zip(answers, sentences, strict=True):
        asked = set(zip(answer.first.tolist(), answer.last.tolist(), strict=True))
        entities = spans([TAGS[tag] for tag in sentence["ner_tags"]])
        wanted = {(one.start, one.end - 1) for one in entities if one.end - one.start <= longest}
        gold, hit = gold + len(wanted), hit + len(wanted & asked)
    return hit / max(gold, 1), sum(len(answer.first) for answer in answers) / max(len(sentences), 1)


def _read(folder: Path) -> Trained:
    told = read_json(folder / "training.json")
    noted = (told.get(name) for name in ("cpu_seconds", "precision"))
    return Trained(folder / "model", told["commit"], read_json(folder / "tags.json"), *noted)


def found_precision() -> str:
    """The precision that training takes on this machine."""
    from stages.models.device import has_bf16  # here, so that a process that only waits need not load torch

    return "bf16" if has_bf16() else "fp32"
