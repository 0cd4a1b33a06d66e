"""The verdict says what the figures say, for every sign and every significance."""

from __future__ import annotations

from typing import Any

import pytest

from stages.scoring.verdict import p_equals, points, probability, verdict


def result(difference: float, low: float, high: float, p_value: float, **more: Any) -> dict[str, Any]:
    return {
        "common": {
            "sentences": 3608,
            "types": ["PER", "ORG", "LOC", "DIS", "ANIM"],
            "difference": difference,
            "interval": [low, high],
            "p_value": p_value,
        },
        "settings": {"confidence": more.get("confidence", 0.95)},
        "headline": {"difference": more.get("headline", difference)},
        "explained": {"left": difference, "share": more.get("share", 0.0)},
        "only_a": more.get("only_a", 0),
        "only_b": more.get("only_b", 0),
        "seeds": {"a": {"f1": [0.9] * more.get("a_files", 1)}, "b": {"f1": [0.9] * more.get("b_files", 1)}},
    }


@pytest.mark.parametrize(
    ("figures", "says"),
    [
        (
            (0.002, -0.004, 0.007, 0.4),
            "A and B differ by +0.2 points (−0.4 to +0.7; p = .400): no evidence that B is better.",
        ),
        (
            (-0.002, -0.007, 0.004, 0.4),
            "A and B differ by −0.2 points (−0.7 to +0.4; p = .400): no evidence that A is better.",
        ),
        ((0.012, 0.004, 0.02, 0.002), "B minus A is +1.2 points (+0.4 to +2.0; p = .002): B is better than A."),
        ((-0.012, -0.02, -0.004, 0.0002), "B minus A is −1.2 points (−2.0 to −0.4; p < .001): A is better than B."),
        ((0.004, 0.0001, 0.008, 0.06), "the interval points to a difference, the test does not: no firm evidence"),
        ((-0.004, -0.008, 0.0001, 0.04), "the test points to a difference, the interval does not: no firm evidence"),
        ((0.0, 0.0, 0.0, 1.0), "A and B do not differ at all: no evidence that either is better."),
        (
            (0.0, -0.004, 0.004, 1.0),
            "A and B differ by 0.0 points (−0.4 to +0.4; p = 1): no evidence that either is better.",
        ),
    ],
)
def test_each_sign_and_significance(figures: tuple[float, float, float, float], says: str) -> None:
    found = verdict(result(*figures))
    assert found.startswith("On common ground (3,608 sentences, 5 types) ")
    assert says in found
    assert ("is better than" in says) == ("is better than" in found)


def test_significance_follows_the_confidence_asked_for() -> None:
    assert "B is better than A" in verdict(result(0.01, 0.001, 0.02, 0.03))
    assert "B is better than A" not in verdict(result(0.01, -0.001, 0.02, 0.03, confidence=0.99))


@pytest.mark.parametrize(
    ("headline", "share", "says"),
    [
        (0.025, 0.86, "is +2.5 points; the choice of types and sentences explains 86% of it."),
        (0.001, 3.0, "types and sentences explains all of it, and on common ground the sign turns."),
        (0.002, -1.0, "+0.2 points; the choice of types and sentences explains none of it."),
        (-0.02, 1.0, "−2.0 points; the choice of types and sentences explains 100% of it."),
    ],
)
def test_what_became_of_the_headline_gap(headline: float, share: float, says: str) -> None:
    found = verdict(result(0.0035, -0.001, 0.007, 0.06, headline=headline, share=share))
    assert "The headline gap, each on its own types and sentences, is " in found
    assert says in found


@pytest.mark.parametrize(("headline", "share"), [(0.0, None), (0.00001, 0.5), (0.0035, 0.0)])
def test_no_headline_gap_to_explain_is_not_mentioned(headline: float, share: float | None) -> None:
    assert "headline" not in verdict(result(0.0035, -0.001, 0.007, 0.06, headline=headline, share=share))


def test_lacking_sentences_are_told_on_both_sides() -> None:
    found = verdict(result(0.0, -0.1, 0.1, 1.0, only_a=389, only_b=1))
    assert "B lacks 389 sentences of A's." in found
    assert "A lacks 1 sentence of B's." in found
    assert "lacks" not in verdict(result(0.0, -0.1, 0.1, 1.0))


def test_one_run_a_side_is_said_to_be_about_these_models_only() -> None:
    assert verdict(result(0.0, -0.1, 0.1, 1.0)).endswith("this is about these two models; another seed may differ.")
    assert "Means over 3 runs of A and 2 of B; the interval and the test count the spread" in verdict(
        result(0.0, -0.1, 0.1, 1.0, a_files=3, b_files=2)
    )
    assert "Means over 1 run of A and 3 of B" in verdict(result(0.0, -0.1, 0.1, 1.0, b_files=3))


def test_sides_are_called_by_their_names() -> None:
    found = verdict(result(0.01, 0.004, 0.02, 0.001, only_a=2), names=("SpanMarker", "token classifier"))
    assert "token classifier is better than SpanMarker." in found
    assert "token classifier lacks 2 sentences of SpanMarker's." in found


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [(0.0024, "+0.2"), (-0.0024, "−0.2"), (0.0, "0.0"), (-0.0, "0.0"), (-0.0001, "−0.0"), (0.0001, "+0.0")],
)
def test_points_keep_the_side_of_zero(fraction: float, shown: str) -> None:
    assert points(fraction) == shown


@pytest.mark.parametrize(
    ("p_value", "shown"), [(0.0004, "< .001"), (0.0012, ".001"), (0.25, ".250"), (0.9999, ".999"), (1.0, "1")]
)
def test_probabilities_are_never_shown_as_zero_or_one_unless_they_are(p_value: float, shown: str) -> None:
    assert probability(p_value) == shown


def test_probabilities_within_a_sentence() -> None:
    assert p_equals(0.0004) == "p < .001"
    assert p_equals(0.0515) == "p = .051"
