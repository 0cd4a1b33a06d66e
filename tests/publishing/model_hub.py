"""A hub on 127.0.0.1 that takes models too, from the real client.

It speaks what ``HfApi.create_repo`` and ``create_commit`` use: the token of each request, ``/api/repos/create``, the
list of files, the check of the card's head, ``preupload``, git-LFS's batch with its upload and verification, and the
commit as JSON lines, which is taken whole or not at all. What was committed can be fetched again as from ``FakeHub``.
"""

# ruff: noqa: N802 (the handler's methods are named as http.server asks)
from __future__ import annotations

import base64
import hashlib
import json
import re
from http.server import BaseHTTPRequestHandler
from typing import Any

from ruamel.yaml import YAML

from tests.corpus.hub_server import FakeHub

OWNER = "hf_theownerstoken"
READER = "hf_areaderstoken"


class ModelHub(FakeHub):
    """A hub of one model repository, which is not there before it is created.

    Attributes:
        private: whether the repository was created so.
        commits: of each commit its summary and what it deleted.
        uploads: SHA-256 of each content that went to the LFS store, in order.
        refuses: (method, beginning of a path) and the status that such requests get.
    """

    def __init__(self) -> None:
        super().__init__("", "0" * 40, {})
        self.private: bool | None = None
        self.commits: list[tuple[str, list[str]]] = []
        self.uploads: list[str] = []
        self.store: dict[str, bytes] = {}
        self.refuses: dict[tuple[str, str], int] = {}

    def handler(self) -> type[BaseHTTPRequestHandler]:
        return _handler(self, super().handler())

    def commit(self, lines: list[dict[str, Any]]) -> str:
        """Take a commit's lines all at once; the name of the new revision."""
        files, plain, deleted = dict(self.files), set(self.plain), []
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
                plain.add(value["path"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.store[value["oid"]]
                plain.discard(value["path"])
            elif line["key"] == "deletedFile":
                del files[value["path"]]
                deleted.append(value["path"])
        self.files, self.plain = files, plain
        self.revision = hashlib.sha1(json.dumps(lines).encode()).hexdigest()
        self.commits.append((lines[0]["value"]["summary"], deleted))
        return self.revision


def _handler(hub: ModelHub, base: Any) -> type[BaseHTTPRequestHandler]:
    class Handler(base):  # type: ignore[misc]
        def do_GET(self) -> None:
            if not self._refused("GET") and not self._api():
                self._files()
                super().do_GET()

        def do_HEAD(self) -> None:
            if not self._refused("HEAD"):
                self._files()
                super().do_HEAD()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self._refused("POST") or self._stranger():
                return None
            if self.path == "/api/repos/create":
                return self._create(json.loads(body))
            if self.path == "/api/validate-yaml":
                head = json.loads(body)["content"].split("---")[1]
                return self._json(200, {"errors": [], "warnings": []} if YAML().load(head)["license"] else {})
            if self.path.endswith("/preupload/main"):
                return self._modes(json.loads(body)["files"])
            if self.path == f"/{hub.repo}.git/info/lfs/objects/batch":
                return self._batch(json.loads(body)["objects"])
            if self.path == "/lfs/verify":
                asked = json.loads(body)
                return self._json(200 if len(hub.store[asked["oid"]]) == asked["size"] else 422, {})
            if self.path == f"/api/models/{hub.repo}/commit/main":
                revision = hub.commit([json.loads(line) for line in body.splitlines()])
                url = f"{hub.url}/{hub.repo}/commit/{revision}"
                return self._json(200, {"success": True, "commitOid": revision, "commitUrl": url})
            return self._json(404, {"error": f"no such endpoint: {self.path}"})

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self._refused("PUT"):
                return
            found = hashlib.sha256(body).hexdigest()
            hub.uploads.append(found)
            hub.store[found] = body
            self._json(200, {})

        def _api(self) -> bool:
            """Answer what is asked of the repository itself, or of a folder of it, which it has none of."""
            place, _, options = self.path.partition("?")
            if hub.repo and place == f"/api/models/{hub.repo}":
                self._json(200, {"id": hub.repo, "sha": hub.revision, "siblings": []})
            elif hub.repo and place == f"/api/models/{hub.repo}/tree/main" and "recursive=True" in options:
                files = sorted(hub.files.items())
                self._json(200, [{"type": "file", "path": f, "oid": "", "size": len(c)} for f, c in files])
            elif place.startswith("/api/"):
                missing = "EntryNotFound" if "/tree/" in place else "RepoNotFound"
                self._json(404, {"error": "not found"}, {"X-Error-Code": missing})
            else:
                return False
            return True

        def _files(self) -> None:
            """A model's address as the data set's that the base knows, its newest revision by name."""
            found = re.fullmatch(r"/([\w.-]+/[\w.-]+)/resolve/([^/]+)/(.+)", self.path)
            if found:
                revision = hub.revision if found[2] == "main" else found[2]
                self.path = f"/datasets/{found[1]}/resolve/{revision}/{found[3]}"

        def _refused(self, method: str) -> bool:
            for (how, where), status in hub.refuses.items():
                if how == method and self.path.startswith(where):
                    self._json(status, {"error": "Internal trouble"})
                    return True
            return False

        def _stranger(self) -> bool:
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            if token not in (OWNER, READER):
                message = "Invalid credentials in Authorization header"
                self._json(401, {"error": message}, {"X-Error-Message": message})
            elif token == READER and not self.path.startswith("/api/validate-yaml"):
                self._json(403, {"error": "You don't have the rights to create a model under this namespace"})
            else:
                return False
            return True

        def _create(self, asked: dict[str, Any]) -> None:
            name = f"{asked['organization']}/{asked['name']}"
            if name == hub.repo:
                return self._json(409, {"error": "You already created this model repo", "url": f"{hub.url}/{name}"})
            hub.repo, hub.private, hub.files = name, asked.get("private"), {".gitattributes": b"*.safetensors lfs\n"}
            hub.plain = {".gitattributes"}
            return self._json(200, {"url": f"{hub.url}/{name}", "name": name})

        def _modes(self, files: list[dict[str, Any]]) -> None:
            modes = [
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if file["path"].endswith(".safetensors") else "regular",
                    "shouldIgnore": False,
                }
                for file in files
            ]
            self._json(200, {"files": modes})

        def _batch(self, objects: list[dict[str, Any]]) -> None:
            answers = [
                {
                    **asked,
                    "actions": {
                        "upload": {"href": f"{hub.url}/lfs/{asked['oid']}", "header": {}},
                        "verify": {"href": f"{hub.url}/lfs/verify", "header": {}},
                    },
                }
                for asked in objects
            ]
            self._json(200, {"transfer": "basic", "objects": answers})

        def _json(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            for name, text in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, text)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    return Handler
