"""The paired interval and test: the same as scipy's sentence by sentence, repeatable, and quick."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest
from scipy import stats

from stages.scoring import paired
from stages.scoring.counts import counts, f1
from stages.scoring.paired import compare_counts, holm
from tests.scoring.builders import ordinary_predictions
from tests.scoring.simulated import Side


def two_sides(seed: int, sentences: int, a: Side, b: Side) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    gold, ease = rng.poisson(1.5, sentences), rng.standard_normal(sentences)
    return a.draw(gold, ease, rng), b.draw(gold, ease, rng)


def test_the_interval_is_scipys_paired_percentile_bootstrap() -> None:
    a, b = two_sides(0, 200, Side(2.5), Side(3))

    def statistic(index: np.ndarray, axis: int) -> np.ndarray:
        return f1(b[0][index].sum(axis=-2)) - f1(a[0][index].sum(axis=-2))

    theirs = stats.bootstrap(
        (np.arange(200),),
        statistic,
        vectorized=True,
        n_resamples=20_000,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    ours = compare_counts(a, b, 20_000, 0.95)
    width = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=0.03 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.03 * width)


def test_a_higher_confidence_widens_the_interval() -> None:
    a, b = two_sides(1, 200, Side(3), Side(3))
    narrow, wide = (compare_counts(a, b, 2000, confidence) for confidence in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_the_p_value_is_scipys_paired_permutation_test() -> None:
    a, b = two_sides(2, 12, Side(1), Side(3))

    def statistic(
        x: np.ndarray, y: np.ndarray, axis: int
    ) -> np.ndarray:  # x and y hold the numbers of sentence-answers
        answers = np.concatenate([a[0], b[0]])
        return f1(answers[y].sum(axis=-2)) - f1(answers[x].sum(axis=-2))

    theirs = stats.permutation_test(
        (np.arange(12), np.arange(12, 24)), statistic, permutation_type="samples", vectorized=True, n_resamples=np.inf
    )
    ours = compare_counts(a, b, 20_000)
    assert ours.difference == pytest.approx(theirs.statistic)
    assert 0.01 < theirs.pvalue < 0.9
    assert ours.p_value == pytest.approx(theirs.pvalue, abs=0.015)


def test_the_same_answers_differ_by_nothing() -> None:
    a, _ = two_sides(3, 100, Side(2), Side(2))
    found = compare_counts(a, a, 500)
    assert (found.difference, found.low, found.high, found.p_value) == (0, 0, 0, 1)


def test_exchanging_the_sides_turns_the_signs() -> None:
    a, b = two_sides(4, 300, Side(2), Side(3))
    there, back = compare_counts(a, b, 2000), compare_counts(b, a, 2000)
    assert back.difference == pytest.approx(-there.difference)
    assert (back.a_f1, back.b_f1) == pytest.approx((there.b_f1, there.a_f1))
    width = there.high - there.low
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=0.1 * width)
    assert there.low > 0


def test_the_same_seed_gives_the_same_figures_in_any_order_of_sentences() -> None:
    a, b = two_sides(5, 200, Side(2.5, files=2, seed_spread=0.1), Side(3, files=3, seed_spread=0.1))
    order = np.random.default_rng(0).permutation(200)
    first = compare_counts(a, b, 500, seed=7)
    assert compare_counts(a, b, 500, seed=7) == first
    shuffled = compare_counts(a[:, order], b[:, order], 500, seed=7)
    assert shuffled[:6] == pytest.approx(first[:6])
    assert compare_counts(a, b, 500, seed=8).low != first.low


def test_blocks_of_draws_change_nothing_but_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = two_sides(6, 300, Side(2), Side(3))
    whole = compare_counts(a, b, 1000)
    monkeypatch.setattr(paired, "BLOCK", 1)
    assert compare_counts(a, b, 1000) == whole


def test_a_systematic_difference_on_few_sentences_is_found_by_pairing() -> None:
    """B is A with 20 more entities right; unpaired, the spread of the sentences would hide it."""
    a, _ = two_sides(7, 2000, Side(2), Side(2))
    b = a.copy()
    better = np.flatnonzero(b[0, :, 2] > 0)[:20]
    b[0, better, 0] += 1
    b[0, better, 2] -= 1
    found = compare_counts(a, b, 2000)
    assert found.p_value < 0.001
    assert 0 < found.low < found.difference < found.high < 0.02


def test_several_seeds_give_their_mean_and_each_ones_figure() -> None:
    a, b = two_sides(8, 400, Side(2, files=3, seed_spread=0.3), Side(2.5, files=2, seed_spread=0.3))
    found = compare_counts(a, b, 500)
    assert found.a_seeds == pytest.approx([float(f1(one.sum(axis=0))) for one in a])
    assert found.a_f1 == pytest.approx(np.mean(found.a_seeds))
    assert found.difference == pytest.approx(np.mean(found.b_seeds) - np.mean(found.a_seeds))


def test_seeds_that_spread_widen_the_interval_and_raise_the_p_value() -> None:
    """One seed of each side alone is confident; seeds that are far apart must not be."""
    a, b = two_sides(9, 2000, Side(2, files=3, seed_spread=0.6), Side(2.4, files=3, seed_spread=0.6))
    alone = compare_counts(a[:1], b[:1], 1000)
    together = compare_counts(a, b, 1000)
    assert together.high - together.low > 3 * (alone.high - alone.low)
    assert together.p_value > 0.05


def test_the_same_models_asked_twice_are_compared_seed_by_seed() -> None:
    """Seeds that are far apart say nothing against a difference that each of them shows."""
    a = np.concatenate([two_sides(20, 400, Side(skill), Side(3))[0] for skill in (1, 2, 3)])
    b = a.copy()
    missed = np.flatnonzero((a[:, :, 2] > 0).all(axis=0))[:10]
    b[:, missed] += (1, 0, -1)
    apart, together = (compare_counts(a, b, 2000, same_seeds=same) for same in (False, True))
    assert apart.difference == together.difference
    assert apart.low < 0 < together.low
    assert together.high - together.low < 0.2 * (apart.high - apart.low)


def test_copies_of_one_seed_count_as_no_spread() -> None:
    a, b = two_sides(10, 500, Side(2), Side(2.3))
    one = compare_counts(a, b, 4000)
    three = compare_counts(np.repeat(a, 3, axis=0), np.repeat(b, 3, axis=0), 4000)
    assert three.difference == pytest.approx(one.difference)
    assert (three.low, three.high) == pytest.approx((one.low, one.high), abs=0.1 * (one.high - one.low))


def test_one_file_on_one_side_takes_the_spread_of_the_other() -> None:
    a, b = two_sides(11, 2000, Side(2, files=4, seed_spread=0.6), Side(2))
    single, several = compare_counts(a[:1], b, 1000), compare_counts(a, b, 1000)
    assert several.high - several.low > 2 * (single.high - single.low)


@pytest.mark.parametrize(
    ("p_values", "expected"),
    [
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.5, 0.6], [1.0, 1.0]),
        ([0.02], [0.02]),
        ([], []),
        ([0.01, 0.01, 0.9], [0.03, 0.03, 0.9]),
    ],
)
def test_holms_correction_by_hand(p_values: list[float], expected: list[float]) -> None:
    assert holm(p_values) == pytest.approx(expected)


def test_ten_thousand_resamples_of_the_whole_test_set_in_time_and_memory() -> None:
    made = [ordinary_predictions(seed, 16_454) for seed in (0, 1)]
    a, b = (counts(one.gold, one.pred).sum(axis=1)[None] for one in made)
    tracemalloc.start()
    start = time.process_time()
    compare_counts(a, b, 10_000)
    seconds = time.process_time() - start
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seconds < 5
    assert peak < 300e6
