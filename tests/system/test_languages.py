"""Languages: the template and the catalogues, what programs show in each of
them, and which locale counts.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import ast
import email.header
import gettext
import os
import pathlib
import re
import shutil
import socket
import subprocess
import unicodedata

import pytest

import captive
import helper
from scratch import CONFIG, RUN, overlay
from talk import Talk
from test_reset import Flow, Person, Post, enroll_mail

OLD = "correct horse battery"
FRESH = "an umbrella for rainy days"
TOP = pathlib.Path(__file__).parents[2]
LOCALES = {"de": "de_DE.UTF-8", "es": "es_ES.UTF-8", "fr": "fr_FR.UTF-8",
           "ja": "ja_JP.UTF-8", "uk": "uk_UA.UTF-8"}
PLURALS = {"de": 2, "es": 2, "fr": 2, "ja": 1, "uk": 3}
COLUMNS = 72
# The catalogues: of what users read, and of selfresetctl.
DOMAINS = {"selfreset": TOP / "po", "selfresetctl": TOP / "po/selfresetctl"}
CATALOGUES = [(domain, language) for domain in DOMAINS for language in LOCALES]
# What may have texts without a translation still.
INCOMPLETE = set()
NOT_FIRST = "、。，．・：；？！ー）］｝」』ァィゥェォッャュョぁぃぅぇぉっゃゅょ"


@pytest.fixture(scope="module", name="build")
def build_fixture(request):
    return pathlib.Path(request.config.getoption("--build"))


def charmap(text):
    """UTF-8, as far as a text needs it: all of it takes seconds to read."""
    blocks = {int(point, 16) >> 6 for point in
              re.findall(r"<U([0-9A-F]{4,8})>", text)}
    blocks |= {ord(char) >> 6 for char in text} | {0, 1}
    lines = "".join("<U%04X>..<U%04X> %s X\n" % (
        block * 64, block * 64 + 63,
        "".join("/x%02x" % byte for byte in chr(block * 64).encode()))
        for block in sorted(blocks))
    return ("<code_set_name> UTF-8\n<comment_char> %\n<escape_char> /\n"
            f"<mb_cur_min> 1\n<mb_cur_max> 6\nCHARMAP\n{lines}END CHARMAP\n")


def make_locale(name, place):
    """What counts of a locale: its words, and UTF-8."""
    source = pathlib.Path("/usr/share/i18n/locales",
                          name.split(".")[0]).read_text()
    parts = "".join(f'{part}\ncopy "POSIX"\nEND {part}\n' for part in
                    ("LC_CTYPE", "LC_COLLATE", "LC_MONETARY", "LC_NUMERIC"))
    for part in ("LC_TIME", "LC_MESSAGES"):
        parts += re.search(f"^{part}$.*?^END {part}$\n", source,
                           re.MULTILINE | re.DOTALL)[0]
    # localedef cannot read the eras of Japan from a part of their file.
    parts = re.sub(r"^era.*?[^/]\n", "", parts, flags=re.MULTILINE | re.DOTALL)
    (RUN / "locale-source").write_text(
        f"comment_char %\nescape_char /\n{parts}")
    (RUN / "charmap").write_text(charmap(source))
    subprocess.run(["localedef", "--force", "-i", RUN / "locale-source", "-f",
                    RUN / "charmap", place], capture_output=True, check=False)
    shutil.copy("/usr/lib/locale/C.utf8/LC_CTYPE", place)


@pytest.fixture(scope="module", name="shown")
def shown_fixture(build):
    """The locales exist on this host, and the catalogues are installed; the
    answer are the translators."""
    (RUN / "locales").mkdir()
    for name in LOCALES.values():
        make_locale(name, RUN / "locales" / name)
    overlay(RUN / "locales", "/usr/lib/locale")
    shutil.copytree(build / "stage/usr/share/locale", RUN / "catalogues")
    overlay(RUN / "catalogues", "/usr/share/locale")
    return {language: gettext.translation(
        "selfreset", RUN / "catalogues", [language]).gettext
        for language in LOCALES}


# ---- catalogues

def entries(path):
    """Each entry as a dictionary of its fields, the header first."""
    found, field = [], None
    for line in path.read_text().splitlines():
        if line.startswith("#") or not line:
            continue
        begin = re.fullmatch(r'(msgid|msgid_plural|msgstr(?:\[\d\])?) (".*")',
                             line)
        if begin:
            if begin[1] == "msgid":
                found.append({})
            field, line = begin[1], begin[2]
            found[-1][field] = ""
        found[-1][field] += ast.literal_eval(line)
    return found


def msgids(path):
    return {(entry["msgid"], entry.get("msgid_plural"))
            for entry in entries(path)[1:]}


def translations(path):
    """(English, translated) of each text."""
    for entry in entries(path)[1:]:
        for field, text in entry.items():
            if field.startswith("msgstr") and text:
                yield (entry["msgid"] if field in ("msgstr", "msgstr[0]")
                       else entry["msgid_plural"], text)


@pytest.mark.parametrize("domain,made", [("selfreset", "po/new.pot"),
                                         ("selfresetctl", "po/newctl.pot")])
def test_the_template_is_current(build, domain, made):
    (build / made).unlink(missing_ok=True)
    subprocess.run(["make", "-s", "-C", build, made], check=True,
                   capture_output=True)
    assert msgids(build / made) == msgids(DOMAINS[domain] / f"{domain}.pot"), \
        'run "make update-po", and translate what is new; see po/README'


def test_each_file_with_texts_is_listed():
    with_texts = re.compile(r'\b(_|N_|_n|YOURS|COUNTED)\(\s*"')
    listed = {line for line in
              (TOP / "po/POTFILES.in").read_text().splitlines()
              if not line.startswith("#")}
    assert listed == {
        str(path.relative_to(TOP))
        for folder in ("pam", "nss", "policy", "helper")
        for path in (TOP / folder).rglob("*.[ch]")
        if with_texts.search(path.read_text())}


# What has words and is for programs: commands to run, formats, usages.
FOR_PROGRAMS = re.compile(
    r"# |adcli |CA;|cn=|install |kadmin |net ads |samba-tool |systemctl |"
    r"SELFRESET |selfreset-event-counts|.* errors=|.*--json\]|.*'s$| Set group_|\[--")
# By file: comments of accounts, causes of events, answers to Nagios.
NOT_SHOWN = {
    "captive.c": {"Programs of self-service reset", "Self-service reset"},
    "reset.c": {"self-service reset"}, "health.c": {"self-service reset"},
    "check.c": {"the command line is wrong", "only root can check this host"},
    "backend.c": {"the configuration has errors",
                  "the backend cannot be checked"}}
LITERAL = re.compile(r'/\*.*?\*/|((?:"(?:[^"\\\n]|\\.)*"\s*)+)', re.DOTALL)


def test_each_text_of_selfresetctl_is_in_the_template():
    """What is glued of macros, or chosen by "?:" and not marked, is in none."""
    ids = {text for pair in
           msgids(DOMAINS["selfresetctl"] / "selfresetctl.pot")
           for text in pair}
    missing = []
    for path in (TOP / "tools").rglob("*.[ch]"):
        source = re.sub("^#include.*", "", path.read_text().replace("\\\n", ""),
                        flags=re.MULTILINE)
        for found in LITERAL.finditer(source):
            text = ast.literal_eval("(" + (found[1] or "''") + ")")
            if (len(re.findall("[A-Za-z]{2,}", text)) > 2 and
                    " " in text.strip() and text not in ids and
                    path.name != "metrics.c" and
                    not FOR_PROGRAMS.match(text) and
                    text not in NOT_SHOWN.get(path.name, ())):
                missing.append((path.name, text))
    assert not missing


def test_no_text_is_translated_elsewhere():
    """By words only: what another call translates is in no template."""
    for folder in ("pam", "nss", "policy", "helper", "tools"):
        for path in (TOP / folder).rglob("*.[ch]"):
            if path.stem != "words":
                assert not re.search(r"gettext\((?!3\))", path.read_text()), \
                    path


@pytest.mark.parametrize("domain,language", CATALOGUES)
def test_catalogue(domain, language):
    path = DOMAINS[domain] / f"{language}.po"
    done = subprocess.run(["msgfmt", "--check", "--statistics", "-o",
                           "/dev/null", path], capture_output=True, text=True,
                          check=False, env={**os.environ, "LC_ALL": "C"})
    assert done.returncode == 0, done.stderr
    missing = ", \\d+ untranslated messages" if domain in INCOMPLETE else ""
    assert re.fullmatch(rf"\d+ translated messages({missing})?\.\n",
                        done.stderr), \
        f"not complete; see po/README: {done.stderr}"
    assert msgids(path) == msgids(DOMAINS[domain] / f"{domain}.pot")
    assert f"nplurals={PLURALS[language]};" in entries(path)[0]["msgstr"]
    for english, text in translations(path):
        # Prompts and parts of lines keep their spaces at the end.
        assert english[-1:].isspace() == text[-1:].isspace(), text
        # Lines of a list, a menu or a status stay lines.
        begins = re.compile(r"^(- | \d  |  )(?=\S)", re.MULTILINE)
        if not english.startswith("Usage:"):
            assert begins.findall(english) == begins.findall(text), text


def width(line):
    return sum(0 if unicodedata.category(char) in ("Mn", "Me", "Cf") else
               2 if unicodedata.east_asian_width(char) in "WF" else 1
               for char in line)


def folded(build, texts):
    done = subprocess.run([build / "tests/driver/foldlines"], check=True,
                          input="".join(text + "\0" for text in texts).encode(),
                          stdout=subprocess.PIPE, env={"LC_ALL": "C"})
    return done.stdout.decode().split("\0")[:-1]


def filled(text):
    """With values."""
    return re.sub(r"%(?:\d+\$)?(?:(\.4s)|(\.?[*\d]*s)|\d*l{0,2}[zudo]+)",
                  lambda at: "1234" if at[1] else
                  "helpdesk@example.org" if at[2] else "12", text)


@pytest.mark.parametrize("domain,language", CATALOGUES)
def test_lines(build, domain, language):
    """Each text, as it is and as an item of a list, with values."""
    texts = [filled(text) for _, text in
             translations(DOMAINS[domain] / f"{language}.po")]
    texts += ["- " + text for text in texts if "\n" not in text]
    for text, shown in zip(texts, folded(build, texts)):
        assert "".join(shown.split()) == "".join(text.split())
        for line in shown.split("\n"):
            assert width(line) <= COLUMNS, line
            assert line[:1] not in list(NOT_FIRST), shown


# ---- what programs show

def joined(text):
    return re.sub(r"\s", "", text)


def check_lines(drive):
    assert not drive.rest("locale"), "a conversation had another locale"
    for text in drive.rest("info", "error"):
        for line in text.split("\n"):
            assert width(line) <= COLUMNS, line


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("way", ["setlocale:", "pamenv:LANG="])
def test_a_login(host, shown, language, way):
    """By an application that has chosen a locale, and by a stack."""
    locale, words = LOCALES[language], shown[language]
    host.add("ann", OLD, changed=85, max=90)
    drive = host.drive("probe", "ann", way + locale, "auth", "acct",
                       answers=[OLD])
    assert drive.prompts == [words("Password: ")]
    begin, _, end = words("Your password expires %s.%s").partition("%s")
    day = host.run("date", "-d", "+5 days", "+%A",
                   env={**os.environ, "LC_ALL": locale}).stdout.strip()
    assert re.search(re.escape(joined(begin)) + ".*5.*" + day + ".*" +
                     re.escape(joined(end.partition("%s")[0])),
                     joined(drive.said)), drive
    check_lines(drive)


@pytest.mark.parametrize("language", LOCALES)
def test_a_forced_change(host, shown, language):
    words = shown[language]
    host.add("ann", OLD, changed=100, max=90)
    drive = host.drive("probe", "ann", f"setlocale:{LOCALES[language]}", "auth",
                       "acct", "change-expired",
                       answers=[OLD, "short", FRESH, FRESH])
    assert drive.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], drive
    assert drive.prompts[1:] == [words(prompt) for prompt in (
        "New password: ", "New password: ", "Retype new password: ")]
    for text in ("Rules for new passwords:", "The new password was not "
                 "accepted:", "Your password has been changed."):
        assert joined(words(text)) in joined(drive.said), drive
    check_lines(drive)


@pytest.mark.parametrize("steps", [
    ["env:LANG=de_DE.UTF-8"],  # of a process that has not asked for it
    ["pamenv:LANG=de_DE.UTF-8", "pamenv:LC_ALL=C"],
    ["pamenv:LANG=xx_XX.UTF-8"], ["pamenv:LANG=../../../run/x"],
    ["pamenv:LANG=" + "x" * 5000], ["pamenv:LANG="],
    ["setlocale:C.UTF-8"],
    ["setlocale:fr_FR.UTF-8", "setlocale:C", "pamenv:LC_TIME=de_DE.UTF-8"]])
def test_english(host, shown, steps):
    host.add("ann", OLD, changed=85, max=90)
    drive = host.drive("probe", "ann", *steps, "auth", "acct", answers=[OLD])
    assert drive.prompts == ["Password: "]
    assert "Your password expires in 5 days, on " in drive.said


def test_the_application_comes_first(host, shown):
    host.add("ann", OLD)
    drive = host.drive("probe", "ann", "setlocale:fr_FR.UTF-8",
                       "pamenv:LANG=de_DE.UTF-8", "auth", answers=[OLD])
    assert drive.prompts == [shown["fr"]("Password: ")]


def test_days_are_named_as_sentences_are(host, shown):
    """LC_TIME is often that of another country."""
    host.add("ann", OLD, changed=85, max=90)
    drive = host.drive("probe", "ann", "env:LC_TIME=ja_JP.UTF-8",
                       "env:LC_MESSAGES=de_DE.UTF-8",
                       "env:LC_CTYPE=C.UTF-8", "setlocale:", "auth", "acct",
                       answers=[OLD])
    assert re.search("in 5 Tagen, am [A-Z][a-z]+tag|Mittwoch", drive.said)


@pytest.mark.parametrize("language", ["uk", "ja"])
def test_the_dialogue_at_a_greeter(host, shown, language):
    """In the language of the display manager, in messages that lightdm's can
    hold, also where all ways are offered and a text is long."""
    programs = {f"{name}_{key}": value for name in ("sms", "voice", "push")
                for key, value in (("program", "/bin/true"), ("user", "games"))}
    host.configure(reset={
        "enable": "yes", "greeters": "probe", "phone_prefixes": "+49",
        **programs,
        "classes": "app codes ticket mail sms voice push contact"})
    helper.start(host)
    drive = host.drive("probe", "reset", f"setlocale:{LOCALES[language]}", "auth",
                       answers=["ann", "5", "1234 5678"], tty=":0")
    assert drive.codes == ["CONV_ERR"]
    words = shown[language]
    asked = drive.rest("prompt-echo")
    assert asked[0] == words("User name: ")
    assert asked[2] == words("Code from the message: ")
    texts = drive.rest("info")
    assert words("Not accepted.") in "\n".join(texts)
    assert all(len(text.encode()) <= 900 for text in texts), texts


def test_logs_are_english(host, shown):
    """The texts of the system and of libraries, too."""
    host.add("ann", OLD)
    host.configure(selfreset={"backends": "local, corp"},
                   backend_corp={"uri": "ldap://127.0.0.1:1", "type": "ldap",
                                 "base": "dc=example,dc=org"})
    seen = []
    for locale in ("C", LOCALES["de"]):
        host.log.lines.clear()
        for name in ("ann", "nobody-here"):
            host.drive("probe", name, f"setlocale:{locale}", "auth",
                       answers=["wrong"])
        seen.append([re.sub(r"\d+", "0", line) for line in host.log.all()])
    assert any("Connection refused" in line for line in seen[0]), seen[0]
    assert seen[0] == seen[1]


def ctl(host, locale, *argv, **options):
    return host.run("selfresetctl", *argv,
                    env={**os.environ, "LC_ALL": locale}, **options)


def test_selfresetctl(host, shown):
    """German on the terminal: what it finds, states, lists, refuses."""
    words = gettext.translation("selfresetctl", RUN / "catalogues",
                                ["de"]).gettext
    ann = host.add("ann", OLD, changed=85, max=90)
    host.add("bob", hash="!$6$salt$hash")
    host.configure(lockout={"attempts": "0"})
    german = LOCALES["de"]
    for text, argv in [
            ("Facts", ["status", "ann"]), ("yes", ["status", "ann"]),
            ("Guessing at one account is not limited.", ["check"]),
            ("warning", ["check"]), ("  To do: ", ["check"]),
            ("show the state of an account, and the cause", ["--help"])]:
        assert words(text) != text, text
        said = ctl(host, german, *argv).stdout
        assert joined(words(text)) in joined(said), said
        for line in said.splitlines():
            assert width(line) <= COLUMNS or "/" in line, line
    assert words('Unknown account "%s".') % "nobody-here" in ctl(
        host, german, "status", "nobody-here").stderr
    assert "Unknown account" in ctl(host, "C", "status", "nobody-here").stderr
    # What users would read is in their catalogue, the other one.
    assert joined(shown["de"]("Your password expires %s.%s")[:20]) in joined(
        ctl(host, german, "status", "ann").stdout)
    with Talk(["selfresetctl", "list"],
              env={**os.environ, "LC_ALL": german}) as talk:
        talk.until("BENUTZER             ZUSTAND     FRIST            ANMERK")
        # A line is written while the accounts are being enumerated.
        talk.until(re.escape(words("no password (locked)")))
    with Talk(["selfresetctl", "status", "ann"], user=ann,
              env={**os.environ, "LC_ALL": german}) as talk:
        talk.until((words('Only root can use "%s".  Nothing was done.') %
                    "status").split("  ")[0])


def test_selfresetctl_speaks_english_to_programs(host, shown):
    host.add("ann", OLD, changed=85, max=90)
    host.configure(lockout={"attempts": "0"})
    for argv in (["status", "--json", "ann"], ["list", "--json"],
                 ["check", "--json"], ["check", "--nagios"],
                 ["explain", "--json", "ann"],
                 ["age", "--json", "ann"], ["groups", "--check", "--json"],
                 ["check", "--benchmark", "cis", "--json"],
                 ["unlock", "--json", "nobody-here"],
                 ["check", "--nagios", "--nonsense"], ["metrics", "--json"]):
        said = []
        for locale in ("C", LOCALES["de"]):
            host.log.lines.clear()
            done = ctl(host, locale, *argv)
            said.append([re.sub(r"\d{5,}|\d\d:\d\d:\d\d", "0", text) for text in
                         (done.stdout, str(done.returncode),
                          *host.log.all())])
        assert said[0] == said[1], argv
    host.log.lines.clear()
    ctl(host, LOCALES["de"], "unlock", "ann")
    ctl(host, LOCALES["de"], "must-change", "ann")
    assert host.log.with_text("a change of the password") or host.log.all()
    assert all(line.isascii() for line in host.log.all()), host.log.all()


def test_no_catalogue_is_opened_in_the_c_locale(host, shown):
    host.add("ann", OLD, changed=85, max=90)
    trace = RUN / "trace"
    opened = {}
    for locale in ("C", LOCALES["de"]):
        host.drive("probe", "ann", f"setlocale:{locale}", "auth", "acct",
                   answers=[OLD],
                   wrap=["strace", "-f", "-e", "trace=openat,open", "-o",
                         str(trace)])
        opened[locale] = re.findall(r'"([^"]*/locale[^"]*)"', trace.read_text())
        trace.unlink()
    assert opened["C"] == []
    assert any("selfreset.mo" in path for path in opened[LOCALES["de"]])


def test_files_of_the_caller_are_not_read(host, shown):
    """By passwd, which is set-user-ID."""
    ann = host.add("ann", OLD)
    evil = RUN / "evil"
    place = evil / "de/LC_MESSAGES"
    place.mkdir(parents=True)
    source = evil / "evil.po"
    source.write_text('msgid ""\nmsgstr "Content-Type: text/plain; '
                      'charset=UTF-8\\n"\nmsgid "Current password: "\n'
                      'msgstr "Evil %n%s: "\n')
    subprocess.run(["msgfmt", "-o", place / "selfreset.mo", source],
                   check=True)
    shutil.copytree(RUN / "locales/de_DE.UTF-8", evil / "de_DE.UTF-8")
    evil.chmod(0o755)
    env = {"PATH": os.environ["PATH"], "LANG": LOCALES["de"],
           "LANGUAGE": f"../../..{evil}/de:de", "LOCPATH": str(evil),
           "NLSPATH": str(evil / "%N"), "TEXTDOMAINDIR": str(evil),
           "OUTPUT_CHARSET": "UTF-8"}
    with Talk(["passwd"], user=ann, env=env) as talk:
        talk.answer(shown["de"]("Current password: "), OLD)
        assert "Evil" not in talk.seen


def ssh(host, port, user, *command, **options):
    return Talk(host.ssh_command(
        user, *command, port=port, tty=True,
        options=["-o", f"SetEnv=LANG={LOCALES['de']}"], **options))


def test_ssh(host, shown):
    """The client's LANG counts for what is run in the session.  sshd itself
    does not know it before, and speaks English; so does the passwd that it
    runs for an expired password: that has sshd's environment."""
    words = shown["de"]
    host.add("ann", OLD)
    (pathlib.Path("/home/ann") / ".profile").unlink()
    port = host.sshd(AcceptEnv="LANG LC_*")
    with ssh(host, port, "ann", "passwd") as talk:
        talk.answer("Password: ", OLD)
        talk.answer(words("Current password: "), OLD)
        talk.answer(words("New password: "), FRESH)
        talk.answer(words("Retype new password: "), FRESH)
        talk.until("erfolgreich")
    host.add("bob", OLD, changed=100, max=90)
    host.give_key("bob")
    with ssh(host, port, "bob", method="publickey") as talk:
        talk.until("Current password: ")


def test_reset(host, shown):
    """The captive account's dialogue, and the words of selfreset itself."""
    words = shown["de"]
    ann = host.add("ann", OLD)
    captive.set_up(host)
    port = host.sshd(Include=captive.INCLUDE, AcceptEnv="LANG LC_*")
    with ssh(host, port, "reset") as talk:
        talk.until(words("User name: "))
    assert host.run("selfreset", "--help",
                    env={**os.environ, "LC_ALL": LOCALES["de"]}
                    ).stdout.startswith("Aufruf: ")
    with Talk(["selfreset", "status"], user=ann,
              env={**os.environ, "LANG": LOCALES["de"]}) as talk:
        talk.until(words("Nothing is set up."))


def test_a_mail(host, shown):
    """Its subject is a header of ASCII, RFC 2047."""
    words = shown["ja"]
    host.configure(reset={"enable": "yes", "gates": "1", "new_gate_wait": "0"})
    ann, post = Person(host), Post(host)
    enroll_mail(ann, post)
    post.next(2)
    flow = Flow(host, "reset", "--rhost=192.0.2.7",
                f"--locale={LOCALES['ja']}", ahead=61).answer("ann")
    ann.choose(flow, words("a code by mail"))
    letter = post.next(3)
    flow.leave()
    head, body = letter.split("\n\n", 1)
    assert head.isascii() and "charset=UTF-8" in head, head
    subject = email.message_from_string(letter)["Subject"]
    assert str(email.header.make_header(email.header.decode_header(
        subject))) == words("Your code")
    assert not body.isascii()


# ---- the messages about selfreset.conf

# A line that is not made by any file: failures of the system, of memory and of
# a build without Kerberos; values of other files are fitted before.
NOT_BY_A_FILE = re.compile("built without Kerberos|has its value from there|"
                           "cannot be (looked at|read|listed): |out of memory")
# Keys and values of these files, and a German word.
KEPT = {"attempts", "file", "many", "module"}
ODD_LINES = b"""deny = 5
= 1
[lockout
[lockout] x
[nosuchsection]
[lokout]
[group x]
[lockout bogus]
[nss group:x]
[backend]
[backend local]
[reset group:x]
account = a
[lockout]
zz = 1
warn = 1d
atempts = 1
wait 10s
attempts = many
  3
root = off
window = 5
difok = 1
use_authtok = 1
audit = 1
dir = 1
enforcing = 1
file = 1
min_age = 1d
store = a\0b
store = \x01
store = \xff
[password]
min_length = -1
max_lenght = 5
window = 15m
atempts = 15m
skip = "
[selfreset]
backends = /
defaults_from = login.defs
contact = %s
[expiry]
expired_services = @x
[change]
protected = @
[reset]
classes = fax
mail_refuse = :
phone_prefixes = x
mail_attributes = _
[backend corp]
uri = http://x
kdc = :
""" % (b"x " * 65)
CORP = "uri = ldaps://x\nbase = dc=x\n"
# By key or by section, what is wrong in a section of a backend.
ODD_BACKENDS = [CORP + f"filter = {text}\n" for text in (
    "(uid=%u", "(uid=%u(a=b))", r"(uid=%u\2)", "(&(uid=%u)(cn=%s))", "(%u=x)",
    "(uid %u)", "(!uid=%u)", "(&)(uid=%u)", "uid=%u", "(!" * 40 + "uid=%u",
    "(&(uid=%u)x)", "(uid=*)", "(uid=%u))")] + [
    CORP + f"user_dn = {text}\n" for text in (
        "uid=<%u>", r"uid=%u\x", "uid=%u,dc=", 'uid="%u', 'uid="%u"x', "%u",
        "uid=ann", "uid=%s")] + [
    CORP + text for text in (
        "identity = simple\n", "bind_dn = cn=x\n", "identity = external\n",
        "cert_file = /x\n", "keytab = /x\n",
        "user_dn = uid=%u\nidentity = external\ncert_file = /x\nkey_file = /x",
        "uri = ldapi://\nidentity = gssapi\n", "lockout_base = dc=x\n",
        "reset_base = dc=x\n", "realm = X\n", "site = x\n",
        "name_attribute =\n", "keytab = x\nidentity = gssapi\n")] + [
    "uri = ldaps://x\n", "base = dc=x\n",
    "type = krb5\nuri = ldaps://x\n", "type = krb5\nuser_principal = x\n",
    "type = krb5\nccache = x\n", "type = krb5\nccache = FILE:/%x\n",
    "type = krb5\nfast = demand\nverify = no\n",
    "type = ad\nidentity = none\n", "type = ad\nidentity = simple\n",
    "type = ad\nidentity = gssapi\nuri = ldapi://\n",
    "type = ad\nidentity = gssapi\nuser_dn = uid=%u\n",
    "type = ad\nidentity = gssapi\nuid_attribute =\n",
    "type = ad\nidentity = gssapi\nauth = krb5 ldap\ninsecure = yes\n"]
ODD_VALUES = """[selfreset]
backends = lcal, qqqqqqqq
[lockout]
store = ldap
duration = 2d
[lockout group:staff]
duration = 1m
[password]
min_length = 20
max_length = 10
[reset]
enable = yes
account = Root
classes = contact
mail_from = <x>
seal_file = x
store = ldap
[reset group:staff]
classes = sms
sms_user = root
greeters = login
gates = 2
"""
ODD_RESET = """[reset]
enable = yes
store = ldap
classes = sms, voice, push
sms_user = root
greeters = login
"""
ODD_FILES = [  # what is done to a file before it is read
    lambda path: path.mkdir(), lambda path: path.symlink_to("/dev/null"),
    lambda path: (path.touch(), os.chown(path, 12345, 0)),
    lambda path: (path.touch(), path.chmod(0o666)),
    lambda path: (path.touch(), os.truncate(path, (16 << 20) + 1)),
    lambda path: None,
    lambda path: path.write_text("x\n" * 101)]


ODD_OTHERS = [
    ("pwquality", "retry = 0\n"), ("faillock", "unlock_time = 60\n"),
    ("faillock", "deny = 999\nfail_interval = 0\nunlock_time = x\nnodelay\n")]


def odd_files():
    place = RUN / "odd"
    place.mkdir()
    texts = [ODD_LINES, ODD_VALUES.encode(), ODD_RESET.encode(), "".join(
        f"[backend b{i}]\n{text}\n" for i, text in enumerate(ODD_BACKENDS)
        ).encode()]
    paths = [place / f"{i}.conf" for i in range(len(texts) + len(ODD_FILES))]
    for path, text in zip(paths, texts):
        path.write_bytes(text)
    for path, change in zip(paths[len(texts):], ODD_FILES):
        change(path)
    return paths


def of_policy(folder):
    """(English, German) of the messages that a folder of policy/ has."""
    text = (DOMAINS["selfresetctl"] / "de.po").read_text()
    wanted = {entry["msgid"] for entry in (
        {"msgid": "".join(ast.literal_eval(part) for part in at[1].split("\n")
                          if part)}
        for at in re.finditer(
            r"^#: [^\n]*policy/(?:" + folder + r")/(?:[^\n]*\n)+?"
            r"msgid ((?:\".*\"\n)+)", text, re.MULTILINE))}
    return [pair for pair in translations(DOMAINS["selfresetctl"] / "de.po")
            if pair[0] in wanted]


def as_pattern(text):
    return re.sub(r"%(?:\d+\\\$)?(?:0?\d)?l{0,2}[sudo]", ".*",
                  re.escape(joined(text)).replace(r"\%", "%"))


def english_words(texts):
    return {word.lower() for text in texts
            for word in re.findall(r"(?<![\w.%/:=\[-])[A-Za-z]{2,}(?![\w.:=/])",
                                   text)}


def make_libc_words():
    """What the package libc-l10n has."""
    (RUN / "libc.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n'
        'msgid "No such file or directory"\n'
        'msgstr "Datei oder Verzeichnis nicht gefunden"\n'
        'msgid "Connection refused"\nmsgstr "Verbindungsaufbau abgelehnt"\n')
    subprocess.run(["msgfmt", "-o", RUN / "catalogues/de/LC_MESSAGES/libc.mo",
                    RUN / "libc.po"], check=True)


def test_messages_about_the_configuration(host, shown):
    """Each one, reached by an odd file, in German without an English word; the
    module's logs have them in English."""
    paths = odd_files()
    make_libc_words()
    said = {}
    for locale in ("C", LOCALES["de"]):
        done = [ctl(host, locale, "--config", path, "status", "root")
                for path in paths]
        assert all(one.returncode == 1 for one in done), done
        said[locale] = "".join(one.stderr for one in done)
        for name, text in ODD_OTHERS:
            path = pathlib.Path(f"/etc/security/{name}.conf")
            path.write_text(text)
            said[locale] += ctl(host, locale, "check").stdout
            path.unlink()
        for line in said[locale].splitlines():
            assert width(line) <= COLUMNS or "/" in line, line
    pairs = of_policy("config")
    assert len(pairs) > 100
    assert said["C"].isascii()
    missing = [text for pair in pairs for text, locale in zip(pair, said)
               if not NOT_BY_A_FILE.search(pair[0]) and
               not re.search(as_pattern(text), joined(said[locale]))]
    assert not missing
    assert "Datei oder Verzeichnis nicht gefunden" in said[LOCALES["de"]]
    left = (english_words(pair[0] for pair in pairs) -
            english_words(pair[1] for pair in pairs))
    assert len(left) > 100
    assert left & english_words(said["C"].split("\n"))
    found = left & english_words(re.sub(r"\n +", " ", said[locale]).split("\n"))
    assert found <= KEPT
    CONFIG.write_text("[lokout]\n")
    host.log.lines.clear()
    host.drive("probe", "nobody-here", f"setlocale:{locale}", "auth",
               answers=["wrong"])
    assert host.log.with_text(
        "1: there is no section [lokout]; did you mean [lockout]?")


# By name of a backend: its section, or else what becomes of its secret file.
CAUSES = {
    "x-away": "uri = ldap://127.0.0.1:1\nbase = dc=x\n",
    "x-srv": "uri = ldaps:///\nbase = ou=x\n",
    "x-tls": "uri = ldaps://{server}\nbase = dc=x\nca_file = /etc/shells\n",
    "x-kdc": "type = krb5\nrealm = X.TEST\nkdc = 127.0.0.1:1\n",
    "x-gone": lambda path: None,
    "x-mode": lambda path: (path.write_text("x"), path.chmod(0o644)),
    "x-owner": lambda path: (path.write_text("x"), path.chmod(0o600),
                           os.chown(path, 12345, 0)),
    "x-link": lambda path: path.symlink_to("/dev/null"),
    "x-long": lambda path: (path.write_text("x" * 5000), path.chmod(0o600)),
    "x-empty": lambda path: (path.write_text("\n"), path.chmod(0o600)),
    "x-folder": lambda path: path.mkdir()}


def test_causes(host, shown):
    """What keeps a backend from answering is German as a whole on a terminal;
    programs get it in English."""
    make_libc_words()
    place = RUN / "causes"
    place.mkdir()
    texts = []
    server = socket.create_server(("127.0.0.1", 0))
    address = "127.0.0.1:%d" % server.getsockname()[1]
    for name, case in CAUSES.items():
        if not isinstance(case, str):
            case(place / name)
            case = ("uri = ldap://{server}\nbase = dc=x\nidentity = simple\n"
                    f"insecure = yes\nbind_dn = cn=x\n"
                    f"secret_file = {place / name}\n")
        texts.append(f"[backend {name}]\ntimeout = 1s\n" +
                     case.format(server=address))
    CONFIG.write_text("[selfreset]\nbackends = local\n" + "".join(texts))
    said = {name: ctl(host, LOCALES["de"], "check", "--backend", name).stdout
            for name in CAUSES}
    english = english_words(pair[0] for pair in of_policy("backend|util"))
    english -= english_words(pair[1] for pair in of_policy("backend|util"))
    assert len(english) > 100
    for name, text in said.items():
        lines = re.findall(r"^  (?:reason|error): .*", text, re.MULTILINE)
        lines = [line.partition(": ")[2] for line in lines]
        lines += text[text.index("Fehler: "):].split("\n")
        assert not english & english_words(lines), text
        assert not re.search(r": *\.$", text, re.MULTILINE), text
    for name, cause in {
            "x-mode": "{} hat den Modus 0644, muss aber 0600 oder 0640 haben.",
            "x-owner": "{} gehört nicht root.", "x-folder":
            "{} ist keine reguläre Datei.", "x-empty":
            "{} hat in der ersten Zeile kein Passwort."}.items():
        assert joined(cause.format(place / name)) in joined(said[name])
    assert "is not root's" in ctl(host, LOCALES["de"], "check", "--backend",
                                  "x-owner", "--json").stdout


@pytest.mark.parametrize("ctype", ["C", "UTF-8", "latin"])
def test_a_terminal_without_utf8(host, shown, ctype):
    """English as a whole: no question marks in place of letters.  A locale of
    macOS ("UTF-8") is none here."""
    ann = host.add("ann", OLD, changed=85, max=90)
    env = {**os.environ, "LANG": LOCALES["ja"], "LC_CTYPE": ctype}
    if ctype == "latin":
        make_latin("de_DE.ISO-8859-1")
        env.update(LANG="de_DE.ISO-8859-1", LC_CTYPE="de_DE.ISO-8859-1")
    assert "Unknown account" in host.run("selfresetctl", "status",
                                         "nobody-here", env=env).stderr
    assert host.run("selfreset", "--help", env=env).stdout.startswith("Usage:")
    with Talk(["passwd"], user=ann, env=env) as talk:
        talk.until("Current password: ")
    for steps in ([f"env:{name}={env[name]}" for name in ("LANG", "LC_CTYPE")] +
                  ["setlocale:"], [f"pamenv:LANG={env['LANG']}"]):
        drive = host.drive("probe", "ann", *steps, "auth", "acct",
                           answers=[OLD])
        if steps == ["pamenv:LANG=" + LOCALES["ja"]]:
            assert drive.prompts == [shown["ja"]("Password: ")]
        elif ctype != "UTF-8" or "setlocale:" not in steps:
            assert drive.prompts == ["Password: "]
            assert "Your password expires in 5 days, on " in drive.said
        assert "?" not in drive.said


def make_latin(name):
    """A locale of another character set."""
    place = RUN / "locales" / name
    subprocess.run(["localedef", "--force", "-i", "de_DE", "-f", "ISO-8859-1",
                    place], capture_output=True, check=False)
    assert (place / "LC_MESSAGES").is_dir()
