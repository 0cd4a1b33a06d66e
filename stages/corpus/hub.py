"""MultiNERD from the Hugging Face hub: thirty files by name, at one revision, each checked by its hash.

``load_dataset`` is not used: some of its versions resolve every file twice, and double the rows.
A filled cache is enough; then nothing is asked of the network.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

import requests
from huggingface_hub import constants, get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import (
    EntryNotFoundError,
    FileMetadataError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from stages.corpus.labels import LANGUAGES, SPLITS
from stages.corpus.source import TRUE_ROWS, check_rows
from stages.errors import UserError

FILES = tuple(f"{split}/{split}_{lang}.jsonl" for split in SPLITS for lang in LANGUAGES)

PINNED = ("Babelscape/multinerd", "2814b78e7af4b5a1f1886fe7ad49632de4d9dd25")
"""The data set and the revision of which we know how many rows there are."""

TRIES = 3
"""How often a file with a wrong hash is looked at: in the cache, fetched, fetched again."""

PAUSES = (1, 2, 4, 8, 16)
"""Seconds before each new try of a call that failed for a passing reason."""

LONGEST_PAUSE = 300
"""Seconds; a hub that asks for more patience (Retry-After) is not waited for."""

_ERRNO = re.compile(r"\[Errno -?\d+\] [\w ]+")
_SHOWN = 200
_BLOCK = 1 << 20

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class HubError(UserError):
    """The data set cannot be had from the hub; says why, and what to do."""


def fetch(dataset: str, revision: str) -> Path:
    """The folder with the thirty files of ``dataset`` at ``revision``, a commit of 40 hex digits.

    Files in the cache whose content has the hash that the hub reported for them are taken as they
    are. The others are fetched: cut transfers go on where they stopped, passing faults are waited
    out, and a file with a wrong hash is fetched again.

    Raises:
        HubError: no such data set, revision or file, no permission, no network, a hub that stays
            busy, a file that stays wrong, or other than MultiNERD's number of rows at its pinned revision.
        DataError: MultiNERD's English rows twice over, or none.
    """
    for name in FILES:
        try:
            with _brief_client():
                path = _fetch_file(dataset, revision, name)
        except (OSError, HFValidationError) as error:
            raise HubError(_explain(error, dataset, revision, name)) from error
    folder = path.parent.parent
    _check_sizes(folder, dataset, revision)
    return folder


def cache_folder() -> Path:
    """The hub client's cache: of ``HF_HUB_CACHE`` or ``HF_HOME`` where set, else inside the project."""
    if "HF_HUB_CACHE" in os.environ:
        return Path(os.environ["HF_HUB_CACHE"]).expanduser()
    return Path(os.environ.get("HF_HOME") or ".cache/huggingface").expanduser() / "hub"


def digest(path: Path, like: str) -> str:
    """The file's hash of the same kind as ``like``: SHA-256 (LFS, 64 digits) or git's SHA-1 (40 digits)."""
    found = hashlib.sha256() if len(like) == 64 else hashlib.sha1(b"blob %d\0" % path.stat().st_size)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def _fetch_file(dataset: str, revision: str, name: str) -> Path:
    """One file in the cache, its content as the hub reports it."""
    path = _cached(dataset, revision, name)
    for _ in range(TRIES):
        path = path or Path(_patiently(lambda: _download(dataset, revision, name)))
        expected = _reported(dataset, revision, name, path)
        found = digest(path, expected)
        if found == expected:
            return path
        _log.warning("%s: its hash is %s, the hub reports %s; fetching it again", name, found, expected)
        path.resolve().unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        path = None
    raise HubError(
        f"{name}: its hash is {found} where the hub reports {expected}, {TRIES} times over; "
        "something between here and the hub alters files: try another network, or another HF_ENDPOINT"
    )


def _cached(dataset: str, revision: str, name: str) -> Path | None:
    """Where the cache holds the file, if it does."""
    found = try_to_load_from_cache(dataset, name, cache_folder(), revision, repo_type="dataset")
    return Path(found) if isinstance(found, str) else None


def _reported(dataset: str, revision: str, name: str, path: Path) -> str:
    """The hash that the hub reports for a file: of its content in LFS, or git's for a small one.

    The client keeps the content under that hash and links to it, so that no network is needed to
    know it; where links are impossible the hub is asked.
    """
    if path.is_symlink():
        return path.resolve().name
    url = hf_hub_url(dataset, name, repo_type="dataset", revision=revision, endpoint=_endpoint())
    return str(_patiently(lambda: get_hf_file_metadata(url)).etag)


def _download(dataset: str, revision: str, name: str, afresh: bool = False) -> str:
    """The client's download; what an earlier one left is continued, or dropped where it is longer than the file."""
    try:
        return hf_hub_download(
            dataset,
            name,
            repo_type="dataset",
            revision=revision,
            cache_dir=cache_folder(),
            endpoint=_endpoint(),
            force_download=afresh,
        )
    except HfHubHTTPError as error:
        if afresh or _status(error) != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        return _download(dataset, revision, name, afresh=True)


def _endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", constants.ENDPOINT).rstrip("/")


def _patiently(call: Callable[[], _T]) -> _T:
    """``call()``, tried again after growing pauses while it fails for a passing reason."""
    for pause in PAUSES:
        try:
            return call()
        except OSError as error:
            wait = _patience(_cause(error), pause)
            if wait is None:
                raise
            _log.warning("the hub: %s; next try in %d s", _in_brief(_cause(error)), wait)
            time.sleep(wait)
    return call()


def _cause(error: BaseException) -> BaseException:
    """The client's "not in the cache either" hides what went wrong before; this is what did."""
    return error.__cause__ if isinstance(error, LocalEntryNotFoundError) and error.__cause__ else error


def _status(error: BaseException) -> int | None:
    response = getattr(error, "response", None)
    return None if response is None else int(response.status_code)


def _patience(error: BaseException, pause: int) -> int | None:
    """Seconds to wait before the next try; None where waiting is no use.

    The client itself waits out lost connections and a stumbling hub (5xx), 23 s in all; not a hub
    that asks for patience, nor a transfer that ends early.
    """
    if _status(error) == HTTPStatus.TOO_MANY_REQUESTS:
        asked = error.response.headers.get("Retry-After", "")  # type: ignore[attr-defined]
        wait = max(pause, int(asked)) if asked.isdecimal() else pause
        return wait if wait <= LONGEST_PAUSE else None
    cut = isinstance(error, requests.exceptions.ChunkedEncodingError) or "Consistency check failed" in str(error)
    return pause if cut else None


def _in_brief(error: BaseException) -> str:
    status = _status(error)
    return f"HTTP {status}" if status else _shortened(f"{type(error).__name__}: {error}")


def _shortened(text: str) -> str:
    """The system's error in ``text``, where there is one, else its beginning."""
    reason = _ERRNO.search(text)
    return reason[0] if reason else text[:_SHOWN]


@contextmanager
def _brief_client() -> Iterator[None]:
    """Cut the client's warnings, which repeat each failed call in full, to what went wrong."""

    def shorten(record: logging.LogRecord) -> bool:
        record.msg, record.args = f"the hub: {_shortened(record.getMessage())}", ()
        return True

    client = logging.getLogger("huggingface_hub.utils._http")
    client.addFilter(shorten)
    try:
        yield
    finally:
        client.removeFilter(shorten)


def _explain(error: BaseException, dataset: str, revision: str, name: str) -> str:
    """One sentence for a person: what is wrong and what to do."""
    cause = _cause(error)
    status = _status(cause)
    access = f"log in with `hf auth login`, or set HF_TOKEN to a token that may read {dataset}"
    offline = "or choose a profile with source: directory"
    if isinstance(cause, GatedRepoError):
        return f"{dataset} is gated: ask for access at {_endpoint()}/datasets/{dataset}, then {access}"
    if isinstance(cause, RepositoryNotFoundError) or status in (401, 403):
        return f"{dataset} is no data set on {_endpoint()}, or private: check hub.dataset in params.yaml, or {access}"
    if isinstance(cause, RevisionNotFoundError):
        return f"{dataset} has no revision {revision}: check hub.revision in params.yaml"
    if isinstance(cause, EntryNotFoundError):
        return f"{dataset} at {revision} holds no {name}: check hub.dataset and hub.revision in params.yaml"
    if isinstance(cause, OfflineModeIsEnabled):
        return f"{dataset} is not whole in {cache_folder()} and HF_HUB_OFFLINE forbids to fetch it: unset it, {offline}"
    if status == 429:
        return f"{_endpoint()} refuses more requests for now (HTTP 429): wait some minutes and run the stage again"
    if status:
        return f"{_endpoint()} answers HTTP {status} for {dataset}, {name}: run the stage again later, {offline}"
    if isinstance(cause, requests.RequestException | FileMetadataError):
        return (
            f"{_endpoint()} cannot be reached ({_in_brief(cause)}): check network, proxies and HF_ENDPOINT, {offline}"
        )
    return f"{dataset}, {name}: {_in_brief(cause)}"


def _check_sizes(folder: Path, dataset: str, revision: str) -> None:
    """Refuse English files that have not MultiNERD's true number of rows; warn where it is another data set."""
    for split, rows in TRUE_ROWS.items():
        name = f"{split}/{split}_en.jsonl"
        with (folder / name).open("rb") as file:
            found = sum(1 for _ in file)
        check_rows(name, split, found)
        if found != rows and (dataset, revision) == PINNED:
            raise HubError(
                f"{name}: {found:,} rows where {dataset} has {rows:,} at {revision}: "
                f"{_endpoint()} does not hold what it should; check HF_ENDPOINT"
            )
        if found != rows:
            _log.warning("%s: %d rows where MultiNERD has %d; published figures do not compare", name, found, rows)
