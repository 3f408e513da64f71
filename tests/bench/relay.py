"""A network for the bench: a relay on loopback that hands everything on a while
later, as a wire would.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import queue
import socket
import threading
import time


class Relay:
    """Each way takes `seconds`.  What a connection itself would cost, one more
    way there and back, is taken from the first that is sent over it."""

    def __init__(self, port, seconds):
        self.seconds = seconds
        self.target = ("127.0.0.1", port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            with contextlib.suppress(OSError):
                client, _ = self.listener.accept()
                server = socket.create_connection(self.target)
                self.join(client, server, 2 * self.seconds)
                self.join(server, client, 0)

    def join(self, source, target, more):
        target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        waiting = queue.SimpleQueue()
        threading.Thread(target=self.read, args=(source, waiting, more),
                         daemon=True).start()
        threading.Thread(target=self.write, args=(target, waiting),
                         daemon=True).start()

    def read(self, source, waiting, more):
        opened = time.monotonic()
        while True:
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            due = max(time.monotonic() + self.seconds,
                      opened + more + self.seconds)
            waiting.put((due, data))
            if not data:
                return

    @staticmethod
    def write(target, waiting):
        with contextlib.suppress(OSError):
            while True:
                due, data = waiting.get()
                time.sleep(max(0, due - time.monotonic()))
                if not data:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(data)
