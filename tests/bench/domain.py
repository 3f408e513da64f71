"""The bench's part "ad": logins to Active Directory, beside pam_krb5, sssd and
winbind.

One domain controller of Samba; all four use the same KDC, and the keytab of one
host.  What each asks of it is counted on the wire: AS and TGS exchanges, changes
by kpasswd, and requests under the seal of LDAP, which are searches.

Counts are of a login that is not the first one: sssd has a connection and its
database then, winbind a connection over SMB, and ours the tickets of the host.
What getting these costs is stated, too ("cold").  pam_krb5 asks for no
state of an account at all, so that its logins by key are let in whatever that
is.

Times are compared with pam_krb5's, which does as much of Kerberos in the process
of the caller; the bound is that and one search, as a plain program makes it:
ldapsearch, which loads what it needs, with the ticket of the host at hand, less
the time of an empty program.  FAST is a part of ours, and not of pam_krb5's as
most have it: what it costs is shown by the same without it.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import collections
import contextlib
import os
import pathlib
import statistics
import subprocess
import time

import logins
import peers
import samba
import scratch
import vendors
from samba import PASSWORD, user_dn
from scratch import RUN, wait_until
from wire import Wire

WRONG, FRESH = "no", "second-Passw0rd-0f-all"
MACHINE = "Machine-Secret-1"
FIRST_UID, GID = 7001, 7000
COUNT, SPECIAL = 20, 8  # users; of these, who have to change
KEYTAB = RUN / "bench.keytab"
MEMBER = RUN / "member"
NAMES = ("ours", "krb5", "sssd", "winbind")
KINDS = ("AS", "TGS", "kpasswd", "search")
DEADLINE = 10  # seconds, the default
STACK = "auth required {0}\naccount required {0}\n"
MODULES = {"ours": "pam_selfreset.so",
           "krb5": f"pam_krb5.so keytab={KEYTAB} defer_pwchange",
           "sssd": "pam_sss.so",
           "winbind": "pam_winbind.so krb5_auth krb5_ccache_type=FILE"}
ASK_AGAIN = ("krb5", "sssd", "winbind")
SSSD_CONF = f"""\
[sssd]
services = nss, pam
domains = {samba.DNS}
[nss]
[pam]
[domain/{samba.DNS}]
id_provider = ad
access_provider = ad
ad_domain = {samba.DNS}
ad_server = dc1.{samba.DNS}
ad_hostname = client.{samba.DNS}
ad_gpo_access_control = disabled
ad_enable_gc = false
krb5_keytab = {KEYTAB}
ldap_krb5_keytab = {KEYTAB}
krb5_validate = true
ldap_id_mapping = false
cache_credentials = false
dyndns_update = false
subdomains_provider = none
sudo_provider = none
autofs_provider = none
"""


def user(number):
    return f"user{number:03}"


class Logins(logins.Logins):
    """The domain, those who ask it, and one login."""

    def begin_peers(self):
        """With nothing kept."""
        host = self.bench.host
        host.stop_all()
        peers.run_sssd(host, "nss, pam", SSSD_CONF)
        (MEMBER / "socket/pipe").unlink(missing_ok=True)
        peers.quiet(host, "winbindd", "-F", "--no-process-group",
                    "--debug-stdout", "-s", str(MEMBER / "smb.conf"))
        wait_until((MEMBER / "socket/pipe").exists, what="winbindd")

    def server_cpu(self):
        """Seconds that the controller's processes have used."""
        return sum(map(logins.cpu_of, self.server.processes()))

    def asked(self, wire, *arguments, **options):
        """What a login asks of the domain, and what follows it."""
        self.settle_on(wire)
        self.play(*arguments, **options)
        found = self.settle_on(wire)
        return "/".join(str(found[kind]) for kind in KINDS)

    @staticmethod
    def settle_on(wire):
        """Until nobody has anything more to ask."""
        found = collections.Counter()
        while True:
            time.sleep(0.3)
            more = wire.counted()
            if not more:
                return found
            found.update(more)


def join(domain):
    """winbind has an account of its own, whose key it makes itself."""
    (MEMBER / "socket").mkdir(parents=True)
    (MEMBER / "smb.conf").write_text(vendors.MEMBER_CONF.format(
        dir=MEMBER, socket=MEMBER / "socket", realm=samba.REALM))
    domain.run("net", "ads", "join", "-s", MEMBER / "smb.conf",
               "--no-dns-updates", *domain.as_administrator())
    scratch.mount("--bind", MEMBER / "socket", "/run/samba/winbindd")


def populate(host, domain):
    # The domain's DNS hangs when its controller does.
    with open(scratch.ETC / "hosts", "a", encoding="ascii") as out:
        out.write(domain.hosts())
    with open(scratch.ETC / "passwd", "a", encoding="ascii") as out:
        for number in range(COUNT):
            uid = FIRST_UID + number
            domain.user(user(number), must_change=number >= COUNT - SPECIAL,
                        uidNumber=uid, gidNumber=GID)
            out.write(f"{user(number)}:x:{uid}:{GID}::/:/bin/sh\n")
    domain.computer("client", MACHINE)
    domain.keytab(KEYTAB, "client", MACHINE)
    host.settings = {}
    host.configure(
        selfreset={"backends": "local corp", "contact": "the help desk"},
        backend_corp={"type": "ad", "realm": samba.REALM,
                      "uri": domain.first.uri, "ca_file": domain.ca,
                      "keytab": KEYTAB})
    domain.configure_host(domain.first.ip)


@contextlib.contextmanager
def domain_host(bench):
    """The host of the measurements."""
    host = bench.host
    host.reset()
    names = NAMES if bench.options.peers else NAMES[:1]
    for path in ("/run/samba", "/run/samba/winbindd"):
        pathlib.Path(path).mkdir(parents=True, exist_ok=True)
    controller = vendors.Controller(host, [])
    domain = controller.domain
    try:
        populate(host, domain)
        for name in names:
            host.service(f"dir-{name}", STACK.format(MODULES[name]) +
                         logins.CHANGES.get(
                             name, f"password required {MODULES[name]}\n"))
        made = Logins(bench, domain.first, None, names, iter(
            [user(number) for number in range(COUNT - SPECIAL, COUNT)]))
        if len(names) > 1:
            join(domain)
            made.begin_peers()
        yield made
    finally:
        host.stop_all()
        subprocess.run(["umount", "-l", "/run/samba/winbindd"], check=False)
        domain.end()


class Sheet(logins.Sheet):
    WIDTH = (18, 11, 11, 11, 11, 5, 12)
    NAMES, PEER = NAMES, "krb5"


# ---- what the controller is asked for

# Who, what, what is typed, the last code; and what ours may ask at most.
CASES = {
    "login": (user(0), "auth+acct", (PASSWORD,), 0, (2, 1, 0, 1)),
    "wrong password": (user(1), "auth", (WRONG,), 7, (2, 0, 0, 1)),
    "key login": (user(2), "acct", (), 0, (0, 0, 0, 1)),
    "forced change": (None, "auth+acct+forced", (PASSWORD, FRESH, FRESH), 0,
                      (6, 1, 1, 2)),
}


def count_all(made, sheet):
    sheet.title("asked of the domain controller, " + "/".join(KINDS))
    counts = {}
    with Wire(made.server.ip) as wire:
        for name in made.names:
            made.play(name, user(3), "auth+acct", PASSWORD)
        for path in [*scratch.RUNDIR.glob("krb5-*"),
                     *scratch.RUNDIR.glob("ldap-*")]:
            path.unlink()
        sheet.add("login, cold", {"ours": made.asked(
            wire, "ours", user(3), "auth+acct", PASSWORD)})
        for what, (who, calls, answers, code, most) in CASES.items():
            for name in made.names:
                counts[name] = count_one(made, wire, name, who, calls, answers,
                                         code)
            ours = tuple(map(int, counts["ours"].split("/")))
            sheet.add(what, counts, "", "<=" + "/".join(map(str, most)),
                      all(is_so <= may for is_so, may in zip(ours, most)))


def count_one(made, wire, name, who, calls, answers, code):
    is_change = who is None
    if is_change:  # each change needs somebody who has to
        who = next(made.pool)
        if name in ASK_AGAIN:  # for the old one
            answers = answers[:1] + answers
    else:
        made.play(name, who, calls, *answers, code=None)
    found = made.asked(wire, name, who, calls, *answers,
                       code=code if name == "ours" or is_change else None)
    if is_change:
        assert made.server.domain.has_password(who, FRESH), name
    return found


# ---- how long it takes

def timed(command, environment):
    """Wall and CPU time of a program, milliseconds."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    took = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return took * 1000, (usage.ru_utime + usage.ru_stime) * 1000


def one_search(made, times):
    """By the host's ticket, as ours has it."""
    cache = RUN / "bench.ccache"
    environment = {**os.environ, "KRB5CCNAME": f"FILE:{cache}"}
    if not cache.exists():
        subprocess.run(["kinit", "-k", "-t", KEYTAB, "CLIENT$"], check=True,
                       env=environment)
    search = ["ldapsearch", "-Q", "-Y", "GSSAPI", "-O", "minssf=128", "-N",
              "-H", f"ldap://{made.server.name}", "-b", samba.BASE,
              f"(sAMAccountName={user(3)})", "userAccountControl"]
    for values, whole, start in zip(
            times, timed(search, environment),
            timed(["/bin/true"], environment)):
        values.append(whole - start)


def time_logins(made, sheet, what, chunks, margin):
    times = {name: collections.defaultdict(list) for name in made.names}
    search = [], []
    for _ in range(chunks):
        for name in made.names:
            before = made.server_cpu()
            made.play(name, user(3), "auth+acct", PASSWORD, rounds=3,
                      into=times[name])
            times[name]["server"].append(
                (made.server_cpu() - before) * 1000 / 3)
        if len(made.names) > 1:
            one_search(made, search)
    sheet.title(f"a login (authenticate, acct_mgmt), ms, {what}")
    for row, title in (("wall", "wall"), ("typed", "- since typed"),
                       ("cpu", "CPU, the client"),
                       ("server", "CPU, the server")):
        sheet.compare(title, {name: times[name][row] for name in made.names})
    if len(made.names) == 1:
        return
    for values, row in zip(search, ("wall", "cpu")):
        least = statistics.median(times["krb5"][row]) + \
            statistics.median(values)
        ours = statistics.median(times["ours"][row])
        sheet.row(f"{row}: krb5, search", f"{least:.1f}", f"{ours:.1f}", "",
                  "", f"{ours / least:.2f}", bound=margin,
                  good=ours <= least * margin)


# ---- a controller that hangs

def hang(made, sheet, cap):
    logins.time_hung(
        made, sheet, "a controller", user(4),
        {"login": ("auth", PASSWORD), "key login": ("acct",),
         "change": ("chauthtok", PASSWORD, FRESH, FRESH)}, cap,
        f"{DEADLINE}±0.5", lambda seconds: abs(seconds - DEADLINE) <= 0.5)


def domain_logins(bench):
    with contextlib.ExitStack() as stack:
        if bench.options.peers:
            stack.enter_context(peers.unpacked(
                pathlib.Path(bench.options.peers), bench.build))
        made = stack.enter_context(domain_host(bench))
        sheet = Sheet(bench.table)
        count_all(made, sheet)
        quiet = logins.is_quiet()
        if not quiet:
            print("\nthis machine is busy: the bounds on times are "
                  f"{logins.LOADED} times as high")
        for fast, what in (("never", "without FAST"), ("try", "with FAST")):
            bench.host.configure(backend_corp={"fast": fast})
            made.play("ours", user(3), "auth+acct", PASSWORD)
            time_logins(made, sheet, what, bench.chunks(10, 40),
                        1 if quiet else logins.LOADED)
        hang(made, sheet, bench.chunks(20, 60))
