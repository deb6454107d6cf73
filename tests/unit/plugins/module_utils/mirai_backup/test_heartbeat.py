"""Pings carry the protocol's signals, are tried again, give up in time, and show no key."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from mirai_backup import heartbeat
from mirai_backup.heartbeat import Heartbeat


@pytest.fixture
def server():
    """An HTTP server; ``statuses`` are its answers in turn (0: none at all), ``seen`` what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):  # http.server's name
            length = int(self.headers["Content-Length"])
            one.seen.append((self.path, self.rfile.read(length).decode()))
            status = one.statuses.pop(0) if one.statuses else 200
            if not status:
                one.released.wait()
                return
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_words):
            """Say nothing."""

    one = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    one.daemon_threads = True
    one.seen, one.statuses, one.released = [], [], threading.Event()
    one.url = f"http://127.0.0.1:{one.server_port}/ping/0123456789"
    threading.Thread(target=one.serve_forever, daemon=True).start()
    yield one
    one.released.set()
    one.shutdown()
    one.server_close()


def test_address():
    assert heartbeat.address("https://hc.example/uuid", "start", "r") == "https://hc.example/uuid/start?rid=r"
    assert (
        heartbeat.address("https://hc.example/uuid/?create=1#x", "0", "r") == "https://hc.example/uuid/0?create=1&rid=r"
    )


def test_start_and_end_share_a_run_id(server):
    beat = Heartbeat(server.url)
    assert beat.begin() == "" and beat.end(3, "backup full: incomplete") == ""
    (first, _begun), (second, body) = server.seen
    assert first.split("?")[0].endswith("/start") and second.split("?")[0].endswith("/3")
    assert first.split("?")[1] == second.split("?")[1] and body == "backup full: incomplete"


def test_end_is_tried_again_and_start_is_not(server):
    beat = Heartbeat(server.url, pauses=(0, 0))
    server.statuses = [500, 503, 502]
    assert "500" in beat.begin()
    assert beat.end(0, "") == "" and len(server.seen) == 4
    server.statuses = [500, 500, 504]
    assert "504" in beat.end(0, "")


def test_a_server_that_never_answers_is_given_up(server):
    server.statuses = [0, 0]
    begun = time.monotonic()
    assert Heartbeat(server.url, timeout=0.3, pauses=(0,)).end(0, "").startswith("heartbeat 0: ")
    assert time.monotonic() - begun < 3


def test_nothing_is_sent_without_a_url():
    beat = Heartbeat("")
    assert beat.begin() == beat.end(1, "x") == "" and heartbeat.secrets("") == ()


def test_failures_show_no_key():
    failure = Heartbeat("http://0123456789.invalid/ping/0123456789-key", pauses=()).end(0, "")
    assert failure and "0123456789-key" not in failure


def test_only_what_looks_like_a_key_is_secret():
    url = "https://hc.example/backups/0123-4567-key"
    assert heartbeat.secrets(url) == (url, "0123-4567-key")


def test_body_is_bounded(server):
    Heartbeat(server.url).end(1, "é" * 20_000)
    assert len(server.seen[0][1].encode()) <= 10_000
