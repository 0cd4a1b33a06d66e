"""Pushing a model: whole or not at all, only where nothing is lost, and every refusal in one sentence."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from huggingface_hub import constants
from huggingface_hub.utils._http import reset_sessions

from stages.publishing.bundle import Bundle
from stages.publishing.pushing import PushError, check_name, push
from tests.publishing.model_hub import OWNER, READER, ModelHub

REPO = "somebody/a-model"
CARD = b"---\nlicense: cc0-1.0\n---\n# A card\n"


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    weights = tmp_path / "weights"
    weights.write_bytes(b"w" * 3000)
    return {"README.md": CARD, "config.json": b"{}\n", "model.safetensors": weights}


def refused(bundle: Bundle, **options: bool) -> str:
    with pytest.raises(PushError) as error:
        push(bundle, REPO, **options)
    message = str(error.value)
    assert "\n" not in message
    assert "hf_" not in message  # no token
    return message


def test_everything_arrives_in_one_commit(hub: ModelHub, bundle: Bundle) -> None:
    address = push(bundle, REPO)
    assert address == f"{hub.url}/{REPO}/commit/{hub.revision}"
    assert hub.files == {".gitattributes": hub.files[".gitattributes"], "README.md": CARD, "config.json": b"{}\n",
                         "model.safetensors": b"w" * 3000}  # fmt: skip
    assert hub.uploads == [hashlib.sha256(b"w" * 3000).hexdigest()]
    assert len(hub.commits) == 1


def test_a_new_repository_is_private_unless_told_otherwise(hub: ModelHub, bundle: Bundle) -> None:
    push(bundle, REPO)
    assert hub.private is True


def test_a_new_repository_can_be_public(hub: ModelHub, bundle: Bundle) -> None:
    push(bundle, REPO, public=True)
    assert hub.private is False


def test_what_a_repository_holds_stays_unless_told_otherwise(hub: ModelHub, bundle: Bundle) -> None:
    push({**bundle, "old.safetensors": b"o" * 2000}, REPO)
    before = dict(hub.files)
    message = refused({**bundle, "config.json": b"{1}"})
    assert "holds 4 files already" in message
    assert "--replace" in message
    assert hub.files == before


def test_replaced_a_repository_holds_the_new_model_alone(hub: ModelHub, bundle: Bundle) -> None:
    push({**bundle, "old.safetensors": b"o" * 2000}, REPO)
    push({**bundle, "config.json": b"{1}"}, REPO, replace=True)
    assert set(hub.files) == {".gitattributes", *bundle}
    assert hub.files["config.json"] == b"{1}"
    assert hub.commits[-1][1] == ["old.safetensors"]


def test_without_a_token_nothing_is_asked(hub: ModelHub, bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    assert "no token" in refused(bundle)
    assert hub.repo == ""


@pytest.mark.parametrize(
    ("token", "told"),
    [("hf_nobodystoken", "does not know this token"), (READER, "does not let this token write to somebody/a-model")],
)
def test_a_token_that_will_not_do_is_told(
    hub: ModelHub, bundle: Bundle, monkeypatch: pytest.MonkeyPatch, token: str, told: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    assert told in refused(bundle)
    assert not hub.commits


def test_a_reader_may_not_replace_a_model(hub: ModelHub, bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    push(bundle, REPO)
    before = dict(hub.files)
    monkeypatch.setenv("HF_TOKEN", READER)
    assert "does not let this token write" in refused({**bundle, "config.json": b"{1}"}, replace=True)
    assert hub.files == before


def test_a_hub_that_is_down_is_told(hub: ModelHub, bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert "http://127.0.0.1:9 cannot be reached" in refused(bundle)


@pytest.mark.parametrize(("method", "where"), [("PUT", "/lfs/"), ("POST", f"/api/models/{REPO}/commit")])
def test_a_push_that_breaks_off_commits_nothing(hub: ModelHub, bundle: Bundle, method: str, where: str) -> None:
    hub.refuses[method, where] = 507
    message = refused(bundle)
    assert "answers HTTP 507" in message
    assert "nothing was committed" in message
    assert set(hub.files) == {".gitattributes"}
    hub.refuses.clear()
    push(bundle, REPO)  # the same command again
    assert set(hub.files) == {".gitattributes", *bundle}


def test_offline_is_told(hub: ModelHub, bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    reset_sessions()
    assert "HF_HUB_OFFLINE" in refused(bundle)


@pytest.mark.parametrize("name", ["model", "a/b/c", "some body/model", "-x/model", ""])
def test_a_name_that_no_hub_takes_is_refused(name: str) -> None:
    with pytest.raises(PushError, match="--repo"):
        check_name(name)
    check_name(REPO)


def test_the_owners_token_stays_here(hub: ModelHub, bundle: Bundle) -> None:
    push(bundle, REPO)
    assert OWNER.encode() not in b"".join(hub.files.values())
