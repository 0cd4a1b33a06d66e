"""A clone of this project on a few sentences and a tiny encoder, in which the real DVC runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
FAMILIES = ("span_marker", "token_classifier")
SECRETS = {"HF_TOKEN": "hf_notarealtokenofanybody", "USER": "somebodysname", "LOGNAME": "somebodysname"}
"""Of the environment in which the clone's commands run: none of it may come out again."""
MODELS = [f"{family}-{system}" for family in FAMILIES for system in "AB"]


class Project:
    """A clone of this project in which DVC runs."""

    def __init__(self, folder: Path, origin: Path | None = None) -> None:
        self.folder, self.origin = folder, origin or folder

    def copy(self, folder: Path) -> Project:
        """The same, outputs, DVC's cache and history included, in another folder."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder, self.origin)

    def environment(self) -> dict[str, str]:
        """The environment that runs these tests, and no hub."""
        return {
            # Bytecode is written as on anybody's machine: it lands in folders that stages depend on.
            **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            **SECRETS,
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            "DVC_NO_ANALYTICS": "1",
            "PYTHONUNBUFFERED": "1",  # a test may wait for what a command says
            "DVC_SITE_CACHE_DIR": str(self.folder / ".dvc/tmp/site"),
        }

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the clone."""
        return subprocess.run(
            command, cwd=self.folder, env=self.environment(), capture_output=True, text=True, timeout=3600
        )

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Begin a command in the clone, as the head of a process group; its output goes to ``.output``."""
        with (self.folder / ".output").open("w") as output:
            return subprocess.Popen(
                command, cwd=self.folder, env=self.environment(), stdout=output, stderr=output, text=True,
                start_new_session=True,
            )  # fmt: skip

    def told(self) -> str:
        """What the command that was started last has written so far."""
        return (self.folder / ".output").read_text(errors="replace")

    def forget(self, *stages: str) -> None:
        """Take stages from dvc.lock and DVC's run-cache, so that DVC has to run them."""
        yaml, path = YAML(), self.folder / "dvc.lock"
        lock = yaml.load(path.read_text(encoding="utf-8"))
        for stage in stages:
            lock["stages"].pop(stage, None)
        with path.open("w", encoding="utf-8") as file:
            yaml.dump(lock, file)
        shutil.rmtree(self.folder / ".dvc/cache/runs", ignore_errors=True)

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


def cloned(folder: Path, encoder: Path, sentences: int = 24) -> Project:
    """A clone in ``folder``, its outputs not made yet: ``sentences`` of each file of the sample, two short epochs.

    A checkpoint follows every update.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file() and name != "dvc.lock" and not name.startswith("reports/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    shorten_sample(folder / "data/sample", sentences)
    shutil.copytree(encoder, folder / "tiny")
    made = Project(folder)
    assert made.run("git", "init", "-q", "-b", "main").returncode == 0
    for family in FAMILIES:
        shared = f"profiles.sample.{family}.shared"
        small = {"encoder": "tiny", "encoder_layers": None, "train_sentences": None, "max_tokens": 96}
        brief = {"epochs": 2, "batch_size": 2, "accumulation": 2}
        made.params(**{f"{shared}.{name}": value for name, value in {**small, **brief}.items()})
    made.params(**{"compare.resamples": 200, "checkpoints.minutes": 0})
    made.commit()
    return made
