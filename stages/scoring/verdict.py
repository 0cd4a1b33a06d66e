"""The comparison in plain sentences, every one of them made from the figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SAME = 0.00005
"""F1 differences below this are 0.0 points at the precision shown, and no gap to explain."""


def verdict(result: Mapping[str, Any], names: tuple[str, str] = ("A", "B")) -> str:
    """What was found, how sure it is, and what became of the headline gap; ``result`` is ``comparison.compare``'s.

    One side is called better only where the p-value is below ``1 - confidence`` *and* the interval leaves out 0.
    Where just one of the two says so, the verdict says that they disagree, and calls no side better.
    """
    return " ".join(filter(None, (_finding(result, names), _headline(result), _scope(result, names))))


def _finding(result: Mapping[str, Any], names: tuple[str, str]) -> str:
    a, b = names
    common = result["common"]
    level = 1 - result["settings"]["confidence"]
    difference, (low, high), p_value = common["difference"], common["interval"], common["p_value"]
    figures = f"{points(difference)} points ({points(low)} to {points(high)}; {p_equals(p_value)})"
    where = f"On common ground ({_sentences(common['sentences'])}, {len(common['types'])} types)"
    if difference == low == high == 0:
        return f"{where} {a} and {b} do not differ at all: no evidence that either is better."
    clear, rare = low > 0 or high < 0, p_value < level
    if clear and rare:
        better, worse = (b, a) if difference > 0 else (a, b)
        return f"{where} {b} minus {a} is {figures}: {better} is better than {worse}."
    if clear or rare:
        which = ("interval", "test") if clear else ("test", "interval")
        return (
            f"{where} {a} and {b} differ by {figures}: the {which[0]} points to a difference, the {which[1]} does not: "
            "no firm evidence that either is better."
        )
    leader = b if difference > 0 else a if difference < 0 else "either"
    return f"{where} {a} and {b} differ by {figures}: no evidence that {leader} is better."


def _headline(result: Mapping[str, Any]) -> str:
    headline, explained = result["headline"]["difference"], result["explained"]["share"]
    if explained is None or abs(headline) < SAME or abs(headline - result["explained"]["left"]) < SAME:
        return ""
    text = f"The headline gap, each on its own types and sentences, is {points(headline)} points"
    if explained > 1:
        return f"{text}; the choice of types and sentences explains all of it, and on common ground the sign turns."
    if explained > 0:
        return f"{text}; the choice of types and sentences explains {explained:.0%} of it."
    return f"{text}; the choice of types and sentences explains none of it."


def _scope(result: Mapping[str, Any], names: tuple[str, str]) -> str:
    a, b = names
    parts = []
    if result["only_a"]:
        parts.append(f"{b} lacks {_sentences(result['only_a'])} of {a}'s.")
    if result["only_b"]:
        parts.append(f"{a} lacks {_sentences(result['only_b'])} of {b}'s.")
    files = [len(result["seeds"][side]["f1"]) for side in "ab"]
    if max(files) == 1:
        parts.append("One run a side: this is about these two models; another seed may differ.")
    else:
        runs = f"{files[0]} run{'' if files[0] == 1 else 's'} of {a} and {files[1]} of {b}"
        parts.append(f"Means over {runs}; the interval and the test count the spread between seeds in.")
    return " ".join(parts)


def _sentences(count: int) -> str:
    return f"{count:,} sentence{'' if count == 1 else 's'}"


def points(fraction: float) -> str:
    """An F1 difference in points with its sign, such as ``+0.2`` or ``−0.4`` (a true minus sign).

    A sign stays where rounding leaves nothing else: an interval that ends at −0.04 points ends at ``−0.0``.
    """
    return "0.0" if fraction == 0 else f"{fraction * 100:+.1f}".replace("-", "−")


def probability(p_value: float) -> str:
    """A p-value to three places; never as 0, and as 1 only where it is 1."""
    if p_value < 0.001:
        return "< .001"
    return "1" if p_value == 1 else f"{min(p_value, 0.999):.3f}".lstrip("0")


def p_equals(p_value: float) -> str:
    """A p-value within a sentence: ``p = .051`` or ``p < .001``."""
    shown = probability(p_value)
    return f"p {shown}" if shown.startswith("<") else f"p = {shown}"
