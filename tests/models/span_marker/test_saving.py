"""Models made, saved and loaded: by us, by stock, from anywhere, without a trace of this machine."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from span_marker import SpanMarkerModel

from stages.corpus.labels import FIVE, TYPES
from stages.models.encoder import EncoderError
from stages.models.span_marker import SpanMarker, SpanMarkerTagger, create, load, save
from tests.models.span_marker.helpers import hyperparameters, opinionated, words_and_tags

SENTENCES = [words_and_tags(n)[0] for n in (3, 12, 31)]


def entities(model: SpanMarkerModel) -> list[list[tuple[str, int, int]]]:
    found = model.predict(SENTENCES)
    return [[(e["label"], e["word_start_index"], e["word_end_index"]) for e in sentence] for sentence in found]


def test_stock_loads_ours_and_finds_the_same(pair: tuple[SpanMarker, SpanMarkerModel]) -> None:
    ours, stock = pair
    found = [[tuple(span) for span in tagging.entities] for tagging in SpanMarkerTagger(ours).tag(SENTENCES)]
    assert found == entities(stock)
    assert any(found)


def test_ours_loads_stocks_own_directory(tiny_bert: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    stock = SpanMarkerModel.from_pretrained(
        tiny_bert, labels=["O", "B-PER", "I-PER", "B-LOC", "I-LOC"], model_max_length=126, entity_max_length=5
    )
    stock.classifier.weight.data *= 40
    stock.save_pretrained(tmp_path, safe_serialization=True)
    tagger = SpanMarkerTagger.load(tmp_path)
    found = [[tuple(span) for span in tagging.entities] for tagging in tagger.tag(SENTENCES)]
    assert found == entities(stock)
    assert tagger.types == ("LOC", "PER")


def test_a_saved_model_is_an_ordinary_one(ours: SpanMarker, tmp_path: Path) -> None:
    save(ours, tmp_path / "model", place="models/span_marker-A")
    config = json.loads((tmp_path / "model/config.json").read_text())
    assert (config["model_type"], config["architectures"]) == ("span-marker", ["SpanMarkerModel"])
    assert config["encoder"]["_name_or_path"] == "models/span_marker-A"
    names = {path.name for path in (tmp_path / "model").iterdir()}
    assert {"model.safetensors", "tokenizer.json", "encoder_config.json"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt")) or name == "README.md"]


def test_a_model_can_be_copied(ours: SpanMarker) -> None:
    again = copy.deepcopy(ours)
    assert SpanMarkerTagger(again).tag(SENTENCES)[2].entities == SpanMarkerTagger(ours).tag(SENTENCES)[2].entities


def test_no_path_of_this_machine_is_saved(ours: SpanMarker, tmp_path: Path) -> None:
    save(ours, tmp_path / "elsewhere")
    for path in (tmp_path / "elsewhere").glob("*.json"):
        assert str(tmp_path.parent) not in path.read_text(), path.name
        if path.name.endswith("config.json"):
            assert '": "/' not in path.read_text(), path.name


def test_stock_loads_it_in_a_process_of_its_own(ours: SpanMarker, tmp_path: Path) -> None:
    save(ours, tmp_path / "models/m", place="models/m")
    code = "from span_marker import SpanMarkerModel as M; print(M.from_pretrained('models/m').config.num_labels)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "16", done.stderr


def test_a_moved_model_loads_from_any_working_directory(
    ours: SpanMarker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(ours, tmp_path / "a", place="models/not/there")
    (tmp_path / "a").rename(tmp_path / "b")
    monkeypatch.chdir("/")
    again = load(tmp_path / "b")
    assert all(torch.equal(x, y) for x, y in zip(ours.state_dict().values(), again.state_dict().values(), strict=True))
    assert not again.training
    save(again, tmp_path / "c", place="models/new")
    assert json.loads((tmp_path / "c/config.json").read_text())["encoder"]["_name_or_path"] == "models/new"


def test_checkpoints_of_the_trainer_load_too(ours: SpanMarker, tmp_path: Path) -> None:
    ours.save_pretrained(tmp_path / "checkpoint", safe_serialization=False)
    assert (tmp_path / "checkpoint/model.safetensors").is_file()
    assert load(tmp_path / "checkpoint").types == ours.types


def test_a_span_marker_checkpoint_keeps_what_it_knows(ours: SpanMarker, tmp_path: Path) -> None:
    save(ours, tmp_path / "start")
    torch.manual_seed(9)
    same = create(hyperparameters(tmp_path / "start"), TYPES)
    five = create(hyperparameters(tmp_path / "start"), FIVE)
    assert torch.equal(same.classifier.weight, ours.classifier.weight)
    for made in (same, five):
        assert torch.equal(
            made.encoder.embeddings.word_embeddings.weight, ours.encoder.embeddings.word_embeddings.weight
        )
    for kind in ("O", *FIVE):
        of, to = ours.config.label2id[kind], five.config.label2id[kind]
        assert torch.equal(five.classifier.weight[to], ours.classifier.weight[of])
    assert set(five.types) == set(FIVE)


def test_new_types_get_new_rows(tiny_bert: Path, tmp_path: Path) -> None:
    start = opinionated(create(hyperparameters(tiny_bert), FIVE))
    save(start, tmp_path / "five")
    made = create(hyperparameters(tmp_path / "five"), TYPES)
    to, of = made.config.label2id["PER"], start.config.label2id["PER"]
    assert torch.equal(made.classifier.weight[to], start.classifier.weight[of])
    assert made.classifier.weight[made.config.label2id["FOOD"]].abs().max() < start.classifier.weight.abs().max()


def test_first_layers_of_either_kind_of_checkpoint(ours: SpanMarker, tiny_bert: Path, tmp_path: Path) -> None:
    save(ours, tmp_path / "start")
    for place in (tmp_path / "start", tiny_bert):
        made = create(hyperparameters(place, encoder_layers=1), TYPES)
        assert len(made.encoder.encoder.layer) == 1
        save(made, tmp_path / "cut")
        assert len(load(tmp_path / "cut").encoder.encoder.layer) == 1
        with pytest.raises(EncoderError, match="has 2 layers"):
            create(hyperparameters(place, encoder_layers=3), TYPES)


def test_more_tokens_than_positions_are_refused(tiny_bert: Path) -> None:
    with pytest.raises(EncoderError, match="at most 510"):
        create(hyperparameters(tiny_bert, max_tokens=511), TYPES)


def test_another_kind_of_model_is_refused(tiny_bert: Path) -> None:
    with pytest.raises(EncoderError, match="not a SpanMarker"):
        load(tiny_bert)


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")
@pytest.mark.parametrize("kind", ["deberta-v2", "distilbert", "relative"])
def test_encoders_without_absolute_positions_are_refused(kind: str, tiny_bert: Path, tmp_path: Path) -> None:
    from transformers import (
        AutoTokenizer,
        BertConfig,
        BertModel,
        DebertaV2Config,
        DebertaV2Model,
        DistilBertConfig,
        DistilBertModel,
    )

    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    small = {
        "vocab_size": len(tokenizer), "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
        "intermediate_size": 16,
    }  # fmt: skip
    makers = {
        "deberta-v2": lambda: DebertaV2Model(
            DebertaV2Config(**small, relative_attention=True, position_biased_input=False, pos_att_type=["p2c", "c2p"])
        ),
        "distilbert": lambda: DistilBertModel(
            DistilBertConfig(vocab_size=len(tokenizer), dim=16, n_layers=1, n_heads=2, hidden_dim=16)
        ),
        "relative": lambda: BertModel(BertConfig(**small, position_embedding_type="relative_key")),
    }
    makers[kind]().save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(EncoderError, match="position"):
        create(hyperparameters(tmp_path), TYPES)
