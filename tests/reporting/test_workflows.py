"""The GitHub workflows: sound YAML that calls what exists, and reports without more rights than it needs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"


def workflow(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load((WORKFLOWS / name).read_text(encoding="utf-8"))
    return loaded


def commands(name: str) -> str:
    steps = [step for job in workflow(name)["jobs"].values() for step in job["steps"]]
    return "\n".join(step["run"] for step in steps if "run" in step)


@pytest.mark.parametrize("name", ["ci.yml", "report.yml"])
def test_every_make_target_exists(name: str):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"make (\w+)", commands(name))
    assert targets
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


def test_the_report_posts_what_the_pipeline_writes():
    outs = (ROOT / "dvc.yaml").read_text(encoding="utf-8")
    posted = re.findall(r"cat (reports/\S+)", commands("report.yml"))
    assert posted == ["reports/comparison.md", "reports/runs.md"]
    assert all(path in outs for path in posted)
    assert "gh pr comment" in commands("report.yml")


def test_only_the_report_may_write_and_only_comments():
    assert workflow("ci.yml")["permissions"] == {"contents": "read"}
    assert workflow("report.yml")["permissions"] == {"contents": "read", "pull-requests": "write"}


@pytest.mark.parametrize("name", ["ci.yml", "report.yml"])
def test_no_text_of_a_pull_request_is_run_as_a_command(name: str):
    assert "${{" not in commands(name)
