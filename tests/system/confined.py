"""Run a command as a service of systemd that may make no sockets but Unix ones
(RestrictAddressFamilies=AF_UNIX) and gets no more rights (NoNewPrivileges=).

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import ctypes
import errno
import os
import socket
import struct
import sys

NUMBERS = {"x86_64": (0xc000003e, 41), "aarch64": (0xc00000b7, 198),
           "riscv64": (0xc00000f3, 198)}
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, REFUSE = 0x7fff0000, 0x00050000 | errno.EAFNOSUPPORT


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_void_p)]


def confine():
    architecture, number = NUMBERS[os.uname().machine]
    steps = [(LOAD, 0, 0, 4),  # seccomp_data.arch
             (JUMP_IF_EQUAL, 0, 5, architecture),
             (LOAD, 0, 0, 0),  # .nr
             (JUMP_IF_EQUAL, 0, 3, number),
             (LOAD, 0, 0, 16),  # .args[0], of a little-endian machine
             (JUMP_IF_EQUAL, 1, 0, socket.AF_UNIX),
             (RETURN, 0, 0, REFUSE),
             (RETURN, 0, 0, ALLOW)]
    data = ctypes.create_string_buffer(
        b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = Program(len(steps), ctypes.addressof(data))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    for arguments in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
                      (PR_SET_SECCOMP, SECCOMP_MODE_FILTER,
                       ctypes.byref(program), 0, 0)):
        if prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    confine()
    os.execvp(sys.argv[1], sys.argv[1:])
