"""The real dvc.yaml, run by the real DVC in a temporary clone, on a few sentences and a tiny encoder.

One clone serves all tests of this file: each begins from a pipeline that is up to date, and says
which stages it expects to run.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import zipfile

import pytest
from ruamel.yaml import YAML

from tests.clone import MODELS, Project

RUNS = [*MODELS, *(f"{kind}-{system}" for kind in ("lookup", "pretrained") for system in "AB")]
ALL = {
    "check", "download", "filter", "derive@A", "derive@B", "lookup@A", "lookup@B", "pretrained@A", "pretrained@B",
    "audit", "headline", "compare", "summary",
    *(f"{stage}@{model}" for stage in ("train", "predict") for model in MODELS),
    *(f"evaluate@{run}" for run in RUNS),
}  # fmt: skip


@pytest.fixture(scope="module")
def project(finished_clone: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A clone that was reproduced once, from nothing, with a tiny encoder and few sentences."""
    return finished_clone.copy(tmp_path_factory.mktemp("pipeline") / "project")


def test_one_command_runs_every_stage(project: Project) -> None:
    lock = YAML().load((project.folder / "dvc.lock").read_text(encoding="utf-8"))
    assert set(lock["stages"]) == ALL


def test_a_second_repro_runs_no_stage_and_is_quick(project: Project) -> None:
    start = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    assert project.dvc("repro") == set()
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - start < 20  # seconds of a processor; 2 as a rule


def test_every_promised_file_is_there(project: Project) -> None:
    reports = project.folder / "reports"
    for run in RUNS:
        for name in ("predictions.jsonl", "predictions_val.jsonl", "metrics.json", "metrics_val.json", "per_type.json"):
            assert (reports / "runs" / run / name).is_file(), (run, name)
    for model in MODELS:
        assert (project.folder / "models" / model / "model.safetensors").is_file()
        assert (project.folder / "models" / model / "README.md").is_file()
        assert (reports / "runs" / model / "curves.csv").is_file()
        with zipfile.ZipFile(reports / "runs" / model / "probabilities.npz") as probabilities:
            kinds = {member.compress_type for member in probabilities.infolist()}
        assert kinds == {zipfile.ZIP_STORED}  # compressed bytes would hang on the Python's zlib
    for name in ("metrics.json", "per_type.json", "comparison.json", "comparison.md", "comparison.html"):
        assert (reports / name).is_file(), name
    pictures = [path.name for path in reports.rglob("*.png")]
    assert {"loss_curves.png", "entities.png", "f1_per_type.png", "confusion.png", "a_against_b.png"} <= set(pictures)


def test_metrics_have_the_promised_names(project: Project) -> None:
    metrics = json.loads((project.folder / "reports/metrics.json").read_text(encoding="utf-8"))
    names = ["precision", "recall", "f1", "macro_f1", "accuracy", "loss", "five_f1", "lenient_f1", "entities", "types"]
    assert set(names) <= set(metrics)
    assert all(round(value, 4) == value for value in metrics.values() if isinstance(value, float))


def test_system_b_has_the_same_sentences_and_no_other_tag(project: Project) -> None:
    five = {0, 1, 2, 3, 4, 5, 6, 7, 8, 13, 14}  # O and B/I of PER, ORG, LOC, ANIM, DIS
    for split in ("train", "val", "test"):
        a, b = (
            [json.loads(line) for line in text.splitlines()]
            for text in ((project.folder / f"data/systems/{s}/{split}.jsonl").read_text(encoding="utf-8") for s in "AB")
        )
        assert [row["tokens"] for row in a] == [row["tokens"] for row in b]
        assert {tag for row in b for tag in row["ner_tags"]} <= five
        assert {tag for row in a for tag in row["ner_tags"]} - five


def test_an_encoder_that_is_no_ner_model_has_no_pretrained_score(project: Project) -> None:
    metrics = json.loads((project.folder / "reports/runs/pretrained-A/metrics.json").read_text(encoding="utf-8"))
    assert "no NER model" in metrics["unscored"]
    assert "f1" not in metrics


def test_no_output_names_a_path_of_this_machine(project: Project) -> None:
    """Weights and pictures included: a model or report may be published."""
    needles = [str(folder.parent).encode() for folder in (project.folder, project.origin)]
    for place in ("models", "reports", "dvc.lock"):
        root = project.folder / place
        for path in [root] if root.is_file() else root.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                assert not any(needle in content for needle in needles), path


def test_stock_libraries_load_the_models(project: Project) -> None:
    code = (
        "from span_marker import SpanMarkerModel\n"
        "from transformers import pipeline\n"
        "model = SpanMarkerModel.from_pretrained('models/span_marker-A')\n"
        "print(len(model.config.id2label), model.predict('Marie Curie was born in Warsaw .'))\n"
        "tag = pipeline('token-classification', model='models/token_classifier-B')\n"
        "print(len(tag.model.config.id2label), tag('Marie Curie was born in Warsaw .'))\n"
    )
    done = project.run(sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr[-3000:]
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["16", "11"]


def test_changing_b_reruns_b_alone_and_going_back_runs_nothing(project: Project) -> None:
    ran = project.dvc("exp", "run", "-n", "b-slower", "-S", "systems.B.train.learning_rate=3e-5")
    families = ("span_marker", "token_classifier")
    trained = {f"{stage}@{family}-B" for stage in ("train", "predict") for family in families}
    # A tiny model may answer the same after all, and then nothing behind its predictions runs.
    behind = {*(f"evaluate@{family}-B" for family in families), "compare", "summary"}
    assert {"check", *trained} <= ran <= {"check", *trained, *behind}
    project.params(**{"systems.B.train.learning_rate": None})
    assert not {stage for stage in project.dvc("repro") if stage.startswith(("train", "predict"))}
    assert project.dvc("repro") == set()


def test_a_and_b_are_compared_as_typed(project: Project) -> None:
    assert project.dvc("exp", "run", "-n", "A", "-S", "headline.system=A") == set()
    assert project.dvc("exp", "run", "-n", "B", "-S", "headline.system=B") == {"check", "headline"}
    done = project.run("dvc", "metrics", "diff", "A", "B")
    assert done.returncode == 0, done.stderr
    assert "reports/metrics.json" in done.stdout
    assert re.search(r"\btypes\s+\d+\s+\d+\s+-\d+\b", done.stdout), done.stdout
    assert "per_type" not in done.stdout
    project.run("dvc", "exp", "remove", "A", "B")
    project.params(**{"headline.system": "A"})
    project.dvc("repro")


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"profile": "smple"}, ["params.yaml:", "profile", "smple"]),
        ({"profiles.sample.token_classifier.shared.learning_rate": "fast"}, ["learning_rate", "'fast'"]),
        ({"profiles.sample.span_marker.shared.epochs": 0}, ["epochs", "0"]),
        ({"systems.B.train.learning_rat": 1e-5}, ["learning_rat", "did you mean 'learning_rate'"]),
        ({"profiles.sample.span_marker.shared.encoder": "package:no_such"}, ["no_such", "pip install"]),
        ({"profiles.sample.span_marker.shared.encoder": "./nowhere"}, ["./nowhere", "no such directory"]),
        ({"profiles.sample.token_classifier.shared.encoder_layers": 99}, ["encoder_layers is 99, at most 2"]),
        ({"profiles.sample.token_classifier.shared.max_tokens": 5000}, ["max_tokens is 5000, at most 512"]),
        ({"profiles.sample.span_marker.shared.max_tokens": 511}, ["max_tokens is 511, at most 510"]),
    ],
)
def test_a_bad_parameter_stops_first_and_every_output_stays(
    project: Project, change: dict[str, object], names: list[str]
) -> None:
    params = project.folder / "params.yaml"
    sound, before = params.read_text(encoding="utf-8"), project.outputs()
    try:
        project.params(**change)
        done = project.run("dvc", "repro")
        assert done.returncode != 0
        assert all(name in done.stdout + done.stderr for name in names), done.stdout + done.stderr
        assert project.outputs() == before
    finally:
        params.write_text(sound, encoding="utf-8")
    assert project.dvc("repro") <= {"check"}


def test_bad_data_is_named_and_checkout_brings_the_outputs_back(project: Project) -> None:
    path = project.folder / "data/sample/val/val_en.txt"
    sound = path.read_text(encoding="utf-8")
    try:
        path.write_text(sound + "[Marie Curie|PERS] was here .\n", encoding="utf-8")
        done = project.run("dvc", "repro")
        assert done.returncode != 0
        assert "val_en.txt:25" in done.stderr + done.stdout
        assert "PERS" in done.stderr + done.stdout
        assert not list((project.folder / "data").rglob("*.part"))
    finally:
        path.write_text(sound, encoding="utf-8")
    assert project.run("dvc", "checkout").returncode == 0
    assert project.dvc("repro") == set()
