"""The bench's part "ldap": logins to a directory, beside nslcd and sssd.

One slapd with ppolicy, over ldaps; all three verify its certificate by one CA,
bind as the same service and are asked for the same users.  The passwords are
hashed in no time (SSHA), so that what is measured is everything else.  NSS is
answered by /etc/passwd for all of them, so that only PAM is compared.

What a peer keeps: nslcd connections for searches, bound as the service, one for
each of its threads.  sssd one such connection, its database of users (asked
again at a login that is 5 seconds and more after the last), and no passwords:
cache_credentials is off.  "cold" is the first login after the peer was started
with nothing kept; "warm" a later one of the same user.  Ours keeps nothing.
nslcd has its defaults, but for the forced change, which it refuses with them:
there it has pam_authc_search NONE.

What is promised, beside the counts: a person who has typed the password waits
no longer than behind nslcd, since the account was looked up before the prompt;
a whole login to a server that is not on this machine (NETWORK milliseconds
away) takes no longer than nslcd's, since there are fewer ways there and back;
and it takes no longer than 1.3 times what libldap alone does.

A whole login to a server on this machine does take longer than nslcd's.  A
daemon has its libraries loaded; here libldap, the library for TLS and what
these need are mapped into each process anew, a third of the time, and the
handshake runs in memory that nobody has touched before.  The table of where
the time goes shows it: what is left to this module is the difference between
its two columns.  A good third of that is what its last row has besides libpam:
this module with the libraries of its own, the configuration, the files of this
host.  The rest is the throttle, the service's secret, and for acct_mgmt most of
the same once more, none of it more than a tenth of a millisecond.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import collections
import contextlib
import dataclasses
import pathlib
import shutil
import statistics
import subprocess
import time

import directory
import peers
import relay
import scratch
from directory import BASE, PEOPLE, POLICY, SERVICE, SERVICE_SECRET
from scratch import ETC, RUN
from table import Row, spread

PASSWORD = "correct horse battery"
WRONG = "incorrect horse battery"
FRESH = "an umbrella for rainy days"
COUNT = 60     # users, of which
SPECIAL = 10   # the last have to change their passwords
GID = 4000
# Each of nslcd's threads has a connection of its own, and they are asked in
# turn.
NSLCD_THREADS = 5
NSLCD = f"""\
binddn {SERVICE}
bindpw {SERVICE_SECRET}
tls_reqcert demand
tls_cacertfile {directory.CERTS}/ca.pem
"""
SSSD = f"""\
auth_provider = ldap
chpass_provider = ldap
access_provider = ldap
ldap_access_order = ppolicy
ldap_pwdlockout_dn = {POLICY}
ldap_default_bind_dn = {SERVICE}
ldap_default_authtok = {SERVICE_SECRET}
ldap_tls_reqcert = demand
ldap_tls_cacert = {directory.CERTS}/ca.pem
cache_credentials = false
sudo_provider = none
autofs_provider = none
"""
STACKS = {
    "ours": "auth required pam_selfreset.so\n"
            "account required pam_selfreset.so\n",
    "nslcd": "auth required pam_ldap.so\naccount required pam_ldap.so\n",
    "sssd": "auth required pam_sss.so\naccount required pam_sss.so\n",
}
MORE_STACKS = {
    "permit": "auth required pam_permit.so\naccount required pam_permit.so\n",
    "faillock": "auth required pam_faillock.so preauth deny=5\n"
                "auth [success=1 default=bad] pam_ldap.so\n"
                "auth [default=die] pam_faillock.so authfail deny=5\n"
                "auth sufficient pam_faillock.so authsucc deny=5\n"
                "auth required pam_deny.so\n",
}
CHANGES = {
    "ours": "password [success=ok ignore=1 default=die] pam_selfreset.so\n"
            "password requisite pam_deny.so\n"
            "password required pam_selfreset.so settle\n",
    "nslcd": "password required pam_ldap.so\n",
    "sssd": "password required pam_sss.so\n",
}


def user(number):
    return f"user{number:03}"


def entries():
    for number in range(COUNT):
        more = {"pwdReset": "TRUE"} if number >= COUNT - SPECIAL else {}
        yield {**directory.user(user(number), 10000 + number, PASSWORD,
                                pwdChangedTime=directory.stamp(86400), **more),
               "gidNumber": GID}
    yield {"dn": f"ou=groups,{BASE}", "objectClass": "organizationalUnit",
           "ou": "groups"}
    for team in range(4):
        yield {"dn": f"cn=team{team},ou=groups,{BASE}", "cn": f"team{team}",
               "objectClass": "posixGroup", "gidNumber": GID + team,
               "memberUid": [user(number) for number in range(team, COUNT, 4)]}


# ---- the directory and who asks it

class Peers:
    """sssd and nslcd, each of which can be begun anew."""

    def __init__(self, host, uri):
        self.host, self.uri = host, uri
        self.running = {}

    def begin(self, name, more=""):
        self.end(name)
        if name == "nslcd":
            self.running[name] = peers.start_nslcd(self.host, self.uri,
                                                   NSLCD + more)
        elif name == "sssd":
            self.running[name] = peers.start_sssd(self.host, self.uri,
                                                  "nss, pam", SSSD)

    def end(self, name):
        process = self.running.pop(name, None)
        if process is None:
            return
        # sssd's own processes end with it only when it is asked to.
        ended = self.processes(process)
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        scratch.wait_until(lambda: not any(map(is_alive, ended)),
                           what=f"{name} to end")

    @staticmethod
    def processes(process):
        """It, and its children."""
        found = [process.pid]
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[1]) == process.pid:
                    found.append(int(stat.parent.name))
        return found

    def cpu(self, name):
        """Seconds that its processes have used."""
        process = self.running.get(name)
        return 0 if process is None else sum(map(cpu_of,
                                                 self.processes(process)))


def is_alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return state.rpartition(")")[2].split()[0] not in "ZX"


def cpu_of(pid):
    """Seconds, by the process's own clock."""
    return time.clock_gettime_ns(~pid << 3 | 2) / 1e9


@dataclasses.dataclass
class Logins:
    """The directory, those who ask it, and one login."""
    bench: object
    server: object
    peers: Peers
    names: tuple
    pool: object  # of those who have to change their passwords

    def command(self, name, who, calls, *answers, rounds=1, options=(),
                service=""):
        return [self.bench.program, f"--rounds={rounds}",
                "--rhost=192.0.2.7", *options,
                f"dir{service}-{name}", who, calls, *answers]

    def play(self, name, who, calls, *answers, code=0, into=None, **more):
        """Log in; the times go `into` lists, in milliseconds."""
        done = subprocess.run(self.command(name, who, calls, *answers, **more),
                              stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=True)
        for line in done.stdout.splitlines():
            seen, _, wall, cpu, _, _, typed = map(int, line.split())
            assert code is None or seen == code, (name, who, calls, line)
            if into is not None:
                into["wall"].append(wall / 1e6)
                into["cpu"].append(cpu / 1e6)
                into["typed"].append(typed / 1e6)

    def use(self, uri):
        """Everybody asks the server there, and begins anew."""
        self.peers.uri = uri
        self.bench.host.configure(backend_corp={"uri": uri})
        for name in self.names:
            self.peers.begin(name)
            self.warm(name)

    def warm(self, name):
        """What a peer keeps, it has."""
        for number in range(3, 7):
            self.play(name, user(number), "auth+acct", PASSWORD,
                      rounds=NSLCD_THREADS)

    def floor(self):
        """The parts of a login, as a plain program takes them."""
        module = next(pathlib.Path("/usr").glob("lib*/selfreset/ldap.so"))
        done = subprocess.run(
            [self.bench.build / "tests/bench/ldapfloor", "3", module,
             self.peers.uri, directory.CERTS / "ca.pem", SERVICE,
             SERVICE_SECRET, directory.dn_of(user(3)), POLICY, PASSWORD],
            capture_output=True, text=True, check=True,
            env={"LDAPNOINIT": "1", "SASL_PATH": str(RUN / "keys")})
        return done.stdout.splitlines()

    def system_calls(self, name):
        """Of one login, in the client."""
        counts = []
        for calls in ("auth+acct", "none"):
            out = RUN / "strace"
            subprocess.run(["strace", "-f", "-qq", "-o", out, *self.command(
                name, user(3), calls, PASSWORD, options=("--plain",))],
                stdin=subprocess.DEVNULL, capture_output=True, check=True)
            counts.append(len(out.read_text().splitlines()))
        return counts[0] - counts[1]

    def forget_failures(self):
        """Nobody has failed yet, but the stores are there."""
        self.bench.host.forget_state()
        shutil.rmtree("/run/faillock", ignore_errors=True)
        for name in self.names:
            self.play("faillock" if name == "nslcd" else name, user(4), "auth",
                      WRONG, code=7)

    # -- the server's log

    def settle(self):
        """Until the peers have nothing more to ask."""
        while True:
            size = self.server.log.stat().st_size
            time.sleep(0.25)
            if size == self.server.log.stat().st_size:
                return size


@contextlib.contextmanager
def directory_host(bench):
    """The host of the measurements."""
    host = bench.host
    host.reset()
    server = directory.Slapd(
        host, list(entries()), policies={"policy": {
            "pwdMaxAge": 90 * 86400, "pwdMustChange": "TRUE",
            "pwdLockout": "TRUE", "pwdMaxFailure": 1000}},
        certificate_file=directory.certificate("good"),
        more="index objectClass,uid,uidNumber,gidNumber,memberUid,cn eq")
    directory.SECRET_FILE.write_text(SERVICE_SECRET + "\n")
    directory.SECRET_FILE.chmod(0o600)
    host.settings = {}
    host.configure(
        selfreset={"backends": "local corp", "contact": "the help desk"},
        backend_corp={"uri": server.uri, "base": PEOPLE, "identity": "simple",
                      "bind_dn": SERVICE, "default_policy": POLICY,
                      "secret_file": directory.SECRET_FILE,
                      "ca_file": directory.CERTS / "ca.pem"})
    with open(ETC / "passwd", "a", encoding="ascii") as out:
        for number in range(COUNT):
            out.write(f"{user(number)}:x:{10000 + number}:{GID}::/:/bin/sh\n")
    for name, stack in {**STACKS, **MORE_STACKS}.items():
        host.service(f"dir-{name}", stack)
        host.service(f"dirchange-{name}", stack + CHANGES.get(name, ""))
    host.add("local", PASSWORD)
    running = Peers(host, server.uri)
    names = ("ours", "nslcd", "sssd") if bench.options.peers else ("ours",)
    try:
        for name in names:
            running.begin(name)
        yield Logins(bench, server, running, names, iter(
            [user(number) for number in range(COUNT - SPECIAL, COUNT)]))
    finally:
        host.stop_all()


# ---- the sheet

class Sheet:
    """A table of three columns that fits a terminal; its rows count as the
    bench's own."""

    WIDTH = (20, 10, 10, 10, 4, 12)
    NAMES, PEER = tuple(STACKS), "nslcd"  # columns; of whom ratios are

    def __init__(self, table):
        self.table = table
        self.about = ""

    def title(self, text, *columns):
        self.about = text.split(",")[0]
        print(f"\n{text}")
        self.line("", *(columns or (*self.NAMES, "ratio", "bound")))

    def line(self, *cells):
        print(" " + " ".join(f"{cell:<{width}}" for cell, width in
                             zip(cells, self.WIDTH)).rstrip(), flush=True)

    def add(self, what, cells, ratio="", bound="", good=None):
        """`cells` by their names; who was not asked has none."""
        shown = [cells.get(name, "") for name in self.NAMES]
        verdict = {None: "", True: " ok", False: " OVER"}[good]
        self.table.rows.append(Row(f"{self.about}: {what}", shown[0],
                                   bound=bound, good=good))
        self.line(what, *shown, ratio, bound + verdict)

    def row(self, what, least, ours="", *ratio, bound=None, good=None):
        """A row whose columns are others."""
        self.table.rows.append(Row(f"{self.about}: {what}", ours, least,
                                   good=good))
        verdict = "" if good is None else " ok" if good else " OVER"
        self.line(what, least, ours, *ratio,
                  *([] if bound is None else [f"<={bound:.2f}{verdict}"]))

    def compare(self, what, values, bound=None, has_ratio=True):
        """Times by their names; the ratio is that to PEER."""
        medians = {name: statistics.median(times)
                   for name, times in values.items()}
        ratio = (medians["ours"] / medians[self.PEER]
                 if has_ratio and self.PEER in medians else None)
        is_bound = bound is not None and ratio is not None
        self.add(what, {name: f"{medians[name]:.3g}±{spread(times) / 2:.2g}"
                        for name, times in values.items()},
                 "" if ratio is None else f"{ratio:.2f}",
                 f"<={bound:.2f}" if is_bound else "",
                 ratio <= bound if is_bound else None)


# ---- what the server is asked for

# Who, what, what is typed, the last code; and how often ours may at most
# connect, bind, search, change.  One of a forced change's two is the question
# whether the server takes any, which changes nothing.
CASES = {
    "login": (user(0), "auth+acct", (PASSWORD,), 0, (1, 2, 2, 0)),
    "wrong password": (user(1), "auth", (WRONG,), 7, (1, 2, 2, 0)),
    "unknown name": ("nobody-here", "auth", (WRONG,), 10, (1, 2, 2, 0)),
    "key login": (user(2), "acct", (), 0, (1, 2, 2, 0)),
    "forced change": (None, "auth+acct+forced", (PASSWORD, FRESH, FRESH), 0,
                      (1, 3, 2, 2)),
}

def count_all(logins, sheet):
    sheet.title("asked of the server, connections/binds/searches/changes")
    for what, (who, calls, answers, code, most) in CASES.items():
        counts = {}
        for name in logins.names:
            logins.peers.begin(name, "pam_authc_search NONE\n"
                               if name == "nslcd" and who is None else "")
            for heat in ("cold", "warm"):
                counts[name, heat] = count_one(logins, name, who, calls,
                                               answers, code, heat)
        for heat in ("cold", "warm"):
            ours = counts["ours", heat]
            sheet.add(f"{what}, {heat}", {
                name: "/".join(map(str, counts[name, heat]))
                for name in logins.names}, "", "<=" + "/".join(map(str, most)),
                all(is_so <= may for is_so, may in zip(ours, most)))


def count_one(logins, name, who, calls, answers, code, heat):
    options = {"code": None if name != "ours" else code}
    if heat == "warm" and name == "nslcd":
        logins.warm(name)
    if who is None:  # each change needs somebody who has to change
        who = next(logins.pool)
        options["service"] = "change"
        if name == "sssd":  # asks for the old one again
            answers = answers[:1] + answers
        options["code"] = 0
    mark = logins.settle()
    logins.play(name, who, calls, *answers, **options)
    logins.settle()
    counts = logins.server.count(mark)
    return (counts.connections, counts.binds, counts.searches,
            counts.changes + counts.modifications)


# ---- how long it takes

NETWORK = 2   # milliseconds there and back, of a server that is not here
DEADLINE = 10  # seconds, of a login: the default
LOADED = 1.25  # what a machine that does other things is forgiven

def is_quiet():
    """Whether the processors have next to nothing to do."""
    def read():
        fields = pathlib.Path("/proc/stat").read_text().split()[1:9]
        return sum(map(int, fields)), int(fields[3]) + int(fields[4])

    before = read()
    time.sleep(1)
    total, idle = (after - first for after, first in zip(read(), before))
    return idle > 0.85 * total


def sample(logins, chunks, rounds, fresh):
    """Wall, CPU and typed-to-answer times of logins by name, taken in turns;
    the same user again, or another each time.  Also the CPU time of each
    peer's processes and of the server's."""
    times = {name: collections.defaultdict(list) for name in logins.names}
    users = 0
    for number in range(chunks):
        for name in logins.names:
            users += 1
            who = user(4 + users % (COUNT - SPECIAL - 4)) if fresh else user(3)
            daemon = logins.peers.cpu(name)
            server = cpu_of(logins.server.process.pid)
            logins.play(name, who, "auth+acct", PASSWORD, rounds=rounds,
                        into=times[name])
            times[name]["daemon"].append(
                (logins.peers.cpu(name) - daemon) * 1000 / rounds)
            times[name]["server"].append(
                (cpu_of(logins.server.process.pid) - server) * 1000 / rounds)
    return times


ROWS = {"wall": "wall", "typed": "- since typed", "all": "CPU, everybody",
        "cpu": "- the client", "daemon": "- the daemon",
        "server": "- the server"}


def time_logins(logins, sheet, what, chunks, bounds, fresh=False):
    """Over a bound it is measured on, and all of it counts."""
    rounds = 1 if fresh else 3
    times = sample(logins, chunks, rounds, fresh)
    for _ in range(3):
        if not any(is_over(times, row, bounds[row]) for row in bounds):
            break
        more = sample(logins, chunks, rounds, fresh)
        for name in logins.names:
            for row in more[name]:
                times[name][row] += more[name][row]
    for name in logins.names:
        times[name]["all"] = [sum(parts) for parts in zip(
            times[name]["cpu"][::rounds], times[name]["daemon"],
            times[name]["server"])]
    sheet.title(f"{what}, ms")
    for row, title in ROWS.items():
        sheet.compare(title, {name: times[name][row]
                              for name in logins.names}, bounds.get(row),
                      has_ratio=row in ("wall", "typed", "all"))


def key_logins(logins, sheet, chunks):
    """acct_mgmt alone, for which the peers have a connection already."""
    times = {name: collections.defaultdict(list) for name in logins.names}
    for _ in range(chunks):
        for name in logins.names:
            logins.play(name, user(3), "acct", rounds=3, into=times[name])
    sheet.compare("key login, wall", {name: times[name]["wall"]
                                      for name in logins.names})


def is_over(times, row, bound):
    return "nslcd" in times and statistics.median(
        times["ours"][row]) > bound * statistics.median(times["nslcd"][row])


def over_network(logins, sheet, chunks, bound):
    """The same, with a server that is not on this machine."""
    wire = relay.Relay(logins.server.tls_port, NETWORK / 2000)
    uri = f"ldaps://localhost:{wire.port}"
    logins.use(uri)
    time_logins(logins, sheet, f"a login to a server {NETWORK:g} ms away "
                "(there and back)", chunks, {"wall": bound})
    logins.use(logins.server.uri)


# ---- where it goes

PARTS = ("load the libraries", "their first use", "connection, TLS",
         "bind, the service", "search, the entry", "search, its policy",
         "bind, the owner", "end")


def break_down(logins, sheet, chunks, bound):
    """Ours beside a program that does what cannot be left out, part by part,
    and what libpam costs without a module."""
    floor = [[] for _ in range(len(PARTS) + 2)]
    times = {name: collections.defaultdict(list)
             for name in ("permit", "ours", "local")}
    for _ in range(chunks):
        for line in logins.floor():
            for column, value in zip(floor, line.split()):
                column.append(int(value) / 1e6)
        logins.play("permit", user(3), "auth+acct", PASSWORD, rounds=3,
                    into=times["permit"])
        logins.play("ours", "local", "acct", rounds=3, into=times["local"])
        logins.play("ours", user(3), "auth+acct", PASSWORD, rounds=3,
                    into=times["ours"])
    median = {name: statistics.median(times[name]["wall"]) for name in times}
    least = statistics.median(floor[-2]) + median["permit"]
    sheet.title("where the wall time of a login goes, ms; the least is what a "
                "plain program\ntakes for the same by libldap, and libpam",
                "the least", "ours", "", "ratio", "bound")
    for part, column in zip(PARTS, floor):
        sheet.row(part, f"{statistics.median(column):.2f}")
    sheet.row("libpam, fork", f"{median['permit']:.2f}")
    ratio = median["ours"] / least
    sheet.row("all", f"{least:.2f}", f"{median['ours']:.2f}", "",
              f"{ratio:.2f}", bound=bound, good=ratio <= bound)
    sheet.row("acct_mgmt, local", "", f"{median['local']:.2f}")


# ---- the throttle

def throttle(logins, sheet, chunks):
    """A wrong password has to be on the disk before it is answered."""
    bench = logins.bench
    sheet.title("a wrong password, ms; before nslcd stands pam_faillock, which "
                "keeps its\nfailures in memory")
    memory = bench.state_in_memory()
    for where, state in (("state in memory", memory),
                         ("state on this disk", contextlib.nullcontext())):
        with state:
            times = {name: collections.defaultdict(list)
                     for name in logins.names}
            for _ in range(chunks):
                logins.forget_failures()
                for name in logins.names:
                    stack = "faillock" if name == "nslcd" else name
                    logins.play(stack, user(5), "auth", WRONG, code=7,
                                rounds=3, into=times[name])
        for row, title in (("wall", where), ("typed", "- since typed")):
            sheet.compare(title, {name: times[name][row]
                                  for name in logins.names})


# ---- many at once

PROCESSES = 8


def many_at_once(logins, sheet, chunks, rounds):
    """Each has a user and an address of its own."""
    times = {name: [] for name in logins.names}
    for _ in range(chunks):
        for name in logins.names:
            began = time.monotonic()
            running = [subprocess.Popen(
                logins.command(name, user(6 + number), "auth+acct", PASSWORD,
                               rounds=rounds,
                               options=(f"--rhost=192.0.2.{10 + number}",)),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
                for number in range(PROCESSES)]
            codes = [line.split()[0] for process in running
                     for line in process.communicate()[0].splitlines()]
            took = time.monotonic() - began
            assert codes == ["0"] * (PROCESSES * rounds), (name, codes)
            times[name].append(took * 1000 / len(codes))
    sheet.title(f"{PROCESSES} processes that log in without a pause")
    sheet.compare("ms for each login", times)


# ---- a server that hangs

def time_hung(logins, sheet, title, who, calls, cap, bound, is_kept):
    """The server hangs.  All are asked at once, so that it takes no longer than
    one.  `calls`: a title, and what is called.  `is_kept` compares our seconds
    with the bound."""
    logins.server.pause()
    began = time.monotonic()
    running = {(name, what): subprocess.Popen(
        logins.command(name, who, *call), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, start_new_session=True)
        for name in logins.names for what, call in calls.items()}
    took = {}
    while len(took) < len(running) and time.monotonic() < began + cap:
        time.sleep(0.02)
        for key, process in running.items():
            if key not in took and process.poll() is not None:
                took[key] = time.monotonic() - began
    logins.server.resume()
    for process in running.values():
        scratch.end_group(process)
    sheet.title(f"{title} that hangs (it still accepts): seconds until the "
                "answer")
    for what in calls:
        sheet.add(what, {name: f"{took[name, what]:.1f}"
                         if (name, what) in took else f"> {cap}"
                         for name in logins.names}, "", bound,
                  is_kept(took.get(("ours", what), cap)))


def hang(logins, sheet, cap):
    for name in logins.names:
        logins.warm(name)
    time_hung(logins, sheet, "a server", user(3),
              {"login": ("auth", PASSWORD), "key login": ("acct",)}, cap,
              f"<={DEADLINE + 1}", lambda seconds: seconds <= DEADLINE + 1)


# ---- all of it

def directory_logins(bench):
    with contextlib.ExitStack() as stack:
        if bench.options.peers:
            stack.enter_context(peers.unpacked(
                pathlib.Path(bench.options.peers), bench.build))
        logins = stack.enter_context(directory_host(bench))
        sheet = Sheet(bench.table)
        count_all(logins, sheet)
        quiet = is_quiet()
        if not quiet:
            print("\nthis machine is busy: the bounds on times are "
                  f"{LOADED} times as high")
        margin = 1 if quiet else LOADED
        logins.use(logins.server.uri)
        time_logins(logins, sheet, "a login (authenticate, acct_mgmt)",
                    bench.chunks(15, 60), {"typed": 1.0 * margin})
        sheet.add("system calls", {name: str(logins.system_calls(name))
                                   for name in logins.names})
        key_logins(logins, sheet, bench.chunks(10, 40))
        time_logins(logins, sheet, "a login of another user each time",
                    bench.chunks(30, 120), {"typed": 1.0 * margin}, fresh=True)
        if "nslcd" in logins.names:
            over_network(logins, sheet, bench.chunks(10, 40), 1.0 * margin)
        break_down(logins, sheet, bench.chunks(10, 40), 1.3 * margin)
        throttle(logins, sheet, bench.chunks(5, 30))
        many_at_once(logins, sheet, bench.chunks(2, 5), bench.chunks(5, 20))
        hang(logins, sheet, bench.chunks(20, 100))
