"""Kept memory is a matter of the C library: whatever is computed inside stays the same."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from stages.models.memory import kept_memory

FAULTS = """
import resource
import numpy as np
from stages.models.memory import kept_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        np.ones(8 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

outside = faults()
with kept_memory():
    faults()
    inside = faults()
print(outside, inside, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_freed_blocks_are_used_again() -> None:
    """In a process of its own, whose heap no other test has cut up."""
    answer = subprocess.run([sys.executable, "-c", FAULTS], check=True, capture_output=True, text=True).stdout
    outside, inside, after = map(int, answer.split())
    assert inside < outside / 10
    assert after > inside, "after the block it is as before"


def test_errors_pass_through() -> None:
    with pytest.raises(ValueError, match="mine"), kept_memory():
        raise ValueError("mine")
