"""Data sets whose true F1 difference is known, to see how often intervals cover it and tests find it.

A sentence has Poisson(``rate``) gold entities and a standard normal difficulty that both sides share. A run of
skill s finds each with probability 1 / (1 + exp(-(s + SLOPE·ease))), names a wrong one in place of a missed one with
probability ``WRONG``, and invents Poisson(``spurious``) more. Seeds of a side have skill s plus normal noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stages.scoring.paired import compare_counts

SLOPE = 1.5
WRONG = 0.6


@dataclass(frozen=True)
class Side:
    """One system: its skill, how many files (seeds) it has, how far seeds differ, what it invents a sentence."""

    skill: float
    files: int = 1
    seed_spread: float = 0.0
    spurious: float = 0.05

    def true_f1(self, rate: float) -> float:
        """The F1 on infinitely many sentences, mean over all seeds (2·E[TP] over E[gold] + E[predicted])."""
        points, weights = np.polynomial.hermite_e.hermegauss(61)
        weights = weights / weights.sum()
        skills = self.skill + self.seed_spread * points
        found = (weights / (1 + np.exp(-(skills[:, None] + SLOPE * points)))).sum(axis=1)
        predicted = rate * found + WRONG * rate * (1 - found) + self.spurious
        return float((weights * 2 * rate * found / (rate + predicted)).sum())

    def draw(self, gold: np.ndarray, ease: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """TP, FP, FN a file and sentence, ``(files, sentences, 3)``."""
        skills = self.skill + self.seed_spread * rng.standard_normal((self.files, 1))
        found = rng.binomial(gold, 1 / (1 + np.exp(-(skills + SLOPE * ease))))
        invented = rng.poisson(self.spurious, found.shape)
        return np.stack([found, rng.binomial(gold - found, WRONG) + invented, gold - found], axis=2)


@dataclass(frozen=True)
class Outcome:
    """Shares of the data sets: in which the interval covers the true difference, and the test rejects at .05."""

    coverage: float
    rejections: float


def simulate(
    a: Side, b: Side, sentences: int, sets: int, seed: int, rate: float = 1.5, resamples: int = 1000
) -> Outcome:
    """Draw ``sets`` data sets, compare the two sides on each, and count."""
    rng = np.random.default_rng(seed)
    true = b.true_f1(rate) - a.true_f1(rate)
    covered = rejected = 0
    for i in range(sets):
        gold, ease = rng.poisson(rate, sentences), rng.standard_normal(sentences)
        found = compare_counts(a.draw(gold, ease, rng), b.draw(gold, ease, rng), resamples, 0.95, seed=i)
        covered += found.low <= true <= found.high
        rejected += found.p_value < 0.05
    return Outcome(covered / sets, rejected / sets)
