"""Do intervals cover the true difference, and does the test reject a true null, as often as they say?

On simulated data sets whose true F1 is known. The quick versions bound the shares loosely, since a few hundred
data sets leave a point or two to chance; the slow ones hold 93 to 97 %, and 3 to 7 %.
"""

from __future__ import annotations

import pytest

from tests.scoring.simulated import Side, simulate

GOOD, BETTER = Side(3.0), Side(3.3)
MANY_INVENTED = Side(4.7558, spurious=0.25)
"""As good as ``GOOD`` in F1, by finding more and inventing more."""


def test_the_simulation_knows_its_own_truth() -> None:
    assert MANY_INVENTED.true_f1(1.5) == pytest.approx(GOOD.true_f1(1.5), abs=1e-4)
    assert BETTER.true_f1(1.5) > GOOD.true_f1(1.5) + 0.01


def test_quick_intervals_cover_the_true_difference() -> None:
    assert 0.91 <= simulate(GOOD, BETTER, sentences=300, sets=400, seed=1, resamples=400).coverage <= 0.98


def test_quick_a_true_null_is_seldom_rejected() -> None:
    assert 0.02 <= simulate(GOOD, GOOD, sentences=300, sets=400, seed=2, resamples=400).rejections <= 0.08


def test_quick_a_true_difference_is_found() -> None:
    assert simulate(GOOD, Side(4.0), sentences=1000, sets=50, seed=3, resamples=400).rejections > 0.9


def test_quick_seeds_are_counted_in() -> None:
    """Three seeds a side that spread as far as the systems differ: taking them for one model would cover far less."""
    sides = Side(3.0, 3, 0.3), Side(3.3, 3, 0.3)
    assert simulate(*sides, sentences=300, sets=150, seed=4, resamples=300).coverage >= 0.9
    as_one = Side(3.0, 1, 0.3), Side(3.3, 1, 0.3)
    assert simulate(*as_one, sentences=300, sets=150, seed=4, resamples=300).coverage < 0.8


@pytest.mark.slow
@pytest.mark.parametrize("sentences", [200, 1000, 4000])
@pytest.mark.parametrize("b", [GOOD, BETTER, MANY_INVENTED], ids=["equal", "better", "other profile"])
def test_intervals_cover_in_93_to_97_percent(b: Side, sentences: int) -> None:
    found = simulate(GOOD, b, sentences, sets=2000, seed=5)
    print(f"coverage {found.coverage:.4f}, rejections {found.rejections:.4f}")
    assert 0.93 <= found.coverage <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("sentences", [200, 1000, 4000])
@pytest.mark.parametrize("b", [GOOD, MANY_INVENTED], ids=["equal", "other profile"])
def test_a_true_null_is_rejected_in_3_to_7_percent(b: Side, sentences: int) -> None:
    assert 0.03 <= simulate(GOOD, b, sentences, sets=2000, seed=6).rejections <= 0.07


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.0, 0.1, 0.2, 0.5])
@pytest.mark.parametrize(("a_files", "b_files"), [(2, 2), (3, 3), (5, 5), (5, 2), (3, 1)])
def test_intervals_over_seeds_cover_at_least_as_often_as_they_say(spread: float, a_files: int, b_files: int) -> None:
    """Where seeds hardly differ, so that their spread can only be overestimated, they may cover more."""
    found = simulate(Side(3.0, a_files, spread), Side(3.0, b_files, spread), 500, sets=1000, seed=7)
    print(f"coverage {found.coverage:.4f}, rejections {found.rejections:.4f}")
    assert found.coverage >= 0.93
    assert found.rejections <= 0.07
