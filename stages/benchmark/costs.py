"""What a training costs on a GPU, before there is one: counted on a processor, then scaled.

A model of two and of three layers takes one step, forward and back, over two sentences and over three, all of the mean
length, in bfloat16 autocast. Of each step three things are counted: floating-point operations (torch's own
``FlopCounterMode``), bytes that autograd keeps for the way back, and calls of the host. All three grow by a constant
with each layer, each sentence, and each layer of each sentence, so that four steps say what the whole model with its
whole batch takes. Nothing of the full size is built.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModel, AutoModelForTokenClassification, PretrainedConfig

from stages.benchmark.architectures import architecture
from stages.corpus.labels import SYSTEMS, bio_tags
from stages.models.processor import quicken
from stages.models.span_marker import packed
from stages.settings import FamilySettings, SpanMarkerSettings

SENTENCES, WORDS = 131_280, 2_842_119
"""MultiNERD's English train split."""
SUBWORDS = 1.4
"""Assumed: positions of text for each word, with the special ones and what batches of like length pad."""
HOST = 50e-6
"""Assumed: seconds that the host takes for each call in PyTorch without compilation; a small batch waits for it.

From the one machine that was rehearsed on (``reports/rehearsal.json``): 85 ms for a step of RoBERTa-base and 104 ms for
one of mBERT's SpanMarker. A quicker host takes a fifth of it.
"""
UTILISATION = 0.3
"""Assumed: share of the card's peak that matrix products of these sizes reach, all else counted in."""
UPDATE = 32
"""Bytes that an update moves for each weight: gradient twice (clipping), weight and two moments, read and written."""
STATE = {"weights": 4, "gradients": 4, "optimizer": 8}
"""Bytes kept for each weight, in 32 bits: AdamW has two moments."""


class Card(NamedTuple):
    """A GPU by its maker's data sheet: operations a second in bfloat16 (not sparse), bytes a second, bytes."""

    peak: float
    bandwidth: float
    memory: float


CARDS = {"A100": Card(312e12, 2.039e12, 80e9), "H100": Card(989e12, 3.35e12, 80e9)}
"""Both as SXM modules with 80 GB."""


class Step(NamedTuple):
    """One training step without its update: operations, bytes kept for the way back, calls; and all weights."""

    flops: float
    kept: float
    calls: float
    weights: float


class _Calls(TorchDispatchMode):
    """Counts what torch calls, but for views, which cost a GPU nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += not func.is_view
        return func(*args, **(kwargs or {}))


def counted(model: nn.Module, loss_of: Callable[[], Tensor]) -> Step:
    """One step of ``model``, in which ``loss_of`` is the way forward."""
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with FlopCounterMode(display=False) as flops, _Calls() as calls, sdpa_kernel(SDPBackend.MATH):
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = loss_of()
            bytes_kept = sum(kept.values())
        loss.backward()
    weights = sum(parameter.numel() for parameter in model.parameters())
    return Step(flops.get_total_flops(), bytes_kept, calls.count, weights)


def token_step(config: PretrainedConfig, labels: int, sentences: int, words: int) -> Step:
    """A step of the token classifier."""
    config.num_labels = labels
    model = AutoModelForTokenClassification.from_config(config)
    quicken(model)
    ids = torch.full((sentences, round(SUBWORDS * words)), 5)
    return counted(model, lambda: model(input_ids=ids, attention_mask=torch.ones_like(ids), labels=ids % labels).loss)


def span_step(config: PretrainedConfig, labels: int, sentences: int, words: int, longest: int) -> Step:
    """A step of SpanMarker in exact mode, about every span of up to ``longest`` words."""
    from stages.models.span_marker.batches import all_spans

    encoder = AutoModel.from_config(config)
    model = nn.ModuleDict({"encoder": encoder, "classifier": nn.Linear(2 * config.hidden_size, labels)})
    ids = torch.full((sentences, round(SUBWORDS * words)), 5)
    first, last, counts = map(torch.from_numpy, all_spans(torch.full((sentences,), words).numpy(), longest))
    places = torch.stack((first, last), dim=1) % words + 2
    sentence = torch.arange(sentences).repeat_interleave(counts)

    def loss_of() -> Tensor:
        text = packed.read(encoder, ids, torch.ones_like(ids), torch.tensor([3, 4]))
        logits = model["classifier"](packed.ask(encoder, text, places, sentence))
        return functional.cross_entropy(logits.float(), torch.zeros(len(places), dtype=torch.long))

    return counted(model.train(), loss_of)


def scaled(step_of: Callable[[int, int], Step], layers: int, sentences: int) -> Step:
    """The step of ``layers`` and ``sentences``, from ``step_of`` two and three of each."""
    rows = []
    for little, wide, deep, both in zip(*(step_of(*size) for size in ((2, 2), (2, 3), (3, 2), (3, 3))), strict=True):
        by_layer, by_sentence = deep - little, wide - little
        rest = (layers - 2) * (sentences - 2) * (both - deep - wide + little)
        rows.append(little + (layers - 2) * by_layer + (sentences - 2) * by_sentence + rest)
    return Step(*rows)


def estimate(settings: FamilySettings, system: str) -> dict[str, Any]:
    """One model's training on each of :data:`CARDS`: sizes in bytes, seconds a step, hours for all epochs."""
    labels = len(SYSTEMS[system]) + 1 if isinstance(settings, SpanMarkerSettings) else len(bio_tags(SYSTEMS[system]))
    words = round(WORDS / SENTENCES)

    def step_of(layers: int, sentences: int) -> Step:
        config = architecture(settings.encoder, settings.encoder_revision, layers)
        if isinstance(settings, SpanMarkerSettings):
            return span_step(config, labels, sentences, words, settings.entity_words)
        return token_step(config, labels, sentences, words)

    layers = architecture(settings.encoder, settings.encoder_revision, settings.encoder_layers).num_hidden_layers
    step = scaled(step_of, layers, settings.batch_size)
    sizes = {name: each * step.weights for name, each in STATE.items()}
    steps = settings.epochs * -(-(settings.train_sentences or SENTENCES) // settings.batch_size)
    return {
        "encoder": settings.encoder,
        "batch": settings.batch_size,
        "accumulation": settings.accumulation,
        "steps": steps,
        "weights": int(step.weights),
        "flops_a_step": int(step.flops),
        "calls_a_step": int(step.calls),
        "bytes": {**{name: int(size) for name, size in sizes.items()}, "activations": int(step.kept)},
        "total_bytes": int(sum(sizes.values()) + step.kept),
        "cards": {name: _on(card, step, settings.accumulation, steps) for name, card in CARDS.items()},
    }


def _on(card: Card, step: Step, accumulation: int, steps: int) -> dict[str, Any]:
    """Seconds a step: what the card computes or what the host calls, whichever is longer, and the update's bytes."""
    products, host = step.flops / card.peak / UTILISATION, HOST * step.calls
    seconds = max(products, host) + UPDATE * step.weights / card.bandwidth / accumulation
    return {
        "seconds_a_step": round(seconds, 4),
        "bound": "products" if products > host else "host",
        "hours": round(seconds * steps / 3600, 2),
    }
