"""The hub's files come whole and right through every fault that passes, and each other fault is told in a sentence."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import socket
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants, hf_hub_download
from huggingface_hub.utils._http import reset_sessions

from stages import download, settings
from stages.cli import clear_errors
from stages.corpus import hub
from stages.corpus.hub import FILES, HubError, fetch
from stages.corpus.labels import SPLITS
from stages.corpus.rows import DataError
from stages.corpus.source import TRUE_ROWS
from tests.corpus.builders import row, tree
from tests.corpus.hub_server import Answer, FakeHub

PROMISE = (
    "5 A download comes whole and right through every fault that passes, and every other fault is one clear sentence"
)
HOW = (
    "the real client against a hub on 127.0.0.1: cut and altered transfers, 429, 5xx, wrong revision, missing file, "
    "gated, no network, a filled cache, the doubled load, wrong numbers of rows"
)
REPO = "Babelscape/multinerd"
REVISION = "2814b78e7af4b5a1f1886fe7ad49632de4d9dd25"
ONE = "val/val_pl.jsonl"
ROOT = Path(__file__).parents[2]


def content(name: str) -> bytes:
    """Forty rows, different in every file, in the language of its name."""
    lang = name[-8:-6]
    rows = [row(f"Word number {i} of {name} é", lang=lang) for i in range(40)]
    return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows).encode()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that were to be waited, in order; nobody waits."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> Iterator[FakeHub]:
    """A hub with MultiNERD's thirty files, which the client of this process asks; an empty cache."""
    for name in ("HF_HUB_CACHE", "HF_TOKEN", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "TRUE_ROWS", dict.fromkeys(SPLITS, 40))
    reset_sessions()
    with FakeHub(REPO, REVISION, {name: content(name) for name in FILES}) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running
    reset_sessions()


def refused(dataset: str = REPO, revision: str = REVISION) -> str:
    with pytest.raises(HubError) as error:
        fetch(dataset, revision)
    assert "\n" not in str(error.value)
    return str(error.value)


def assert_whole(folder: Path) -> None:
    assert {name: (folder / name).read_bytes() for name in FILES} == {name: content(name) for name in FILES}


def test_the_thirty_files_are_named() -> None:
    assert len(set(FILES)) == 30
    assert FILES[0] == "train/train_de.jsonl"
    assert "test/test_zh.jsonl" in FILES


def test_every_file_is_fetched_once_by_name(server: FakeHub, pauses: list[float]) -> None:
    assert_whole(fetch(REPO, REVISION))
    assert {path for _, path, _ in server.requests} == set(FILES)
    assert (server.count("HEAD"), server.count("GET")) == (30, 30)
    assert pauses == []


def test_a_file_outside_lfs_is_checked_by_gits_hash(server: FakeHub) -> None:
    server.plain.add(ONE)
    server.flips[ONE] = 1
    folder = fetch(REPO, REVISION)
    assert_whole(folder)
    assert len((folder / ONE).resolve().name) == 40
    assert server.count("GET", ONE) == 2


def test_a_filled_cache_asks_nothing_of_the_network(server: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch(REPO, REVISION)
    server.requests.clear()
    assert_whole(fetch(REPO, REVISION))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    reset_sessions()
    assert_whole(fetch(REPO, REVISION))
    assert server.requests == []


def test_a_cache_that_the_client_filled_is_as_good(server: FakeHub) -> None:
    for name in FILES:
        hf_hub_download(
            REPO, name, repo_type="dataset", revision=REVISION, cache_dir=hub.cache_folder(), endpoint=server.url
        )
    server.requests.clear()
    assert_whole(fetch(REPO, REVISION))
    assert server.requests == []


def test_only_what_is_missing_is_fetched(server: FakeHub) -> None:
    path = fetch(REPO, REVISION) / ONE
    path.resolve().unlink()
    server.requests.clear()
    assert_whole(fetch(REPO, REVISION))
    assert {what for _, what, _ in server.requests} == {ONE}


def test_a_damaged_file_of_the_cache_is_fetched_again(server: FakeHub, caplog: pytest.LogCaptureFixture) -> None:
    path = (fetch(REPO, REVISION) / ONE).resolve()
    damaged = bytearray(path.read_bytes())
    damaged[100] ^= 1
    path.write_bytes(damaged)
    server.requests.clear()
    assert_whole(fetch(REPO, REVISION))
    assert {what for _, what, _ in server.requests} == {ONE}
    assert f"{ONE}: its hash is {hashlib.sha256(damaged).hexdigest()}" in caplog.text


def test_a_damaged_cache_without_network_is_told(server: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    (fetch(REPO, REVISION) / ONE).resolve().write_bytes(b"")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    reset_sessions()
    assert "is not whole in" in refused()


def test_a_cut_transfer_goes_on_where_it_stopped(server: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 10)  # the client keeps whole chunks; its own are 10 MB
    server.cuts[ONE] = deque([100, 50])
    assert_whole(fetch(REPO, REVISION))
    ranges = [asked for how, what, asked in server.requests if (how, what) == ("GET", ONE)]
    assert ranges == ["", "bytes=100-", "bytes=150-"]


def test_a_transfer_of_an_earlier_run_is_continued(server: FakeHub) -> None:
    blobs = hub.cache_folder() / "datasets--Babelscape--multinerd" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{hashlib.sha256(content(ONE)).hexdigest()}.incomplete").write_bytes(content(ONE)[:77])
    assert_whole(fetch(REPO, REVISION))
    assert ("GET", ONE, "bytes=77-") in server.requests


def test_a_transfer_that_brings_too_much_is_begun_anew(server: FakeHub) -> None:
    server.surplus[ONE] = 1
    assert_whole(fetch(REPO, REVISION))
    assert server.count("GET", ONE) >= 2


def test_a_transfer_that_never_ends_is_given_up(server: FakeHub, pauses: list[float]) -> None:
    server.cuts[ONE] = deque([0] * 1000)
    assert "cannot be reached (ChunkedEncodingError: " in refused()
    assert pauses == list(hub.PAUSES)


def test_a_flipped_byte_is_named_and_fetched_again(server: FakeHub, caplog: pytest.LogCaptureFixture) -> None:
    server.flips[ONE] = 1
    assert_whole(fetch(REPO, REVISION))
    assert server.count("GET", ONE) == 2
    right = content(ONE)
    wrong = bytes([right[0] ^ 1]) + right[1:]
    found, expected = (hashlib.sha256(one).hexdigest() for one in (wrong, right))
    assert f"{ONE}: its hash is {found}, the hub reports {expected}; fetching it again" in caplog.messages


def test_a_file_that_stays_wrong_is_refused_with_both_hashes(server: FakeHub) -> None:
    server.flips[ONE] = 10**9
    message = refused()
    right = content(ONE)
    wrong = bytes([right[0] ^ 1]) + right[1:]
    assert message.startswith(f"{ONE}: its hash is {hashlib.sha256(wrong).hexdigest()}")
    assert f"where the hub reports {hashlib.sha256(right).hexdigest()}" in message
    server.flips.clear()
    assert_whole(fetch(REPO, REVISION))


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_429_is_waited_out_as_long_as_the_hub_asks(server: FakeHub, pauses: list[float], method: str) -> None:
    server.answers[method, ONE] = Answer(429, {"Retry-After": "17"}, times=3)
    assert_whole(fetch(REPO, REVISION))
    assert pauses == [17, 17, 17]


def test_429_without_a_time_is_told_and_tried_after_growing_pauses(
    server: FakeHub, pauses: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    server.answers["HEAD", ONE] = Answer(429, times=4)
    assert_whole(fetch(REPO, REVISION))
    assert pauses == [1, 2, 4, 8]
    assert caplog.messages[:4] == [f"the hub: HTTP 429; next try in {pause} s" for pause in pauses]


def test_429_for_ever_is_given_up(server: FakeHub, pauses: list[float]) -> None:
    server.answers["HEAD", ONE] = Answer(429)
    assert "refuses more requests for now (HTTP 429): wait some minutes" in refused()
    assert pauses == list(hub.PAUSES)
    assert server.count("HEAD", ONE) == len(hub.PAUSES) + 1


def test_a_hub_that_asks_for_hours_is_not_waited_for(server: FakeHub, pauses: list[float]) -> None:
    server.answers["HEAD", ONE] = Answer(429, {"Retry-After": "7200"})
    assert "HTTP 429" in refused()
    assert pauses == []


@pytest.mark.parametrize("method", ["HEAD", "GET"])
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_hub_that_stumbles_is_asked_again(server: FakeHub, pauses: list[float], status: int, method: str) -> None:
    server.answers[method, ONE] = Answer(status, times=5)
    assert_whole(fetch(REPO, REVISION))
    assert pauses == [1, 2, 4, 8, 8]


def test_503_for_ever_is_told(server: FakeHub, pauses: list[float]) -> None:
    server.answers["HEAD", FILES[0]] = Answer(503)
    assert f"answers HTTP 503 for {REPO}, {FILES[0]}: run the stage again later" in refused()
    assert sum(pauses) < 60


def test_an_unknown_revision_is_told_at_once(server: FakeHub, pauses: list[float]) -> None:
    message = refused(revision="0" * 40)
    assert message == f"{REPO} has no revision {'0' * 40}: check hub.revision in params.yaml"
    assert (len(server.requests), pauses) == (1, [])


def test_a_missing_file_is_named(server: FakeHub, pauses: list[float]) -> None:
    del server.files[ONE]
    assert f"{REPO} at {REVISION} holds no {ONE}: check hub.dataset and hub.revision" in refused()
    assert pauses == []


def test_an_unknown_or_private_data_set_is_told(server: FakeHub, pauses: list[float]) -> None:
    message = refused("Babelscape/nothing")
    assert "Babelscape/nothing is no data set on http://127.0.0.1" in message
    assert "or private" in message
    assert "HF_TOKEN" in message
    assert pauses == []


def test_a_gated_data_set_is_told_with_where_to_ask(server: FakeHub, pauses: list[float]) -> None:
    server.answers["HEAD", FILES[0]] = Answer(403, {"X-Error-Code": "GatedRepo"})
    message = refused()
    assert f"{REPO} is gated: ask for access at {server.url}/datasets/{REPO}" in message
    assert pauses == []


def test_a_name_that_can_be_no_data_set_is_told(server: FakeHub) -> None:
    assert "a/b/c" in refused("a/b/c")


def test_no_network_is_told(
    server: FakeHub, monkeypatch: pytest.MonkeyPatch, pauses: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as taken:  # a port that is ours and on which nobody listens
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{taken.getsockname()[1]}")
        message = refused()
    assert "cannot be reached ([Errno 111] Connection refused): check network" in message
    assert "source: directory" in message
    assert 0 < sum(pauses) < 60
    assert "the hub: [Errno 111] Connection refused" in caplog.messages
    assert max(map(len, caplog.messages)) < 100


def test_offline_mode_is_told(server: FakeHub, monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    reset_sessions()
    assert "HF_HUB_OFFLINE forbids to fetch it: unset it" in refused()
    assert (server.requests, pauses) == ([], [])


def test_a_file_in_the_way_of_the_cache_is_told(server: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "hf").write_text("")
    assert "[Errno 20] Not a directory" in refused()


def test_without_links_the_hub_is_asked_for_the_hash(server: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.file_download.are_symlinks_supported", lambda *_: False)
    monkeypatch.setenv("HF_HUB_DISABLE_SYMLINKS_WARNING", "1")
    folder = fetch(REPO, REVISION)
    assert not (folder / ONE).is_symlink()
    server.requests.clear()
    (folder / ONE).write_bytes(b"spoilt")
    assert_whole(fetch(REPO, REVISION))
    assert server.count("GET") == 1


def test_the_cache_is_the_users_or_the_projects(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_CACHE", "HF_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert hub.cache_folder() == Path(".cache/huggingface/hub")
    monkeypatch.setenv("HF_HOME", "/somewhere")
    assert hub.cache_folder() == Path("/somewhere/hub")
    monkeypatch.setenv("HF_HUB_CACHE", "/elsewhere")
    assert hub.cache_folder() == Path("/elsewhere")


def test_another_number_of_rows_than_multinerds_is_refused(server: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "TRUE_ROWS", {**TRUE_ROWS, "train": 40})
    message = refused()
    assert message.startswith(f"val/val_en.jsonl: 40 rows where {REPO} has 16,410 at {REVISION}: {server.url} does not")


@pytest.mark.parametrize("difference", [-1, 1])
def test_one_row_more_or_less_is_refused(server: FakeHub, difference: int) -> None:
    name = "test/test_en.jsonl"
    lines = content(name).splitlines(keepends=True)
    server.files[name] = b"".join([*lines, lines[0]][: len(lines) + difference])
    assert f"{name}: {40 + difference} rows where {REPO} has 40" in refused()


def test_an_empty_file_is_refused(server: FakeHub) -> None:
    server.files["test/test_en.jsonl"] = b""
    with pytest.raises(DataError, match=r"test/test_en.jsonl: holds no sentence"):
        fetch(REPO, REVISION)


def test_other_sizes_at_another_revision_are_told(
    server: FakeHub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hub, "TRUE_ROWS", TRUE_ROWS)
    server.revision = "f" * 40
    with caplog.at_level(logging.WARNING):
        fetch(REPO, server.revision)
    assert "train_en.jsonl: 40 rows where MultiNERD has 131280" in caplog.text
    assert "_de.jsonl" not in caplog.text


def test_the_pinned_revision_is_that_of_params_yaml() -> None:
    chosen = settings.load(ROOT / "params.yaml").hub
    assert (chosen.dataset, chosen.revision) == hub.PINNED == (REPO, REVISION)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project on the profile ``full``; we are in it."""
    folder = tmp_path / "project"
    folder.mkdir()
    params = (ROOT / "params.yaml").read_text()
    (folder / "params.yaml").write_text(params.replace("\nprofile: sample", "\nprofile: full"))
    monkeypatch.chdir(folder)
    return folder


def test_the_stage_writes_the_hubs_rows_canonically(server: FakeHub, project: Path) -> None:
    download.main()
    files = tree(project / "data" / "raw")
    assert set(files) == set(FILES)
    for name in FILES:
        assert [json.loads(line) for line in files[name].splitlines()] == [
            json.loads(line) for line in content(name).splitlines()
        ]
        assert b'","' in files[name]
        assert b'", "' not in files[name]


def test_a_doubled_file_of_the_hub_is_refused_by_name(
    server: FakeHub, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.files["test/test_en.jsonl"] = b'{"tokens": ["a"], "ner_tags": [0], "lang": "en"}\n' * 32_908
    with pytest.raises(SystemExit), clear_errors():
        download.main()
    assert "32,908 rows are twice MultiNERD's 16,454: the known doubled load" in capsys.readouterr().err
    assert set(tree(project)) == {"params.yaml"}


def test_a_stage_that_the_hub_refuses_leaves_the_earlier_rows(
    server: FakeHub, project: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    download.main()
    before = tree(project)
    shutil.rmtree(tmp_path / "hf")
    del server.files[ONE]
    with pytest.raises(SystemExit), clear_errors():
        download.main()
    assert f"holds no {ONE}" in capsys.readouterr().err
    assert tree(project) == before
