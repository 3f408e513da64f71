"""Several hosts for the tests: each has a network and a state of its own, and
shares all else with the scratch host.

The directory is in a network of its own in the middle.  No network of the
machine is touched.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import pathlib
import shutil
import subprocess

from scratch import ETC, NSSDIR, RUN, RUNDIR, STATE, Drive, end_group

SERVER = "directory"
ADDRESS = "10.77.0.1"


def run(*command):
    subprocess.run(list(map(str, command)), check=True)


class Space:
    """A network of its own, and where `binds` say so places of its own."""

    def __init__(self, binds=()):
        script = "".join(f"mount --bind {source} {target} || exit 1\n"
                         for source, target in binds)
        self.process = subprocess.Popen(
            ["unshare", "--net", "--mount", "--propagation", "private",
             "sh", "-c", f"{script}ip link set lo up || exit 1\n"
             "echo ready\nexec sleep infinity"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            start_new_session=True)
        assert self.process.stdout.readline() == "ready\n"
        # Whoever runs in it sees the tests' own places but for those.
        self.wrap = ["nsenter", "-t", str(self.process.pid), "--net",
                     *(["--mount", "--root"] if binds else [])]

    def end(self):
        end_group(self.process)
        self.process.stdout.close()


class Middle(Space):
    """Where the directory is."""

    name, address = SERVER, ADDRESS

    def __init__(self):
        super().__init__()
        run(*self.wrap, "ip", "address", "add", f"{ADDRESS}/32", "dev", "lo")


class Machine(Space):
    """One host, with a line to the middle."""

    def __init__(self, number, middle):
        self.dir = RUN / f"machine-{number}"
        self.state, self.rundir = self.dir / "state", self.dir / "run"
        self.published = self.dir / "published"
        shutil.rmtree(self.dir, ignore_errors=True)
        for path in (self.state, self.rundir):
            path.mkdir(parents=True)
            path.chmod(0o700)
        self.published.mkdir(mode=0o755)
        for path in (STATE, RUNDIR, NSSDIR):
            path.mkdir(exist_ok=True, mode=0o755 if path == NSSDIR else 0o700)
        super().__init__([(self.state, STATE), (self.rundir, RUNDIR),
                          (self.published, NSSDIR)])
        here, there = f"10.77.{number}.2", f"10.77.{number}.1"
        run(*middle.wrap, "ip", "link", "add", f"to{number}", "type", "veth",
            "peer", "name", "line", "netns", self.process.pid)
        run(*middle.wrap, "ip", "address", "add", f"{there}/24", "dev",
            f"to{number}")
        run(*middle.wrap, "ip", "link", "set", f"to{number}", "up")
        run(*self.wrap, "ip", "address", "add", f"{here}/24", "dev", "line")
        run(*self.wrap, "ip", "link", "set", "line", "up")
        run(*self.wrap, "ip", "route", "add", "default", "via", there)

    def forget_state(self):
        for path in (*self.state.iterdir(), *self.rundir.iterdir()):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


class Fleet:
    """The hosts, and the middle."""

    def __init__(self, host, count=3):
        self.host = host
        self.middle = Middle()
        self.machines = [Machine(number, self.middle)
                         for number in range(1, count + 1)]
        with open(ETC / "hosts", "a") as out:
            out.write(f"{ADDRESS} {SERVER}\n")

    def drive(self, number, *arguments, **options):
        """As host.drive(), on one of the hosts."""
        return Drive(self.host.drive_command(
            *arguments, wrap=self.machines[number].wrap, **options))

    def drive_all(self, *arguments, each=None, **options):
        """On all of them at once; the answers.  each(number): more options."""
        commands = [self.host.drive_command(
            *arguments, wrap=machine.wrap,
            **{**options, **(each(number) if each else {})})
            for number, machine in enumerate(self.machines)]
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                                    stdin=subprocess.DEVNULL)
                   for command in commands]
        return [process.communicate(timeout=120)[0] for process in running]

    def run(self, number, *command):
        return self.host.run(*self.machines[number].wrap, *command)

    def forget_state(self):
        for machine in self.machines:
            machine.forget_state()

    def end(self):
        for space in (*self.machines, self.middle):
            space.end()
        text = pathlib.Path(ETC / "hosts").read_text()
        (ETC / "hosts").write_text(text.replace(f"{ADDRESS} {SERVER}\n", ""))


@contextlib.contextmanager
def fleet(host, count=3):
    made = Fleet(host, count)
    try:
        yield made
    finally:
        made.end()


def counts(outputs):
    """The sum of what "count" lines say, by the code."""
    total = {}
    for output in outputs:
        for line in output.splitlines():
            if line.startswith("count "):
                _, _, code, number = line.split()
                code = code.removeprefix("PAM_")
                total[code] = total.get(code, 0) + int(number)
    return total
