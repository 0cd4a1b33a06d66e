"""The page over HTTP, for this machine alone: bound to 127.0.0.1, and deaf to pages of other sites."""

from __future__ import annotations

import re
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import msgspec

from stages.demonstration import page
from stages.demonstration.readers import LIMIT, TOO_LONG, Reader, ask
from stages.errors import UserError

ADDRESS = "127.0.0.1"
BODY = 12 * LIMIT + 1024
"""Bytes of a request: a character beyond U+FFFF is twelve when JSON escapes it."""

DISCARDED = 100_000_000
"""Bytes that are read and thrown away, so that whoever sends too much can read the answer."""

OURS = re.compile(r"(127\.0\.0\.1|localhost)(:\d{1,5})?", re.IGNORECASE)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
JSON = "application/json"


class Question(msgspec.Struct, forbid_unknown_fields=True):
    """What the page asks."""

    text: str


class Content(NamedTuple):
    """What is sent back, and its media type."""

    body: bytes
    kind: str


class RefusedError(Exception):
    """A request that is not answered: the status and, as message, why."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class Server(ThreadingHTTPServer):
    """The page: bound when made, filled by :meth:`show`, served from ``serve_forever`` to ``server_close``."""

    daemon_threads = True
    request_queue_size = 64
    readers: Sequence[Reader] = ()
    files: Mapping[str, Content] = {}
    turn: threading.Lock

    def __init__(self, port: int) -> None:
        """Bind to ``port`` of 127.0.0.1; 0 is any that is free.

        Raises:
            UserError: the port is taken, or may not be used.
        """
        self.turn = threading.Lock()
        try:
            super().__init__((ADDRESS, port), Handler)
        except OSError as error:
            raise UserError(f"port {port}: {error.strerror}; give another with --port") from None

    def show(self, readers: Sequence[Reader]) -> None:
        """Let ``readers`` answer from now on, first of all for the example, with which the page opens."""
        ask(readers, page.EXAMPLE)  # the first time is slow: libraries load and memory is fetched
        whole = page.whole(page.EXAMPLE, ask(readers, page.EXAMPLE))
        self.readers = readers
        self.files = {
            "/": Content(whole.encode(), "text/html; charset=utf-8"),
            "/page.css": Content(page.style().encode(), "text/css; charset=utf-8"),
            "/page.js": Content(page.script().encode(), "text/javascript; charset=utf-8"),
        }

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://{ADDRESS}:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle is no error; everything else is told."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """GET of the page and its two files, POST of ``{"text"}`` to ``/entities``."""

    server: Server
    timeout = 30

    def do_GET(self) -> None:
        """The page, its style, its script."""
        self._reply(self._file)

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        """The entities of a text, as HTML inside JSON."""
        self._reply(self._entities)

    def _reply(self, find: Callable[[], Content]) -> None:
        try:
            self._check_origin()
            status, content = HTTPStatus.OK, find()
        except RefusedError as refused:
            status, content = refused.status, _fault(str(refused))
        except (ConnectionError, TimeoutError):
            raise  # whoever asked is gone
        except Exception as error:
            traceback.print_exc()
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            content = _fault(f"The server failed ({type(error).__name__}: {error}); more stands in its terminal.")
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Type": content.kind, "Content-Length": str(len(content.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content.body)

    def _check_origin(self) -> None:
        """Another site's page may reach this address through a name of its own (DNS rebinding), or post to it."""
        hosts = self.headers.get_all("Host") or []
        if len(hosts) != 1 or not OURS.fullmatch(hosts[0]):
            raise RefusedError(HTTPStatus.FORBIDDEN, f"Open this page as {self.server.address}, not by another name.")
        if self.headers.get("Origin", f"http://{hosts[0]}") != f"http://{hosts[0]}":
            raise RefusedError(HTTPStatus.FORBIDDEN, "Pages of other sites may not ask here.")

    def _file(self) -> Content:
        found = self.server.files.get(self.path)
        if found is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"There is no such page; the only one is {self.server.address}/")
        return found

    def _entities(self) -> Content:
        body = self._body()
        if self.path != "/entities":
            raise RefusedError(HTTPStatus.NOT_FOUND, 'Texts go to /entities, as {"text": "..."}.')
        if self.headers.get_content_type() != JSON:
            raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send the text as {JSON}.")
        try:
            text = msgspec.json.decode(body, type=Question).text
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f'Expected {{"text": "..."}}: {error}.') from None
        try:
            with self.server.turn:  # one text at a time has the cores
                self._check_presence()
                answers = ask(self.server.readers, text)
        except UserError as error:
            status = HTTPStatus.BAD_REQUEST if len(text) <= LIMIT else HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            raise RefusedError(status, str(error)) from None
        return Content(msgspec.json.encode(page.results(text, answers)), JSON)

    def _check_presence(self) -> None:
        """Whoever typed on while another text was answered has hung up, and waits for the newer answer.

        Raises:
            ConnectionAbortedError: the other end is closed.
        """
        self.connection.setblocking(False)
        try:
            if self.connection.recv(1, socket.MSG_PEEK) == b"":
                raise ConnectionAbortedError
        except BlockingIOError:
            pass  # it waits
        finally:
            self.connection.settimeout(self.timeout)

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch(r"[0-9]{1,15}", length):
            raise RefusedError(HTTPStatus.LENGTH_REQUIRED, "Send a Content-Length.")
        if int(length) > BODY:
            left = min(int(length), DISCARDED)
            while left and (some := self.rfile.read(min(left, 1 << 16))):
                left -= len(some)
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LONG)
        return self.rfile.read(int(length))

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Tell the terminal of refusals only; no text is written anywhere."""
        if int(code) >= HTTPStatus.BAD_REQUEST:
            super().log_request(code, size)

    def log_error(self, format: str, *args: Any) -> None:
        """Nothing: refusals are told above, and a browser's spare connection that times out is no error."""


def _fault(message: str) -> Content:
    return Content(msgspec.json.encode({"error": message}), JSON)
