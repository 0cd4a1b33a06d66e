"""How often a test tried, and what failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Tries:
    """The tries of one test; a failed one does not end the others, but the test fails in the end."""

    def __init__(self) -> None:
        self.count = 0
        self.failures: list[str] = []

    @contextmanager
    def one(self, what: str) -> Iterator[None]:
        """One try: what is asserted in the body holds, or it has failed."""
        self.count += 1
        try:
            yield
        except Exception as error:
            self.failures.append(f"{what}: {error!r}")

    def add(self, count: int) -> None:
        """So many tries that did not fail, or the test would have."""
        self.count += count
