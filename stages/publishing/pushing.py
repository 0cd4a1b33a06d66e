"""A bundle of files to a model repository of a hub, in one commit; what can go wrong, each in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import requests
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, constants, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled, RepositoryNotFoundError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

from stages.errors import UserError
from stages.publishing.bundle import Bundle

LOG_IN = "log in with `hf auth login`, or set HF_TOKEN, with a token that may write"

OWN_FILES = {".gitattributes"}
"""What a hub puts into a fresh repository itself."""


class PushError(UserError):
    """A model that cannot be pushed; says why, and what to do."""


def check_name(repo: str) -> None:
    """Do nothing where ``repo`` is ``user/name`` as a hub allows it.

    Raises:
        PushError: it is not.
    """
    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise PushError(f"--repo {repo!r}: {str(error).splitlines()[0]}") from None
    if repo.count("/") != 1:
        raise PushError(f"--repo {repo!r}: give your user's or organisation's name too: user/{repo}")


def push(bundle: Bundle, repo: str, public: bool = False, replace: bool = False) -> str:
    """Make ``repo`` hold ``bundle`` and nothing else; returns the commit's address.

    A repository that is not there is created, private unless ``public``. Files come in one commit: others see all of
    them or none. With ``replace`` what the repository held before goes in that commit (its history stays).

    Raises:
        PushError: no token, a wrong one, or one that may not write there; a repository that holds something, without
            ``replace``; a hub that cannot be reached, or refuses.
    """
    token = get_token()
    if token is None:
        raise PushError(f"no token for {constants.ENDPOINT}: {LOG_IN}")
    hub = HfApi(token=token)
    with _telling(repo):
        hub.create_repo(repo, private=not public, exist_ok=True)
        held = set(hub.list_repo_files(repo)) - OWN_FILES
        if held and not replace:
            raise PushError(
                f"{constants.ENDPOINT}/{repo} holds {len(held)} files already ({min(held)}, …): choose another --repo, "
                "or give --replace to put this model in their place"
            )
        operations: list[CommitOperationAdd | CommitOperationDelete] = [
            CommitOperationAdd(path_in_repo=name, path_or_fileobj=content) for name, content in bundle.items()
        ]
        operations += [CommitOperationDelete(path_in_repo=name) for name in sorted(held - bundle.keys())]
        return str(hub.create_commit(repo, operations, commit_message="Model with its card").commit_url)


@contextmanager
def _telling(repo: str) -> Iterator[None]:
    """Turn what the client raises into one sentence.

    Raises:
        PushError: the body could not push.
    """
    try:
        yield
    except UserError:
        raise
    except (OSError, RuntimeError, ValueError) as error:
        raise PushError(_explain(error, repo)) from error


def _explain(error: BaseException, repo: str) -> str:
    while isinstance(error, RuntimeError) and error.__cause__:  # "error while uploading": what lies behind it tells
        error = error.__cause__
    response = getattr(error, "response", None)
    status = None if response is None else response.status_code
    hub = constants.ENDPOINT
    if isinstance(error, OfflineModeIsEnabled):
        return f"HF_HUB_OFFLINE forbids to reach {hub}: unset it to push"
    if isinstance(error, RepositoryNotFoundError):
        return f"{hub} has no place {repo}, or this token may not see it: check --repo and the token"
    if status == HTTPStatus.UNAUTHORIZED:
        return f"{hub} does not know this token: {LOG_IN} ({hub}/settings/tokens makes one)"
    if status == HTTPStatus.FORBIDDEN:
        return f"{hub} does not let this token write to {repo}: take one that may, or another --repo"
    if status:
        said = f" ({error.server_message})" if isinstance(error, HfHubHTTPError) and error.server_message else ""
        return f"{hub} answers HTTP {status}{said} for {repo}: nothing was committed; push again later"
    if isinstance(error, requests.RequestException):
        reason = type(error).__name__
        return f"{hub} cannot be reached ({reason}): check network, proxies and HF_ENDPOINT; nothing was committed"
    return f"{hub} could not take {repo}: {str(error).splitlines()[0]}"
