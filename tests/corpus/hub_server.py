"""A small Hugging Face hub on 127.0.0.1, with faults to order, for the real client to talk to.

It speaks the part of the protocol that ``hf_hub_download`` uses: HEAD and GET of
``/datasets/{repo}/resolve/{revision}/{path}``, answered with a redirect to the content and the
``X-Repo-Commit``, ``X-Linked-Etag`` and ``X-Linked-Size`` headers, and ranges of the content.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self


@dataclass
class Answer:
    """What the hub says instead of the file: a status, headers, and how often before it is well again."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 10**9


class FakeHub:
    """One data set of ``files`` (path: content) at ``revision``; use as a context manager.

    Attributes:
        answers: what the next requests for a path (of ``HEAD`` or ``GET``) get instead of the file.
        cuts: for a path, after how many bytes each next transfer of it breaks off.
        flips: for a path, in how many next transfers one byte is wrong.
        surplus: for a path, in how many next transfers bytes follow that do not belong to it.
        plain: paths of files that do not lie in LFS, and are known by git's hash alone.
        requests: every request so far: method, path in the data set, and range asked for.
    """

    def __init__(self, repo: str, revision: str, files: dict[str, bytes]) -> None:
        self.repo, self.revision, self.files = repo, revision, files
        self.answers: dict[tuple[str, str], Answer] = {}
        self.cuts: dict[str, deque[int]] = {}
        self.flips: dict[str, int] = {}
        self.surplus: dict[str, int] = {}
        self.plain: set[str] = set()
        self.requests: list[tuple[str, str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def handler(self) -> type[BaseHTTPRequestHandler]:
        """What answers a request."""
        return _handler(self)

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def count(self, method: str, path: str = "") -> int:
        """How many requests of ``method`` there were (for ``path``, where it is given)."""
        return sum(1 for how, what, _ in self.requests if how == method and path in ("", what))

    def spent(self, faults: dict[str, int], path: str) -> bool:
        """Whether a fault is due for this transfer of ``path``; takes one off."""
        faults[path] = faults.get(path, 0) - 1
        return faults[path] >= 0


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer("HEAD")

        def do_GET(self) -> None:
            self._answer("GET")

        def _answer(self, method: str) -> None:
            found = re.fullmatch(r"/(?:datasets/(.+)/resolve/([^/]+)|cdn)/(.+)", self.path)
            repo, revision, path = found.groups() if found else (None, None, "")
            hub.requests.append((method, path, self.headers.get("Range", "")))
            ordered = hub.answers.get((method, path))
            if ordered and ordered.times:
                ordered.times -= 1
                return self._say(ordered.status, ordered.headers)
            if self.path.startswith("/cdn/"):
                return self._content(path)
            if repo != hub.repo:
                return self._say(401, {"X-Error-Code": "RepoNotFound"})
            if revision != hub.revision:
                return self._say(404, {"X-Error-Code": "RevisionNotFound"})
            if path not in hub.files:
                return self._say(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": hub.revision})
            content = hub.files[path]
            if path in hub.plain:
                etag = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
                headers = {"X-Repo-Commit": hub.revision, "ETag": f'"{etag}"', "Content-Length": str(len(content))}
                return self._say(200, headers) if method == "HEAD" else self._content(path)
            headers = {
                "X-Repo-Commit": hub.revision,
                "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"',
                "X-Linked-Size": str(len(content)),
                "Location": f"{hub.url}/cdn/{path}",
            }
            return self._say(302, headers)

        def _content(self, path: str) -> None:
            content, start = hub.files[path], 0
            asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            if asked:
                start = int(asked[1])
                if start >= len(content):
                    return self._say(416, {"Content-Range": f"bytes */{len(content)}"})
            if hub.spent(hub.flips, path):
                content = bytes([content[0] ^ 1]) + content[1:]
            if hub.spent(hub.surplus, path):
                content += b"more than there is"
            body = content[start:]
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")  # or the client may ask again on a connection that is going
            if asked:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            cuts = hub.cuts.get(path)
            self.wfile.write(body[: cuts.popleft()] if cuts else body)

        def _say(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the tests' output clean."""

    return Handler
