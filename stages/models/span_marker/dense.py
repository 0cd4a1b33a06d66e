"""SpanMarker through an encoder's own ``forward``, for encoders that :mod:`.packed` does not know."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from stages.models.encoder import EncoderError
from stages.models.span_marker.attention import Layout


@dataclass(frozen=True)
class Text:
    """A batch's text, read again by :func:`ask`: ``B`` sentences, ``T`` subwords in the longest.

    Attributes:
        input_ids: ``(B, T)``.
        mask: ``(B, T)`` bool, whether a position is text and no padding.
        marker_ids: ``(2,)``, the ids of the start and the end marker.
    """

    encoder: PreTrainedModel
    input_ids: Tensor
    mask: Tensor
    marker_ids: Tensor

    @cached_property
    def states(self) -> Tensor:
        """The hidden states before the last layer, ``(B, T, H)``."""
        places = self.input_ids.new_zeros(len(self.input_ids), 0, 2)
        states: Tensor = _run(self.encoder, self, places, places[..., 0].bool()).hidden_states[-2]
        return states


def read(encoder: PreTrainedModel, input_ids: Tensor, attention_mask: Tensor, marker_ids: Tensor) -> Text:
    """As :func:`stages.models.span_marker.packed.read`; nothing is computed yet."""
    return Text(encoder, input_ids, attention_mask.bool(), marker_ids)


def ask(encoder: PreTrainedModel, text: Text, places: Tensor, sentence: Tensor) -> Tensor:
    """As :func:`stages.models.span_marker.packed.ask`, through a dense mask over text and markers.

    The batch is as long as its longest text and most spans ask for, ``(B, T + 2M)``.
    """
    layout = Layout.of(text.mask, sentence)
    real = torch.zeros(layout.spans.numel(), dtype=torch.bool, device=places.device)
    real[layout.slots] = True
    outputs = _run(encoder, text, places[layout.spans], real.view(layout.spans.shape))
    return outputs[0][:, text.input_ids.shape[1] :].reshape(layout.spans.numel(), -1)[layout.slots]


def _run(encoder: PreTrainedModel, text: Text, places: Tensor, real: Tensor) -> Any:
    """The encoder over text and markers at ``places`` ``(B, M, 2)``, of which ``real`` ``(B, M)`` are there."""
    batch, length = text.input_ids.shape
    positions = torch.arange(2, length + 2, device=places.device).expand(batch, length)
    markers = text.marker_ids.expand(*places.shape).flatten(1)
    inputs = {
        "input_ids": torch.cat((text.input_ids, markers), dim=1),
        "position_ids": torch.cat((positions, places.flatten(1)), dim=1),
        "attention_mask": _mask(text.mask, real),
    }
    inputs["token_type_ids"] = torch.zeros_like(inputs["input_ids"])
    accepted = inspect.signature(encoder.forward).parameters
    return encoder(**{name: value for name, value in inputs.items() if name in accepted}, output_hidden_states=True)


def _mask(text: Tensor, real: Tensor) -> Tensor:
    """Who attends to whom ``(B, T + 2M, T + 2M)``, from the real subwords ``(B, T)`` and spans ``(B, M)``."""
    batch, length = text.shape
    size = length + 2 * real.shape[1]
    markers = real.repeat_interleave(2, dim=1)
    mask = torch.zeros(batch, size, size, dtype=torch.bool, device=text.device)
    mask[:, :, :length] = torch.cat((text, markers), dim=1)[:, :, None] & text[:, None, :]
    pair = torch.arange(size - length, device=text.device) // 2
    mask[:, length:, length:] = (pair[:, None] == pair) & markers[:, :, None]
    return mask


@torch.no_grad()
def check_positions(encoder: PreTrainedModel) -> None:
    """Try on a few ids whether position ids and a mask of three dimensions have the effect that markers need.

    Raises:
        EncoderError: the encoder takes no position ids; they change nothing, so that all spans would look
            the same; the order of the input counts beside them (relative positions); or a marker sees
            what the mask hides from it.
    """
    kind = type(encoder).__name__
    if "position_ids" not in inspect.signature(encoder.forward).parameters:
        raise EncoderError(_refusal(kind, "takes no position ids"))
    training = encoder.training
    encoder.eval()
    try:
        base, moved, other, swapped = (_probe(encoder, *pairs) for pairs in ((2, 3), (4, 3), (2, 4), (3, 2)))
    except (TypeError, ValueError, RuntimeError, IndexError) as error:
        raise EncoderError(_refusal(kind, f"cannot take markers ({error})")) from error
    finally:
        encoder.train(training)
    if torch.allclose(base[0], moved[0], atol=1e-6):
        raise EncoderError(_refusal(kind, "has no absolute positions"))
    if not torch.allclose(base[0], swapped[1], atol=1e-5):
        raise EncoderError(_refusal(kind, "has relative positions"))
    if not torch.allclose(base[0], other[0], atol=1e-5):
        raise EncoderError(_refusal(kind, "does not heed an attention mask of three dimensions"))


def _refusal(kind: str, why: str) -> str:
    return (
        f"encoder {kind} {why}, and SpanMarker tells its markers apart by absolute position ids alone: "
        "choose a BERT, RoBERTa, XLM-RoBERTa, CamemBERT or ELECTRA encoder, or the token_classifier family"
    )


def _probe(encoder: PreTrainedModel, *positions: int) -> Tensor:
    """Hidden states ``(pairs, 2H)`` of marker pairs at ``positions``, over a text of three ids."""
    device = encoder.device
    ids = torch.tensor([[2, 3, 4]], device=device)
    text = read(encoder, ids, torch.ones_like(ids), torch.full((2,), 5, device=device))
    places = torch.tensor(positions, device=device)[:, None].expand(-1, 2)
    return ask(encoder, text, places, torch.zeros(len(positions), dtype=torch.long, device=device))
