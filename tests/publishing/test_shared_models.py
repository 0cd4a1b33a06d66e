"""A model that went to a hub comes back as it was, by stock libraries that know its name alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import torch

from stages import settings
from stages.corpus.labels import TYPES
from stages.models import families
from stages.publishing.bundle import gather
from stages.publishing.pushing import push
from tests.publishing.model_hub import ModelHub

REPO = "somebody/a-model"
WORDS = ["Marie", "Curie", "was", "born", "in", "Warsaw", "."]
STOCK = {
    "span_marker": """
from span_marker import SpanMarkerModel
found = SpanMarkerModel.from_pretrained(NAME).predict(WORDS)
print([[e["label"], e["word_start_index"], e["word_end_index"]] for e in found])
""",
    "token_classifier": """
from transformers import AutoModelForTokenClassification, AutoTokenizer
import torch
model, tokenizer = AutoModelForTokenClassification.from_pretrained(NAME), AutoTokenizer.from_pretrained(NAME)
read = tokenizer(WORDS, is_split_into_words=True, return_tensors="pt")
print(torch.softmax(model(**read).logits[0], -1)[read.word_ids(0).index(0)].tolist())
""",
}


def made(family: settings.Family, encoder: Path, folder: Path) -> families.Model:
    """A fresh model with opinions, saved in ``folder`` as the train stage saves one."""
    changes: dict[str, object] = {"encoder": str(encoder), "encoder_layers": None, "max_tokens": 126}
    if family == "span_marker":
        changes["mode"] = "exact"
    torch.manual_seed(3)
    hyper = settings.load().training(family, "A", "sample")
    tagger = families.create(hyper.model_copy(update=changes), TYPES)
    tagger.model.classifier.weight.data *= 40  # type: ignore[union-attr,operator]
    tagger.save(folder, place=Path("models") / f"{family}-A")
    return tagger


def by_name(family: str, hub: ModelHub, home: Path) -> object:
    """What stock libraries print of the model ``REPO``, in a process that knows the hub and nothing else."""
    program = f"NAME, WORDS = {REPO!r}, {WORDS!r}\n{STOCK[family]}"
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(home / "home"), "HF_HUB_OFFLINE": "0"}
    done = subprocess.run([sys.executable, "-c", program], cwd=home, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.replace("'", '"'))


def test_stock_span_marker_loads_a_shared_model_by_its_name(hub: ModelHub, tiny_bert: Path, tmp_path: Path) -> None:
    tagger = made("span_marker", tiny_bert, tmp_path / "model")
    bundle, left_out = gather(tmp_path / "model", REPO, "---\nlicense: cc0-1.0\n---\n")
    push(bundle, REPO)
    found = by_name("span_marker", hub, tmp_path)
    assert found == [list(span) for span in tagger.tag([WORDS])[0].entities] != []
    assert not left_out


def test_stock_transformers_loads_a_shared_model_by_its_name(hub: ModelHub, tiny_bert: Path, tmp_path: Path) -> None:
    tagger = made("token_classifier", tiny_bert, tmp_path / "model")
    push(gather(tmp_path / "model", REPO, "---\nlicense: cc0-1.0\n---\n")[0], REPO)
    found = torch.tensor(by_name("token_classifier", hub, tmp_path))
    torch.testing.assert_close(found, torch.from_numpy(tagger.tag([WORDS])[0].probabilities[0]), atol=1e-5, rtol=0)


def test_pickles_stay_at_home(tmp_path: Path) -> None:
    kept, left = ["README.md", "config.json", "model.safetensors"], ["more/state.pkl", "optimizer.pt", "x.bin"]
    for name in (*kept, *left):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    bundle, left_out = gather(tmp_path, REPO, "the card")
    assert (list(bundle), left_out) == (kept, left)
    assert bundle["README.md"] == b"the card"
