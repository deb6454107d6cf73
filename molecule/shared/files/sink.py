"""Keeps what it is sent, a JSON object a line in the file named: HTTP requests on one port, mails on another.

sink.py FILE HTTP_PORT SMTP_PORT [ADDRESS]        (127.0.0.1 unless told)
"""

import asyncio
import json
import sys


class Sink:
    """Both servers, which append to one file."""

    def __init__(self, path: str) -> None:
        self._path = path

    def keep(self, **values: str) -> None:
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")

    async def http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, answered with 200."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lengths = [line.split(":")[1] for line in head.splitlines() if line.lower().startswith("content-length:")]
        body = (await reader.readexactly(int(lengths[0]) if lengths else 0)).decode()
        self.keep(kind="http", request=head.splitlines()[0], body=body)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK")
        await writer.drain()
        writer.close()

    async def smtp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One session of SMTP; every recipient is taken."""
        writer.write(b"220 sink\r\n")
        while line := (await reader.readline()).decode():
            verb = line.split()[0].upper() if line.split() else ""
            if verb == "DATA":
                writer.write(b"354 go on\r\n")
                self.keep(kind="mail", content=(await reader.readuntil(b"\r\n.\r\n")).decode())
            writer.write(b"221 bye\r\n" if verb == "QUIT" else b"250 OK\r\n")
            await writer.drain()
            if verb == "QUIT":
                break
        writer.close()


async def main() -> None:
    path, http_port, smtp_port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    address = (sys.argv[4:] or ["127.0.0.1"])[0]
    sink = Sink(path)
    servers = [
        await asyncio.start_server(sink.http, address, http_port),
        await asyncio.start_server(sink.smtp, address, smtp_port),
    ]
    await asyncio.gather(*(server.serve_forever() for server in servers))


asyncio.run(main())
