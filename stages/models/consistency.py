"""R-Drop: a model that is asked twice, each time with other units dropped, should answer the same.

Liang et al., "R-Drop: Regularized Dropout for Neural Networks", NeurIPS 2021. The two answers' disagreement is a second
loss. It holds a model back from learning by heart what only one of its halves can know, silver labels that are wrong
among it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from stages.models.tagging import IGNORED


def consistent_loss(model: nn.Module, inputs: Mapping[str, Tensor], weight: float) -> tuple[Tensor, Any]:
    """The mean cross-entropy of two passes, plus ``weight`` times their divergence; and the model's output for both.

    The divergence is the mean of both Kullback-Leibler divergences between the two distributions over labels, in nats,
    the mean over words. Both passes go through ``model`` as one batch of twice the size.
    """
    output = model(**{name: torch.cat((part, part)) for name, part in inputs.items()})
    asked = inputs["labels"] != IGNORED
    first, second = (half[asked].float().log_softmax(-1) for half in output.logits.chunk(2))
    divergence = sum(
        functional.kl_div(one, other, reduction="batchmean", log_target=True)
        for one, other in ((first, second), (second, first))
    )
    return output.loss + weight * divergence / 2, output
