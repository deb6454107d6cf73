"""A small TCP proxy before a server: it delays, or cuts the connection after so many bytes."""

from __future__ import annotations

import socket
import threading
import time


class Proxy:
    """Use it as a context manager. ``delay`` in seconds a block; ``cut_after`` counts bytes over all connections: those
    from the server, or with ``sent`` those to it. ``once`` says that the line is good again after the cut."""

    def __init__(
        self, port: int, delay: float = 0.0, cut_after: int = 0, sent: bool = False, once: bool = False
    ) -> None:
        self._sent = sent
        self._once = once
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
            threading.Thread(target=self._pass, args=(client, server, self._sent), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, not self._sent), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        try:
            while block := source.recv(8192):
                if self._delay:
                    time.sleep(self._delay)
                if counted:
                    with self._guard:
                        self.passed += len(block)
                        over = self._cuts and self.passed > self._left and not (self._once and self.cut)
                        self.cut = self.cut or over
                    if over:
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
