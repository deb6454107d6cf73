"""A small TCP proxy before the server: it delays, or cuts the connection after so many bytes from the server."""

from __future__ import annotations

import socket
import threading
import time


class Proxy:
    """Use it as a context manager. ``delay`` in seconds a block; ``cut_after`` counts bytes over all connections."""

    def __init__(self, port: int, delay: float = 0.0, cut_after: int = 0) -> None:
        self._target = port
        self._delay = delay
        self._left = cut_after
        self._cuts = bool(cut_after)
        self._guard = threading.Lock()
        self._open: list = []
        self.passed = 0
        self.cut = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self) -> "Proxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._listener.close()
        self._close_all()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            with self._guard:
                self._open += [client, server]
            threading.Thread(target=self._pass, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, True), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        try:
            while block := source.recv(8192):
                if self._delay:
                    time.sleep(self._delay)
                if counted:
                    with self._guard:
                        self.passed += len(block)
                        over = self._cuts and self.passed > self._left
                    if over:
                        self.cut = True
                        self._close_all()
                        return
                target.sendall(block)
        except OSError:
            pass
        finally:
            for one in (source, target):
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue

    def _close_all(self) -> None:
        with self._guard:
            for one in self._open:
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue
                one.close()
            self._open.clear()
