"""The server as a browser, a script or another site's page meets it."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http import HTTPStatus
from typing import Any

import pytest

from stages.demonstration import page
from stages.demonstration import server as server_module
from stages.demonstration.readers import LIMIT, Reader
from stages.demonstration.server import BODY, JSON, Handler, Server
from stages.errors import UserError
from stages.models.tagging import Tagging
from tests.demonstration.builders import serving
from tests.demonstration.reading import Page


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


def ask(server: Server, method: str, path: str, body: bytes | str | None = None, **headers: str) -> tuple[Any, bytes]:
    """One request on a connection of its own; ``_`` in a header's name is ``-``."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=20)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def post(server: Server, text: object, **headers: str) -> tuple[int, dict[str, str]]:
    headers = {"Content_Type": "application/json", **headers}
    response, body = ask(server, "POST", "/entities", json.dumps({"text": text}), **headers)
    return response.status, json.loads(body)


def test_it_is_bound_to_this_machine_alone(server: Server) -> None:
    assert server.socket.getsockname()[0] == "127.0.0.1"


def test_the_page_comes_with_the_example_read(server: Server) -> None:
    response, body = ask(server, "GET", "/")
    assert response.status == HTTPStatus.OK
    assert Page(body.decode()).texts == [page.EXAMPLE] * 4
    assert "Warsaw" in [text for text, *_ in Page(body.decode()).marks[0]]


@pytest.mark.parametrize("path", ["/", "/page.css", "/page.js"])
def test_every_file_allows_nothing_from_elsewhere_and_nothing_inline(server: Server, path: str) -> None:
    response, body = ask(server, "GET", path)
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; ")
    assert "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    assert not re.search(rb"https?://|<style|style=|\son\w+=", body)


def test_head_is_get_without_the_body(server: Server) -> None:
    response, body = ask(server, "HEAD", "/")
    assert body == b""
    assert int(response.headers["Content-Length"]) == len(ask(server, "GET", "/")[1])


def test_a_text_comes_back_read_by_all_four(server: Server) -> None:
    status, found = post(server, "Marie Curie left \U0001f600 Warsaw.")
    assert status == HTTPStatus.OK
    assert Page(found["html"]).texts == ["Marie Curie left \U0001f600 Warsaw."] * 4
    assert found["summary"].startswith("2 places named: the models agree on 1 and differ on 1.")


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ('{"text": ""}', HTTPStatus.BAD_REQUEST, "no text yet"),
        ('{"text": 5}', HTTPStatus.BAD_REQUEST, "Expected"),
        ('{"words": "a"}', HTTPStatus.BAD_REQUEST, "Expected"),
        ('{"text": "a", "more": 1}', HTTPStatus.BAD_REQUEST, "Expected"),
        ('{"text": "a"', HTTPStatus.BAD_REQUEST, "Expected"),
        ("[" * 5000, HTTPStatus.BAD_REQUEST, "Expected"),
        ('{"text": "\\ud800"}', HTTPStatus.BAD_REQUEST, "Expected"),
        (b'{"text": "\xff"}', HTTPStatus.BAD_REQUEST, "Expected"),
        ("", HTTPStatus.BAD_REQUEST, "Expected"),
        (json.dumps({"text": "a" * (LIMIT + 1)}), HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "3,000 characters"),
        (b"x" * (BODY + 1), HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "3,000 characters"),
        (b"x" * 20_000_000, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "3,000 characters"),
    ],
    ids=range(12),
)
def test_what_is_no_text_is_refused_with_the_reason(
    server: Server, body: bytes | str, status: HTTPStatus, says: str
) -> None:
    response, answer = ask(server, "POST", "/entities", body, Content_Type="application/json")
    assert response.status == status
    assert says in json.loads(answer)["error"]


def test_the_longest_text_fits_however_json_escapes_it(server: Server) -> None:
    status, found = post(server, "\U0001f600 " * (LIMIT // 2))
    assert status == HTTPStatus.OK
    assert Page(found["html"]).texts == ["\U0001f600 " * (LIMIT // 2)] * 4


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "", "[::1]"])
@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("POST", "/entities")])
def test_another_name_for_this_machine_is_refused(server: Server, method: str, path: str, host: str) -> None:
    response, body = ask(server, method, path, '{"text": "a"}', Host=host, Content_Type="application/json")
    assert response.status == HTTPStatus.FORBIDDEN
    assert server.address in json.loads(body)["error"]


def test_localhost_and_a_forwarded_port_are_this_machine(server: Server) -> None:
    for host in ("localhost", "LOCALHOST:9999", "127.0.0.1:1"):
        assert ask(server, "GET", "/", Host=host)[0].status == HTTPStatus.OK


def test_a_page_of_another_site_may_not_ask(server: Server) -> None:
    own = server.address
    assert post(server, "Warsaw", Origin=own)[0] == HTTPStatus.OK
    for origin in ("https://evil.example", "null", own.replace("http:", "https:"), "http://127.0.0.1:1"):
        assert post(server, "Warsaw", Origin=origin)[0] == HTTPStatus.FORBIDDEN
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert post(server, "Warsaw", Content_Type=kind)[0] == HTTPStatus.UNSUPPORTED_MEDIA_TYPE


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE"])
def test_other_methods_are_not_known(server: Server, method: str) -> None:
    assert ask(server, method, "/entities")[0].status == HTTPStatus.NOT_IMPLEMENTED


@pytest.mark.parametrize("path", ["/../demo.py", "/page.html.j2", "/%2e%2e/", "/?x", "/entities"])
def test_nothing_else_is_served(server: Server, path: str) -> None:
    assert ask(server, "GET", path)[0].status == HTTPStatus.NOT_FOUND
    assert ask(server, "POST", path + "/", "{}")[0].status == HTTPStatus.NOT_FOUND


def test_a_body_of_unknown_length_is_refused(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=20)
    connection.putrequest("POST", "/entities")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()  # and no body: the server hangs up without reading it, which may break its sending
    with closing(connection), connection.getresponse() as response:
        assert response.status == HTTPStatus.LENGTH_REQUIRED
        response.read()


def test_twenty_at_once_each_get_their_own_answer(server: Server) -> None:
    texts = [f"Warsaw {i}" for i in range(20)]
    found: dict[str, Any] = {}
    threads = [threading.Thread(target=lambda t=text: found.update({t: post(server, t)})) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {text: Page(made[1]["html"]).texts for text, made in found.items()} == {t: [t] * 4 for t in texts}


class Fragile:
    """A tagger that bears one thread at a time, as the tokenizers of models do, and no word ``break``."""

    types, labels = ("LOC",), ("O", "B-LOC", "I-LOC")

    def __init__(self) -> None:
        self.busy = threading.Lock()

    def tag(self, sentences: Sequence[Sequence[str]], gold: Sequence[Sequence[str]] | None = None) -> list[Tagging]:
        assert self.busy.acquire(blocking=False)
        threading.Event().wait(0.02)
        self.busy.release()
        if "break" in sentences[0]:
            raise RuntimeError("<broken>")
        return [Tagging([], [], None, None, 0) for _ in sentences]


def test_a_model_is_asked_by_one_thread_at_a_time() -> None:
    with serving([Reader("span_marker-A", Fragile())]) as made:
        statuses: list[int] = []
        threads = [threading.Thread(target=lambda: statuses.append(post(made, "a")[0])) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == [200] * 8


def test_a_fault_of_a_model_is_told_and_the_server_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with serving([Reader("span_marker-A", Fragile())]) as made:
        status, found = post(made, "break")
        assert status == HTTPStatus.INTERNAL_SERVER_ERROR
        assert "RuntimeError: <broken>" in found["error"]
        assert post(made, "a")[0] == HTTPStatus.OK
    assert "Traceback" in capsys.readouterr().err


def test_texts_are_not_written_to_the_terminal(server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    post(server, "Marie Curie")
    post(server, "")
    told = capfd.readouterr()
    assert '"POST /entities HTTP/1.1" 400' in told.err
    assert "Curie" not in told.out + told.err


def test_a_connection_that_asks_nothing_disturbs_nobody(
    server: Server, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Handler, "timeout", 0.05)
    with socket.create_connection(server.server_address[:2], timeout=20) as spare:  # as browsers keep one
        assert post(server, "Warsaw")[0] == HTTPStatus.OK
        assert spare.recv(1) == b""
    with socket.create_connection(server.server_address[:2], timeout=20) as gone:
        gone.sendall(b"POST /entities HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n")
        assert gone.recv(1) == b""
    assert capfd.readouterr().err == ""


def test_a_text_whose_asker_has_hung_up_is_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page hangs up on a text when a newer one is asked; the newer one need not wait for it."""
    with serving() as made:
        asked: list[str] = []
        honest = server_module.ask
        monkeypatch.setattr(server_module, "ask", lambda readers, text: asked.append(text) or honest(readers, text))
        with made.turn:
            body = b'{"text": "old"}'
            with socket.create_connection(made.server_address[:2], timeout=20) as gone:
                head = f"POST /entities HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\n"
                gone.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            newer = ThreadPoolExecutor(1).submit(post, made, "new")
        assert newer.result(timeout=20)[0] == HTTPStatus.OK
        assert asked == ["new"]


def test_a_port_that_is_taken_is_named(server: Server) -> None:
    port = server.server_address[1]
    with pytest.raises(UserError, match=rf"port {port}: .*--port"):
        Server(port)
