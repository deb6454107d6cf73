"""Real counterparts for what a run sends: an SMTP server and an HTTP server that keep what they receive."""

from __future__ import annotations

import email
import email.policy
import json
import socket
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller


@dataclass(frozen=True)
class Request:
    """One HTTP request: method, path with query, body."""

    method: str
    path: str
    body: str

    @property
    def document(self) -> dict:
        return json.loads(self.body)


class HttpSink:
    """Answers every request with ``status``, or not at all while ``hangs``."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.status = 200
        self.hangs = False
        self._released = threading.Event()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode("utf-8")
                sink.requests.append(Request(self.command, self.path, body))
                if sink.hangs:
                    sink._released.wait()
                    return
                self.send_response(sink.status)
                self.end_headers()
                self.wfile.write(b"OK")

            do_GET = do_POST = answer

            def log_message(self, *_words: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def paths(self) -> list[str]:
        return [one.path for one in self.requests]

    def close(self) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()


class SmtpSink:
    """Takes mail, or refuses every recipient with ``refusal``."""

    def __init__(self) -> None:
        self.mails: list = []
        self.refusal = ""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    async def handle_RCPT(self, _server, _session, envelope, address, _options) -> str:
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope) -> str:
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"

    def close(self) -> None:
        self._controller.stop()


def words_of(mail) -> str:
    """The text of a mail, whatever it is encoded in."""
    return mail.get_body(("plain", "html")).get_content()
