"""The scratch host: private copies of all that a login touches.

One mount namespace holds a copy of /etc, fresh /run, /home, /var/log and state
directories, a small /dev with a syslog socket of our own, a copy of the
directory of PAM modules with the built one among them, and a directory for the
NSS module that the loader's cache knows of.  The machine's own files are never
written.  A process namespace around it ends whatever was started.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import ctypes
import dataclasses
import glob
import itertools
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

RUN = pathlib.Path("/run/selfreset-test")
ETC = pathlib.Path("/etc")
STATE = pathlib.Path("/var/lib/selfreset")
RUNDIR = pathlib.Path("/run/selfreset")
NSSDIR = pathlib.Path("/var/lib/selfreset-nss")
PUBLISHED = NSSDIR / "v1"
NSS_MODULE = RUN / "lib/libnss_selfreset.so.2"
CONFIG = ETC / "security/selfreset.conf"
COUNTER = RUN / "crypt"
DAY = 86400
CONTACT = "helpdesk@example.org"

# The account of the programs that self-service reset runs.
PROGRAM_UID = 970

# The local groups that stand for states, with ids of this host.
STATE_GROUPS = {"pw-must-change": 971, "pw-expired": 972, "pw-expiring": 973,
                "acct-locked": 974, "acct-ok": 975, "acct-state-unknown": 976}

SERVICES = ("sshd", "login", "su", "su-l", "sudo", "sudo-i", "passwd",
            "chpasswd", "cron", "polkit-1", "probe")
# What the tests restore: every file that a test or a program under test edits.
RESTORED = ("passwd", "shadow", "group", "gshadow", "subuid", "subgid",
            "passwd-", "shadow-", "group-", "gshadow-", "login.defs", "sudoers",
            "nologin", "ld.so.preload", "security/opasswd",
            "security/access.conf", "nsswitch.conf", "sudo.conf", "nscd.conf",
            "resolv.conf", "krb5.conf", "krb5.keytab", "ssh/sshd_config")

# How costly an account's hash is: rounds of sha512crypt, or the system's own
# method and cost.
CHEAP = 1000  # one millisecond
SLOW = 30000  # tens of milliseconds, the same on any system
COSTLY = None


# ---- the namespace

def enter(*namespaces):
    """Run this same program again, in namespaces of its own; `namespaces` are
    options of unshare for further ones."""
    here = os.readlink("/proc/self/ns/mnt")
    outside = os.environ.get("SELFRESET_TEST_OUTSIDE")
    if outside is not None and outside != here:
        if os.getpid() == 1:
            reap()
        return
    if os.geteuid() != 0:
        sys.exit("the system tests must be run by root")
    os.environ["SELFRESET_TEST_OUTSIDE"] = here
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private",
                          "--pid", "--fork", "--kill-child", "--mount-proc",
                          *namespaces, sys.executable, *sys.orig_argv[1:]])


def reap():
    """The first process of the namespace buries the dead; its child goes on
    with the tests."""
    child = os.fork()
    if child == 0:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        pid, status = os.wait()
        if pid == child:
            os._exit(os.waitstatus_to_exitcode(status) & 0xff)


def mount(*arguments):
    subprocess.run(["mount", *map(str, arguments)], check=True)


def tmpfs(path, mode="0755", *options):
    mount("-t", "tmpfs", "-o", ",".join([f"mode={mode}", *options]),
          "selfreset-test", path)


def overlay(layer, path):
    """What is in `layer` lies above a directory."""
    mount("-t", "overlay", "-o", f"lowerdir={layer}:{path}", "selfreset-test",
          path)


def hide_below(path, names):
    """Keep all entries of a directory, but for `names`: these are gone, and can
    be made anew without a trace outside."""
    path = pathlib.Path(path)
    aside = RUN / ("aside" + str(path).replace("/", "-"))
    aside.mkdir(parents=True)
    mount("--rbind", path, aside)
    tmpfs(path, "%o" % (path.stat().st_mode & 0o7777))
    for entry in os.scandir(aside):
        target = path / entry.name
        if entry.name in names:
            continue
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), target)
        elif entry.is_dir():
            target.mkdir()
            mount("--rbind", entry.path, target)
        else:
            target.touch()
            mount("--bind", entry.path, target)


def private_dev():
    """A /dev in which /dev/log is ours."""
    aside = RUN / "aside-dev"
    aside.mkdir()
    mount("--rbind", "/dev", aside)
    tmpfs("/dev")
    dev = pathlib.Path("/dev")
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        (dev / name).touch()
        mount("--bind", aside / name, dev / name)
    (dev / "pts").mkdir()
    # Terminals of our own: a pty outside has its number there, not here.
    mount("-t", "devpts", "-o", "newinstance,ptmxmode=0666,mode=0620,gid=5",
          "devpts", dev / "pts")
    os.symlink("pts/ptmx", dev / "ptmx")
    os.symlink("/proc/self/fd", dev / "fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"/proc/self/fd/{number}", dev / name)
    (dev / "shm").mkdir()
    tmpfs(dev / "shm", "1777")


def module_directory():
    for pattern in ("/lib/*/security", "/usr/lib/*/security",
                    "/usr/lib64/security", "/lib/security"):
        for found in glob.glob(pattern):
            if os.path.exists(os.path.join(found, "pam_unix.so")):
                return pathlib.Path(found)
    sys.exit("no directory of PAM modules found")


def private_modules(stage):
    """The host's PAM modules and the one that was built."""
    modules = module_directory()
    copy = RUN / "modules"
    shutil.copytree(modules, copy, symlinks=True)
    for built in stage.glob("**/security/pam_selfreset.so"):
        shutil.copy2(built, copy)
    mount("--bind", copy, modules)


def private_backends(stage):
    """The backends that are modules, where the build looks for them."""
    for built in stage.glob("**/selfreset/ldap.so"):
        place = pathlib.Path("/") / built.parent.relative_to(stage)
        layer = RUN / "backends"
        shutil.copytree(built.parent, layer / place.name)
        overlay(layer, place.parent)


def private_library(stage):
    """The NSS module, in a directory that the loader looks in for every
    program, set-user-ID ones too, as it does in /usr/local/lib.  A module of
    the machine is hidden."""
    NSS_MODULE.parent.mkdir()
    for built in stage.glob("**/" + NSS_MODULE.name):
        shutil.copy2(built, NSS_MODULE)
    (RUN / "nothing").touch()
    for pattern in ("/lib/", "/usr/lib/", "/lib/*/", "/usr/lib/*/", "/lib64/",
                    "/usr/local/lib/", "/usr/local/lib/*/"):
        for found in glob.glob(pattern + NSS_MODULE.name):
            mount("--bind", RUN / "nothing", os.path.realpath(found))
    (ETC / "ld.so.conf.d").mkdir(exist_ok=True)
    (ETC / "ld.so.conf.d/selfreset-test.conf").write_text(
        f"{NSS_MODULE.parent}\n")
    if os.path.isdir("/var/cache/ldconfig"):
        tmpfs("/var/cache/ldconfig")
    # Without links: these would be made in the machine's directories.
    subprocess.run(["/sbin/ldconfig", "-X"], check=True)


def private_run():
    tmpfs("/run")
    for name, mode in (("sshd", 0o755), ("lock", 0o1777), ("sudo", 0o711),
                       ("user", 0o755), ("selfreset-test", 0o755)):
        pathlib.Path("/run", name).mkdir(mode=mode)
        os.chmod(f"/run/{name}", mode)
    pathlib.Path("/run/utmp").touch(0o664)


def private_var():
    hide_below("/var/lib", {STATE.name, NSSDIR.name, "sudo"})
    tmpfs("/var/log")
    for name in ("wtmp", "btmp", "lastlog", "faillog"):
        pathlib.Path("/var/log", name).touch(0o660)
    if os.path.isdir("/var/spool/cron"):
        tmpfs("/var/spool/cron")
        pathlib.Path("/var/spool/cron/crontabs").mkdir(mode=0o1730)
    if os.path.isdir("/var/mail"):
        tmpfs("/var/mail", "1777")


def nsswitch(**maps):
    """The text of nsswitch.conf; a map that is None has no line."""
    lines = {"passwd": "files", "group": "files", "shadow": "files",
             "gshadow": "files", "hosts": "files", "services": "files",
             "protocols": "files", **maps}
    return "".join(f"{name}: {sources}\n" for name, sources in lines.items()
                   if sources is not None)


def private_etc():
    subprocess.run(["cp", "-a", "/etc", str(RUN / "etc")], check=True)
    mount("--bind", RUN / "etc", ETC)
    for name in ("profile", "bash.bashrc", "environment", "motd",
                 "ld.so.preload", "nologin"):
        (ETC / name).unlink(missing_ok=True)
    (ETC / "environment").touch()
    shutil.rmtree(ETC / "cron.d", ignore_errors=True)
    (ETC / "cron.d").mkdir()
    (ETC / "crontab").write_text("")
    (ETC / "nsswitch.conf").write_text(nsswitch())
    (ETC / "sudo.conf").unlink(missing_ok=True)
    (ETC / "hosts").write_text(
        f"127.0.0.1 localhost {socket.gethostname()}\n::1 localhost\n")
    sudoers = ETC / "sudoers"
    sudoers.write_text("Defaults !lecture, passwd_tries=3, "
                       "timestamp_timeout=0\n"
                       "root ALL=(ALL) ALL\n%wheel ALL=(ALL) ALL\n")
    sudoers.chmod(0o440)
    shutil.rmtree(ETC / "sudoers.d", ignore_errors=True)
    # Units of the machine are none of this host.
    for place in ("/etc/systemd/system", "/usr/lib/systemd/system"):
        if os.path.isdir(place):
            tmpfs(place)
    defs = (ETC / "login.defs").read_text()
    (ETC / "login.defs").write_text(
        "".join(line + "\n" for line in defs.splitlines()
                if not line.startswith(("FAIL_DELAY", "CONSOLE")))
        + "FAIL_DELAY 0\n")
    # As README's Install says.
    sshd = ETC / "ssh/sshd_config"
    sshd.write_text(sshd.read_text().replace(
        "KbdInteractiveAuthentication no", "KbdInteractiveAuthentication yes"))
    limits = ETC / "security/limits.conf"
    if limits.exists():
        limits.write_text("")


POLKIT_ACTIONS = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE policyconfig PUBLIC "-//freedesktop//DTD polkit Policy Configuration \
1.0//EN" "http://www.freedesktop.org/software/polkit/policyconfig-1.dtd">
<policyconfig>
  <action id="org.example.granted">
    <defaults><allow_any>yes</allow_any></defaults>
  </action>
  <action id="org.example.refused">
    <defaults><allow_any>no</allow_any></defaults>
  </action>
</policyconfig>
"""


# Where libpam also looks for stacks.  On the machine they depend on what is
# installed; here they are empty.
VENDOR_STACKS = [pathlib.Path(path) for path in
                 ("/usr/lib/pam.d", "/usr/share/pam/pam.d", "/usr/etc/pam.d")]


def private_stacks():
    for path in VENDOR_STACKS:
        if path.exists():
            tmpfs(path)


def private_polkit():
    """Rules and actions of our own, and polkitd's user where there is none."""
    share = pathlib.Path("/usr/share/polkit-1")
    if not share.exists():
        hide_below(share.parent, {share.name})
        share.mkdir()
    tmpfs(share)
    rules = ETC / "polkit-1/rules.d"
    shutil.rmtree(rules, ignore_errors=True)
    for path in (rules, share / "rules.d", share / "actions"):
        path.mkdir(parents=True)
    rules.parent.chmod(0o755)
    (share / "actions/org.example.policy").write_text(POLKIT_ACTIONS)
    program_user()
    if "\npolkitd:" not in (ETC / "passwd").read_text():
        with open(ETC / "passwd", "a") as out:
            out.write("polkitd:x:979:979::/nonexistent:/usr/sbin/nologin\n")
        with open(ETC / "shadow", "a") as out:
            out.write("polkitd:!*:19000::::::\n")
        with open(ETC / "group", "a") as out:
            out.write("polkitd:x:979:\n")


def program_user():
    """The account that sysusers.d makes."""
    for file, line in (("passwd", f"{PROGRAM_UID}:{PROGRAM_UID}::/:/bin/false"),
                       ("group", f"{PROGRAM_UID}:"),
                       ("shadow", "19000::::::")):
        if "\n_selfreset:" not in (ETC / file).read_text():
            field = "!*" if file == "shadow" else "x"
            with open(ETC / file, "a") as out:
                out.write(f"_selfreset:{field}:{line}\n")


def private_programs(stage, unpacked):
    """Our program for users; and those that users of Kerberos call, where they
    are only unpacked."""
    layer = RUN / "programs"
    layer.mkdir()
    for built in stage.glob("**/usr/bin/selfreset"):
        shutil.copy2(built, layer)
    for name in ("kinit", "klist", "kdestroy"):
        if shutil.which(name) is None and (unpacked / name).exists():
            shutil.copy2(unpacked / name, layer)
    if any(layer.iterdir()):
        overlay(layer, "/usr/bin")


def open_way(*trees):
    """Users of the host run programs of these trees, also where a folder above
    them is root's only, as /root is."""
    closed = {tree: folder for tree in trees
              for folder in tree.parents if not folder.stat().st_mode & 1}
    aside = {tree: tempfile.mkdtemp() for tree in closed}
    for tree, place in aside.items():
        mount("--bind", tree, place)
    for folder in sorted(set(closed.values())):
        tmpfs(folder)
    for tree, place in aside.items():
        tree.mkdir(parents=True, exist_ok=True)
        mount("--bind", place, tree)
        subprocess.run(["umount", place], check=True)
        os.rmdir(place)
    os.chdir(os.getcwd())


def set_up(build):
    """Make the scratch host in this namespace.  Call once."""
    build = pathlib.Path(build).resolve()
    open_way(*{pathlib.Path(__file__).resolve().parents[2], build.parent})
    private_run()
    private_etc()
    private_var()
    private_backends(build / "stage")
    private_modules(build / "stage")
    private_library(build / "stage")
    private_programs(build / "stage", build.parent / "krb5/usr/bin")
    private_stacks()
    private_polkit()
    private_dev()
    tmpfs("/home")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                    str(RUN / "host_key")], check=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                    str(RUN / "user_key")], check=True)
    (RUN / "keys").mkdir()
    pristine = RUN / "pristine"
    for folder in ("security", "ssh"):
        (pristine / folder).mkdir(parents=True)
    for name in RESTORED:
        if (ETC / name).exists():
            copy(ETC / name, pristine / name)


# ---- small helpers

def copy(source, target):
    """With owner and group, by which /etc/shadow is read."""
    shutil.copy2(source, target)
    status = os.stat(source)
    os.chown(target, status.st_uid, status.st_gid)


def today():
    return int(time.time()) // DAY


_crypt = None


def hash_password(password, cost=CHEAP):
    """crypt(3), since Python lost it."""
    global _crypt
    if _crypt is None:
        for name in ("libcrypt.so.1", "libcrypt.so.2"):
            try:
                _crypt = ctypes.CDLL(name)
                break
            except OSError:
                continue
        for function in (_crypt.crypt, _crypt.crypt_gensalt):
            function.restype = ctypes.c_char_p
    salt = _crypt.crypt_gensalt(None if cost is COSTLY else b"$6$",
                                ctypes.c_ulong(cost or 0), None, 0)
    if isinstance(password, str):
        password = password.encode()
    return _crypt.crypt(password, salt).decode()


def matches(password, hashed):
    """Whether a stored hash is that of a password."""
    hash_password("x")  # loads the library
    return _crypt.crypt(password.encode(), hashed.encode()).decode() == hashed


def wait_until(condition, seconds=60, what="the condition"):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.01)


# Below what the kernel takes for connections, and each given out once: what a
# test has left behind is never found by a later one, at another address either.
_ports = itertools.count(10000)


def free_port():
    for port in _ports:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise AssertionError("there are no more ports")


def listen(address="127.0.0.1", **options):
    """A socket on which nobody else has listened in this run."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, free_port()), family=family,
                                **options)


def ahead_prefix(seconds):
    """A command prefix: the same machine, so many seconds later."""
    if not seconds:
        return []
    return ["unshare", "--time", "--fork", "--kill-child",
            "--boottime", str(int(seconds))]


def hidden(path):
    return path.with_name(path.name + ".hidden")


# ---- syslog

class Log:
    """Everything that is said to /dev/log."""

    def __init__(self):
        self.lines = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("/dev/log")
        os.chmod("/dev/log", 0o666)
        self.seen = threading.Event()
        self.mark = ""
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            line = self.socket.recv(65536).decode(errors="replace")
            if line == self.mark:
                self.seen.set()
            else:
                self.lines.append(line)

    def all(self):
        """All lines that were sent before this call."""
        self.seen.clear()
        self.mark = f"mark {time.monotonic_ns()}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.sendto(self.mark.encode(), "/dev/log")
        assert self.seen.wait(10)
        return list(self.lines)

    def with_text(self, text):
        return [line for line in self.all() if text in line]


# ---- PAM stacks

STORES = "pam_unix.so use_authtok sha512 rounds=1000"


def stack(arguments="", store=STORES):
    """The whole stack, as the manual gives it."""
    a = f" {arguments}" if arguments else ""
    return (f"auth     required   pam_selfreset.so{a}\n"
            f"account  required   pam_selfreset.so{a}\n"
            f"password [success=ok ignore=1 default=die] pam_selfreset.so{a}\n"
            f"password requisite  {store}\n"
            f"password required   pam_selfreset.so settle{a}\n"
            f"session  optional   pam_loginuid.so\n"
            f"session  optional   pam_selfreset.so{a}\n")


def guarded_stack():
    """pam_unix verifies, between guard and settle."""
    return ("auth     requisite  pam_selfreset.so guard\n"
            "auth     [success=ok default=die] pam_unix.so nodelay\n"
            "auth     required   pam_selfreset.so settle\n"
            "account  required   pam_selfreset.so\n"
            "session  optional   pam_selfreset.so\n")


def unix_stack():
    """pam_unix alone: what the harness itself is proved with."""
    return ("auth     required   pam_unix.so nodelay\n"
            "account  required   pam_unix.so\n"
            "password required   pam_unix.so sha512 rounds=1000\n"
            "session  optional   pam_loginuid.so\n"
            "session  optional   pam_unix.so\n")


# ---- accounts

@dataclasses.dataclass
class Account:
    name: str
    password: str = "correct horse battery"
    uid: int = 0
    changed: object = 10  # days ago; "" and -1 and 0 are written as they are
    min: object = 0
    max: object = 99999
    warn: object = 7
    inactive: object = ""
    expire: object = ""  # day number; or days from now as "+3", "-1"
    hash: object = None  # instead of the password's
    cost: object = CHEAP
    groups: tuple = ()
    shell: str = "/bin/sh"
    gecos: str = ""

    def shadow_line(self):
        hashed = self.hash
        if hashed is None:
            hashed = hash_password(self.password, self.cost)
        changed = self.changed
        if isinstance(changed, int) and changed > 0:
            changed = today() - changed
        expire = self.expire
        if isinstance(expire, str) and expire[:1] in ("+", "-"):
            expire = today() + int(expire)
        return ":".join(map(str, (self.name, hashed, changed, self.min,
                                  self.max, self.warn, self.inactive, expire,
                                  ""))) + "\n"


class Host:
    """The scratch host, as a test uses it."""

    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        self.driver = str(self.build / "tests/driver/pamdrive")
        self.publish_driver = str(self.build / "tests/driver/publishdrive")
        self.counter_object = str(
            self.build / "tests/driver/.libs/cryptcount.so")
        self.log = Log()
        self.running = []
        self.main_sshd = None
        self.next_uid = 2000
        self.settings = {}
        self.tools = [str(path.parent) for path in
                      (self.build / "stage").glob("**/selfresetctl")
                      if path.is_file() and "bin" in path.parent.name]
        os.environ["PATH"] = ":".join(
            self.tools + ["/usr/sbin", "/usr/bin", "/sbin", "/bin"])
        for name in ("LANG", "LC_ALL", "LC_MESSAGES", "LANGUAGE", "TZ",
                     "LD_PRELOAD"):
            os.environ.pop(name, None)
        os.environ["TERM"] = "dumb"

    # -- from test to test

    def reset(self):
        """Back to a host on which nothing has happened."""
        self.stop_all()
        for name in RESTORED:
            (ETC / name).unlink(missing_ok=True)
            if (RUN / "pristine" / name).exists():
                copy(RUN / "pristine" / name, ETC / name)
        for path in (ETC / "cron.d").iterdir():
            path.unlink()
        for name in ("polkit-1/rules.d", "sudoers.d", "ssh/sshd_config.d"):
            for path in (ETC / name).glob("*"):
                path.unlink()
        self.forget_state()
        self.install_nss_module()
        for path in (*RUN.glob("crypt*"), *(RUN / "keys").iterdir()):
            path.unlink()
        shutil.rmtree("/var/lib/sudo", ignore_errors=True)
        shutil.rmtree(str(CONFIG) + ".d", ignore_errors=True)
        for name in SERVICES:
            self.service(name, stack())
        self.service("other", "auth required pam_deny.so\n"
                     "account required pam_deny.so\n"
                     "password required pam_deny.so\n"
                     "session required pam_deny.so\n")
        self.settings = {}
        self.configure(selfreset={"contact": CONTACT}, lockout={"delay": "0"})
        self.log.all()
        self.log.lines.clear()

    def forget_state(self):
        for path in (STATE, RUNDIR, NSSDIR):
            shutil.rmtree(path, ignore_errors=True)

    def stop_all(self):
        for process in self.running:
            process.kill()
            process.wait()
        self.running.clear()
        self.main_sshd = None

    # -- configuration

    def service(self, name, text):
        (ETC / "pam.d").mkdir(exist_ok=True)
        (ETC / "pam.d" / name).write_text(text)

    def configure(self, **sections):
        """Change settings; "_" in the name of a section stands for a space."""
        for section, keys in sections.items():
            self.settings.setdefault(section.replace("_", " "),
                                     {}).update(keys)
        CONFIG.parent.mkdir(exist_ok=True)
        CONFIG.write_text("".join(
            f"[{section}]\n" + "".join(f"{key} = {value}\n"
                                       for key, value in keys.items())
            for section, keys in self.settings.items()))
        CONFIG.chmod(0o644)

    # -- accounts

    def add(self, name, password=None, **fields):
        """Add an account; its groups are made where missing."""
        account = Account(name, **fields)
        if password is not None:
            account.password = password
        if not account.uid:
            self.next_uid += 1
            account.uid = self.next_uid
        with open(ETC / "passwd", "a") as out:
            out.write(f"{name}:x:{account.uid}:{account.uid}:{account.gecos}:"
                      f"/home/{name}:{account.shell}\n")
        with open(ETC / "shadow", "a") as out:
            out.write(account.shadow_line())
        lines = (ETC / "group").read_text().splitlines()
        lines.append(f"{name}:x:{account.uid}:")
        for group in account.groups:
            found = [n for n, line in enumerate(lines)
                     if line.startswith(group + ":")]
            if not found:
                self.next_uid += 1
                lines.append(f"{group}:x:{self.next_uid}:")
                found = [len(lines) - 1]
            comma = "" if lines[found[0]].endswith(":") else ","
            lines[found[0]] += comma + name
        (ETC / "group").write_text("\n".join(lines) + "\n")
        home = pathlib.Path("/home", name)
        home.mkdir(exist_ok=True)
        os.chown(home, account.uid, account.uid)
        # A login shell says whose it is, and ends.
        (home / ".profile").write_text('echo "in as $(id -un)"\nexit 0\n')
        return account

    def add_elsewhere(self, name, uid):
        """An account that only the name service knows here."""
        with open(ETC / "passwd", "a") as out:
            out.write(f"{name}:x:{uid}:{uid}::/home/{name}:/bin/sh\n")
        with open(ETC / "group", "a") as out:
            out.write(f"{name}:x:{uid}:\n")
        home = pathlib.Path("/home", name)
        home.mkdir(exist_ok=True)
        os.chown(home, uid, uid)
        (home / ".profile").write_text('echo "in as $(id -un)"\nexit 0\n')

    def shadow(self, name):
        """The fields of an account's shadow line."""
        for line in (ETC / "shadow").read_text().splitlines():
            if line.startswith(name + ":"):
                return line.split(":")
        raise AssertionError(f"{name} has no shadow line")

    def set_shadow(self, name, field, value):
        lines = (ETC / "shadow").read_text().splitlines()
        for number, line in enumerate(lines):
            if line.startswith(name + ":"):
                fields = line.split(":")
                fields[field] = str(value)
                lines[number] = ":".join(fields)
        (ETC / "shadow").write_text("\n".join(lines) + "\n")

    def has_password(self, name, password):
        return matches(password, self.shadow(name)[1])

    # -- the NSS module and what it reads

    @staticmethod
    def install_nss_module():
        if hidden(NSS_MODULE).exists():
            hidden(NSS_MODULE).rename(NSS_MODULE)

    @staticmethod
    def remove_nss_module():
        NSS_MODULE.rename(hidden(NSS_MODULE))

    @staticmethod
    def nsswitch(**maps):
        """Change nsswitch.conf: group="files selfreset" and so on; None leaves
        a map out.  Without arguments: as the module is meant to be used."""
        (ETC / "nsswitch.conf").write_text(nsswitch(**(maps or {
            "group": "files selfreset", "shadow": "files selfreset"})))

    @contextlib.contextmanager
    def test_nss_module(self, name):
        """A second NSS module, tests/driver/NAME.c, while this lasts."""
        module = NSS_MODULE.with_name(f"libnss_{name}.so.2")
        shutil.copy2(self.build / "tests/driver/.libs" / module.name, module)
        self.run("/sbin/ldconfig", "-X")
        try:
            yield
        finally:
            module.unlink()
            self.run("/sbin/ldconfig", "-X")

    @contextlib.contextmanager
    def deaf_module(self):
        """Another NSS module in the place of ours, tests/driver/deaf.c, which
        shows root in acct-ok and nothing else."""
        (RUN / "deaf").write_text(str(STATE_GROUPS["acct-ok"]))
        aside = NSS_MODULE.with_name("aside")
        NSS_MODULE.rename(aside)
        shutil.copy2(self.build / "tests/driver/.libs/libnss_deaf.so.2",
                     NSS_MODULE)
        try:
            yield
        finally:
            NSS_MODULE.unlink()
            aside.rename(NSS_MODULE)

    def leaky_module(self):
        return self.test_nss_module("leaky")

    @staticmethod
    def create_state_groups():
        """The local groups that stand for states."""
        with open(ETC / "group", "a") as out:
            for name, gid in STATE_GROUPS.items():
                out.write(f"{name}:x:{gid}:\n")

    def publish(self, *names):
        """Publish all accounts, or some."""
        commands = [["selfreset-publish", "--user", name] for name in names]
        for command in commands or [["selfreset-publish"]]:
            done = self.run(*command)
            assert done.returncode == 0, (command, done.stdout, done.stderr)

    def publish_directory(self, *accounts, **options):
        """Publish accounts as a directory's backend would tell of them; see
        driver/publishdrive.c."""
        command = [self.publish_driver]
        for name, value in options.items():
            command.append("--" + name.replace("_", "-"))
            if value is not True:
                command.append(value)
        done = self.run(*command, *accounts)
        assert done.returncode == 0, (done.stdout, done.stderr)

    def serve_states(self):
        """The host as it is once the NSS module is set up."""
        self.create_state_groups()
        self.nsswitch()
        self.publish()

    def states(self, name, user=None, later=0):
        """The state groups of an account, as rules about groups see them; asked
        by `user`, or by root, when the clock is so many seconds ahead."""
        options = {} if user is None else {
            "user": user.uid, "group": user.uid, "extra_groups": []}
        clock = ["faketime", "-f", f"+{later}s"] if later else []
        done = self.run(*clock, "id", "-G", name, **options)
        gids = set(done.stdout.split())
        return {group for group, gid in STATE_GROUPS.items()
                if str(gid) in gids}

    # -- counting hashes

    def count_hashes(self, account=None, cheap=False):
        """From now on every hash in every new process is counted; those of one
        account apart."""
        COUNTER.write_bytes(bytes(16))
        COUNTER.chmod(0o666)
        if account is not None:
            pathlib.Path(f"{COUNTER}.match").write_text(
                self.shadow(account)[1].rpartition("$")[0])
        if cheap:
            pathlib.Path(f"{COUNTER}.cheap").touch()
        (ETC / "ld.so.preload").write_text(self.counter_object + "\n")

    def hashes(self):
        """All that were computed."""
        return int.from_bytes(COUNTER.read_bytes()[:8], sys.byteorder)

    def verified(self):
        """Those of the account."""
        return int.from_bytes(COUNTER.read_bytes()[8:], sys.byteorder)

    # -- daemons

    def start(self, command, **options):
        process = subprocess.Popen(command, **options)
        self.running.append(process)
        return process

    def sshd(self, ahead=0, match="", **options):
        """An sshd of one's own; the answer is its port.  `match` is the end of
        its configuration, where the blocks are that begin with Match."""
        port = free_port()
        settings = {
            "ListenAddress": "127.0.0.1", "Port": port, "UsePAM": "yes",
            "HostKey": RUN / "host_key", "PidFile": "none",
            "KbdInteractiveAuthentication": "yes",
            "PasswordAuthentication": "yes", "PubkeyAuthentication": "yes",
            "PermitRootLogin": "yes", "StrictModes": "no", "UseDNS": "no",
            "AuthorizedKeysFile": f"{RUN}/keys/%u", "PrintMotd": "no",
            "PrintLastLog": "no", "MaxAuthTries": 20, "MaxStartups": 500,
            "LoginGraceTime": 120, **options}
        if "persourcepenalties" in self.sshd_knows():
            settings.setdefault("PerSourcePenalties", "no")
        config = RUN / f"sshd-{port}.conf"
        config.write_text("".join(f"{key} {value}\n"
                                  for key, value in settings.items()) + match)
        log = open(RUN / f"sshd-{port}.log", "ab")
        process = self.start([*ahead_prefix(ahead), "/usr/sbin/sshd", "-D",
                              "-e", "-f", str(config)], stdin=subprocess.DEVNULL,
                             stdout=log, stderr=log)
        log.close()
        with open(RUN / "known_hosts", "a") as out:
            key = (RUN / "host_key.pub").read_text()
            out.write(f"[127.0.0.1]:{port} {key}")
        wait_until(lambda: self.answers(port, process), what="sshd")
        return port

    @staticmethod
    def answers(port, process):
        assert process.poll() is None, "sshd has ended"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def sshd_knows(self):
        if not hasattr(self, "_sshd_knows"):
            self._sshd_knows = subprocess.run(
                ["/usr/sbin/sshd", "-T", "-h", str(RUN / "host_key")],
                capture_output=True, text=True, check=False).stdout
        return self._sshd_knows

    def port(self):
        if self.main_sshd is None:
            self.main_sshd = self.sshd()
        return self.main_sshd

    def ssh_command(self, user, *command, port=None, method="keyboard-interactive",
                    source=None, tty=False, prompts=1, options=()):
        arguments = ["ssh", "-F", "none", "-p", str(port or self.port()),
                     "-o", f"UserKnownHostsFile={RUN}/known_hosts",
                     "-o", "StrictHostKeyChecking=yes",
                     "-o", f"PreferredAuthentications={method}",
                     "-o", f"NumberOfPasswordPrompts={prompts}",
                     "-o", "ConnectTimeout=20", "-o", "LogLevel=INFO",
                     "-o", f"IdentityFile={RUN}/user_key",
                     "-o", "IdentitiesOnly=yes", *options]
        if source:
            arguments += ["-b", source]
        if tty:
            arguments += ["-tt"]
        return [*arguments, "-l", user, "127.0.0.1", *command]

    def give_key(self, name):
        """The account may log in with the test's key."""
        shutil.copy2(RUN / "user_key.pub", RUN / "keys" / name)

    # -- the driver

    def drive(self, service, user, *steps, **options):
        """Make PAM calls; see driver/pamdrive.c."""
        return Drive(self.drive_command(service, user, *steps, **options))

    def drive_command(self, service, user, *steps, answers=(), ahead=0,
                      wrap=(), find=None, **options):
        command = [*ahead_prefix(ahead), *wrap, self.driver]
        for answer in answers:
            command += masked_option(answer)
        if find is not None:
            command += ["--find", mask(find)]
        for name, value in options.items():
            option = "--" + name.replace("_", "-")
            if value is True:
                command.append(option)
            elif value is not None and value is not False:
                command += [option, str(value)]
        return [*command, service, user, *steps]

    def run(self, *command, ahead=0, **options):
        """A program without a terminal; its output is text."""
        options = {"capture_output": True, "text": True, "timeout": 60,
                   "check": False, "stdin": subprocess.DEVNULL, **options}
        if "input" in options:
            options.pop("stdin")
        return subprocess.run([*ahead_prefix(ahead), *map(str, command)],
                              **options)


def mask(text):
    data = text.encode() if isinstance(text, str) else text
    return bytes(byte ^ 0xa5 for byte in data).hex()


def masked_option(answer):
    data = answer.encode() if isinstance(answer, str) else answer
    if len(data) > 50000:
        return ["--answer", os.fsdecode(data)]
    return ["--masked", mask(data)]


class Drive:
    """What a run of the driver showed."""

    def __init__(self, command, timeout=120):
        done = subprocess.run(command, capture_output=True, timeout=timeout,
                              check=False, stdin=subprocess.DEVNULL)
        self.status = done.returncode
        self.output = done.stdout.decode(errors="replace")
        self.errors = done.stderr.decode(errors="replace")
        self.lines = [line.split(" ", 1) for line in self.output.splitlines()]
        assert self.status != 2, self.errors

    def __repr__(self):
        return f"status {self.status}\n{self.output}{self.errors}"

    def rest(self, *words):
        return [line[1].replace("\\n", "\n") for line in self.lines
                if line[0] in words]

    @property
    def codes(self):
        """Each call's code, in order, without PAM_."""
        return [rest.split()[1].removeprefix("PAM_")
                for rest in self.rest("code")]

    @property
    def code(self):
        return self.codes[-1] if self.codes else None

    @property
    def said(self):
        """All texts, with single spaces, as a person reads them."""
        return " ".join(" ".join(self.rest("info", "error")).split())

    @property
    def prompts(self):
        return self.rest("prompt", "prompt-echo")

    @property
    def times(self):
        return [int(rest.split()[1]) for rest in self.rest("time")]

    @property
    def counts(self):
        return {rest.split()[1].removeprefix("PAM_"): int(rest.split()[2])
                for rest in self.rest("count")}


def end_group(process):
    """End a process that was started in a session of its own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
