"""Files of ten languages, and two ways through them that must write the same bytes."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import datasets
import pytest

from stages.benchmark.multilingual import STRAYS, WAYS, Pass, check_equal, digests, make
from stages.corpus.labels import LANGUAGES, TAGS, bio, spans
from stages.corpus.rows import read_rows
from stages.errors import UserError


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20,000 rows: enough for strays in the files of train."""
    folder = tmp_path_factory.mktemp("made") / "source"
    assert make(folder, 20_000) == 20_000
    return folder


@pytest.fixture(scope="module")
def written(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder that each way filled."""
    folders = {}
    datasets.disable_progress_bars()
    for name, way in WAYS.items():
        folders[name] = tmp_path_factory.mktemp("way")
        way(source, folders[name])
    datasets.enable_progress_bars()
    return folders


def test_rows_are_of_ten_languages_some_in_the_wrong_file_and_tags_stay_legal(source: Path) -> None:
    langs: Counter[str] = Counter()
    strays = 0
    for path in source.glob("*/*.jsonl"):
        for row in read_rows(path):
            langs[row.lang] += 1
            strays += not path.stem.endswith(row.lang)
            tags = [TAGS[tag] for tag in row.ner_tags]
            assert bio(spans(tags), len(tags)) == tags
    assert set(langs) == set(LANGUAGES)
    assert min(langs.values()) > 1900
    assert 0 < strays <= 20_000 / STRAYS


def test_the_same_seed_makes_the_same_files(source: Path, tmp_path: Path) -> None:
    for name, seed in (("same", 0), ("other", 1)):
        make(tmp_path / name, 1000, seed=seed)
    make(tmp_path / "again", 1000, seed=0)
    same, other, again = ((tmp_path / name / "val/val_en.jsonl").read_bytes() for name in ("same", "other", "again"))
    assert same == again != other


def test_every_way_writes_the_same_bytes(written: dict[str, Path]) -> None:
    ours, *others = (digests(folder) for folder in written.values())
    assert len(ours) == 9
    for other in others:
        check_equal(ours, other, "it")
    assert len(set(ours.values())) == 6, "A is English as it is, B is not"


def test_a_way_that_goes_by_file_names_is_found_out(source: Path, written: dict[str, Path]) -> None:
    ours = digests(written["stages"])
    by_name = hashlib.sha256((source / "train/train_en.jsonl").read_bytes()).hexdigest()
    with pytest.raises(UserError, match=r"^english/train.jsonl: not the bytes that it wrote"):
        check_equal(ours, ours | {"english/train.jsonl": by_name}, "it")


def test_one_changed_tag_fails_the_row(written: dict[str, Path]) -> None:
    ours = digests(written["stages"])
    path = written["datasets"] / "B/test.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"[0,", b"[1,", 1))
    with pytest.raises(UserError, match=r"^B/test.jsonl: not the bytes that datasets wrote"):
        check_equal(ours, digests(written["datasets"]), "datasets")
    path.write_bytes(whole)


def test_a_pass_leaves_nothing_behind_and_tells_what_it_wrote(
    source: Path, written: dict[str, Path], tmp_path: Path
) -> None:
    one = Pass("stages", source, source, tmp_path, 20_000)
    assert one.run() > 0
    assert one.facts() == {"sentences": 20_000, "digests": digests(written["stages"])}
    assert not list(tmp_path.iterdir())
