"""SpanMarker as a tagger: created, trained, saved, loaded and asked."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from datasets import Dataset
from torch import Tensor

from stages.corpus.labels import TAG_IDS, bio_tags
from stages.models.device import device
from stages.models.span_marker import preparation, saving
from stages.models.span_marker.batches import all_spans
from stages.models.span_marker.decoding import Answer, close_calls, decode, loss, merge, word_probabilities
from stages.models.span_marker.modeling import SpanMarker
from stages.models.span_marker.preparation import Gold
from stages.models.span_marker.proposal import Proposal, Spans
from stages.models.subwords import Ragged, Subwords, arrow, special_ids, subwords, subwords_of_words
from stages.models.tagging import Tagging
from stages.models.windows import windows
from stages.settings import SpanMarkerSettings

logger = logging.getLogger(__name__)

POSITIONS = {"cpu": 4096, "cuda": 65536}
"""Text and marker positions of one prediction batch, padding counted; and in any case the markers asked at once."""
CHUNK = 4096
"""Sentences in memory at once while tagging."""


_Question = Callable[[Any, Spans], tuple[Tensor, Tensor]]
"""Of a text and the spans of its batch, those that the reply is about, ascending, and a value for each."""


class _Piece(NamedTuple):
    """One window of a sentence: its words ``first`` to ``last``, and those whose spans it answers for."""

    sentence: int
    first: int
    last: int
    keep_first: int
    keep_last: int


class SpanMarkerTagger:
    """Tags with a SpanMarker by its own rule: the likeliest spans first, none over another.

    Sentences longer than ``max_tokens`` subwords are read in overlapping windows; each span is asked about in
    the window in which it lies farthest from an edge. Matrix products take the precision of a surrounding
    ``torch.autocast``; probabilities are always computed in 32 bits.
    """

    def __init__(self, model: SpanMarker, recall: float = 1.0) -> None:
        self.model = model
        self.recall = recall
        self.types = model.types
        self.names = [model.config.id2label[i] for i in range(model.config.num_labels)]
        self.labels = bio_tags(self.names[1:])

    @classmethod
    def create(cls, settings: SpanMarkerSettings, types: Sequence[str]) -> SpanMarkerTagger:
        """A model for ``types`` on a pretrained encoder; see :func:`stages.models.span_marker.saving.create`.

        Raises:
            EncoderError: the encoder cannot be found or used, or ``max_tokens`` is more than it has positions for.
        """
        return cls(saving.create(settings, types), settings.proposal_recall)

    @classmethod
    def load(cls, place: str | Path, revision: str | None = None) -> SpanMarkerTagger:
        """A saved model, ours or stock's, from a directory or the hub, on the device of this machine.

        Raises:
            EncoderError: there is no such model, or one of another kind.
        """
        return cls(saving.load(place, revision).to(device()))

    @property
    def proposal(self) -> Proposal | None:
        """What chooses the spans to ask about; without it, every span is asked about."""
        return self.model.proposal

    @proposal.setter
    def proposal(self, proposal: Proposal | None) -> None:
        self.model.proposal = proposal

    def save(self, directory: str | Path, place: str | Path | None = None) -> None:
        """Write the model as ``span_marker`` loads it; see ``Model.save``."""
        saving.save(self.model, directory, place)

    def prepare(self, rows: Dataset) -> Dataset:
        """Rows as :meth:`collate` takes them; see :func:`stages.models.span_marker.preparation.prepare`."""
        return preparation.prepare(rows, self.model)

    def collate(self, features: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """A batch for :attr:`model`; see :class:`~stages.models.span_marker.batches.Collator`."""
        return self.model.collator(features)

    def consistent_loss(
        self, model: torch.nn.Module, batch: Mapping[str, torch.Tensor], weight: float
    ) -> tuple[torch.Tensor, Any]:
        """Both passes are asked about the same spans; see ``Model.consistent_loss``."""
        output = model(**batch, consistency=weight)
        return output.loss, output

    def tag(self, sentences: Sequence[Sequence[str]], gold: Sequence[Sequence[str]] | None = None) -> list[Tagging]:
        """Tag sentences of words; see ``Tagger.tag``.

        ``loss`` is the mean cross-entropy over the spans asked about. A gold entity of a type that the model lacks,
        or of more words than it asks about, does not enter it.
        """
        taggings: list[Tagging] = []
        for start in range(0, len(sentences), CHUNK):
            chunk = [list(words) for words in sentences[start : start + CHUNK]]
            truths = [None] * len(chunk) if gold is None else self._gold(gold[start : start + CHUNK])
            taggings += map(self._tagging, chunk, self.answers(chunk), truths)
        return taggings

    def settle(self, sentences: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]) -> None:
        """Set the proposal's threshold for the recall that the settings ask for; see ``Model.settle``.

        First so that this share of the gold spans passes. Some of them are wrong in silver data and found by no score,
        and hold the threshold far down; so it is raised again, until this share of the spans passes that the model
        takes for entities when it is asked about all that passed before.
        """
        if self.proposal is None:
            return
        pieces, parts = self._pieces([list(words) for words in sentences])
        truths, rows = self._gold(gold), self._rows(pieces, parts)
        among = [_among(row, truths[piece.sentence], piece.first) for piece, row in zip(pieces, rows, strict=True)]
        for questions, question in ((among, self._scores), (rows, self._found)):
            scores = [values for _, values in self._run(questions, question) if len(values)]
            self.proposal.settle(np.concatenate(scores) if scores else np.zeros(0, dtype=np.float32), self.recall)
        if self.proposal.threshold == -torch.inf:
            _tell_unset()

    def answers(self, sentences: list[list[str]]) -> list[Answer]:
        """The probabilities of the spans asked about in each sentence."""
        pieces, parts = self._pieces(sentences)
        rows = self._rows(pieces, parts)
        replies = []
        for i, (row, (asked, scores)) in enumerate(zip(rows, self._run(rows, self._probabilities), strict=True)):
            first, last, bare = row["span_first"][asked], row["span_last"][asked], parts.sizes[i] == 0
            replies.append(Answer(first, last, scores, bare[first] | bare[last]))
        if torch.is_autocast_enabled(self.model.device.type):
            self._ask_again(rows, replies)
        gathered: list[list[Answer]] = [[] for _ in sentences]
        for piece, reply in zip(pieces, replies, strict=True):
            gathered[piece.sentence].append(
                reply._replace(first=reply.first + piece.first, last=reply.last + piece.first)
            )
        return [merge(windows, len(self.names)) for windows in gathered]

    def _pieces(self, sentences: list[list[str]]) -> tuple[list[_Piece], Subwords]:
        """The sentences in windows that the model can read, and the subwords of each."""
        tokenizer, limit = self.model.fast_tokenizer, self.model.max_tokens
        room = limit - sum(map(len, special_ids(tokenizer)))
        parts = subwords(arrow(sentences), tokenizer, limit)
        pieces = [_Piece(i, 0, len(words), 0, len(words)) for i, words in enumerate(sentences)]
        if (parts.whole <= room).all():
            return pieces, parts
        cut: list[_Piece] = []
        for piece, size in zip(pieces, parts.whole, strict=True):
            if size <= room:
                cut.append(piece)
                continue
            words = subwords_of_words(pa.array(sentences[piece.sentence], pa.string()), tokenizer)
            overlap = 2 * self.model.config.entity_max_length
            cut.extend(_Piece(piece.sentence, *window) for window in windows(words.lengths.tolist(), room, overlap))
        return cut, subwords(arrow([sentences[p.sentence][p.first : p.last] for p in cut]), tokenizer, limit)

    def _rows(self, pieces: list[_Piece], parts: Subwords) -> list[dict[str, np.ndarray]]:
        """What the collator takes: each window with the spans whose middle word it answers for."""
        first, last, counts = all_spans(parts.first.lengths, self.model.config.entity_max_length)
        base = np.repeat(parts.first.offsets[:-1], counts)
        offsets = np.concatenate(([0], np.cumsum(counts)))
        first, last = first - base, last - base
        low, high, shift = (
            np.repeat([getattr(piece, name) for piece in pieces], counts)
            for name in ("keep_first", "keep_last", "first")
        )
        middle = (first + last) // 2 + shift
        kept = (low <= middle) & (middle < high)
        offsets = np.concatenate(([0], np.cumsum(kept)))[offsets]
        spans = Ragged(first[kept], offsets), Ragged(last[kept], offsets)
        lists = {
            "input_ids": parts.ids, "word_first": parts.first, "word_last": parts.last,
            "span_first": spans[0], "span_last": spans[1],
        }  # fmt: skip
        return [{name: values[i] for name, values in lists.items()} for i in range(len(pieces))]

    def _ask_again(self, rows: list[dict[str, np.ndarray]], replies: list[Answer]) -> None:
        """Answer close calls again in 32 bits, in place: they are few, and the text is cheap to read."""
        close = [close_calls(reply) for reply in replies]
        again = [
            row | {"span_first": reply.first[which], "span_last": reply.last[which]}
            for row, reply, which in zip(rows, replies, close, strict=True)
        ]
        with torch.autocast(self.model.device.type, enabled=False):
            for reply, which, (_, scores) in zip(replies, close, self._run(again, self._every), strict=True):
                reply.log_probabilities[which] = scores

    def _run(self, rows: list[dict[str, np.ndarray]], question: _Question) -> list[tuple[np.ndarray, np.ndarray]]:
        """What ``question`` replies to each row, in order; rows of like size go together.

        A reply is the indices of the row's spans that it is about, and a value for each.
        """
        replies = [(np.zeros(0, dtype=np.int64), np.zeros((0, len(self.names)), dtype=np.float32))] * len(rows)
        training, where = self.model.training, self.model.device
        self.model.eval()
        try:
            for batch in _batches(rows, self._positions, self._share):
                inputs = {name: part.to(where) for name, part in self.collate([rows[i] for i in batch]).items()}
                with torch.inference_mode():
                    text = self.model.read(inputs.pop("input_ids"), inputs.pop("attention_mask"))
                    asked, values = (part.cpu().numpy() for part in question(text, Spans.of(**inputs)))
                ends = np.cumsum([len(rows[i]["span_first"]) for i in batch])
                cuts = np.searchsorted(asked, ends)[:-1]
                parts = zip(np.split(asked, cuts), np.split(values, cuts), strict=True)
                for i, end, (spans, part) in zip(batch, ends, parts, strict=True):
                    replies[i] = spans - end + len(rows[i]["span_first"]), part
        finally:
            self.model.train(training)
        return replies

    def _every(self, text: Any, spans: Spans) -> tuple[Tensor, Tensor]:
        """Log-probabilities ``(N, labels)`` of every span.

        Where more pass than a batch was made for (a threshold that is not set yet), they are asked in slices. Each
        takes one span in so many, of every sentence about as many, so that the table of markers gets smaller, too.
        """
        every = torch.arange(len(spans.first))
        count = max(-(-2 * len(every) // self._positions), 1)
        slices = [every[i::count] for i in range(count)]
        values = torch.cat([self.model.ask(text, spans.at(part)).float().log_softmax(-1) for part in slices])
        return every, values[torch.cat(slices).argsort()]

    def _probabilities(self, text: Any, spans: Spans) -> tuple[Tensor, Tensor]:
        """Log-probabilities ``(asked, labels)`` of the spans that the proposal lets through, or of all."""
        if self.proposal is None:
            return self._every(text, spans)
        asked = self.proposal.passed(self.proposal(text.states, spans))
        return asked, self._every(text, spans.at(asked))[1]

    def _scores(self, text: Any, spans: Spans) -> tuple[Tensor, Tensor]:
        """The proposal's score of every span."""
        assert self.proposal is not None
        return torch.arange(len(spans.first)), self.proposal(text.states, spans)

    def _found(self, text: Any, spans: Spans) -> tuple[Tensor, Tensor]:
        """The proposal's scores of the spans that pass and that the model takes for entities."""
        asked, log_probabilities = self._probabilities(text, spans)
        found = asked[log_probabilities.argmax(-1) != 0]
        return found, self._scores(text, spans)[1][found]

    @property
    def _positions(self) -> int:
        return POSITIONS.get(self.model.device.type, POSITIONS["cpu"])

    @property
    def _share(self) -> float:
        """About how many of a sentence's spans are asked about."""
        return 1.0 if self.proposal is None else 0.1

    def _gold(self, gold: Sequence[Sequence[str]]) -> list[Gold]:
        """The gold entities of each sentence, from BIO tag names."""
        words = np.array([len(tags) for tags in gold])
        tags = np.array([TAG_IDS[tag] for sentence in gold for tag in sentence], dtype=np.int64)
        every = preparation.gold_entities(tags, words, self.model.config.label2id)
        cuts = np.cumsum(np.bincount(every.sentence, minlength=len(words)))[:-1]
        return [Gold(*parts) for parts in zip(*(np.split(part, cuts) for part in every), strict=True)]

    def _tagging(self, words: list[str], answer: Answer, gold: Gold | None) -> Tagging:
        entities, scores = decode(answer, self.names)
        table = word_probabilities(answer, len(words), len(self.names) - 1)
        return Tagging(entities, scores, table, None if gold is None else loss(answer, gold), len(answer.first))


@functools.cache
def _tell_unset() -> None:
    """Once, and not after every epoch."""
    logger.warning(
        "The validation sentences have no gold entity, and the model finds none in them: the threshold of selective "
        "mode is not set, so every span is asked about, as in exact mode. Give validation sentences with entities."
    )


def _among(row: dict[str, np.ndarray], gold: Gold, begin: int) -> dict[str, np.ndarray]:
    """``row`` with only its gold spans; ``begin`` is the word of the sentence where the row begins."""
    wide = 1 + int(row["span_last"].max(initial=0))
    first, last = gold.first - begin, gold.last - begin
    inside = (first >= 0) & (last < wide)
    kept = np.isin(row["span_first"] * wide + row["span_last"], first[inside] * wide + last[inside])
    return row | {"span_first": row["span_first"][kept], "span_last": row["span_last"][kept]}


def _batches(rows: list[dict[str, np.ndarray]], positions: int, share: float) -> Iterator[list[int]]:
    """Rows with something to ask, by size, as many together as fit into ``positions`` with their padding.

    A ``share`` of each row's spans is going to be asked about.
    """
    text = np.array([len(row["input_ids"]) for row in rows])
    spans = np.array([len(row["span_first"]) for row in rows])
    order = np.lexsort((text, spans))
    batch: list[int] = []
    longest = most = 0
    for i in order[spans[order] > 0].tolist():
        longest, most = max(longest, text[i]), max(most, spans[i])
        if batch and (len(batch) + 1) * (longest + 2 * share * most) > positions:
            yield batch
            batch, longest, most = [], text[i], spans[i]
        batch.append(i)
    if batch:
        yield batch
