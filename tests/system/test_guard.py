"""Another module verifies, between guard and settle: whatever the controls of
its line are, wrong passwords are counted, and only a success takes one back.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import signal

import pytest

from scratch import RUN, guarded_stack
from talk import PASSWORD, Talk

OLD = "correct horse battery"
PEER = "192.0.2.7"
ATTEMPTS = 3

UNIX = "pam_unix.so nodelay use_first_pass"


def around(*lines):
    """guard, lines of other modules, settle."""
    middle = "".join(f"auth {line}\n" for line in lines)
    return ("auth requisite pam_selfreset.so guard\n" + middle +
            "auth required pam_selfreset.so settle\n"
            "account required pam_selfreset.so\n"
            "session optional pam_loginuid.so\n"
            "session optional pam_selfreset.so\n")


def away():
    """A module that answers AUTHINFO_UNAVAIL."""
    return "pam_debug.so auth=authinfo_unavail"


# With each of them the right password is let in.
STACKS = {
    "manual": around(f"[success=ok default=die] {UNIX}"),
    "required": around(f"required {UNIX}"),
    "requisite": around(f"requisite {UNIX}"),
    "sufficient": around(f"sufficient {UNIX}", "required pam_deny.so"),
    "default=bad": around(f"[success=ok default=bad] {UNIX}"),
    "default=ignore": around(f"[success=ok default=ignore] {UNIX}"),
    "optional": around(f"optional {UNIX}"),
    "success=1": around(f"[success=1 default=ignore] {UNIX}",
                        "requisite pam_deny.so", "required pam_permit.so"),
    "unavailable": around(f"[success=2 default=ignore] {UNIX}",
                          f"[default=bad] {away()}", "requisite pam_deny.so",
                          "required pam_permit.so"),
    "unavailable-last": around(f"sufficient {UNIX}", f"required {away()}"),
    "no-settle": around(f"required {UNIX}").replace(
        "auth required pam_selfreset.so settle\n", ""),
}


@pytest.fixture(name="guarded", params=STACKS)
def guarded_fixture(host, request):
    host.service("probe", STACKS[request.param])
    host.service("su", STACKS[request.param])
    host.configure(lockout={"attempts": ATTEMPTS, "source_attempts": 0})
    host.add("ann", OLD)
    return host


def guess(host, password="no", *steps):
    return host.drive("probe", "ann", "auth", *steps, answers=[password],
                      rhost=PEER)


def test_no_more_than_allowed_are_verified(guarded):
    guarded.count_hashes("ann")
    assert guess(guarded).code != "SUCCESS"
    one = guarded.verified()  # pam_unix hashes an empty password, too
    for _ in range(19):
        assert guess(guarded).code != "SUCCESS"
    assert guarded.verified() == ATTEMPTS * one > 0
    assert guess(guarded, OLD).code == "AUTH_ERR"


def test_a_wrong_one_clears_nothing(guarded):
    """Also when it is followed by calls as after a success, which the
    application does not make."""
    for _ in range(ATTEMPTS - 1):
        guess(guarded)
    assert guess(guarded, "no").code != "SUCCESS"
    done = guess(guarded, OLD)
    assert done.code == "AUTH_ERR", done


@pytest.mark.parametrize("steps", [("acct",), ("cred",), ("acct", "cred")])
def test_the_right_one_clears(guarded, steps):
    """Confirmed by a call that only follows a success."""
    for _ in range(3):
        for _ in range(ATTEMPTS - 1):
            guess(guarded)
        done = guess(guarded, OLD, *steps)
        assert set(done.codes) == {"SUCCESS"}, done


def test_the_end_of_a_handle_confirms_nothing(guarded):
    """Applications end one with PAM_SUCCESS after a wrong password, too."""
    guarded.count_hashes("ann")
    guess(guarded, "no", "close")
    one = guarded.verified()
    for _ in range(2 * ATTEMPTS):
        guess(guarded, "no", "close")
    assert guarded.verified() == ATTEMPTS * one > 0


def test_su(guarded):
    """The same by a real program."""
    bob = guarded.add("bob", "something else")
    guarded.count_hashes("ann")
    seen = []
    for _ in range(2 * ATTEMPTS):
        with Talk(["su", "ann", "-c", "echo in"], user=bob) as su:
            su.answer(PASSWORD, "no")
            assert "in" not in su.rest().split()
        seen.append(guarded.verified())
    assert seen[-1] == ATTEMPTS * seen[0] > 0, seen


# ---- sshd

def ssh(host, *command, **options):
    return Talk(host.ssh_command("ann", *command, **options))


@pytest.mark.parametrize("method", ["password", "keyboard-interactive"])
def test_sshd(host, method):
    host.service("sshd", guarded_stack())
    host.configure(lockout={"attempts": ATTEMPTS})
    host.add("ann", OLD)
    host.count_hashes("ann")
    for _ in range(3):
        with ssh(host, "echo in as $(id -un)", method=method) as talk:
            talk.answer(PASSWORD, "no")
            talk.rest()
        with ssh(host, "echo in as $(id -un)", method=method) as talk:
            talk.answer(PASSWORD, OLD)
            assert "in as ann" in talk.rest()
    seen = [host.verified()]
    for _ in range(2 * ATTEMPTS):
        with ssh(host, "id", method=method) as talk:
            talk.answer(PASSWORD, "no")
            talk.rest()
        seen.append(host.verified())
    assert seen[-1] - seen[0] == ATTEMPTS * (seen[1] - seen[0]) > 0, seen


def test_a_client_that_goes_away(host):
    """sshd ends the handle of an attempt that never began with PAM_SUCCESS."""
    host.service("sshd", guarded_stack())
    host.configure(lockout={"attempts": ATTEMPTS})
    host.add("ann", OLD)
    host.count_hashes("ann")
    seen = []
    for _ in range(2 * ATTEMPTS):
        with ssh(host, "id",
                 method="password,keyboard-interactive") as talk:
            talk.answer(PASSWORD, "no")
            talk.until(PASSWORD)
            # At the end of its terminal it would send an empty one before.
            talk.child.kill(signal.SIGKILL)
        seen.append(host.verified())
    assert seen[-1] <= ATTEMPTS * seen[0], seen


@pytest.mark.parametrize("stack", ["required", "default=bad", "manual"])
def test_a_key_behind_a_settle_line(host, stack):
    """The line is reached after a wrong password; the key proves none."""
    host.service("sshd", STACKS[stack])
    host.configure(lockout={"attempts": ATTEMPTS})
    host.add("ann", OLD)
    host.give_key("ann")
    host.count_hashes("ann")
    seen = []
    for _ in range(2 * ATTEMPTS):
        with ssh(host, "echo in as $(id -un)",
                 method="password,publickey") as talk:
            talk.answer(PASSWORD, "no")
            talk.rest()
        seen.append(host.verified())
    # The first is from a source that is not yet familiar.
    assert seen[-1] <= (ATTEMPTS + 1) * seen[0], seen


@pytest.mark.parametrize("methods", [
    "publickey ssh-rsa AAAApasswordAAAA", "gssapi-with-mic password@R",
    "hostbased keyboard-interactive", "passwordless x"])
def test_a_method_is_the_first_word(guarded, methods):
    """The rest of a line is what the client chose."""
    guarded.count_hashes("ann")
    steps = ("no", f"pamenv:SSH_AUTH_INFO_0={methods}", "open")
    guess(guarded, *steps)
    one = guarded.verified()
    for _ in range(2 * ATTEMPTS):
        guess(guarded, *steps)
    # The session that is opened makes the source familiar.
    assert 0 < guarded.verified() <= 2 * ATTEMPTS * one


def test_a_key_after_a_wrong_password(host):
    """sshd goes on with the same handle: the password was wrong all the same."""
    host.service("sshd", guarded_stack())
    host.configure(lockout={"attempts": ATTEMPTS})
    host.add("ann", OLD)
    host.give_key("ann")
    for _ in range(ATTEMPTS + 1):  # the first is from a source not yet familiar
        with ssh(host, "echo in as $(id -un)",
                 method="password,publickey") as talk:
            talk.answer(PASSWORD, "no")
            assert "in as ann" in talk.rest()
    with ssh(host, "id", method="password") as talk:
        talk.answer(PASSWORD, OLD)
        assert "uid=" not in talk.rest()


# ---- a line that is no guard, with a module behind it

def fall_through():
    return ("auth [success=done user_unknown=ignore default=die] "
            "pam_selfreset.so backend=corp\n"
            f"auth required {UNIX}\n"
            "account required pam_permit.so\n")


def test_a_module_behind_a_plain_line(host):
    """ann is of no backend of ours; pam_unix has her.  She is asked once, and
    throttled as all."""
    host.service("probe", fall_through().replace(" backend=corp", ""))
    host.configure(lockout={"attempts": ATTEMPTS})
    (RUN / "spellings").write_text("far:far:7001\n")
    with host.test_nss_module("spelling"):
        host.nsswitch(passwd="files spelling")
        done = host.drive("probe", "far", "auth", answers=["no"], rhost=PEER)
        unknown = host.drive("probe", "nobody-here", "auth", answers=["no"],
                             rhost=PEER)
        assert done.prompts == unknown.prompts == ["Password: "]
        for _ in range(ATTEMPTS - 1):
            host.drive("probe", "far", "auth", answers=["no"], rhost=PEER)
        assert host.drive("probe", "far", "auth", answers=["no"],
                          rhost=PEER).code == "AUTH_ERR"


@pytest.mark.parametrize("name", ["far", "nowhere"])
def test_two_lines_count_once(host, name):
    """A plain line for the accounts of the host, then guard, as the manual's
    stack beside sssd has it."""
    host.service("probe",
                 "auth [success=done user_unknown=ignore default=die] "
                 "pam_selfreset.so\n" + around("required pam_deny.so"))
    host.configure(lockout={"attempts": 4})
    (RUN / "spellings").write_text("far:far:7001\n")
    with host.test_nss_module("spelling"):
        host.nsswitch(passwd="files spelling")
        for number in range(4):
            done = host.drive("probe", name, "auth", answers=["no"],
                              rhost=PEER)
            assert "locked" not in done.said or number == 3, (number, done)
        assert "locked" in host.drive("probe", name, "auth", answers=["no"],
                                      rhost=PEER).said


def test_success_of_a_module_behind_a_plain_line(host):
    """What it lets in is no failure, however often."""
    host.service("probe", "auth [success=done user_unknown=ignore default=die] "
                 "pam_selfreset.so\nauth required pam_permit.so\n"
                 "account required pam_permit.so\n")
    host.configure(lockout={"attempts": ATTEMPTS})
    (RUN / "spellings").write_text("far:far:7001\n")
    with host.test_nss_module("spelling"):
        host.nsswitch(passwd="files spelling")
        for _ in range(2 * ATTEMPTS):
            assert host.drive("probe", "far", "auth", "cred", answers=[OLD],
                              rhost=PEER).codes == ["SUCCESS", "SUCCESS"]

