"""What is sent to a domain controller, counted on the wire.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import collections
import select
import socket
import struct

ETH_P_IP = 0x0800  # of what is received: each packet once
KERBEROS, LDAP, KPASSWD = 88, 389, 464
# The tags of AS-REQ and TGS-REQ (RFC 4120 5.4.1).
REQUESTS = {0x6a: "AS", 0x6c: "TGS"}


def frames(data):
    """Each with its length before it, as Kerberos over TCP and sealed LDAP."""
    at = 0
    while at + 4 <= len(data):
        size = struct.unpack_from("!I", data, at)[0]
        yield data[at + 4:at + 4 + size]
        at += 4 + size


def after_binds(data):
    """What follows LDAP messages that are not sealed."""
    while data[:1] == b"\x30":
        size, used = data[1], 2
        if size & 0x80:
            used += size & 0x7f
            size = int.from_bytes(data[2:used], "big")
        data = data[used + size:]
    return data


class Wire:
    """Requests to the ports of one address from `with` on; the answers of
    counted() are numbers by kind: AS, TGS, kpasswd, search, connection."""

    def __init__(self, ip):
        self.ip = socket.inet_aton(ip)

    def __enter__(self):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                    socket.htons(ETH_P_IP))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        self.socket.bind(("lo", ETH_P_IP))
        self.flows = collections.defaultdict(dict)
        self.datagrams = []
        return self

    def __exit__(self, *_):
        self.socket.close()

    def read(self):
        while select.select([self.socket], [], [], 0)[0]:
            packet = self.socket.recv(1 << 17)
            if packet[16:20] != self.ip:
                continue
            data = packet[(packet[0] & 15) * 4:struct.unpack_from(
                "!H", packet, 2)[0] or None]
            source, port = struct.unpack_from("!HH", data)
            if packet[9] == socket.IPPROTO_UDP:
                self.datagrams.append((port, data[8:]))
            elif packet[9] == socket.IPPROTO_TCP:
                payload = data[(data[12] >> 4) * 4:]
                if payload:
                    number = struct.unpack_from("!I", data, 4)[0]
                    self.flows[source, port].setdefault(number, payload)

    def counted(self):
        """Since the last call, or the beginning."""
        self.read()
        found = collections.Counter()
        messages = [(port, data) for port, data in self.datagrams]
        for (_, port), parts in self.flows.items():
            data = b"".join(parts[number] for number in sorted(parts))
            found["connection"] += port in (KERBEROS, LDAP, KPASSWD)
            if port == LDAP:
                # The sealed ones: a search is longer than an unbind.
                found["search"] += sum(
                    len(frame) > 100 for frame in frames(after_binds(data)))
            else:
                messages += [(port, frame) for frame in frames(data)]
        for port, data in messages:
            if port == KERBEROS and data[:1] and data[0] in REQUESTS:
                found[REQUESTS[data[0]]] += 1
            found["kpasswd"] += port == KPASSWD
        self.flows.clear()
        self.datagrams.clear()
        return dict(+found)
