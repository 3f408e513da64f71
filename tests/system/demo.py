"""The demo: real logins on the scratch host.

Each step says what is the case, shows what the user sees and types, and
checks it.  SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import argparse
import os
import pathlib
import re
import shlex
import subprocess
import sys
import textwrap
import time

import captive
import directory
import helper
import samba
import scratch
from talk import AGAIN, NEW, Talk

CONFIGURATION = {
    "selfreset": {"contact": scratch.CONTACT},
    "lockout": {"attempts": 3, "duration": "15m", "delay": "1s"},
    "change group:desk": {"require_logon": "yes"},
}
MINUTE = 60


class Screen:
    """Prints a terminal as it is read, marked at the left."""

    def __init__(self):
        self.fresh = True

    def shown(self, text):
        for piece in text.replace("\r\n", "\n").replace("\r", "\n") \
                .splitlines(keepends=True):
            if self.fresh:
                sys.stdout.write("    | ")
            sys.stdout.write(piece)
            self.fresh = piece.endswith("\n")
        sys.stdout.flush()

    def typed(self, text):
        self.shown(f" << {text} >>" if not self.fresh else f"<< {text} >>")

    def end(self):
        if not self.fresh:
            sys.stdout.write("\n")
        self.fresh = True


class Failed(Exception):
    """A step that did not show what it should."""


class Demo:
    def __init__(self, build):
        self.host = scratch.Host(build)
        self.screen = Screen()
        self.host.reset()
        self.host.settings = {}
        self.host.configure(**CONFIGURATION)
        # Some versions of groupadd and chage complain of what login reads.
        defs = scratch.ETC / "login.defs"
        defs.write_text(defs.read_text().replace("FAIL_DELAY", "# FAIL_DELAY"))

    def add(self, name, password, **fields):
        """An account whose shell says hello, and ends."""
        self.host.add(name, password, cost=scratch.COSTLY, **fields)
        pathlib.Path("/home", name, ".profile").write_text(
            'echo "Welcome, $(id -un)."\nexit 0\n')

    # -- output

    def tell(self, text):
        self.screen.end()
        print("\n".join("  " + line for line in
                        textwrap.wrap(" ".join(text.split()), 74)), flush=True)

    def must(self, shown, *texts):
        """The texts must be in what was shown, whatever their case."""
        for text in texts:
            if text.lower() not in shown.lower():
                raise Failed(f"expected to read \"{text}\", and read:\n{shown}")

    def ssh(self, user, ahead_port=None, **options):
        command = self.host.ssh_command(user, port=ahead_port, **options)
        self.screen.end()
        print(f"    $ ssh {user}@host", flush=True)
        return Talk(command, echo=self.screen)

    def administrator(self, *command):
        self.screen.end()
        print("    # " + " ".join(command), flush=True)
        done = self.host.run(*command)
        self.screen.shown(done.stdout + done.stderr)
        self.screen.end()
        return done

    # -- the steps

    def warning(self):
        """A password that expires soon: a warning at login."""
        self.add("ann", "an old and quiet river", changed=85, max=90)
        self.tell("ann's password expires in a few days. She logs in by ssh.")
        with self.ssh("ann") as ssh:
            shown = ssh.answer("assword: ", "an old and quiet river")
            shown += ssh.rest()
        self.must(shown, "expires in", "days", "Welcome, ann")

    def forced_change(self):
        """An expired password: changed in the same login."""
        self.add("bob", "the old one was fine", changed=95, max=90)
        good = "seven green bottles on a wall"
        self.tell("bob's password has expired. He is let in only with a new "
                  "one. First he tries a weak one, then mistypes, then a "
                  "good one.")
        with self.ssh("bob") as ssh:
            ssh.answer("assword: ", "the old one was fine")
            shown = ssh.answer("(?i)new password: ", "secret")
            self.must(shown, "expired", "15 characters")
            shown = ssh.until("(?i)new password: ")
            self.must(shown, "characters")
            ssh.type(good)
            ssh.answer("Retype new password: ", good + "x")
            shown = ssh.answer("(?i)new password: ", good)
            self.must(shown, "do not match")
            ssh.answer("Retype new password: ", good)
            shown = ssh.rest()
        self.must(shown, "Welcome, bob")
        if not self.host.has_password("bob", good):
            raise Failed("the new password is not in /etc/shadow")
        self.tell("The new password is in /etc/shadow, and the login went on.")

    def guess(self, user, count):
        for number in range(count):
            with self.ssh(user) as ssh:
                ssh.answer("assword: ", f"guess number {number}")
                self.must(ssh.rest(), "denied")

    def lockout(self):
        """Guessing: a lockout, and its end."""
        right = "my cat is called September"
        self.add("cyd", right)
        self.tell("Somebody guesses at cyd's password. Here three wrong ones "
                  "are allowed in 15 minutes.")
        self.guess("cyd", 3)
        self.tell("Now even the right password is refused.")
        with self.ssh("cyd") as ssh:
            ssh.answer("assword: ", right)
            shown = ssh.rest()
        self.must(shown, "too many", scratch.CONTACT, "denied")
        self.tell("16 minutes later (a time namespace) the same password is "
                  "right again.")
        later = self.host.sshd(ahead=16 * MINUTE)
        with self.ssh("cyd", later) as ssh:
            ssh.answer("assword: ", right)
            shown = ssh.rest()
        self.must(shown, "Welcome, cyd", "failed")

    def must_log_on(self):
        """\"User must log on to change the password\"."""
        password = "blue paint on old doors"
        self.add("dan", password, changed=95, max=90, groups=("desk",))
        self.tell("The members of desk may change a password only from a "
                  "session (change.require_logon). dan's has expired, so no "
                  "session is left to change it from: he is told who helps.")
        with self.ssh("dan") as ssh:
            ssh.answer("assword: ", password)
            shown = ssh.rest()
        self.must(shown, "expired", scratch.CONTACT)
        if "Welcome" in shown:
            raise Failed("dan was let in")

    def administration(self):
        """What an administrator sees and does."""
        right = "lamps along the water"
        self.add("eve", right)
        if not self.host.tools:
            self.tell("selfresetctl is not part of this build.")
            return
        self.tell("eve has mistyped too often and calls the help desk.")
        self.guess("eve", 3)
        self.must(self.administrator("selfresetctl", "status", "eve").stdout,
                  "locked")
        done = self.administrator("selfresetctl", "unlock", "eve")
        if done.returncode != 0:
            raise Failed("selfresetctl unlock failed")
        with self.ssh("eve") as ssh:
            ssh.answer("assword: ", right)
            self.must(ssh.rest(), "Welcome, eve")
        done = self.administrator("selfresetctl", "explain", "dan",
                                  "--service", "sshd")
        self.must(done.stdout, "change.require_logon")

    def state_group(self):
        """A state that programs see as a group."""
        password, good = "a kettle on the stove", "nine herons in the reeds"
        match = "Match Group pw-must-change\n    ForceCommand passwd\n"
        self.add("fay", password)
        self.host.give_key("fay")
        self.tell("fay has a key, and this sshd does not ask PAM (UsePAM no). "
                  "But it knows groups, and so does everything else. Once, the "
                  "administrator sets this up:")
        for command in (("selfresetctl", "groups", "--create"),
                        ("selfreset-publish",),
                        ("selfresetctl", "nss", "--enable")):
            if self.administrator(*command).returncode != 0:
                raise Failed(" ".join(command) + " failed")
        self.tell("and writes into sshd_config:")
        self.screen.shown(match)
        port = self.host.sshd(UsePAM="no", match=match)
        self.administrator("selfresetctl", "must-change", "fay")
        self.tell("fay's key now opens passwd, and nothing else:")
        with self.ssh("fay", port, method="publickey", tty=True) as ssh:
            ssh.answer("(?i)current[^:]*password: ", password)
            ssh.answer("(?i)new password: ", good)
            ssh.answer("Retype new password: ", good)
            if "Welcome" in ssh.rest():
                raise Failed("fay was let in before the change")
        self.tell("The change took her out of the group:")
        with self.ssh("fay", port, method="publickey", tty=True) as ssh:
            self.must(ssh.rest(), "Welcome, fay")

    def directory(self):
        """An account of an LDAP directory."""
        password, good = "a lantern in the fog", "eleven swans on the canal"
        name = "gil"
        server = directory.Slapd(
            self.host, [directory.user(name, 7100, password,
                                       pwdChangedTime=directory.stamp(
                                           100 * scratch.DAY))],
            policies={"policy": {"pwdMaxAge": 90 * scratch.DAY,
                                 "pwdMinLength": 8}},
            certificate_file=directory.certificate("good"))
        directory.SECRET_FILE.write_text(directory.SERVICE_SECRET + "\n")
        directory.SECRET_FILE.chmod(0o600)
        self.host.configure(
            selfreset={"backends": "local corp"},
            backend_corp={"uri": server.uri, "base": directory.PEOPLE,
                          "ca_file": directory.CERTS / "ca.pem",
                          "identity": "simple", "bind_dn": directory.SERVICE,
                          "secret_file": directory.SECRET_FILE})
        self.host.add_elsewhere(name, 7100)
        self.tell("gil is no account of this host, but of a directory. The "
                  "directory's policy says that the password has expired. "
                  "selfreset.conf now has these lines:")
        self.screen.shown(scratch.CONFIG.read_text())
        with self.ssh(name) as ssh:
            ssh.answer("assword: ", password)
            self.must(ssh.answer(NEW, good), "expired")
            ssh.answer(AGAIN, good)
            self.must(ssh.rest(), f"in as {name}")
        if not server.lets_in(directory.dn_of(name), good):
            raise Failed("the directory does not have the new password")
        self.tell("The directory has the new password. What an administrator "
                  "sees of the account:")
        self.must(self.administrator("selfresetctl", "status", name).stdout,
                  "corp")

    def letters(self):
        """What the mail program was given, at last with a reset in it."""
        letters = scratch.RUN / "post/letters"
        scratch.wait_until(lambda: "was reset" in letters.read_text(),
                           what="the notice")
        return letters.read_text()

    def write_mail_program(self):
        post = scratch.RUN / "post"
        post.mkdir(mode=0o777)
        post.chmod(0o777)
        (post / "letters").touch(0o666)
        (post / "letters").chmod(0o666)
        (post / "send").write_text(f"#!/bin/sh\ncat >>{post}/letters\n")
        (post / "send").chmod(0o755)
        return post / "send"

    def user_runs(self, *command):
        self.screen.end()
        print("    $ " + " ".join(command), flush=True)
        return Talk(command, user=self.hal, echo=self.screen)

    def enroll(self, password):
        """Recovery codes, the app, and an address for notices."""
        with self.user_runs("selfreset", "enroll") as talk:
            codes = captive.enroll_codes(talk, password)
        with self.user_runs("selfreset", "enroll") as talk:
            key = captive.enroll_app(talk, password, codes.pop(0))
        with self.user_runs("selfreset", "enroll") as talk:
            captive.enroll_mail(talk, password, codes.pop(1),
                                scratch.RUN / "post/letters")
        return key, codes

    def self_service(self):
        """A forgotten password: self-service reset."""
        password, good = "a ladder against the wall", "twelve geese over the dam"
        self.hal = self.host.add("hal", password, cost=scratch.COSTLY)
        self.host.configure(reset={
            "enable": "yes", "new_gate_wait": "0",
            "mail_program": f"{self.write_mail_program()} -t"})
        self.tell("Once, the administrator writes \"enable = yes\" under "
                  "[reset], starts selfreset-helper, and runs:")
        helper.start(self.host)
        if self.administrator("selfresetctl", "reset",
                              "--setup").returncode != 0:
            raise Failed("selfresetctl reset --setup failed")
        port = self.host.sshd(Include=captive.INCLUDE)
        self.tell("hal sets up recovery codes, an authenticator app and an "
                  "address while he still knows his password.")
        key, codes = self.enroll(password)
        self.tell("Some weeks later he has forgotten it. Nobody has to help.")
        with self.ssh("reset", port, tty=True) as talk:
            captive.prove(talk, "hal", key, codes[2])
            talk.answer(NEW, good)
            talk.answer(AGAIN, good)
            self.must(talk.rest(), "changed and checked")
        self.tell("The new password opens his account, and his mailbox has "
                  "this notice, in case that it was somebody else:")
        with self.ssh("hal", port) as ssh:
            ssh.answer("assword: ", good)
            self.must(ssh.rest(), "in as hal")
        self.screen.shown("".join(self.letters().rpartition("From: Self")[1:]))

    def join(self, domain, password):
        """This host is in a domain of Active Directory: its account there, its
        key, and its configuration."""
        domain.computer("client", password)
        keytab = domain.keytab(scratch.RUN / "host.keytab", "client", password)
        self.host.configure(
            selfreset={"backends": "local domain"},
            lockout={"attempts": 2},
            backend_domain={"type": "ad", "realm": samba.REALM,
                            "uri": domain.first.uri, "ca_file": domain.ca,
                            "reset_history": "no", "keytab": keytab})
        domain.configure_host()
        hosts = scratch.ETC / "hosts"
        hosts.write_text(f"127.0.0.9 client.{samba.DNS}\n"
                         + hosts.read_text())

    def active_directory(self):
        """An account of Active Directory, and a keytab that is not right."""
        name, password = "ira", "Old-Passw0rd-of-ira"
        good = "a Lantern 0n the third pier"
        with samba.domain(self.host) as domain:
            self.join(domain, "Machine-Secret-1")
            domain.user(name, password)
            domain.first.write_below(
                samba.user_dn(name), pwdLastSet=samba.filetime(
                    time.time() - 60 * scratch.DAY))
            self.host.add_elsewhere(name, 7200)
            self.tell("ira is an account of Active Directory, and has not "
                      "changed the password for 60 days. The domain allows "
                      "42. selfreset.conf now has these lines:")
            self.screen.shown(scratch.CONFIG.read_text())
            with self.ssh(name) as ssh:
                ssh.answer("assword: ", password)
                self.must(ssh.answer(NEW, good), "expired", "7 characters")
                ssh.answer(AGAIN, good)
                self.must(ssh.rest(), f"in as {name}")
            if not domain.has_password(name, good):
                raise Failed("the domain does not have the new password")
            self.tell("The domain has the new password. Then somebody resets "
                      "this host's account, and its keytab is of no use any "
                      "more. No password can be checked, and ira is told that "
                      "it is not her fault.")
            domain.set_password(samba.computer_dn("client"), "Other-Secret-1")
            with self.ssh(name) as ssh:
                ssh.answer("assword: ", good)
                self.must(ssh.rest(), "This computer", scratch.CONTACT)
            done = self.administrator("selfresetctl", "check", "--backend",
                                      "domain")
            self.must(done.stdout, "SR-5105", "adcli join")
            self.repair(domain, done.stdout)
            with self.ssh(name) as ssh:
                ssh.answer("assword: ", good)
                self.must(ssh.rest(), f"in as {name}")

    def repair(self, domain, text):
        """Run the command that was named, where the tests' domain is."""
        command = " ".join(re.search(r"adcli join .*?(?=\n\n|\n\S|$)", text,
                                     re.S)[0].split())
        self.tell("The administrator of the domain runs that command:")
        self.screen.shown(f"# {command}\n")
        domain.run(*shlex.split(command), "--stdin-password",
                   f"--domain-controller={domain.first.name}",
                   "--computer-name=CLIENT", f"--host-fqdn=client.{samba.DNS}",
                   input=samba.ADMIN_SECRET)

    def play(self, show_all):
        steps = [self.warning, self.forced_change, self.lockout,
                 self.must_log_on, self.administration, self.state_group]
        if show_all:
            steps += [self.self_service, self.directory,
                      self.active_directory]
        print("\n/etc/security/selfreset.conf:")
        print(textwrap.indent(scratch.CONFIG.read_text(), "    "))
        for number, step in enumerate(steps, 1):
            self.screen.end()
            print(f"\n{number}. {step.__doc__}\n")
            try:
                step()
            except (Failed, AssertionError) as trouble:
                self.screen.end()
                print(f"\nFAILED: step {number}, {step.__doc__}\n{trouble}",
                      file=sys.stderr)
                self.show_log()
                return 1
        self.screen.end()
        print("\nAll steps showed what they should."
              + ("" if show_all else
                 "  tests/demo --all shows directories, too."))
        return 0

    def show_log(self):
        print("\nThe system log:", file=sys.stderr)
        for line in self.host.log.all():
            print("    " + line, file=sys.stderr)

    # -- looking around

    def shell(self):
        self.host.add("ann", "an old and quiet river", changed=85, max=90)
        self.host.add("bob", "the old one was fine", changed=95, max=90)
        self.host.add("cyd", "my cat is called September", groups=("wheel",))
        self.host.add("dan", "blue paint on old doors", changed=95, max=90,
                      groups=("desk",))
        for name in ("su", "su-l"):
            self.host.service(name, "auth sufficient pam_rootok.so\n"
                              + scratch.stack())
        for path in pathlib.Path("/home").glob("*/.profile"):
            path.unlink()
        port = self.host.port()
        known = f"{scratch.RUN}/known_hosts"
        print(textwrap.dedent(f"""
            You are root on the demo host: private copies of /etc, /home, /var
            and /run, and an sshd on port {port}. Leave it with "exit"; nothing
            stays behind. Try:

              host ann    her password expires soon:  an old and quiet river
              host bob    his has expired:            the old one was fine
              host cyd    guess wrong three times:    my cat is called September
              host dan    expired, must log on:       blue paint on old doors
              su - cyd, then sudo id, then passwd
              selfresetctl status bob; selfresetctl unlock cyd
              cat /etc/security/selfreset.conf /etc/pam.d/sshd
            """), flush=True)
        rc = scratch.RUN / "demo.bashrc"
        rc.write_text(
            "PS1='demo# '\n"
            f"host() {{ ssh -F none -p {port} -o UserKnownHostsFile={known} "
            "-o PreferredAuthentications=keyboard-interactive "
            "\"$1@127.0.0.1\"; }\n")
        subprocess.run(["bash", "--noprofile", "--rcfile", str(rc), "-i"],
                       check=False, env={**os.environ, "HOME": "/root",
                                         "TERM": os.environ.get("DEMO_TERM",
                                                                "dumb")})
        return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--shell", action="store_true")
    arguments = parser.parse_args()
    os.environ.setdefault("DEMO_TERM", os.environ.get("TERM", "dumb"))
    scratch.enter()
    scratch.set_up(arguments.build)
    demo = Demo(arguments.build)
    try:
        return demo.shell() if arguments.shell else demo.play(arguments.all)
    finally:
        demo.host.stop_all()


if __name__ == "__main__":
    sys.exit(main())
