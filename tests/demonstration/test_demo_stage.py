"""``python -m stages.demo`` with models of both families, as a person runs it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from stages.demonstration.readers import MODELS, read_all
from stages.errors import UserError
from tests.clone import ROOT
from tests.demonstration.reading import Page

TEXTS = (
    "Marie Curie was born in Warsaw.",
    "\U0001f469\u200d\U0001f52c Zo\u00eb\u0301 left\u202f<b>S\u00e3o Tom\u00e9</b> \U0001f1f5\U0001f1f1 & went,\n\n"
    "  at last, to Rome \U0001f600\U0001f600 Paris",
    "הרכבת מתל אביב לירושלים, then دمشق, \U00020000 \u200b and Warsaw",
)


def start(*arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "stages.demo", *arguments], cwd=ROOT, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_missing_models_are_named_with_what_makes_them(tmp_path: Path) -> None:
    (tmp_path / "span_marker-B").mkdir()
    (tmp_path / "span_marker-B/config.json").write_text("{}")
    with pytest.raises(UserError) as raised:
        read_all(tmp_path, print)
    message = str(raised.value)
    assert [name for name in MODELS if str(tmp_path / name) in message] == [
        name for name in MODELS if name != "span_marker-B"
    ]
    assert "`make repro`" in message


def test_it_says_what_stages_predict_says_and_ends_well(models: Path, tmp_path: Path) -> None:
    """One process of the demo, and `stages.predict`'s function on the same models; all texts, to the character."""
    from stages.models import families
    from stages.models.prediction import predict_file

    process = start("--models", str(models), "--port", "0")
    assert process.stdout is not None
    told = []
    while "open http" not in (line := process.stdout.readline()) and line:
        told.append(line)
    try:
        address = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert address, process.communicate()
        shown = [ask(address[0], text) for text in TEXTS]
    finally:
        process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "stopped\n")
    assert told == [f"reading {models / name}\n" for name in MODELS]

    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    found = 0
    for i, name in enumerate(MODELS):
        predict_file(families.load(models / name), str(source), str(target))
        for row, one in zip(map(json.loads, target.read_text().splitlines()), shown, strict=True):
            wanted = [
                (e["text"], f"{e['type']}, score {e['score']:.4f}, characters {e['start']} to {e['end']}")
                for e in row["entities"]
            ]
            assert one.texts[i] == row["text"]
            assert [(text, detail) for text, _, detail in one.marks[i] if detail != "no entity here"] == wanted
            found += len(wanted)
    assert found > 40


def ask(address: str, text: str) -> Page:
    body = json.dumps({"text": text}).encode()
    request = urllib.request.Request(f"{address}/entities", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        return Page(json.load(response)["html"])
