"""The floor that a model must beat: each span gets the tag that it mostly had in train."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from stages.corpus.labels import Span, bio_tags, spans
from stages.models.tagging import Tagging


class Lookup:
    """A dictionary of the mentions in train, asked longest span first, from left to right."""

    def __init__(self, sentences: Iterable[tuple[Sequence[str], Sequence[str]]], types: Sequence[str]) -> None:
        """Count how often each span of words that is an entity somewhere is one, and of which type.

        ``sentences`` are pairs of words and BIO tags. A span that is mostly no entity is not kept;
        of equally frequent types the first in ``types`` wins.
        """
        self.types = tuple(types)
        self.labels = bio_tags(types)
        rows = list(sentences)
        counts: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        for words, tags in rows:
            for kind, start, end in spans(tags):
                counts[tuple(words[start:end])][kind] += 1
        self.longest = max(map(len, counts), default=0)
        seen = Counter(words for sentence, _ in rows for _, words in self._windows(sentence) if words in counts)
        self.entries: dict[tuple[str, ...], tuple[str, float]] = {}
        for words, by_type in counts.items():
            kind = max(by_type, key=lambda kind: (by_type[kind], -self.types.index(kind)))
            if by_type[kind] >= seen[words] - by_type.total():
                self.entries[words] = (kind, by_type[kind] / seen[words])

    def tag(self, sentences: Sequence[Sequence[str]], gold: Sequence[Sequence[str]] | None = None) -> list[Tagging]:
        """Tag sentences of words; a span's score is the share of its mentions in train with that type.

        There is no loss: the spans that train never saw have no probability.
        """
        return [self._tag(words) for words in sentences]

    def _tag(self, words: Sequence[str]) -> Tagging:
        found: list[Span] = []
        scores: list[float] = []
        free = 0
        for start, window in self._windows(words):
            if start >= free and window in self.entries:
                kind, score = self.entries[window]
                free = start + len(window)
                found.append(Span(kind, start, free))
                scores.append(score)
        return Tagging(found, scores, None, None, 0)

    def _windows(self, words: Sequence[str]) -> Iterable[tuple[int, tuple[str, ...]]]:
        """Every span up to the longest mention, by its first word, longest first."""
        for start in range(len(words)):
            for end in range(min(start + self.longest, len(words)), start, -1):
                yield start, tuple(words[start:end])
