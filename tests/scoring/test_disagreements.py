"""Who is right where two systems part, and what one names that the other is not asked for."""

from __future__ import annotations

from stages.scoring.alignment import align
from stages.scoring.disagreements import disagreements, outside
from tests.scoring.builders import predictions

GOLD = ("B-PER O B-LOC", "B-PER I-PER O", "O B-FOOD", "B-ORG", "B-DIS")
A = predictions(*zip(GOLD, ("B-PER O O", "B-PER O B-LOC", "B-LOC B-FOOD", "B-ORG", "O"), strict=True), path="a")
B = predictions(
    *zip(
        [tags.replace("B-FOOD", "O") for tags in GOLD],
        ("B-PER O B-LOC", "B-PER I-PER O", "O O", "B-LOC", "O"),
        strict=True,
    ),
    path="b",
)


def test_every_gold_entity_is_right_on_both_one_or_neither_side() -> None:
    found = disagreements(align([A], [B]))
    assert {name: found[name] for name in ("both", "a_right", "b_right", "neither")} == {
        "both": 1,
        "a_right": 1,
        "b_right": 2,
        "neither": 1,
    }
    assert (found["a_spurious"], found["b_spurious"]) == (3, 1)
    assert found["sentences"] == {"a_right": 1, "b_right": 3}


def test_examples_show_words_and_all_three_answers() -> None:
    found = disagreements(align([A], [B]))["examples"]
    assert [one["row"] for one in found["a_right"]] == [3]
    assert [one["row"] for one in found["b_right"]] == [0, 1, 2]
    first = found["b_right"][0]
    assert first["tokens"] == ["w0", "w1", "w2"]
    assert first["gold"] == first["b"]
    assert first["a"] == [{"type": "PER", "start": 0, "end": 1, "text": "w0"}]
    assert found["b_right"][1]["gold"][0]["text"] == "w0 w1"


def test_no_more_examples_than_asked_for() -> None:
    found = disagreements(align([A], [B]), examples=1)
    assert len(found["examples"]["b_right"]) == 1
    assert found["sentences"]["b_right"] == 3
    assert disagreements(align([A], [B]), examples=0)["examples"] == {"a_right": [], "b_right": []}


def test_exchanging_the_sides_exchanges_the_counts() -> None:
    there, back = disagreements(align([A], [B])), disagreements(align([B], [A]))
    for mine, other in (("a_right", "b_right"), ("a_spurious", "b_spurious"), ("both", "both"), ("neither", "neither")):
        assert there[mine] == back[other]


def test_what_a_names_and_b_is_not_asked_for() -> None:
    gold = ("B-FOOD O B-TIME", "B-PER B-FOOD", "B-FOOD I-FOOD")
    a = predictions(*zip(gold, ("B-FOOD O B-FOOD", "O B-FOOD", "B-FOOD I-FOOD"), strict=True))
    five = ("O O O", "B-PER O", "O O")
    b = predictions(*zip(five, ("O O B-LOC", "O O", "O B-LOC"), strict=True))
    found = outside(a, b, align([a], [b]))
    # B gives LOC on the second FOOD of the first sentence and within the FOOD of the last: those are not O.
    assert found == {"a": {"FOOD": {"entities": 2, "right": 2}}, "b": {}}
    assert outside(b, a, align([b], [a])) == {"a": {}, "b": found["a"]}


def test_two_systems_with_all_types_leave_nothing_outside() -> None:
    a, b = predictions(("B-FOOD", "B-FOOD")), predictions(("B-FOOD", "O"))
    assert outside(a, b, align([a], [b])) == {"a": {}, "b": {}}
