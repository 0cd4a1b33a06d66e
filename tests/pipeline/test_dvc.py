"""The real dvc.yaml, run by the real DVC in a temporary clone, on a few sentences and a tiny encoder.

One clone serves all tests of this file: each begins from a pipeline that is up to date, and says
which stages it expects to run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
MODELS = [f"{family}-{system}" for family in ("span_marker", "token_classifier") for system in "AB"]
RUNS = [*MODELS, *(f"{kind}-{system}" for kind in ("lookup", "pretrained") for system in "AB")]
ALL = {
    "check", "download", "filter", "derive@A", "derive@B", "lookup@A", "lookup@B", "pretrained@A", "pretrained@B",
    "audit", "headline", "compare", "summary",
    *(f"{stage}@{model}" for stage in ("train", "predict") for model in MODELS),
    *(f"evaluate@{run}" for run in RUNS),
}  # fmt: skip


class Project:
    """A clone of this project in which DVC runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the clone, with the environment that runs these tests and no hub."""
        env = {
            # Bytecode is written as on anybody's machine: it lands in folders that stages depend on.
            **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            "DVC_NO_ANALYTICS": "1",
        }
        return subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=900)

    def dvc(self, *arguments: str) -> set[str]:
        """Run a DVC command that has to succeed; returns the names of the stages that ran."""
        done = self.run("dvc", *arguments)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
        return set(re.findall(r"^Running stage '(.+)':", done.stdout, flags=re.MULTILINE))

    def commit(self) -> None:
        """Commit everything that is not ignored."""
        for command in (["add", "-A"], ["commit", "-qm", "state"]):
            done = self.run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", *command)
            assert done.returncode == 0 or "nothing to commit" in done.stdout, done.stderr

    def params(self, **changes: object) -> None:
        """Set dotted keys of params.yaml."""
        yaml = YAML()
        path = self.folder / "params.yaml"
        values = yaml.load(path.read_text(encoding="utf-8"))
        for dotted, value in changes.items():
            *parents, key = dotted.split(".")
            place = values
            for parent in parents:
                place = place[parent]
            place[key] = value
        with path.open("w", encoding="utf-8") as file:
            yaml.dump(values, file)

    def outputs(self) -> dict[str, int]:
        """Every file under data, models and reports, with its time of change."""
        places = (self.folder / name for name in ("data", "models", "reports"))
        return {str(p): p.stat().st_mtime_ns for place in places for p in place.rglob("*") if p.is_file()}


def shorten_sample(folder: Path, sentences: int) -> None:
    """Keep ``sentences`` sentences of each file of the sample, from all its subjects."""
    for path in folder.glob("*/*.txt"):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("# ")]
        kept = lines[:: max(1, len(lines) // sentences)][:sentences]
        path.write_text("\n".join(kept) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Iterator[Project]:
    """A clone that was reproduced once, from nothing, with a tiny encoder and few sentences."""
    folder = tmp_path_factory.mktemp("clone") / "project"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file() and name != "dvc.lock" and not name.startswith("reports/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    shorten_sample(folder / "data/sample", 12)
    shutil.copytree(tiny_bert, folder / "tiny")
    made = Project(folder)
    assert made.run("git", "init", "-q", "-b", "main").returncode == 0
    for family in ("span_marker", "token_classifier"):
        shared = f"profiles.sample.{family}.shared"
        made.params(
            **{f"{shared}.encoder": "tiny", f"{shared}.encoder_layers": None, f"{shared}.epochs": 1,
               f"{shared}.train_sentences": None, f"{shared}.max_tokens": 96}
        )  # fmt: skip
    made.params(**{"compare.resamples": 200})
    made.commit()
    assert made.dvc("repro") == ALL
    made.commit()
    return made


def test_a_second_repro_runs_no_stage_and_is_quick(project: Project) -> None:
    start = time.monotonic()
    assert project.dvc("repro") == set()
    assert time.monotonic() - start < 10  # 3 s on a quiet machine


def test_every_promised_file_is_there(project: Project) -> None:
    reports = project.folder / "reports"
    for run in RUNS:
        for name in ("predictions.jsonl", "predictions_val.jsonl", "metrics.json", "metrics_val.json", "per_type.json"):
            assert (reports / "runs" / run / name).is_file(), (run, name)
    for model in MODELS:
        assert (project.folder / "models" / model / "model.safetensors").is_file()
        assert (project.folder / "models" / model / "README.md").is_file()
        assert (reports / "runs" / model / "curves.csv").is_file()
        assert (reports / "runs" / model / "probabilities.npz").is_file()
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
    needle = str(project.folder.parent).encode()
    for place in ("models", "reports", "dvc.lock"):
        root = project.folder / place
        for path in [root] if root.is_file() else root.rglob("*"):
            if path.is_file():
                assert needle not in path.read_bytes(), path


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
        ({"profiles.sample.token_classifier.shared.encoder_layers": 99}, ["encoder_layers asks for 99"]),
        ({"profiles.sample.token_classifier.shared.max_tokens": 5000}, ["max_tokens asks for 5000"]),
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
        assert "val_en.txt:13" in done.stderr + done.stdout
        assert "PERS" in done.stderr + done.stdout
        assert not list((project.folder / "data").rglob("*.part"))
    finally:
        path.write_text(sound, encoding="utf-8")
    assert project.run("dvc", "checkout").returncode == 0
    assert project.dvc("repro") == set()
