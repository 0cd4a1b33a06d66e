"""Capital letters for an encoder that reads none.

An uncased encoder takes "Turkey" and "turkey" for one word. Here its vocabulary gets a capitalised and an upper-case
twin of every piece, and its tokenizer leaves case alone, so that words are split where they were and "Turkey" becomes
the twin of "turkey". While it is trained, a twin is its piece plus one vector that all twins of its kind share,
0 at first: the encoder starts as what it was, and a word that training never saw in capitals is known to have them.
Saved, each twin is a row of an ordinary, longer table: stock ``transformers`` reads case, too, from the
tokenizer and the model as they lie on disk.
"""

from __future__ import annotations

import json
import string
from typing import Any, NamedTuple

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel, PreTrainedTokenizerFast

AS_IT_WAS, CAPITALISED, UPPER, LETTER = range(4)
"""Kinds of pieces: unchanged, "Turkey", "NATO" and "##NATO", and a single capital "T"."""
KINDS = 4


class Twins(NamedTuple):
    """The twins of a vocabulary, ``N`` of them.

    Attributes:
        names: in the order of their ids, which follow those of the pieces.
        base: ``(N,)``, the old id of each twin's piece.
        kinds: ``(N,)``, its kind.
    """

    names: list[str]
    base: np.ndarray
    kinds: np.ndarray


NO_TWINS = Twins([], np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


def twins(vocabulary: dict[str, int], prefix: str, special: set[str]) -> Twins:
    """Twins of the pieces of a lower-case WordPiece vocabulary.

    ``prefix`` marks a piece that goes on with a word; ``special`` pieces have no twin.
    """
    names: list[str] = []
    base: list[int] = []
    kinds: list[int] = []
    for piece, number in sorted(vocabulary.items(), key=lambda item: item[1]):
        if piece in special:
            continue
        begins = not piece.startswith(prefix)
        text = piece if begins else piece[len(prefix) :]
        upper = text.upper()
        forms = {upper: LETTER if begins and len(text) == 1 else UPPER}
        if begins:
            forms.setdefault(text[:1].upper() + text[1:], CAPITALISED)
        for form, kind in forms.items():
            name = form if begins else prefix + form
            if form != text and form.lower() == text and len(form) == len(text) and name not in vocabulary:
                names.append(name)
                base.append(number)
                kinds.append(kind)
    return Twins(names, np.array(base), np.array(kinds))


def ignores_case(tokenizer: PreTrainedTokenizerFast) -> bool:
    """Whether this is BERT's uncased tokenizer: WordPiece over lower case."""
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    normalizer = state["normalizer"] or {}
    uncased = normalizer.get("type") == "BertNormalizer" and normalizer["lowercase"]
    return bool(uncased and state["model"]["type"] == "WordPiece")


def cased(tokenizer: PreTrainedTokenizerFast) -> tuple[PreTrainedTokenizerFast, Twins]:
    """The uncased ``tokenizer`` with twins after its pieces, so that it keeps case.

    Accents are still stripped, as before. A capital after a small letter ("McCain") is made small, since no twin
    has it; of several in a row, those that the alphabet reaches while a small letter stands before them.
    """
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    model, normalizer = state["model"], state["normalizer"]
    found = twins(model["vocab"], model["continuing_subword_prefix"], set(tokenizer.all_special_tokens))
    model["vocab"].update(zip(found.names, range(len(tokenizer), len(tokenizer) + len(found.names)), strict=True))
    if normalizer["strip_accents"] is None:
        normalizer["strip_accents"] = True
    normalizer["lowercase"] = False
    inner = [
        {"type": "Replace", "pattern": {"Regex": rf"(?<=\p{{Ll}}){letter}"}, "content": letter.lower()}
        for letter in string.ascii_uppercase
    ]
    state["normalizer"] = {"type": "Sequence", "normalizers": [normalizer, *inner]}
    options: dict[str, Any] = {**tokenizer.init_kwargs, "do_lower_case": False, "strip_accents": True}
    for name in ("tokenizer_file", "vocab_file", "tokenizer_object", "added_tokens_decoder"):
        options.pop(name, None)
    backend = Tokenizer.from_str(json.dumps(state))
    return type(tokenizer)(tokenizer_object=backend, **options), found


class TwinEmbedding(nn.Embedding):
    """A table in which a twin's row is its piece's plus its kind's.

    ``table`` holds the rows of ``size`` pieces and then those whose ids follow the twins'.
    """

    base: Tensor
    kinds: Tensor

    def __init__(self, table: nn.Embedding, size: int, found: Twins) -> None:
        super().__init__(
            table.num_embeddings, table.embedding_dim, padding_idx=table.padding_idx, _weight=table.weight.detach()
        )
        rows = np.arange(table.num_embeddings)
        kinds = np.full(len(rows) + len(found.kinds), AS_IT_WAS)
        kinds[size : size + len(found.kinds)] = found.kinds
        self.offsets = nn.Parameter(table.weight.new_zeros(KINDS, table.embedding_dim))
        base = np.concatenate((rows[:size], found.base, rows[size:]))
        self.register_buffer("base", torch.from_numpy(base), persistent=False)
        self.register_buffer("kinds", torch.from_numpy(kinds), persistent=False)

    def forward(self, input: Tensor) -> Tensor:
        """``(…)`` ids of pieces and twins to ``(…, width)``."""
        rows = functional.embedding(self.base[input], self.weight, self.padding_idx, sparse=self.sparse)
        return rows + functional.embedding(self.kinds[input], self.offsets, AS_IT_WAS)

    def plain(self) -> Tensor:
        """The same table with every twin a row of its own, ``(V, width)``."""
        with torch.no_grad():
            return self.weight[self.base] + self.offsets[self.kinds]


def learn_case(model: PreTrainedModel, size: int, found: Twins) -> None:
    """Let ``model`` read the twins ``found`` of its first ``size`` pieces."""
    plain: Any = model.get_input_embeddings()
    table = TwinEmbedding(plain, size, found)
    model.set_input_embeddings(table)
    model.config.vocab_size = len(table.base)


def saved_state(model: nn.Module) -> dict[str, Tensor]:
    """``model.state_dict()`` as a stock model has it, every twin a row of the table."""
    state = dict(model.state_dict())
    for name, module in model.named_modules():
        if isinstance(module, TwinEmbedding):
            del state[f"{name}.offsets"]
            state[f"{name}.weight"] = module.plain()
    return state
