"""SpanMarker through an encoder's own ``forward``, for encoders that :mod:`.packed` does not know."""

from __future__ import annotations

import inspect

import torch
from torch import Tensor
from transformers import PreTrainedModel

from stages.models.encoder import EncoderError


def encode(
    encoder: PreTrainedModel,
    input_ids: Tensor,
    attention_mask: Tensor,
    marker_ids: Tensor,
    marker_positions: Tensor,
    span_table: Tensor,
    span_slots: Tensor,
) -> Tensor:
    """As :func:`stages.models.span_marker.packed.encode`, through a dense mask over text and markers.

    The batch is as long as its longest text and most spans ask for, ``(B, T + 2M)``.
    """
    batch, length = input_ids.shape
    pairs = span_table.shape[1]
    real = torch.zeros(batch * pairs, dtype=torch.bool, device=input_ids.device)
    real[span_slots] = True
    real = real.view(batch, pairs)
    positions = torch.arange(2, length + 2, device=input_ids.device).expand(batch, length)
    inputs = {
        "input_ids": torch.cat((input_ids, marker_ids[span_table].flatten(1)), dim=1),
        "position_ids": torch.cat((positions, marker_positions[span_table].flatten(1)), dim=1),
        "attention_mask": _mask(attention_mask.bool(), real),
    }
    inputs["token_type_ids"] = torch.zeros_like(inputs["input_ids"])
    accepted = inspect.signature(encoder.forward).parameters
    states = encoder(**{name: value for name, value in inputs.items() if name in accepted})[0]
    markers = states[:, length:].reshape(batch * pairs, -1)
    return markers[span_slots]


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
    text = torch.tensor([[2, 3, 4]], device=device)
    place = torch.tensor(positions, device=device)[:, None].expand(-1, 2)
    order = torch.arange(len(positions), device=device)
    return encode(encoder, text, torch.ones_like(text), torch.full_like(place, 5), place, order[None], order)
