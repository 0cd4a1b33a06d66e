"""One report for the tests of the page, made once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.reporting.builders import two_systems


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A of fifteen types against B of five, on sixty sentences with words that harm a careless page."""
    return two_systems(tmp_path_factory.mktemp("report"))
