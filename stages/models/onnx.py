"""The token classifier as ONNX, in 32-bit floats and in 8-bit integers, asked as the torch model is.

An exported model is a directory as a saved one is, with ``model.onnx`` in the place of the weights. Only the forward
pass is another: windows, first subwords and the choice of labels are :class:`TokenClassifier`'s own.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import torch
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidGraph, InvalidProtobuf
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor
from transformers import AutoModelForTokenClassification, PretrainedConfig
from transformers.modeling_outputs import TokenClassifierOutput

from stages.corpus.files import read_json
from stages.errors import UserError
from stages.models.encoder import SAFELY, load_config, load_tokenizer, reading
from stages.models.token_classifier import TokenClassifier

FILE = "model.onnx"
INPUTS = ("input_ids", "attention_mask")
KINDS = ("fp32", "int8")

LEFT_ALONE = "/layer.0/output/dense/"
"""Part of the name of the product that stays in 32 bits beside int8: the one out of the first layer's inner states.

An input is quantised with one scale for the whole batch, and inner states have a few values far from all others (on
val of the sample and of real sentences: 23 at most, 2.7 for 99.9 % of them). Of all products this one left alone
brings the answers nearest to torch's there (divergence 0.0010 nats a word in place of 0.0015).
"""


class OnnxModel(torch.nn.Module):
    """An exported token classifier's forward pass on the processor, in the place of the torch model's."""

    device = torch.device("cpu")

    def __init__(self, file: Path, config: PretrainedConfig) -> None:
        super().__init__()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3  # errors: the warnings are about the making of the graph
        self.config = config
        self.session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> TokenClassifierOutput:
        """``(batch, length)`` ids and mask to logits ``(batch, length, labels)``."""
        logits = self.session.run(None, {"input_ids": input_ids.numpy(), "attention_mask": attention_mask.numpy()})[0]
        return TokenClassifierOutput(logits=torch.from_numpy(logits))  # type: ignore[arg-type]


def load(directory: str | Path) -> TokenClassifier:
    """The tagger of an exported model's directory.

    Raises:
        EncoderError: its configuration or tokenizer cannot be read.
        UserError: its graph cannot.
    """
    config = load_config(str(directory))
    own = (getattr(config, "task_specific_params", None) or {}).get("ner", {})
    limit = own.get("max_tokens", config.max_position_embeddings - 2)
    try:
        model: Any = OnnxModel(Path(directory) / FILE, config)
    except (Fail, InvalidGraph, InvalidProtobuf) as error:
        raise UserError(f"{directory}/{FILE}: cannot be read: {str(error).splitlines()[0]}; export it again") from None
    return TokenClassifier(model, load_tokenizer(str(directory)), limit, own.get("decoding", "free"))


def export(model: Path, target: Path) -> None:
    """Write a saved token classifier into ``target``, once a kind: ``fp32`` and ``int8``, each a whole directory.

    Raises:
        UserError: ``model`` is no token classifier's directory.
    """
    if not (model / "config.json").is_file():
        raise UserError(f"{model}: no model here (config.json is missing); `dvc repro` makes the project's own")
    if read_json(model / "config.json").get("model_type") == "span-marker":
        raise UserError(f"{model}: is a SpanMarker; only a token classifier can be exported: models/token_classifier-A")
    for kind in KINDS:
        (target / kind).mkdir(parents=True)
        for file in model.iterdir():
            if file.suffix in (".json", ".md", ".model", ".txt"):
                shutil.copy2(file, target / kind / file.name)
    with _quietly():
        _trace(model, target / "fp32" / FILE)
        _quantise(target / "fp32" / FILE, target / "int8" / FILE)


class _Logits(torch.nn.Module):
    """A model with two inputs and one output, which is all that the graph shall have."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        logits: Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits


def _trace(model: Path, file: Path) -> None:
    """The graph of a saved model for any batch and length.

    Attention is spelt out ("eager"): the exporter traces what torch's own fused attention decides by its inputs.
    """
    with reading(str(model)):
        loaded = AutoModelForTokenClassification.from_pretrained(model, attn_implementation="eager", **SAFELY)
    example = torch.ones(2, 8, dtype=torch.int64)
    torch.onnx.export(
        _Logits(loaded).eval(), (example, example), str(file), input_names=list(INPUTS), output_names=["logits"],
        dynamic_axes={name: {0: "batch", 1: "length"} for name in (*INPUTS, "logits")}, dynamo=False,
    )  # fmt: skip


def _quantise(source: Path, target: Path) -> None:
    """Matrix products with weights in 8 bits, a scale for each output; embeddings and the rest stay in 32."""
    nodes = onnx.load(str(source), load_external_data=False).graph.node
    quantize_dynamic(
        source, target, op_types_to_quantize=["MatMul"], per_channel=True, weight_type=QuantType.QInt8,
        nodes_to_exclude=[node.name for node in nodes if LEFT_ALONE in node.name],
    )  # fmt: skip


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep what tracing and quantising say of themselves away from a person who can do nothing about it."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logging.disable(before)
