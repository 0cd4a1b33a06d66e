"""What training does with the table of word embeddings: all of it, the rows that a batch has, or nothing.

In a small encoder the table is half of all weights (all-MiniLM-L6-v2: 11.7 of 22.7 million), and a batch reads
some hundred of its 30,522 rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW

from stages.settings import Embeddings


def arrange(model: Any, how: Embeddings) -> None:
    """Let the next training of ``model`` treat its table ``how``; only ``sparse`` needs :class:`RowAdamW`."""
    table = model.get_input_embeddings()
    table.weight.requires_grad_(how != "frozen")
    table.sparse = how == "sparse"


class RowAdamW(AdamW):
    """AdamW that leaves a row of a table alone until a batch has it: neither momentum nor decay moves it.

    That is lazy Adam (``torch.optim.SparseAdam``), with AdamW's decay of the rows that move; every other
    parameter is updated as AdamW does. The state is AdamW's too. Gradients are scaled down to the L2 norm
    ``max_grad_norm`` here, because ``clip_grad_norm_`` knows none that is sparse; 0 leaves them.
    """

    def __init__(self, params: Iterable[Any], max_grad_norm: float, **options: Any) -> None:
        super().__init__(params, **options)
        self.max_grad_norm = max_grad_norm

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """One update of every parameter that has a gradient."""
        assert closure is None, "no closure: gradients are computed once a step"
        sparse: list[tuple[dict[str, Any], nn.Parameter, Tensor]] = []
        dense: list[Tensor] = []
        for group in self.param_groups:
            for parameter in group["params"]:
                grad = parameter.grad
                if grad is not None and grad.is_sparse:
                    sparse.append((group, parameter, grad.coalesce()))
                    parameter.grad = None
                elif grad is not None:
                    dense.append(grad)
        self._clip([*dense, *(grad.values() for _, _, grad in sparse)])
        super().step()
        for group, parameter, grad in sparse:
            self._update(group, parameter, grad.indices()[0], grad.values())

    def _clip(self, grads: list[Tensor]) -> None:
        norm = torch.stack(torch._foreach_norm(grads)).norm() if grads else torch.zeros(())
        if 0 < self.max_grad_norm < norm:
            torch._foreach_mul_(grads, self.max_grad_norm / (norm + 1e-6))

    def _update(self, group: dict[str, Any], table: nn.Parameter, rows: Tensor, grad: Tensor) -> None:
        """AdamW of ``table[rows]`` for their gradient ``(rows, width)``."""
        state = self.state[table]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float32)
            state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(table), torch.zeros_like(table)
        state["step"] += 1
        (first, second), rate, step = group["betas"], float(group["lr"]), float(state["step"])
        mean = state["exp_avg"][rows].lerp_(grad, 1 - first)
        square = state["exp_avg_sq"][rows].mul_(second).addcmul_(grad, grad, value=1 - second)
        state["exp_avg"][rows], state["exp_avg_sq"][rows] = mean, square
        size = square.div(1 - second**step).sqrt_().add_(group["eps"])
        moved = table[rows].mul_(1 - rate * group["weight_decay"])
        table[rows] = moved.addcdiv_(mean, size, value=-rate / (1 - first**step))
