"""Nobody else's login waits for a process that its user can stop.

mal starts su, sudo and passwd, and stops them wherever they are: by the freezer
of control groups, by SIGSTOP, at a system call, by SIGKILL, by leaving them no
processor, by a limit on their processor time.  Meanwhile others log in, and the
same account from where it is known.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import collections
import contextlib
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import statistics
import subprocess
import time

import pytest

from scratch import COUNTER, DAY, RUN, STATE, end_group, wait_until

SECONDS = 7  # of a test, about
OLD = "correct horse battery"
PEER = "192.0.2.7"
HOME = "192.0.2.9"
ATTEMPTS = 5
# Rounds of all ways to stop together.
ROUNDS = int(os.environ.get("SELFRESET_FREEZE_ROUNDS", "30"))
SAVED = RUN / "state-before"
GROUP = pathlib.Path("/sys/fs/cgroup")


# ---- what mal starts

COMMANDS = {
    "su ann": ["su", "ann", "-c", "true"],
    "su bob": ["su", "bob", "-c", "true"],
    "su root": ["su", "root", "-c", "true"],
    "sudo": ["sudo", "-S", "-p", "password: ", "true"],
    "passwd": ["passwd"],
}


def start(user, command, typed="no\n", before=lambda: None, wrap=()):
    """A program that a user has started, with its answers in a pipe."""
    def become():
        before()
        os.setgroups([])
        os.setgid(user.uid)
        os.setuid(user.uid)
        os.chdir("/")

    process = subprocess.Popen(
        [*wrap, *command], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
        preexec_fn=None if wrap else become)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(typed.encode() * 4)
        process.stdin.close()
    return process


@contextlib.contextmanager
def as_user(user):
    """What the kernel lets the user do, it lets us."""
    os.seteuid(user.uid)
    try:
        yield
    finally:
        os.seteuid(0)


def send(process, number):
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(process.pid, number)


# ---- ways to stop it

class Stop:
    """SIGSTOP by root, as the freezer does where there is none."""

    share = 1

    def __init__(self, host, mal):
        self.host, self.mal, self.running = host, mal, []

    def begin(self):
        """Before the undisturbed logins."""

    def start(self, kinds, length):
        for kind in kinds:
            self.running.append(start(self.mal, COMMANDS[kind],
                                      before=self.before))
        time.sleep(random.uniform(0, length))
        self.stop()

    def before(self):
        """In the child."""

    def stop(self):
        for process in self.running:
            send(process, signal.SIGSTOP)

    def thaw(self):
        for process in self.running:
            send(process, signal.SIGCONT)

    def wait(self):
        for process in self.running:
            try:
                process.wait(60)
            finally:
                end_group(process)
        self.running.clear()

    def end(self):
        for process in self.running:
            end_group(process)
        self.running.clear()

    def has_disturbed(self):
        """Whether anything was stopped at all."""
        return True


class StopOwn(Stop):
    """SIGSTOP by mal: only what the kernel lets him."""

    def stop(self):
        with as_user(self.mal):
            super().stop()

    def thaw(self):
        super().thaw()


class Kill(Stop):
    def stop(self):
        for process in self.running:
            send(process, signal.SIGKILL)

    def thaw(self):
        pass


class Freezer(Stop):
    """A control group of mal's own."""

    share = 2

    def __init__(self, host, mal):
        super().__init__(host, mal)
        self.group = freezer_group()
        if self.group is None:
            return  # root's SIGSTOP stops them as well, and mal cannot
        for path in (self.group, *self.group.glob("cgroup.*")):
            os.chown(path, mal.uid, mal.uid)

    def before(self):
        if self.group is not None:
            (self.group / "cgroup.procs").write_text("0")

    def set(self, word):
        with as_user(self.mal):
            (self.group / "cgroup.freeze").write_text(word)
        wait_until(lambda: f"frozen {word}" in
                   (self.group / "cgroup.events").read_text(), what="freezing")

    def stop(self):
        if self.group is None:
            super().stop()
        else:
            self.set("1")

    def thaw(self):
        if self.group is None:
            super().thaw()
        else:
            self.set("0")

    def end(self):
        self.thaw()
        super().end()
        if self.group is None:
            return
        wait_until(lambda: not (self.group / "cgroup.procs").read_text())
        self.group.rmdir()


def freezer_group():
    for path in (GROUP, GROUP / "unified"):
        if not (path / "cgroup.controllers").exists():
            continue
        group = path / f"selfreset-test-{os.getpid()}"
        with contextlib.suppress(OSError):
            group.mkdir()
            if (group / "cgroup.freeze").exists():
                return group
            group.rmdir()
    return None


class AtSystemCall(Stop):
    """Stopped at a system call that is chosen among those since the state was
    opened."""

    share = 2

    def __init__(self, host, mal):
        super().__init__(host, mal)
        if shutil.which("strace") is None:
            pytest.skip("no strace")
        self.calls, self.stopped = {}, 0

    def strace(self, kind, *options):
        return start(self.mal, COMMANDS[kind],
                     wrap=["strace", "-u", "mal", "-qq", *options])

    def trace(self, kind):
        trace = RUN / "trace-of-calls"
        self.strace(kind, "-o", trace).wait()
        return [line for line in trace.read_text().splitlines()
                if re.match(r"[a-z_0-9]+\(", line)]

    def points(self, kind):
        """The system calls since the state is used: of each its name, and how
        many of that name there are up to it."""
        if kind not in self.calls:
            self.calls[kind] = []
            used, count = False, collections.Counter()
            for line in self.trace(kind):
                name = line.partition("(")[0]
                count[name] += 1
                used = used or str(STATE) in line
                if used and "exit" not in name:
                    self.calls[kind].append((name, count[name]))
            assert self.calls[kind], kind
        return self.calls[kind]

    def start(self, kinds, length):
        for kind in kinds:
            self.start_at(kind, *random.choice(self.points(kind)))
        self.stop()
        self.stopped += sum(map(self.is_stopped, range(len(kinds))))

    def start_at(self, kind, call, number):
        """One that is stopped at the Nth call of a name."""
        trace = RUN / f"trace-{len(self.running)}"
        trace.write_text("")
        self.running.append(self.strace(
            kind, "-o", trace, "-e",
            f"inject={call}:signal=STOP:when={number}"))

    def is_stopped(self, number):
        return "stopped by SIGSTOP" in (RUN / f"trace-{number}").read_text()

    def stop(self):
        """Wait until each has stopped or ended."""
        wait_until(lambda: all(
            process.poll() is not None or self.is_stopped(number)
            for number, process in enumerate(self.running)), 30,
            "the processes to stop")

    def thaw(self):
        for process in self.running:
            children = f"/proc/{process.pid}/task/{process.pid}/children"
            with contextlib.suppress(OSError):
                for pid in pathlib.Path(children).read_text().split():
                    os.kill(int(pid), signal.SIGCONT)

    def has_disturbed(self):
        return self.stopped > 0


class Idle(Stop):
    """No time is left for them on their processor: mal keeps it busy.  It is
    one of them only, for the sake of what else is tested meanwhile."""

    def begin(self):
        self.processor = min(os.sched_getaffinity(0))
        self.burners = [
            start(self.mal, ["taskset", "-c", str(self.processor),
                             "sh", "-c", "while :; do :; done"])
            for _ in range(2)]

    def before(self):
        os.sched_setaffinity(0, {self.processor})
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))

    def stop(self):
        pass

    def thaw(self):
        for process in self.burners:
            end_group(process)

    def end(self):
        super().end()
        self.thaw()


class Limit(Stop):
    """The kernel kills them when their processor time is over, of which they
    have a second."""

    share = 0.2

    def start(self, kinds, length):
        super().start(kinds[:3], length)

    def before(self):
        resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
        end = 1 - random.uniform(0, 0.02)
        while time.process_time() < end:
            pass

    def stop(self):
        wait_until(lambda: all(process.poll() is not None
                               for process in self.running), 60)

    def thaw(self):
        pass


WAYS = {"freezer": Freezer, "stop": Stop, "own stop": StopOwn, "kill": Kill,
        "system call": AtSystemCall, "idle": Idle, "limit": Limit}


# ---- those who log in meanwhile

class Others:
    """Logins of others, each with its time."""

    def __init__(self, host, people):
        self.host, self.people = host, people
        self.took = {}

    def logins(self):
        drive, people = self.host.drive, self.people
        steps = ("auth", "acct", "open", "close")
        yield "bob", lambda: drive(
            "probe", "bob", *steps, answers=[OLD], rhost=PEER)
        yield "root on tty1", lambda: drive(
            "login", "root", *steps, answers=[OLD], tty="/dev/tty1")
        yield "bob's su to cyn", lambda: drive(
            "su", "cyn", *steps, answers=[OLD], real_uid=people["bob"].uid,
            ruser="bob", tty="/dev/pts/7")
        yield "cyn's own passwd", lambda: drive(
            "passwd", "cyn", "auth", "acct", answers=[OLD],
            real_uid=people["cyn"].uid)
        yield "ann at home", lambda: drive(
            "probe", "ann", *steps, answers=[OLD], rhost=HOME)
        yield "ann's own session", lambda: drive(
            "su", "ann", *steps, answers=[OLD], real_uid=people["ann"].uid,
            ruser="ann", tty="/dev/pts/8")

    def tools(self):
        for command in (["status", "ann"], ["status", "bob"],
                        ["unlock", "cyn"]):
            # 3: the account is locked, for strangers by now.
            yield " ".join(command), command, (
                (0, 3) if "ann" in command else (0,))

    def once(self, when):
        """`when`: without mal, beside mal, or after mal."""
        for name, login in self.logins():
            began = time.monotonic()
            done = login()
            self.note(when, name, began)
            assert set(done.codes) == {"SUCCESS"}, (name, done)
        for name, command, codes in self.tools():
            began = time.monotonic()
            done = self.host.run("selfresetctl", *command)
            self.note(when, name, began)
            assert done.returncode in codes, done

    def note(self, when, name, began):
        self.took.setdefault(name, {}).setdefault(when, []).append(
            time.monotonic() - began)

    def were_not_delayed(self):
        """As fast as without mal; both were taken in turns.  One that waited
        would take seconds, hundreds of times as long."""
        times = {when: [each for took in self.took.values()
                        for each in took[when]]
                 for when in ("without", "beside")}
        assert statistics.median(times["beside"]) < 3 * statistics.median(
            times["without"]), self.shown()
        assert max(times["beside"]) < 20 * max(times["without"]), self.shown()

    def shown(self):
        return "".join(
            f"\n{name}: " + ", ".join(
                f"{when} {statistics.mean(times):.4f} (at most "
                f"{max(times):.4f})" for when, times in took.items())
            for name, took in self.took.items())


def people_of(host):
    people = {name: host.add(name, OLD) for name in ("ann", "bob", "cyn")}
    people["mal"] = host.add("mal", "something else", groups=("wheel",))
    host.set_shadow("root", 1, host.shadow("bob")[1])
    host.serve_states()
    for name in ("ann", "bob", "cyn", "root"):
        assert host.drive("probe", name, "auth", "acct", "open", "close",
                          answers=[OLD], rhost=HOME).code == "SUCCESS"
    return people


def restore_state():
    for path in STATE.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(SAVED, STATE, dirs_exist_ok=True)


def one_round(host, way, others, kinds, length):
    restore_state()
    others.once("without")
    host.count_hashes("ann")
    way.start(kinds, length)
    others.once("beside")
    way.thaw()
    way.wait()
    host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER,
               processes=10)
    # ann logged in twice herself.
    assert 2 <= host.verified() <= 2 + ATTEMPTS, kinds
    others.once("after")


@pytest.mark.parametrize("name", WAYS)
def test_stopped_programs_are_in_nobodys_way(host, name):
    people = people_of(host)
    shutil.rmtree(SAVED, ignore_errors=True)
    shutil.copytree(STATE, SAVED)
    way = WAYS[name](host, people["mal"])
    others = Others(host, people)
    began = time.monotonic()
    start(people["mal"], COMMANDS["su ann"]).wait()
    length = 2 * (time.monotonic() - began)
    shares = sum(each.share for each in WAYS.values())
    try:
        way.begin()
        for round_ in range(max(1, round(ROUNDS * way.share / shares))):
            random.seed(f"{name} {round_}")
            kinds = ["su ann"] * 3 + random.choices(list(COMMANDS), k=3)
            one_round(host, way, others, kinds, length)
    finally:
        way.end()
    assert way.has_disturbed()
    others.were_not_delayed()


# ---- slots of those that do not move

def calls_before_lock(way, name):
    """How many calls of a name "su ann" makes until it locks a slot, that one
    included."""
    for _ in range(2):  # files that are made once are there the second time
        lines = way.trace("su ann")
        way.host.run("selfresetctl", "unlock", "ann")
    lock = next(number for number, line in enumerate(lines)
                if "F_OFD_SETLK" in line and "l_start=1073" in line)
    return sum(line.startswith(name + "(") for line in lines[:lock + 1])


def test_slots_are_taken_from_those_that_do_not_move(host):
    """All slots are locked by programs that were stopped before they wrote
    anything: they are taken from them, and not one more is verified when they
    go on."""
    people = people_of(host)
    way = AtSystemCall(host, people["mal"])
    reads = calls_before_lock(way, "pread64")
    host.count_hashes("ann")
    for _ in range(ATTEMPTS):
        way.start_at("su ann", "pread64", reads + 1)
        way.stop()
    assert host.verified() == 0
    assert all(way.is_stopped(number) for number in range(ATTEMPTS))
    try:
        began = time.monotonic()
        assert host.drive("probe", "ann", "auth", answers=[OLD],
                          rhost=PEER).code == "SUCCESS"
        assert host.verified() == 1
        assert time.monotonic() - began > 2, "a slot was not held"
    finally:
        way.thaw()
    way.wait()
    host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER,
               processes=10)
    assert host.verified() - 1 <= ATTEMPTS


def test_one_who_was_stopped_while_it_verified_has_failed(host):
    """Its slot is used again when the window has passed, and the failure that
    it comes out with in the end is counted where it is seen."""
    people = people_of(host)
    host.configure(lockout={"attempts": 1})
    way = AtSystemCall(host, people["mal"])
    writes = calls_before_lock(way, "pwrite64")
    way.start_at("su ann", "pwrite64", writes + 1)
    way.stop()
    guess = dict(answers=[OLD], rhost=PEER)
    try:
        assert host.drive("probe", "ann", "auth", ahead=10 * 60,
                          **guess).code == "AUTH_ERR"
        assert host.drive("probe", "ann", "auth", ahead=2 * DAY,
                          **guess).code == "SUCCESS"
    finally:
        way.thaw()
    way.wait()
    # mal's wrong password was verified after all: it is a failure of now.
    assert host.drive("probe", "ann", "auth", ahead=2 * DAY,
                      **guess).code == "AUTH_ERR"


@pytest.mark.parametrize("password", [OLD, "no"])
def test_an_answer_that_is_late_is_none(host, password):
    """A program that was stopped for an hour after it had computed the hash:
    its slot was a failure meanwhile, so its answer is none, and is counted,
    whichever look at the clock it was stopped before."""
    host.add("ann", OLD)
    late, codes = pathlib.Path(f"{COUNTER}.late"), []
    for looks in range(1, 12):
        host.forget_state()
        host.count_hashes("ann")
        late.write_text(str(looks))
        codes.append(host.drive("probe", "ann", "auth", answers=[password],
                                rhost=PEER).code)
        late.unlink()
        status = host.run("selfresetctl", "status", "ann").stdout
        counted = re.search(r"strangers\s+failures:\s+1", status) is not None
        assert counted == (codes[-1] != "SUCCESS"), (looks, codes, status)
    assert codes[0] == "AUTHINFO_UNAVAIL"
    if password == OLD:
        # At one before the record was written, and at one after it.
        assert codes.count("AUTHINFO_UNAVAIL") > 1, codes
        assert codes[-1] == "SUCCESS", codes
    else:
        assert "SUCCESS" not in codes


def test_publishing_goes_on(host):
    """mal's su was stopped while it published that ann is locked out."""
    people = people_of(host)
    host.configure(lockout={"attempts": 1})
    way = AtSystemCall(host, people["mal"])
    for _ in range(2):  # files that are made once are there the second time
        lines = way.trace("su ann")
        host.run("selfresetctl", "unlock", "ann")
    lock = max(number for number, line in enumerate(lines)
               if "F_OFD_SETLK" in line and "F_WRLCK" in line)
    way.start_at("su ann", "fcntl", sum(
        line.startswith("fcntl(") for line in lines[:lock + 1]))
    way.stop()
    assert way.is_stopped(0)
    done = host.run("selfresetctl", "must-change", "bob")
    assert (done.returncode, "Warning" in done.stderr) == (0, False), done
    assert "pw-must-change" in host.states("bob")
    way.thaw()
    way.wait()
    host.publish()
    assert "pw-must-change" in host.states("bob")
