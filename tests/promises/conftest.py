"""Counts the tries and failures of each promise; `make promises` has them written to reports/promises.json.

A promise is a module of this folder with its sentence as ``PROMISE`` and how it is tested as ``HOW``. A test is one
try, or as many as it counts with the fixture ``tries``. A test that was counted at a commit is not run again at it.
"""

from __future__ import annotations

import datetime
import fcntl
import json
import subprocess
from collections.abc import Iterator

import pytest

from stages.corpus.files import write_json
from stages.settings import FAMILIES
from tests.clone import MODELS, ROOT, Project
from tests.promises.killed import train
from tests.promises.tries import Tries

REPORT = ROOT / "reports/promises.json"
COUNTS = ROOT / ".cache/promises.json"
KEY: pytest.StashKey[Tries] = pytest.StashKey()
FAILED: pytest.StashKey[bool] = pytest.StashKey()


@pytest.fixture
def tries(request: pytest.FixtureRequest) -> Iterator[Tries]:
    made = request.node.stash.setdefault(KEY, Tries())
    yield made
    if made.failures:
        pytest.fail(f"{len(made.failures)} of {made.count} tries failed\n" + "\n".join(made.failures))


@pytest.fixture(scope="session")
def long_clone(finished_clone: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The clone after unbroken trainings of eight epochs, six accumulated updates each."""
    project = finished_clone.copy(tmp_path_factory.mktemp("long") / "project")
    project.params(**{f"profiles.sample.{family}.shared.epochs": 8 for family in FAMILIES})
    project.forget(*(f"train@{name}" for name in MODELS))
    for name in MODELS:
        process = train(project, name)
        assert process.wait() == 0, process.said()
    return project


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--count-promises", action="store_true", help="write reports/promises.json (see make promises)")


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short=10", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip()


def _counted() -> dict[str, dict[str, int]]:
    """What was counted at this commit, by test."""
    known = json.loads(COUNTS.read_text()) if COUNTS.exists() else {}
    return known["tests"] if known.get("commit") == _commit() else {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--count-promises", False):
        known = _counted()
        done = [item for item in items if item.nodeid in known]
        config.hook.pytest_deselected(items=done)
        items[:] = [item for item in items if item.nodeid not in known]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Where every test was counted before, none is left, and that is well."""
    if session.config.getoption("--count-promises", False) and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        session.exitstatus = pytest.ExitCode.OK


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if item.config.getoption("--count-promises", False) and hasattr(item.module, "PROMISE") and not report.skipped:  # type: ignore[attr-defined]
        item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
        if call.when == "teardown":
            _write(item)
    return report


def _write(item: pytest.Item) -> None:
    """Add a test that has ended to what is counted at this commit, and its promise's sum to the report."""
    COUNTS.parent.mkdir(exist_ok=True)
    with COUNTS.with_suffix(".lock").open("w") as lock:  # workers of pytest-xdist count, too
        fcntl.flock(lock, fcntl.LOCK_EX)
        _add(item)


def _add(item: pytest.Item) -> None:
    tries = item.stash.get(KEY, Tries())
    failures = len(tries.failures) or int(item.stash[FAILED])
    tests = {**_counted(), item.nodeid: {"tries": max(tries.count, failures, 1), "failures": failures}}
    write_json(COUNTS, {"commit": _commit(), "tests": tests})
    module = item.module  # type: ignore[attr-defined]
    own = [counts for name, counts in tests.items() if name.partition("::")[0] == item.nodeid.partition("::")[0]]
    row = {
        "promise": module.PROMISE,
        "how": module.HOW,
        "tries": sum(counts["tries"] for counts in own),
        "failures": sum(counts["failures"] for counts in own),
        "commit": _commit(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    rows = json.loads(REPORT.read_text())["rows"] if REPORT.exists() else []
    others = [one for one in rows if one["promise"].split()[0] != module.PROMISE.split()[0]]
    write_json(REPORT, {"rows": sorted([*others, row], key=lambda one: int(one["promise"].split()[0].rstrip(".")))})
