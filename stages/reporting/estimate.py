"""``estimate.md``: what trainings would cost on a GPU, and how that was worked out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stages.reporting.tables import markdown_table

METHOD = """\
**An estimate; what a GPU really took stands in docs/scale.md, from `python -m stages.rehearse`.**
Operations, bytes that autograd keeps for the way back, and calls of the host were
counted on a processor, in one step of the real code on models of two and three layers over two and three sentences
of {words:.0f} words, and scaled to all layers and the whole batch; counts, not assumptions, but for the length: every
sentence has the mean one, with {positions_a_word} positions a word (subwords, special ones, padding).
Seconds a step are the longer of two: operations at {percent:.0f} % of the card's bfloat16 peak, or the host's calls at
{microseconds:.0f} µs each; then the update, {update_bytes_a_weight} bytes a weight at the card's bandwidth. `bound`
says which was longer. Those three figures are assumed, and hours stand and fall with them. Memory is weights, gradients
and AdamW's moments in 32 bits, and what autograd keeps; not what the allocator rounds up, nor longer sentences: the
longest batch takes several times the activations, and is cut in pieces where they do not fit.
Validation after each epoch, reading and saving are left out."""


def render(found: Mapping[str, Any]) -> str:
    """The estimate as Markdown; ``found`` is estimate.json's."""
    assumed = found["assumed"]
    cards = list(assumed["cards"])
    rows = [
        [
            name,
            f"`{one['encoder']}`",
            f"{one['batch']} × {one['accumulation']}",
            f"{one['steps']:,}",
            f"{one['weights'] / 1e6:.0f} M",
            f"{one['flops_a_step'] / 1e12:.2f}",
            f"{(one['total_bytes'] - one['bytes']['activations']) / 1e9:.1f}",
            f"{one['bytes']['activations'] / 1e9:.1f}",
            *(_time(one["cards"][card]) for card in cards),
        ]
        for name, one in found["trainings"].items()
    ]
    heads = ["training", "encoder", "batch", "steps", "weights", "TFLOP a step", "state, GB", "activations, GB"]
    heads += [f"{card}: s a step, bound, hours" for card in cards]
    method = METHOD.format(
        **assumed | {"words": assumed["words"] / assumed["sentences"]},
        percent=100 * assumed["utilisation"],
        microseconds=1e6 * assumed["host_seconds_a_call"],
    )
    return "\n\n".join(["# What a training would cost on one GPU", markdown_table(heads, rows), method]) + "\n"


def _time(on: Mapping[str, Any]) -> str:
    return f"{on['seconds_a_step']:.3f}, {on['bound']}, {on['hours']:.2f}"
