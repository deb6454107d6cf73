"""An S3 or WebDAV server that does wrong: stands before a real one, and answers some requests otherwise."""

from __future__ import annotations

import hashlib
import http.client
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Callable

from storage import unchunked

ERROR = b"<?xml version='1.0'?><Error><Code>InternalError</Code><Message>We encountered an error</Message></Error>"
_NOT_PASSED_ON = (
    "connection", "content-length", "transfer-encoding", "content-encoding", "content-md5", "expect", "trailer",
    "x-amz-trailer", "x-amz-decoded-content-length", "x-amz-sdk-checksum-algorithm",
)  # fmt: skip


class BadServer:
    """Use it as a context manager. ``fault`` is given method and path of each request and names what is done to it:

    ``500``, ``503``, ``403`` (answered, not passed on), ``200 error`` (success with an error for a body), ``lost``
    (success, nothing is kept), ``short`` and ``flipped`` (other bytes are kept, success for all of them), ``cut``
    (before it is passed on), ``cut after``, ``half`` (the line is cut within the answer), ``hangs`` (no answer until
    the client goes), ``slow``; nothing to pass it on as it is.
    """

    def __init__(self, port: int, fault: Callable[[str, str], str]) -> None:
        self.hits = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                outer._answer(self, port, fault)

            do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = answer
            do_PROPFIND = do_MKCOL = do_MOVE = answer  # WebDAV's

            def log_message(self, *_words: object) -> None:
                """Say nothing."""

        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_request: None  # a client that was cut off, or killed
        self.port = self._server.server_port

    def __enter__(self) -> "BadServer":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, client: BaseHTTPRequestHandler, port: int, fault: Callable[[str, str], str]) -> None:
        body = client.rfile.read(int(client.headers.get("Content-Length") or 0))
        if "aws-chunked" in client.headers.get("Content-Encoding", ""):
            body = unchunked(body)
        what = fault(client.command, client.path)
        self.hits += bool(what)
        etag = f'"{hashlib.md5(body).hexdigest()}"'
        if what in ("500", "503", "403"):
            return _send(client, int(what), {}, ERROR)
        if what in ("200 error", "lost"):
            return _send(client, 200, {"ETag": etag}, ERROR if what == "200 error" else b"")
        if what == "cut":
            return _cut(client)
        if what == "hangs":
            self._over.wait(60)
            return _cut(client)
        if what == "slow":
            time.sleep(0.4)
        kept = body
        if what == "short":
            kept = body[: len(body) // 2]
        elif what == "flipped" and body:
            kept = body[:-1] + bytes([body[-1] ^ 1])
        status, headers, content = _passed_on(client, port, kept)
        if kept is not body and 200 <= status < 300:
            headers["ETag"] = etag
        if what == "cut after":
            return _cut(client)
        if what == "half" and content:
            client.send_response(status)
            for name, value in headers.items():
                client.send_header(name, value)
            client.send_header("Content-Length", str(len(content)))
            client.end_headers()
            client.wfile.write(content[: len(content) // 2])
            return _cut(client)
        return _send(client, status, headers, content)


def _passed_on(client: BaseHTTPRequestHandler, port: int, body: bytes) -> tuple[int, dict, bytes]:
    """What the real server answers: status, headers, body."""
    upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        upstream.putrequest(client.command, client.path, skip_host=True, skip_accept_encoding=True)
        for name, value in client.headers.items():
            if name.lower() not in _NOT_PASSED_ON and not name.lower().startswith("x-amz-checksum"):
                upstream.putheader(name, value)
        if client.command in ("PUT", "POST") or body:
            upstream.putheader("Content-Length", str(len(body)))
        upstream.endheaders(body or None)
        answer = upstream.getresponse()
        content = answer.read()
        headers = {
            name: value
            for name, value in answer.getheaders()
            if name.lower() not in ("connection", "transfer-encoding", "date", "server")
            and (client.command == "HEAD" or name.lower() != "content-length")
        }
        return answer.status, headers, content
    finally:
        upstream.close()


def _send(client: BaseHTTPRequestHandler, status: int, headers: dict, body: bytes) -> None:
    client.send_response(status)
    for name, value in headers.items():
        client.send_header(name, value)
    if "Content-Length" not in headers:
        client.send_header("Content-Length", str(len(body)))
    client.end_headers()
    if client.command != "HEAD":
        client.wfile.write(body)


def _cut(client: BaseHTTPRequestHandler) -> None:
    client.close_connection = True
    client.connection.shutdown(socket.SHUT_RDWR)
