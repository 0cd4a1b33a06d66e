"""The model card: the whole of it as stored, its head as a hub reads it, and nothing of this machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from stages import settings
from stages.reporting import card
from stages.reporting.card import Figure, Results

PATTERNS = Path(__file__).parent
RESULTS = Results(
    scores={"precision": Figure(0.7, 0.65, 0.75), "recall": Figure(0.6, 0.5, 0.7), "f1": Figure(0.64612, 0.6, 0.7)},
    per_type={"PER": (Figure(0.8, 0.7, 0.9), 109), "LOC": (Figure(0.9, 0.85, 0.95), 12)},
    plain={"macro_f1": 0.5234, "five_f1": 0.7522, "accuracy": 0.9106},
    confidence=0.95,
    splits=[("train", 1460, 3471), ("val", 366, 890), ("test", 383, 879)],
)


def rendered(
    family: settings.Family,
    system: settings.System,
    results: Results | None = RESULTS,
    profile: str = "sample",
    directory: str = "data/sample",
    encoder: str | None = None,
) -> str:
    """A card of params.yaml's parameters, but for what is given."""
    base = settings.load()
    data = base.data.model_copy(update={"directory": directory})
    choice = base.model_copy(update={"profile": profile, "data": data})
    hyper = choice.training(family, system)
    hyper = hyper if encoder is None else hyper.model_copy(update={"encoder": encoder})
    return card.render(family, system, choice, hyper, place="somebody/a-model" if results else None, results=results)


@pytest.mark.parametrize("name", ["span_marker-A", "token_classifier-B"])
def test_the_whole_card_is_as_stored(name: str) -> None:
    """Figures and parameters may change; every other character is as in the stored card, ``…`` standing for them."""
    family, system = name.rsplit("-", 1)
    stored = (PATTERNS / f"card_{name}.md").read_text(encoding="utf-8")
    pattern = re.escape(stored).replace("…", r"[^|\n]+?")
    found = rendered(family, system)  # type: ignore[arg-type]
    assert re.fullmatch(pattern, found), found


def test_the_head_tells_a_hub_what_the_model_is() -> None:
    head = ModelCard(rendered("span_marker", "A", profile="full")).data
    assert (head.license, head.library_name, head.language) == ("cc-by-nc-sa-4.0", "span-marker", "en")
    assert head.datasets == ["Babelscape/multinerd"]
    assert head.base_model == "tomaarsen/span-marker-mbert-base-multinerd"
    assert head.pipeline_tag == "token-classification"
    results = {one.metric_type: one for one in head.eval_results}
    assert results["f1"].metric_value == 0.6461
    assert (results["f1"].dataset_type, results["f1"].dataset_split) == ("Babelscape/multinerd", "test")
    assert results["f1"].dataset_revision == "2814b78e7af4b5a1f1886fe7ad49632de4d9dd25"


def test_multinerds_licence_carries_over() -> None:
    text = rendered("token_classifier", "A", profile="full")
    assert "MultiNERD is CC BY-NC-SA 4.0, and the model, which is derived from it, carries that licence" in text


def test_the_sentences_of_a_directory_keep_their_licence() -> None:
    text = rendered("token_classifier", "A", profile="local", directory="../sentences")
    assert ModelCard(text).data.license == "other"
    assert "Where they are MultiNERD's, that is CC BY-NC-SA 4.0" in text


def test_the_sample_is_not_taken_for_multinerd() -> None:
    text = rendered("token_classifier", "A")
    assert "CC BY-NC-SA" not in text
    assert ModelCard(text).data.datasets is None
    assert "they compare with no published figure" in text


def test_a_card_without_figures_says_where_they_will_be() -> None:
    text = rendered("span_marker", "B", results=None)
    assert "reports/runs/span_marker-B/metrics.json" in text
    assert ModelCard(text).data.eval_results is None
    assert 'from_pretrained("models/span_marker-B")' in text


def test_of_a_folder_of_this_machine_only_its_name_is_told(tmp_path: Path) -> None:
    (tmp_path / "my-encoder").mkdir()
    text = rendered("token_classifier", "A", encoder=str(tmp_path / "my-encoder"))
    assert "| encoder | a local directory, my-encoder |" in text
    assert str(tmp_path) not in text
    assert ModelCard(text).data.base_model is None
