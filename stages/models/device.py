"""The hardware that models run on, found at run time and never a parameter."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from accelerate import PartialState


def device() -> torch.device:
    """This process's GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def process() -> PartialState:
    """This process among those that ``accelerate launch`` started, or the only one; on a GPU, on one of its own."""
    return PartialState(cpu=not torch.cuda.is_available())


def has_bf16() -> bool:
    """Whether this machine multiplies bfloat16 matrices in hardware.

    A GPU from Ampere on does, and so does a CPU with AVX-512 BF16 or AMX (about four times faster
    than float32); others emulate it, slower than float32.
    """
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def kind() -> str:
    """What computes here, by all that shapes its rounding: processor or GPU, precision, and compilation if any.

    ``ACCELERATE_DYNAMO_BACKEND=inductor`` (or ``accelerate launch --dynamo_backend``) compiles a training's model.
    """
    name = torch.cuda.get_device_name() if device().type == "cuda" else "cpu"
    backend = os.environ.get("ACCELERATE_DYNAMO_BACKEND", "no").lower()
    compiled = "" if backend == "no" else f" compiled by {backend}"
    return f"{name}{' in bfloat16' if has_bf16() else ''}{compiled}"


def precision(bf16: bool) -> AbstractContextManager[Any]:
    """Matrix products in bfloat16 inside the block, or everything as it is."""
    return torch.autocast(device().type, dtype=torch.bfloat16) if bf16 else nullcontext()
