"""Self-service reset by an ssh key or a security key, with the real ssh-keygen.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import base64
import hashlib
import pathlib
import re
import struct
import subprocess

import pytest

from scratch import PROGRAM_UID
from test_reset import FRESH, OLD, Person, events, reset

LINE = re.compile(r"^reset:\S+$", re.M)
SPACE = "selfreset"


def run(*arguments, **options):
    return subprocess.run(arguments, check=True, capture_output=True,
                          **options).stdout


class SshKey:
    """A key in a file, as a user has it."""

    def __init__(self, folder, kind, *options):
        self.path = folder / f"key-{kind}"
        run("ssh-keygen", "-q", "-N", "", "-t", kind, *options, "-f", self.path)
        self.public = self.path.with_suffix(".pub").read_text().strip()

    def sign(self, line, space=SPACE):
        return run("ssh-keygen", "-Y", "sign", "-n", space, "-f", self.path,
                   input=line.encode() + b"\n").decode()


def pack(*strings):
    return b"".join(struct.pack(">I", len(text)) + text for text in strings)


class Device:
    """A security key, as PROTOCOL.u2f of OpenSSH has it."""

    kind, application = b"sk-ssh-ed25519@openssh.com", b"ssh:"

    def __init__(self, folder):
        self.path = folder / "device.pem"
        run("openssl", "genpkey", "-algorithm", "ed25519", "-out", self.path)
        raw = run("openssl", "pkey", "-in", self.path, "-pubout", "-outform",
                  "DER")[-32:]
        self.blob = pack(self.kind, raw, self.application)
        self.public = f"{self.kind.decode()} {base64.b64encode(self.blob).decode()}"
        self.flags = 1

    def sign(self, line, space=SPACE):
        message = hashlib.sha512(line.encode() + b"\n").digest()
        signed = b"SSHSIG" + pack(space.encode(), b"", b"sha512", message)
        flags = struct.pack(">BI", self.flags, 7)
        data = self.path.with_suffix(".data")
        data.write_bytes(hashlib.sha256(self.application).digest() + flags +
                         hashlib.sha256(signed).digest())
        raw = run("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.path,
                  "-in", data)
        blob = b"SSHSIG" + struct.pack(">I", 1) + pack(
            self.blob, space.encode(), b"", b"sha512",
            pack(self.kind, raw) + flags)
        text = base64.b64encode(blob).decode()
        lines = [text[i:i + 70] for i in range(0, len(text), 70)]
        return "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines,
                          "-----END SSH SIGNATURE-----", ""])


def line_of(flow):
    return LINE.findall(flow.text)[-1]


def give(flow, key, **options):
    return flow.answer(*key.sign(line_of(flow), **options).splitlines())


def enroll_key(ann, key, *proof, public=None):
    flow = ann.flow("enroll").answer(OLD, *proof)
    ann.choose(flow, "ssh key", public or key.public)
    give(flow, key)
    assert flow.end == 0, flow.text
    return flow


@pytest.fixture
def ann(host):
    host.configure(reset={"enable": "yes", "new_gate_wait": "0"})
    return Person(host)


def try_key(ann, key, name="ann", **options):
    """The end of what is said to a signature."""
    flow = reset(ann.host, name)
    ann.choose(flow, "ssh key")
    before = len(flow.text)
    give(flow, key, **options)
    return flow, flow.text[before:]


@pytest.mark.parametrize("kind", [("ed25519",), ("ecdsa", "-b", "521"),
                                  ("rsa", "-b", "4096"), "device"])
def test_a_key_resets(host, ann, tmp_path, kind):
    key = Device(tmp_path) if kind == "device" else SshKey(tmp_path, *kind)
    ann.enroll_codes()
    flow = enroll_key(ann, key, "1", ann.codes.pop(0))
    assert "can be used now" in flow.said
    assert key.public.split()[1][-12:] in ann.flow("status").said
    flow, told = try_key(ann, key)
    assert "Accepted." in told
    ann.choose(flow, "recovery codes", ann.codes[0])
    flow.answer(FRESH, FRESH)
    assert flow.end == 0 and host.has_password("ann", FRESH), flow.text
    # The lines that were signed are of no use again, nor are they logged.
    assert not [line for line in host.log.all() if line_of(flow) in line]
    assert all(len(line) <= 74 for line in flow.text.splitlines()
               if not line.startswith("? "))


def test_what_is_no_right_signature(host, ann, tmp_path):
    key, other = SshKey(tmp_path, "ed25519"), SshKey(tmp_path, "ecdsa")
    ann.enroll_codes()
    enroll_key(ann, key, "1", ann.codes.pop(0))
    flow = reset(host)
    ann.choose(flow, "ssh key")
    old = key.sign(line_of(flow))
    good = old.splitlines()
    flow.answer("")  # back to the choice, and not counted
    assert "Not accepted." not in flow.text
    wrong = {
        "of an earlier line": lambda _: good,
        "of another key": lambda line: other.sign(line).splitlines(),
        "of another namespace":
            lambda line: key.sign(line, "file").splitlines(),
        "damaged": lambda line: [*key.sign(line).splitlines()[:3],
                                 "AAAA", good[-1]],
        "no signature": lambda _: ["-----BEGIN SSH SIGNATURE-----", good[-1]],
    }
    for what, lines in wrong.items():
        ann.choose(flow, "ssh key")
        before = len(flow.text)
        flow.answer(*lines(line_of(flow)))
        assert "Not accepted." in flow.text[before:], what
    assert len(events(host, "SR-1032")) == len(wrong)
    assert "Accepted." in try_key(ann, key)[1]


def test_endless_lines_are_an_end(host, ann):
    flow = reset(host, "nobody1")
    ann.choose(flow, "ssh key")
    for _ in range(96):
        assert "Number" not in flow.asked
        flow.answer("A" * 4000)
    assert "Not accepted." in flow.text
    flow.leave()


def test_a_security_key_has_to_be_touched(host, ann, tmp_path):
    """By the flags that it signed; ssh-keygen itself does not look at them."""
    key = Device(tmp_path)
    ann.enroll_codes()
    enroll_key(ann, key, "1", ann.codes.pop(0))
    key.flags = 0
    assert "Not accepted." in try_key(ann, key)[1]
    key.flags = 1
    ann.enroll_codes("1", ann.codes.pop(0))
    assert "Accepted." in try_key(ann, key)[1]
    # With the option also its PIN or the finger is demanded.
    flow = ann.flow("remove").answer(OLD)
    ann.choose(flow, "recovery codes", ann.codes.pop(0))
    ann.choose(flow, "ssh key")
    assert flow.end == 0, flow.text
    key.flags = 5
    enroll_key(ann, key, "1", ann.codes.pop(0),
               public=f"verify-required {key.public}")
    key.flags = 1
    assert "Not accepted." in try_key(ann, key)[1]
    key.flags = 5
    assert "Accepted." in try_key(ann, key)[1]


def test_keys_that_are_not_used(host, ann, tmp_path):
    weak, good = SshKey(tmp_path, "rsa", "-b", "1024"), SshKey(tmp_path,
                                                               "ed25519")
    run("ssh-keygen", "-q", "-s", good.path, "-I", "x", "-n", "ann",
        good.path.with_suffix(".pub"))
    certificate = pathlib.Path(f"{good.path}-cert.pub").read_text().strip()
    dsa = "ssh-dss " + base64.b64encode(
        pack(b"ssh-dss", *[b"\x01" + bytes(127)] * 4)).decode()
    long = "ssh-rsa " + base64.b64encode(
        pack(b"ssh-rsa", b"\x01\x00\x01", b"\x7f" + bytes(1023))).decode()
    cases = {
        weak.public: "fewer than 2048 bits",
        certificate: "no certificate",
        dsa: "of that kind",
        f'command="x" {good.public}': "has to begin with the kind",
        f"verify-required {good.public}": "has to begin with the kind",
        "hello": "not a public key",
        good.public.replace("ssh-ed25519", "ssh-rsa"): "not a public key",
        good.public[:40]: "not a public key",
        "ssh-rsa " + "A" * 3000: "not a public key",
        long: "too long",
    }
    for line, words in cases.items():
        flow = ann.flow("enroll").answer(OLD)
        ann.choose(flow, "ssh key", line)
        assert words in flow.said and "Public key" in flow.asked, flow.text
        flow.leave()
    assert not events(host, "SR-1102")


def test_a_key_is_not_set_up_without_its_signature(host, ann, tmp_path):
    key, other = SshKey(tmp_path, "ed25519"), SshKey(tmp_path, "ecdsa")
    flow = ann.flow("enroll").answer(OLD)
    ann.choose(flow, "ssh key", key.public)
    for _ in range(3):
        give(flow, other)
    assert flow.end == 1 and "Nothing was changed." in flow.text
    assert "Nothing is set up" in ann.flow("status").said


def test_as_many_keys_as_are_kept(host, ann, tmp_path):
    keys = []
    for number in range(4):
        folder = tmp_path / str(number)
        folder.mkdir()
        keys.append(SshKey(folder, "ed25519"))
    enroll_key(ann, keys[0])
    for key in keys[1:3]:
        flow = ann.flow("enroll").answer(OLD)
        ann.choose(flow, "ssh key")
        give(flow, keys[0])
        ann.choose(flow, "ssh key", key.public)
        give(flow, key)
        assert flow.end == 0, flow.text
    flow = ann.flow("enroll").answer(OLD)
    ann.choose(flow, "ssh key")
    give(flow, keys[2])
    ann.choose(flow, "ssh key", keys[3].public)
    give(flow, keys[3])
    assert flow.end == 1 and "no more are kept" in flow.said


def test_a_name_is_no_pattern_and_no_option(host, tmp_path):
    """In the line that is signed and in what ssh-keygen is told."""
    host.configure(reset={"enable": "yes", "gates": "1", "new_gate_wait": "0"})
    ann = Person(host)
    enroll_key(ann, SshKey(tmp_path, "ed25519"))
    for name in ("*", "a*,b", 'a" cert-authority', "-f", "$(id)", "ann\tx"):
        flow = reset(host, name)
        ann.choose(flow, "ssh key")
        assert re.fullmatch(r"reset:[\w.-]+:[\w.-]+:[0-9A-Z]{20}",
                            line_of(flow)), line_of(flow)
        flow.leave()


def answer_with(flow, ann, key, fake, script):
    """A signature, where ssh-keygen is this script."""
    fake.write_text("#!/bin/sh\n" + script)
    fake.chmod(0o755)
    ann.choose(flow, "ssh key")
    signature = key.sign(line_of(flow)).splitlines()
    subprocess.run(["mount", "--bind", fake, "/usr/bin/ssh-keygen"], check=True)
    try:
        flow.answer(*signature)
    finally:
        subprocess.run(["umount", "/usr/bin/ssh-keygen"], check=True)


def test_ssh_keygen_that_cannot_be_run_counts_for_nothing(host, ann, tmp_path):
    key = SshKey(tmp_path, "ed25519")
    ann.enroll_codes()
    enroll_key(ann, key, "1", ann.codes.pop(0))
    flow = reset(host)
    answer_with(flow, ann, key, tmp_path / "fake", "kill -9 $$\n")
    assert "does not count" in flow.said and "ccepted" not in flow.said
    assert events(host, "SR-3214")
    ann.choose(flow, "ssh key")
    give(flow, key)
    assert "Accepted." in flow.text


def test_ssh_keygen_runs_without_rights_or_surroundings(host, ann, tmp_path):
    """Its user, environment, descriptors and limits."""
    key = SshKey(tmp_path, "ed25519")
    ann.enroll_codes()
    enroll_key(ann, key, "1", ann.codes.pop(0))
    seen = pathlib.Path("/home/seen")
    seen.mkdir(exist_ok=True)
    seen.chmod(0o777)
    flow = reset(host)
    answer_with(flow, ann, key, tmp_path / "fake",
                "{ id -u; id -G; env -0 | tr '\\0' '\\n'; "
                "ls /proc/self/fd; grep NoNewPrivs /proc/self/status; ulimit -c; ulimit -t; pwd; } "
                ">/home/seen/it\nexit 255\n")
    assert "Not accepted." in flow.text
    lines = (seen / "it").read_text().splitlines()
    assert lines[:2] == [str(PROGRAM_UID)] * 2
    assert "NoNewPrivs:\t1" in lines
    assert {line.split("=")[0] for line in lines if "=" in line} <= {
        "PWD", "_", "SHLVL", "OLDPWD"}
    descriptors = {int(line) for line in lines[2:-3] if line.isdigit()}
    assert descriptors <= {0, 1, 2, 3, 4, 5}, lines
    assert lines[-3:] == ["0", "30", "/"]
