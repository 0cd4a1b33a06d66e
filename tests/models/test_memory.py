"""Kept memory is a matter of the C library: whatever is computed inside stays the same."""

from __future__ import annotations

import platform
import resource

import pytest
import torch

from stages.models.memory import kept_memory


def faults(work: int = 64 << 20) -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        torch.zeros(work // 4)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_freed_blocks_are_used_again() -> None:
    outside = faults()
    with kept_memory():
        faults()
        inside = faults()
    assert inside < outside / 10
    assert faults() > inside, "after the block it is as before"


def test_errors_pass_through() -> None:
    with pytest.raises(ValueError, match="mine"), kept_memory():
        raise ValueError("mine")
