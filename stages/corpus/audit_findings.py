"""The known ways in which MultiNERD on a disk is not MultiNERD, each recognised by name."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from stages.corpus.anchors import known_type
from stages.corpus.audit_reading import Part, Sentence
from stages.corpus.labels import TYPES, orphans
from stages.corpus.source import TRUE_ROWS

DOUBLED = 0.9
"""Share of sentences with a copy in their own file from which the file counts as doubled."""

COPIED = 0.01
"""Share of a split with an exact copy in another from which it is a fault; 14,453 sentences of MultiNERD reach .005."""

RUN = 5
"""Neighbouring lines copied in order from which it is a fault, however few they are; chance does not keep an order."""

EXCHANGED = 0.6
"""Share of a type's anchors under one other type from which types count as exchanged; sound data stay under .1."""

ANCHORS = 3
"""Anchors that an exchange needs at least."""

ALONE = 6
"""Anchors that it needs where the other type gives no sign of an exchange."""

FLIPPED_WORDS, FLIPPED_TAGS, FLIPPED_MENTIONS = 0.001, 0.0003, 0.004
"""Rates from which tags count as flipped. Sound data: 0, 0 and .0007; one percent of flips: .005, .005, .01."""

ORPHANS = 0.2
"""Share of I- tags without a beginning from which the scheme is another (IOB1), rather than flipped here and there."""

SETTLED = 5
"""Entities of one mention from which its most frequent type is taken for settled, if it has four fifths of them."""

_FUNCTION = "the of and in to a was is , . that for with by on as are from at his her its ; were had"
FUNCTION_WORDS = frozenset(_FUNCTION.split())
"""Words that are no entity by themselves."""

TNER = {("LOC", "ORG"), ("ORG", "LOC"), ("PLANT", "MYTH"), ("MYTH", "PLANT")}
"""What tner/multinerd's ids mean when they are read as Babelscape's."""

TNER_ONLY = range(31, 35)
"""Ids of tner/multinerd that Babelscape's do not have (SUPER and PHY)."""

CASES = (
    "doubled",
    "cross-split copies",
    "swapped type names",
    "tner label ids",
    "flipped tags",
    "illegal tags",
    "bad rows",
)


class Finding(NamedTuple):
    """One fault: its name (of ``CASES``), the files or splits that have it, the figures, and what to do."""

    fault: str
    where: str
    evidence: str
    way_out: str


def findings(parts: Sequence[Part], copies: Mapping[str, Any]) -> list[Finding]:
    """Every known fault of a directory, each with its evidence; sound data give none.

    - ``doubled``: nine in ten sentences of a file have a copy in it, or its rows are twice the true number.
    - ``cross-split copies``: more than 1 % of a split stands word for word in another, or five lines in order do.
    - ``swapped type names``: mentions of undisputed type (``anchors``) stand under another type, in both directions
      or in numbers. ``tner label ids``: the same, where it is LOC with ORG and PLANT with MYTH.
    - ``flipped tags``: function words tagged as entities, I- tags that continue nothing here and there, or
      settled mentions of other types, more often than annotation errs.
    - ``illegal tags`` and ``bad rows``: any at all.

    Args:
        copies: ``duplicates`` of ``audit.audit``.
    """
    found: list[Finding] = []
    for part in parts:
        found += _doubled(part, copies["exact"]["within"][part.split])
    for name, twins in copies["exact"]["across"].items():
        found += _copied(parts, name, twins)
    found += _exchanged(parts)
    for part in parts:
        found += _flipped(part)
        found += _bad(part)
    return found


def _doubled(part: Part, twins: Mapping[str, Any]) -> list[Finding]:
    rows = len(part.sentences) + len(part.bad)
    copied, true = twins["sentences"], TRUE_ROWS[part.split]
    if rows != 2 * true and not (rows > 1 and copied >= DOUBLED * len(part.sentences) > 0):
        return []
    known = f", twice MultiNERD's {true:,}: the known doubled load of load_dataset" if rows == 2 * true else ""
    evidence = f"{rows:,} rows{known}; {copied:,} of {len(part.sentences):,} sentences have a copy in the same file"
    return [Finding("doubled", part.name, evidence, "take each file by its name, once, and count its rows")]


def _copied(parts: Sequence[Part], name: str, twins: Mapping[str, Any]) -> list[Finding]:
    split = name.split(" in ")[0]
    size = next(len(part.sentences) for part in parts if part.split == split)
    share = twins["sentences"] / max(1, size)
    few = twins["sentences"] < ANCHORS
    if twins["longest_run"] < RUN and (share <= COPIED or few):
        return []
    evidence = (
        f"{twins['sentences']:,} of {size:,} sentences of {split} ({share:.1%}) stand word for word in "
        f"{name.split(' in ')[1]}, up to {twins['longest_run']} lines in a row; first {twins['at'][0]['sentence']} "
        f"= {twins['at'][0]['twin']}"
    )
    return [Finding("cross-split copies", name, evidence, "remove them from train, and score again")]


def _exchanged(parts: Sequence[Part]) -> list[Finding]:
    """Exchanged types by split, told once where several splits have the same."""
    tables = {part.split: _anchor_table(part) for part in parts}
    edges = {split: found for split, table in tables.items() if (found := _edges(table))}
    if not edges:  # rare types show only in all splits together
        tables = {"all splits": _sum(tables.values())}
        edges = {split: found for split, table in tables.items() if (found := _edges(table))}
    unknown = sorted(
        {row.tag_id for part in parts for row in part.bad if row.tag_id is not None and row.tag_id in TNER_ONLY}
    )
    # A split too small to show PLANT and MYTH is known by its neighbour that shows them.
    tner = {s for s, pairs in edges.items() if set(pairs) <= TNER} if any(map(_is_tner, edges.values())) else set()
    if unknown and not tner:
        tner = {split for split, pairs in edges.items() if set(pairs) <= TNER}
    told: list[Finding] = []
    if tner or unknown:
        ids = [f"tag ids {', '.join(map(str, unknown))}, which only tner/multinerd has"] if unknown else []
        text = "; ".join([*(_evidence(split, edges[split], tables) for split in edges if split in tner), *ids])
        where = ", ".join(split for split in edges if split in tner) or "see bad rows"
        way_out = "renumber by name: in tner/multinerd LOC is 3/4, ORG 5/6, PLANT 23/24, MYTH 25/26"
        told.append(Finding("tner label ids", where, text, way_out))
    by_pairs: dict[tuple[tuple[str, str], ...], list[str]] = defaultdict(list)
    for split in edges.keys() - tner:
        by_pairs[edges[split]].append(split)
    for pairs, splits in sorted(by_pairs.items()):
        text = "; ".join(_evidence(split, pairs, tables) for split in tables if split in splits)
        named = ", ".join(f"{x} is named {y}" for x, y in pairs)
        way_out = "exchange the names (or ids) back where the file was made"
        where = ", ".join(split for split in tables if split in splits)
        told.append(Finding("swapped type names", where, f"{named}: {text}", way_out))
    return told


def _evidence(split: str, pairs: Sequence[tuple[str, str]], tables: Mapping[str, Mapping[str, Counter[str]]]) -> str:
    table = tables[split]
    return f"{split}: " + ", ".join(f"{table[x][y]} of {table[x].total()} undisputed {x} are {y}" for x, y in pairs)


def _anchor_table(part: Part) -> dict[str, Counter[str]]:
    """How often anchors of each true type (first key) were given each type."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence in part.sentences:
        for kind, start, end in sentence.entities:
            true = known_type(sentence.tokens[start:end])
            if true:
                table[true][kind] += 1
    return table


def _sum(tables: Iterable[Mapping[str, Counter[str]]]) -> dict[str, Counter[str]]:
    """All tables as one."""
    total: dict[str, Counter[str]] = defaultdict(Counter)
    for table in tables:
        for true, given in table.items():
            total[true] += given
    return total


def _edges(table: Mapping[str, Counter[str]]) -> tuple[tuple[str, str], ...]:
    """Pairs (true type, given type) that are exchanged, in MultiNERD's order."""
    found: dict[str, str] = {}
    for true in TYPES:
        given = table.get(true, Counter[str]())
        for kind, count in given.most_common(1):
            if kind != true and count >= ANCHORS and count >= EXCHANGED * given.total():
                found[true] = kind
    return tuple((x, y) for x, y in found.items() if y in found or table[x][y] >= ALONE)


def _is_tner(pairs: Sequence[tuple[str, str]]) -> bool:
    """LOC and ORG exchanged, PLANT and MYTH too, nothing else."""
    return set(pairs) <= TNER and any("LOC" in pair for pair in pairs) and any("MYTH" in pair for pair in pairs)


def _flipped(part: Part) -> list[Finding]:
    words, tagged = _function_words(part.sentences)
    tags = sum(len(sentence.tags) for sentence in part.sentences)
    inside = sum(tag[0] == "I" for sentence in part.sentences for tag in sentence.tags)
    lost = sum(orphans(sentence.tags) for sentence in part.sentences)
    settled, deviating = _settled(part.sentences)
    signs = []
    if tagged >= ANCHORS and tagged > FLIPPED_WORDS * words:
        signs.append(f"{tagged:,} of {words:,} function words are entities")
    if lost >= ANCHORS and FLIPPED_TAGS * tags < lost < ORPHANS * inside:
        signs.append(f"{lost:,} of {tags:,} tags are an I- that continues nothing")
    if deviating >= ANCHORS and deviating > FLIPPED_MENTIONS * settled:
        signs.append(f"{deviating:,} of {settled:,} entities are not of the settled type of their mention")
    found = []
    if signs:
        text = "; ".join(signs)
        found.append(Finding("flipped tags", part.name, text, "take the file from its source again"))
    if lost:
        text = f"{lost:,} I- tags continue nothing; strict scoring does not count them"
        found.append(Finding("illegal tags", part.name, text, "write B- where an entity begins"))
    return found


def _function_words(sentences: Sequence[Sentence]) -> tuple[int, int]:
    """How many function words there are, and how many of them are an entity of one word."""
    words = tagged = 0
    for sentence in sentences:
        words += sum(word in FUNCTION_WORDS for word in sentence.tokens)
        tagged += sum(
            end - start == 1 and sentence.tokens[start] in FUNCTION_WORDS for _, start, end in sentence.entities
        )
    return words, tagged


def _settled(sentences: Sequence[Sentence]) -> tuple[int, int]:
    """How many entities have a mention of settled type, and how many of them another type."""
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence in sentences:
        for kind, start, end in sentence.entities:
            kinds[" ".join(sentence.tokens[start:end])][kind] += 1
    settled = [c for c in kinds.values() if c.total() >= SETTLED and max(c.values()) >= 0.8 * c.total()]
    return sum(c.total() for c in settled), sum(c.total() - max(c.values()) for c in settled)


def _bad(part: Part) -> list[Finding]:
    if not part.bad:
        return []
    kinds = ", ".join(f"{count:,} × {kind}" for kind, count in Counter(row.kind for row in part.bad).most_common())
    return [Finding("bad rows", part.name, f"{kinds}; first at line {part.bad[0].line}", "mend or delete these lines")]
