"""Stores to ship to, real ones: rclone's S3, SFTP and WebDAV servers, a directory; and a bad S3."""

from __future__ import annotations

import hashlib
import http.server
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from server import free_port

ACCESS, SECRET = "canary-access-id", "canary-secret+key/0123456789"
PASSWORD = "canary-dav-password"


def programs() -> dict:
    """The rclone programs to test with: the distribution's old one, and a current one beside pytest."""
    found = {"distribution": shutil.which("rclone", path="/usr/bin:/usr/local/bin"), "current": current()}
    assert all(found.values()), f"{found}: tests/bootstrap.sh installs both"
    return found


def current() -> str:
    """The current rclone, which brings the servers."""
    return str(Path(os.environ.get("VIRTUAL_ENV", Path(__file__).parents[2] / ".venv")) / "bin" / "rclone")


class Storage:
    """What lies in ``directory`` served on a port; started, stopped and killed like a machine."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.process: subprocess.Popen | None = None
        self.root = directory / "root"
        self.root.mkdir(parents=True)

    def argv(self) -> list:
        raise NotImplementedError

    def section(self) -> dict:
        """What rclone has to know."""
        raise NotImplementedError

    @property
    def path(self) -> str:
        """The store's path."""
        raise NotImplementedError

    def held(self) -> list:
        """The files of the store, relative."""
        top = self.top()
        return sorted(str(one.relative_to(top)) for one in top.rglob("*") if one.is_file())

    def top(self) -> Path:
        return self.root / self.path

    def start(self) -> "Storage":
        log = open(self.directory / "log", "ab")
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "RCLONE_"))}
        self.process = subprocess.Popen(self.argv(), stdout=log, stderr=log, start_new_session=True, env=environment)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            assert self.process.poll() is None, (self.directory / "log").read_text()
            time.sleep(0.05)
        raise AssertionError("the storage did not start")

    def kill(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


class S3(Storage):
    """An S3 server with keys."""

    path = "bucket/app1"

    def argv(self) -> list:
        (self.root / "bucket").mkdir(exist_ok=True)
        address = f"127.0.0.1:{self.port}"
        return [current(), "serve", "s3", "--auth-key", f"{ACCESS},{SECRET}", "--addr", address, str(self.root)]

    def section(self) -> dict:
        return {
            "type": "s3",
            "provider": "Other",
            "endpoint": f"http://127.0.0.1:{self.port}",
            "access_key_id": ACCESS,
            "secret_access_key": SECRET,
        }


class WebDav(Storage):
    """A WebDAV server, whose files have no digests."""

    path = "app1"

    def argv(self) -> list:
        (self.root / "app1").mkdir(exist_ok=True)
        address = f"127.0.0.1:{self.port}"
        return [current(), "serve", "webdav", "--user", "u", "--pass", PASSWORD, "--addr", address, str(self.root)]

    def section(self) -> dict:
        obscured = subprocess.run([current(), "obscure", PASSWORD], capture_output=True, text=True, check=True).stdout
        url = f"http://127.0.0.1:{self.port}"
        return {"type": "webdav", "vendor": "other", "url": url, "user": "u", "pass": obscured.strip()}


class Sftp(Storage):
    """An SFTP server that knows a key. OpenSSH's, with a forced command, is in the scenario offsite."""

    path = "app1"

    def argv(self) -> list:
        (self.root / "app1").mkdir(exist_ok=True)
        for name in ("host", "client"):
            if not (self.directory / name).exists():
                key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.directory / name)]
                subprocess.run(key, check=True)
        keys = ["--authorized-keys", str(self.directory / "client.pub"), "--key", str(self.directory / "host")]
        return [current(), "serve", "sftp", *keys, "--addr", f"127.0.0.1:{self.port}", str(self.root)]

    def section(self) -> dict:
        public = (self.directory / "host.pub").read_text().split()
        (self.directory / "known").write_text(f"[127.0.0.1]:{self.port} {public[0]} {public[1]}\n")
        return {
            "type": "sftp",
            "host": "127.0.0.1",
            "port": str(self.port),
            "user": "keeper",
            "key_file": str(self.directory / "client"),
            "known_hosts_file": str(self.directory / "known"),
        }


class Mounted(Storage):
    """A directory, as one on a mounted share."""

    @property
    def path(self) -> str:
        return str(self.root / "app1")

    def top(self) -> Path:
        return Path(self.path)

    def start(self) -> "Mounted":
        Path(self.path).mkdir(exist_ok=True)
        return self

    def section(self) -> dict:
        return {"type": "local"}


class BadS3:
    """As much of S3 as one upload needs, done wrong on request. ``fault`` is asked for each PUT."""

    def __init__(self) -> None:
        self.objects: dict = {}
        self.requests: list = []
        self.fault = lambda _path: ""
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_arguments: object) -> None:
                return

            def answer(self, code: int, body: bytes = b"", **headers: str) -> None:
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def do_PUT(self) -> None:
                outer.put(self)

            def do_HEAD(self) -> None:
                outer.get(self)

            def do_GET(self) -> None:
                outer.get(self)

            def do_DELETE(self) -> None:
                outer.delete(self)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def section(self) -> dict:
        return {
            "type": "s3",
            "provider": "Other",
            "endpoint": f"http://127.0.0.1:{self.port}",
            "access_key_id": ACCESS,
            "secret_access_key": SECRET,
        }

    def put(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        path = handler.path.split("?")[0]
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        if "aws-chunked" in handler.headers.get("Content-Encoding", ""):
            body = unchunked(body)
        self.requests.append(("PUT", path, dict(handler.headers)))
        fault = self.fault(path)
        etag = f'"{hashlib.md5(body).hexdigest()}"'
        if fault == "500":
            handler.answer(500, b"<Error><Code>InternalError</Code></Error>")
        elif fault == "200 error":
            handler.answer(200, b"<Error><Code>InternalError</Code></Error>", ETag=etag)
        elif fault == "cut":
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
        elif fault == "refused":
            handler.answer(403, b"<Error><Code>AccessDenied</Code></Error>")
        else:
            self.objects[path] = body[: len(body) // 2] if fault == "short" else body
            if fault == "flipped":
                self.objects[path] = bytes([body[0] ^ 1]) + body[1:]
            handler.answer(200, b"", ETag=etag)

    def get(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        query = parse_qs(parts.query, keep_blank_values=True)
        self.requests.append((handler.command, parts.path, dict(handler.headers)))
        if "list-type" in query or "prefix" in query or parts.path.count("/") == 1:
            prefix = query.get("prefix", [""])[0]
            bucket = parts.path.strip("/")
            names = sorted(unquote(one)[len(bucket) + 2 :] for one in self.objects)
            names = [one for one in names if one.startswith(prefix)]
            directories = set()
            if "delimiter" in query:
                directories = {
                    prefix + one[len(prefix) :].split("/")[0] + "/" for one in names if "/" in one[len(prefix) :]
                }
                names = [one for one in names if "/" not in one[len(prefix) :]]
            rows = "".join(
                f"<Contents><Key>{one}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
                f"<Size>{len(self.objects[f'/{bucket}/{one}'])}</Size><StorageClass>STANDARD</StorageClass></Contents>"
                for one in names
            )
            rows += "".join(f"<CommonPrefixes><Prefix>{one}</Prefix></CommonPrefixes>" for one in sorted(directories))
            body = (
                "<?xml version='1.0'?><ListBucketResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>"
                f"<Name>{bucket}</Name><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>"
            )
            handler.answer(200, body.encode(), Content_Type="application/xml")
            return
        found = self.objects.get(parts.path)
        if found is None:
            handler.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        headers = {"ETag": f'"{hashlib.md5(found).hexdigest()}"', "Last_Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
        handler.answer(200, found, **headers)

    def delete(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        path = handler.path.split("?")[0]
        self.requests.append(("DELETE", path, {}))
        if self.fault(path) == "locked":
            handler.answer(403, b"<Error><Code>AccessDenied</Code><Message>object lock</Message></Error>")
            return
        self.objects.pop(path, None)
        handler.answer(204)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def unchunked(body: bytes) -> bytes:
    """The content of a body that was sent in S3's signed chunks."""
    content = b""
    while body:
        head, _line, body = body.partition(b"\r\n")
        size = int(re.match(rb"[0-9a-fA-F]+", head).group(), 16)
        if not size:
            return content
        content, body = content + body[:size], body[size + 2 :]
    return content


def write_config(path: Path, sections: dict) -> None:
    """The file that the role writes."""
    text = "".join(
        f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in section.items()) + "\n"
        for name, section in sections.items()
    )
    path.write_text(text)
    path.chmod(0o600)
