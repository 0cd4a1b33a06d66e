"""From runs to the figures of a row."""

from __future__ import annotations

import pytest

from stages.benchmark.figures import figures, ratio, speeds
from stages.benchmark.race import Track


def test_ratios_are_of_paired_runs() -> None:
    """A busy minute that slows both sides leaves the ratio alone; medians of each side would not see pairs."""
    assert ratio([10.0, 5.0, 40.0], [5.0, 2.5, 10.0]) == (2.0, 2.0, 4.0)
    assert ratio([1.0, 9.0, 2.0], [1.0, 1.0, 4.0]) == (1.0, 0.5, 9.0)


def test_unpaired_runs_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        ratio([1.0], [1.0, 2.0])


def test_a_row_says_what_both_sides_did() -> None:
    tracks = {
        "ours": Track([2.0, 1.0, 4.0], {"sentences": 40, "positions": 25.0, "flops": 8e9, "peak_flops": 16e9}, 100.0),
        "peer": Track([4.0, 4.0, 4.0], {"sentences": 8, "positions": 512.0, "flops": 1e9, "peak_flops": 10e9}, 200.0),
        "peer, another way": Track([8.0, 8.0, 8.0], {"sentences": 80}, 1.0),
    }
    assert speeds(tracks["ours"]) == [20.0, 40.0, 10.0]
    row = figures(tracks)
    assert row["speed"] == {"ours": 20.0, "peer": 2.0}
    assert (row["ratio"], row["low"], row["high"]) == (10.0, 5.0, 20.0)
    assert row["sentences"] == {"ours": 40, "peer": 8}
    assert row["memory_mib"] == {"ours": 100.0, "peer": 200.0}
    assert row["positions"] == {"ours": 25.0, "peer": 512.0}
    assert row["peak_share"] == {"ours": 0.25, "peer": 0.025}
    assert row["others"] == {"peer, another way": {"speed": 10.0, "ratio": 2.0, "low": 1.0, "high": 4.0}}


def test_what_was_not_counted_is_not_there() -> None:
    row = figures({side: Track([1.0], {"sentences": 1}, 1.0) for side in ("ours", "peer")})
    assert not {"positions", "peak_share", "others"} & set(row)
