"""What can stand between a host and its directory: a way to a real server that
stops it, or ends, at a chosen request; and a server that is none.

LDAP messages are read far enough to know which request is at hand.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import socket
import threading
import time

from scratch import listen

KINDS = {0x60: "bind", 0x42: "unbind", 0x63: "search", 0x66: "modify",
         0x77: "extended", 0x50: "abandon", 0x61: "bind", 0x64: "entry",
         0x73: "reference", 0x65: "done", 0x67: "modify", 0x78: "extended"}

BIND, ENTRY, REFERENCE, DONE, MODIFY, EXTENDED = (0x61, 0x64, 0x73, 0x65, 0x67,
                                                  0x78)
PPOLICY = "1.3.6.1.4.1.42.2.27.8.5.1"
STARTTLS = b"1.3.6.1.4.1.1466.20037"


# ---- BER

def ber(tag, *parts):
    """One element, with what is in it."""
    content = b"".join(part if isinstance(part, bytes) else part.encode()
                       for part in parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def number(value, tag=2):
    size = max(1, (value.bit_length() + 8) // 8)
    return ber(tag, value.to_bytes(size, "big"))


def octets(text):
    return ber(4, text)


def element(data, at=0):
    """(tag, where its content begins, where it ends); None: not all there."""
    if len(data) < at + 2:
        return None
    length, begin = data[at + 1], at + 2
    if length & 0x80:
        begin += length & 0x7f
        if len(data) < begin:
            return None
        length = int.from_bytes(data[at + 2:begin], "big")
    return (data[at], begin, begin + length) if len(data) >= begin + length \
        else None


class Message:
    """An LDAP message: its bytes, its number, its kind."""

    def __init__(self, data):
        self.data = data
        _, begin, _ = element(data)
        _, at, end = element(data, begin)
        self.id = int.from_bytes(data[at:end], "big")
        self.tag, self.begin, self.end = element(data, end)
        self.kind = KINDS.get(self.tag, "other")

    def contains(self, text):
        return (text if isinstance(text, bytes) else text.encode()) in self.data


def messages(sock):
    """The messages that come in on a socket."""
    data = b""
    while True:
        whole = element(data)
        while whole is not None:
            yield Message(data[:whole[2]])
            data = data[whole[2]:]
            whole = element(data)
        more = sock.recv(65536)
        if not more:
            return
        data += more


def message(number_of, operation, *controls):
    parts = [number(number_of), operation]
    if controls:
        parts.append(ber(0xa0, *controls))
    return ber(0x30, *parts)


def control(oid, value):
    return ber(0x30, octets(oid), octets(value))


def result(tag, code=0, text="", *more):
    return ber(tag, number(code, 0x0a), octets(""), octets(text), *more)


def entry(dn, attributes):
    """A search entry."""
    return ber(ENTRY, octets(dn), ber(0x30, *(
        ber(0x30, octets(name), ber(0x31, *(
            octets(value if isinstance(value, bytes) else str(value))
            for value in (
                values if isinstance(values, (list, tuple)) else [values]))))
        for name, values in attributes.items())))


# ---- listening

class Listener:
    """Accepts, and has each connection to a thread of its own."""

    def __init__(self, address="127.0.0.1"):
        self.socket = listen(address)
        self.port = self.socket.getsockname()[1]
        self.uri = f"ldap://localhost:{self.port}"
        self.seen, self.open = [], []
        self.lock = threading.Lock()
        threading.Thread(target=self.run, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
        for sock in self.open:
            hang_up(sock)

    def close(self):
        """No more connections; it also wakes the thread that waits for one."""
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def run(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            self.open.append(client)
            threading.Thread(target=self.guarded, args=[client],
                             daemon=True).start()

    def guarded(self, client):
        try:
            self.serve(client)
        except (OSError, TypeError):  # the latter: that was no LDAP
            pass

    def note(self, kind):
        """That a request came; the answer is its name, such as "bind 2"."""
        with self.lock:
            self.seen.append(kind)
            return f"{kind} {self.seen.count(kind)}"

    def serve(self, client):
        raise NotImplementedError


# ---- the way to a real server

class Pipe(Listener):
    """Another address of a port of this host."""

    def __init__(self, port, **options):
        self.target = port
        super().__init__(**options)

    def serve(self, client):
        with socket.create_connection(("127.0.0.1", self.target)) as server:
            self.open.append(server)
            threading.Thread(target=self.pour, args=[server, client, True],
                             daemon=True).start()
            self.pour(client, server, False)

    def pour(self, source, sink, is_answer):
        """Until the end, which is the other's as well."""
        with contextlib.suppress(OSError, TypeError):  # as in guarded()
            self.carry(source, sink, is_answer)
        for end in source, sink:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def carry(self, source, sink, is_answer):
        while data := source.recv(65536):
            sink.sendall(data)


def stop(middle, client, server, request):
    """The server is stopped as it gets the request."""
    middle.server.pause()
    server.sendall(request.data)


def hang_up(connection):
    """The other end hears of it at once, whoever has a copy of ours."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def cut_before(middle, client, server, request):
    """The connection ends, and the request never reached the server."""
    hang_up(server)
    hang_up(client)


def cut_after(middle, client, server, request):
    """The server has done it, and its answer is lost."""
    middle.answered.clear()
    middle.deaf = True
    server.sendall(request.data)
    assert middle.answered.wait(5)
    hang_up(client)


def refuse(code, text=""):
    """The answer is another one than the server's, which is not asked."""
    def act(middle, client, server, request):
        client.sendall(message(request.id, result(request.tag + 1, code, text)))
    return act


class Middle(Pipe):
    """A way to a server; `acts` are done with the requests they are named by
    ("bind 2", or "bind" for all) instead of handing these on."""

    def __init__(self, server, acts=None):
        self.server, self.acts = server, acts or {}
        self.answered, self.deaf = threading.Event(), False
        super().__init__(server.port)

    def carry(self, source, sink, is_answer):
        for one in messages(source):
            if is_answer:
                self.answered.set()
                if not self.deaf:
                    sink.sendall(one.data)
                continue
            act = self.acts.get(self.note(one.kind), self.acts.get(one.kind))
            if act is None:
                sink.sendall(one.data)
            else:
                act(self, source, sink, one)


class Wire(Pipe):
    """A way to a server on which nobody understands what is said.  The server
    is stopped as the client speaks for the time `at`; of its first answer
    `most` bytes are let through, and `extra` ones are put behind it."""

    def __init__(self, server, port, at=None, most=None, extra=b""):
        self.server, self.at = server, at
        self.most, self.extra = most, extra
        super().__init__(port)

    def carry(self, source, sink, is_answer):
        is_first = True
        while data := source.recv(65536):
            if not is_answer and self.note("said") == f"said {self.at}":
                self.server.pause()
            if not is_answer:
                sink.sendall(data)
            elif is_first:
                sink.sendall(data[:self.most] + self.extra)
            elif self.most is None:
                sink.sendall(data)
            is_first = False


# ---- what is no server

class Fake(Listener):
    """It answers as a directory with one account would; but to a request in
    `lies` it says the bytes that are given there, or that a function makes of
    the request, or one after the other what that yields: None ends the
    connection.  `pause`: it says them byte by byte.
    """

    def __init__(self, account, lies=None, pause=0):
        self.account, self.lies, self.pause = account, lies or {}, pause
        self.requests = []
        super().__init__()

    def serve(self, client):
        for request in messages(client):
            name = self.note(request.kind)
            self.requests.append(request)
            said = self.lies.get(name, self.truth)
            if callable(said):
                said = said(request)
            for part in [said] if said is None or isinstance(
                    said, bytes) else said:
                if part is None:
                    client.shutdown(socket.SHUT_RDWR)
                    return
                self.say(client, part, name in self.lies)

    def say(self, client, said, is_lie):
        if not self.pause or not is_lie:
            client.sendall(said)
            return
        for byte in said:
            client.sendall(bytes([byte]))
            time.sleep(self.pause)

    def truth(self, request):
        if request.kind == "search":
            return self.found(request, self.account)
        return {"bind": message(request.id, result(BIND)),
                "modify": message(request.id, result(MODIFY)),
                "extended": message(request.id, result(EXTENDED))}.get(
                    request.kind, b"")

    @staticmethod
    def found(request, *accounts, code=0):
        return b"".join(message(request.id, entry(one["dn"], {
            key: value for key, value in one.items() if key != "dn"}))
            for one in accounts) + message(request.id, result(DONE, code))
