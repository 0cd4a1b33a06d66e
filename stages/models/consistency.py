"""R-Drop: a model that is asked twice, each time with other units dropped, should answer the same.

Liang et al., "R-Drop: Regularized Dropout for Neural Networks", NeurIPS 2021. The two answers' disagreement is a second
loss. It holds a model back from learning by heart what only one of its halves can know, silver labels that are wrong
among it. The weight here is half of the paper's, which adds two cross-entropies where ours takes their mean.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def divergence(logits: Tensor) -> Tensor:
    """How far two answers are apart, in nats: the mean of both Kullback-Leibler divergences, the mean over decisions.

    ``logits`` ``(2N, labels)`` hold the first answer to ``N`` decisions, then the second; 0 where there is none.
    """
    first, second = (half.float().log_softmax(-1) for half in logits.chunk(2))
    both = [functional.kl_div(*pair, reduction="sum", log_target=True) for pair in ((first, second), (second, first))]
    return (both[0] + both[1]) / max(len(logits), 1)
