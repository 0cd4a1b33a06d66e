"""The Dockerfile: what it copies is enough for what it runs, what it runs is the Makefile's, and no secret goes in."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from pathspec import PathSpec

ROOT = Path(__file__).resolve().parents[1]


def instructions() -> list[tuple[str, str]]:
    """Name and rest of every instruction of the Dockerfile, comments left out and continued lines joined."""
    lines = [line for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line]  # type: ignore[misc]


def ignored() -> PathSpec:
    """Docker reads a pattern from the context's root, where git reads one without a slash from everywhere."""
    lines = [line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    rooted = [f"!/{line[1:]}" if line.startswith("!") else f"/{line}" for line in lines]
    return PathSpec.from_lines("gitignore", rooted)


def test_the_linter_has_nothing_to_say() -> None:
    done = subprocess.run(["hadolint", ROOT / "Dockerfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_environment_is_that_of_make_setup(tmp_path: Path) -> None:
    """In a folder with only what is copied before it, `make setup` finds all requirements files."""
    before, after = [], []
    for name, rest in instructions():
        if name == "COPY":
            (after if before else before).append(rest.split()[1:])
        if name == "RUN" and "make setup" in rest:
            assert before
    *sources, target = before[0]
    assert target == "./"
    for source in sources:
        shutil.copy(ROOT / source, tmp_path)
    planned = subprocess.run(
        ["make", "-n", "setup"], cwd=tmp_path, env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    wanted = re.findall(r"-r (\S+)", planned)
    assert wanted
    for name in wanted:
        text = (tmp_path / name).read_text(encoding="utf-8")
        wanted.extend(re.findall(r"^-r (\S+)", text, re.MULTILINE))
    assert sorted(wanted) == sorted(name for name in sources if name != "Makefile")
    assert after == [[".", "."]]


def test_it_runs_the_pipeline_as_nobody_special_on_a_pinned_base() -> None:
    found = dict(instructions())
    assert json.loads(found["CMD"]) == ["make", "repro"]
    assert re.search(r"^repro:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert found["USER"] == "1000"
    assert found["WORKDIR"] + "/.venv/bin:$PATH" == found["ENV"].removeprefix("PATH=")
    bases = [rest.split() for name, rest in instructions() if name == "FROM"]
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+@sha256:[0-9a-f]{64}", bases[0][0])
    assert bases[1][0] == bases[0][2] == "base"


def test_torch_comes_from_the_index_of_the_argument() -> None:
    """2.13.0+cpu and 2.13.0+cu130 both fit ``torch==2.13.0``, and are newer than 2.13.0 to pip."""
    from packaging.requirements import Requirement
    from packaging.version import Version

    setup = next(rest for name, rest in instructions() if "make setup" in rest)
    assert 'PIP_EXTRA_INDEX_URL="https://download.pytorch.org/whl/$TORCH"' in setup
    assert ("ARG", "TORCH=cpu") in instructions()
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pinned = Requirement(re.search(r"^torch==\S+", text, re.MULTILINE)[0])  # type: ignore[index]
    plain = str(pinned.specifier).removeprefix("==")
    for build in ("cpu", "cu130"):
        assert pinned.specifier.contains(f"{plain}+{build}")
        assert Version(f"{plain}+{build}") > Version(plain)


@pytest.mark.parametrize(
    "place", [".git/config", ".dvc/config.local", ".dvc/cache/files", ".venv/bin/python", "models/x"]
)
def test_neither_secrets_nor_outputs_go_in(place: str) -> None:
    assert ignored().match_file(place)


def test_all_that_is_in_git_goes_in() -> None:
    """Else the container's clone would be a changed one, and `git`, `make real` and `make promises` would say so."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    assert [name for name in listed if name and ignored().match_file(name)] == []
    assert not ignored().match_file(".git/HEAD")


def test_the_devcontainer_has_the_same_base() -> None:
    found = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    stages = [rest.split()[-1] for name, rest in instructions() if name == "FROM"]
    assert (ROOT / ".devcontainer" / found["build"]["dockerfile"]).resolve() == ROOT / "Dockerfile"
    assert found["build"]["target"] == stages[0]
    assert f" {found['remoteUser']} " in next(rest for name, rest in instructions() if "useradd" in rest) + " "
