"""What is loaded runs no code, what is written stays inside, and says nothing of the machine."""

from __future__ import annotations

import json
import os
import pickle
import re
import shutil
import socket
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from stages.compare import main as compare
from stages.corpus.labels import TYPES
from stages.errors import UserError
from stages.models import families, places
from stages.models.places import PACKAGE_WEIGHTS, EncoderError
from stages.models.prediction import predict
from stages.scoring.label_errors import read_probabilities
from stages.settings import FAMILIES, Family
from tests.clone import ROOT, SECRETS, Project
from tests.models.test_training import hyperparameters
from tests.promises.processes import Process, Stage, stages
from tests.promises.test_4_full_disk_and_kill import of_each_kind
from tests.promises.training import BrokenOffError, trained
from tests.promises.tries import Tries
from tests.reporting.builders import side, write_rows

PROMISE = "9 Loading runs no code, nothing is written outside the project, and no output names the machine or its user"
HOW = (
    "planted pickles and code in encoders, models, checkpoints and archives; altered weights; every stage watched for "
    "writes outside; every output searched for paths, names and tokens; the committed dvc.lock; hostile words in a page"
)


class Bomb:
    """Leaves a file where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """The file that is there once planted code has run."""
    return tmp_path / "code has run"


def test_the_bomb_goes_off(mark: Path) -> None:
    pickle.loads(pickle.dumps(Bomb(mark)))
    assert mark.exists()


@pytest.mark.parametrize("family", FAMILIES)
def test_an_encoder_without_safetensors_is_refused_and_not_unpickled(
    family: Family, tiny_bert: Path, tmp_path: Path, mark: Path
) -> None:
    encoder = tmp_path / "encoder"
    shutil.copytree(tiny_bert, encoder)
    (encoder / "model.safetensors").unlink()
    (encoder / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(mark)))
    with pytest.raises(EncoderError, match=r"cannot be read: .*safetensors only"):
        families.create(hyperparameters(family, encoder), TYPES)
    assert not mark.exists()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_without_safetensors_is_refused_and_not_unpickled(
    family: Family, tiny_bert: Path, tmp_path: Path, mark: Path
) -> None:
    families.create(hyperparameters(family, tiny_bert), TYPES).save(tmp_path / "model")
    (tmp_path / "model/model.safetensors").unlink()
    (tmp_path / "model/pytorch_model.bin").write_bytes(pickle.dumps(Bomb(mark)))
    with pytest.raises(UserError, match=r"cannot be read: .*safetensors only"):
        families.load(tmp_path / "model")
    assert not mark.exists()


def test_no_line_of_the_stages_unpickles_or_trusts_foreign_code() -> None:
    risky = re.compile(r"\bpickle\.|\btorch\.load\(|allow_pickle=True|trust_remote_code=True|\b(eval|exec)\(|\bdill\b")
    lines = [
        f"{path}: {line}"
        for path in (ROOT / "stages").rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if risky.search(line) and ".eval()" not in line
    ]
    assert lines == []


@pytest.mark.parametrize("family", FAMILIES)
def test_code_beside_an_encoder_or_a_model_is_not_run(
    family: Family, tiny_bert: Path, tmp_path: Path, mark: Path
) -> None:
    encoder, model = tmp_path / "encoder", tmp_path / "model"
    shutil.copytree(tiny_bert, encoder)
    families.create(hyperparameters(family, tiny_bert), TYPES).save(model)
    for folder in (encoder, model):
        (folder / "evil.py").write_text(f"import pathlib\npathlib.Path({str(mark)!r}).touch()\nclass Evil: pass\n")
        for name in ("config.json", "tokenizer_config.json"):
            values = json.loads((folder / name).read_text())
            kinds = ("AutoConfig", "AutoModel", "AutoModelForTokenClassification")
            values["auto_map"] = dict.fromkeys(kinds, "evil.Evil")
            values["auto_map"]["AutoTokenizer"] = ["evil.Evil", "evil.Evil"]
            (folder / name).write_text(json.dumps(values))
    families.create(hyperparameters(family, encoder), TYPES)
    families.load(model)
    for folder in (encoder, model):
        values = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**values, "model_type": "evil"}))
    with pytest.raises(EncoderError):
        families.create(hyperparameters(family, encoder), TYPES)
    with pytest.raises(UserError):
        families.load(model)
    assert not mark.exists()


@pytest.mark.parametrize("family", FAMILIES)
def test_pickles_in_a_checkpoint_are_not_read(
    family: Family, tiny_bert: Path, tmp_path: Path, mark: Path, caplog: pytest.LogCaptureFixture
) -> None:
    weights, _ = trained(family, tiny_bert, tmp_path / "whole", epochs=1)
    with pytest.raises(BrokenOffError):
        trained(family, tiny_bert, tmp_path / "broken", after=5, epochs=1)
    for folder in (tmp_path / "broken").glob("*/checkpoint-*"):
        assert {path.suffix for path in folder.iterdir()} == {".json", ".safetensors"}
        for name in ("optimizer.pt", "optimizer.bin", "scheduler.pt", "rng_state.pth", "scaler.pt", "training_args.bin",
                     "pytorch_model.bin"):  # fmt: skip
            (folder / name).write_bytes(pickle.dumps(Bomb(mark)))
    assert trained(family, tiny_bert, tmp_path / "broken", epochs=1)[0] == weights
    assert "checkpoint-5 is skipped: optimizer.bin does not belong to it" in caplog.text
    assert not mark.exists()


def test_pickles_in_an_archive_of_probabilities_are_refused(tmp_path: Path, mark: Path) -> None:
    table = np.empty(1, dtype=object)
    table[0] = Bomb(mark)
    np.savez(tmp_path / "p.npz", probabilities=table, labels=np.array(["O"]))
    with pytest.raises(ValueError, match=r"pickle|no NumPy archive"):
        read_probabilities(tmp_path / "p.npz")
    assert not mark.exists()


def test_altered_weights_of_the_embedded_encoder_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tries: Tries
) -> None:
    (package,) = PACKAGE_WEIGHTS
    original = Path(places.locate(f"package:{package}"))
    altered = tmp_path / package / "model"
    shutil.copytree(original, altered)
    (tmp_path / package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop(package, None)
    assert places.locate(f"package:{package}") == str(altered)
    content = bytearray((altered / "model.safetensors").read_bytes())
    for place in (0, len(content) // 2, len(content) - 1):
        content[place] ^= 1
        (altered / "model.safetensors").write_bytes(content)
        content[place] ^= 1
        with tries.one(f"byte {place}"), pytest.raises(EncoderError, match=f"expected {PACKAGE_WEIGHTS[package]}"):
            places.locate(f"package:{package}")


def watch(project: Project, chosen: list[Stage], home: Path, tries: Tries) -> None:
    """Each write call of Python is watched, and home and the system's temporary folder stay empty."""
    (home / "tmp").mkdir(parents=True)
    for stage in chosen:
        process = Process(project.folder, stage.command, watched=True, home=str(home))
        with tries.one(stage.name):
            assert process.wait() == 0, process.said()
            assert re.findall("^written outside: .*", process.said(), re.MULTILINE) == []
            assert list(home.rglob("*")) == [home / "tmp"]


def test_one_stage_of_each_kind_writes_nothing_outside(finished_clone: Project, tmp_path: Path, tries: Tries) -> None:
    project = finished_clone.copy(tmp_path / "project")
    watch(project, of_each_kind(stages(project.folder)), tmp_path / "home", tries)


@pytest.mark.promises
def test_no_stage_writes_outside_the_project(finished_clone: Project, tmp_path: Path, tries: Tries) -> None:
    project = finished_clone.copy(tmp_path / "project")
    watch(project, stages(project.folder), tmp_path / "home", tries)


def test_a_write_outside_is_seen(finished_clone: Project, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere.jsonl"
    command = ["python", "-m", "stages.lookup", "--system", "A", "--no-such-option"]
    assert Process(finished_clone.folder, command, watched=True).wait() == 2
    source = finished_clone.folder / "data/systems/A/val.jsonl"
    command = ["python", "-m", "stages.predict", "--model", "models/token_classifier-A", "--input", str(source)]
    process = Process(finished_clone.folder, [*command, "--output", str(target)], watched=True)
    assert process.wait() == 0, process.said()
    assert f"written outside: {target} (os.rename)" in process.said()


@pytest.mark.parametrize(
    "command",
    [
        "python -m stages.train --family span_marker --system B",
        "python -m stages.summary",
        pytest.param("dvc repro --force headline --single-item", marks=pytest.mark.promises),
    ],
)
def test_not_even_libraries_fill_the_home_folder(command: str, finished_clone: Project, tmp_path: Path) -> None:
    """Fresh processes, as imports write caches: without make, whose environment would keep them in the project."""
    project, home = finished_clone.copy(tmp_path / "project"), tmp_path / "home"
    (home / "tmp").mkdir(parents=True)
    settings = {
        name: value for name, value in project.environment().items() if not name.startswith(("HF_", "MPL", "XDG"))
    }
    settings |= {"HOME": str(home), "TMPDIR": str(home / "tmp")}
    done = project.run("env", "-i", *(f"{name}={value}" for name, value in settings.items()), *command.split())
    assert done.returncode == 0, done.stderr
    assert list(home.rglob("*")) == [home / "tmp"]


def test_no_output_names_the_machine_its_user_or_a_token(finished_clone: Project, tries: Tries) -> None:
    """All but what a user gave as a parameter, which here is relative."""
    needles = {
        str(finished_clone.origin.parent), str(ROOT), *SECRETS.values(),
        *(name for name in (socket.gethostname(), os.environ.get("HOME", ""), sys.prefix) if len(name) > 5),
    }  # fmt: skip
    for place in ("models", "reports", "dvc.lock", "data/raw", "data/systems"):
        root = finished_clone.folder / place
        for path in [root] if root.is_file() else filter(Path.is_file, root.rglob("*")):
            with tries.one(path.name):
                content = path.read_bytes()
                assert [needle for needle in needles if needle.encode() in content] == []


def test_the_committed_lock_is_of_the_sample_profile(tries: Tries) -> None:
    yaml = YAML(typ="safe")
    lock = yaml.load((ROOT / "dvc.lock").read_text(encoding="utf-8"))["stages"]
    params = yaml.load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    assert (params["profile"], params["data"]["directory"]) == ("sample", "data/sample")
    assert lock["check"]["params"]["params.yaml"] == params
    for name, entry in lock.items():
        known = entry.get("params", {}).get("params.yaml", {})
        with tries.one(name):
            assert known.get("profile", "sample") == "sample"
            assert known.get("data.directory", "data/sample") == "data/sample"
            assert [key for key in known if key.startswith("profiles.") and not key.startswith("profiles.sample")] == []
            paths = [one["path"] for one in (*entry.get("deps", ()), *entry.get("outs", ()))]
            assert [path for path in paths if Path(path).is_absolute() or path.startswith("..")] == []


def test_hostile_words_stay_words_in_the_page(tmp_path: Path) -> None:
    evil = "<script>hurt()</script><img/src=x onerror=hurt()>"
    files = []
    for i, name in enumerate("ab"):
        path = write_rows(tmp_path / f"{name}.jsonl", side(TYPES, i, 0.3, sentences=40))
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        for row in rows:
            row["tokens"] = [evil] * len(row["tokens"])
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        files.append(path)
    sides = (f"--{name}={path}" for name, path in zip("ab", files, strict=True))
    compare([*sides, f"--a-name={evil}", f"--output={tmp_path}", "--resamples=100"])
    assert evil in (tmp_path / "comparison.json").read_text(encoding="utf-8")
    text = (tmp_path / "comparison.html").read_text(encoding="utf-8")
    assert "<script>hurt" not in text
    assert "<img" not in text


@pytest.mark.parametrize("family", FAMILIES)
def test_special_words_of_a_tokenizer_are_words(family: Family, tiny_bert: Path) -> None:
    """``[SEP]`` in a sentence neither ends it nor loses the words behind it."""
    tagger = families.create(hyperparameters(family, tiny_bert), TYPES)
    (made,) = predict(tagger, [json.dumps({"tokens": ["a", "[SEP]", "[PAD]", "b"]}).encode()], "rows")
    assert len(made.row["pred"]) == 4
