"""Puts the hosts helper and its sudoers rule in place, takes them away, and looks whether they are sound (docs/security.md).

More than 300 lines: each check of the installed files stands beside what it guards against.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.hosts.section import (
    EMPTY_SECTION,
    HELPER_CODES,
    HELPER_PATH,
    HOSTS_PATH,
    call_helper,
    foreign_part,
    helper_module,
    helper_source,
    read_hosts_file,
    words_of_sudo,
)

INTERPRETER = "/usr/bin/python3"
"""The helper's first line names it; it must be root's as much as the helper."""
RULE_PATH = "/etc/sudoers.d/dusty"
LOCK_PATH, BACKUP_PATH = "/etc/.hosts.dusty-lock", "/etc/hosts.dusty-backup"
NOT_NEEDED = "no helper is installed, and none is needed: this account is root, or sudo asks it for no password"
"""What is fine although nothing is there."""
FIXED_SUDO = (1, 9, 17, 1)
"""The first sudo without CVE-2025-32462 and CVE-2025-32463."""

_EXTRA_LINE = re.compile(r"^EXTRA_ADDRESSES = \((.*)\)(.*)$", re.MULTILINE)
_RULE_LINE = re.compile(r"^(\S+) ALL = \(root\)", re.MULTILINE)
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_-]*")


class PlannedFile(NamedTuple):
    """One file that the installation puts in place, owned by root."""

    path: str
    mode: str
    text: str

    @property
    def digest(self) -> str:
        import hashlib

        return hashlib.sha256(self.text.encode()).hexdigest()


class Check(NamedTuple):
    """One finding about the installation."""

    state: str
    """`ok`, `warning` or `failed`."""
    what: str
    hint: str = ""


def caller_name() -> str:
    """The user for whom this runs, behind sudo the one who called it; '' for root himself."""
    import pwd

    uid = int(os.environ.get("SUDO_UID") or 0) if os.getuid() == 0 else os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name if uid else ""
    except KeyError:
        return f"#{uid}"


def sudoers_name(who: str) -> str:
    """`who` (a user, or %group) as a sudoers rule may name it without a doubt. Raises Failure if there is no such.

    Anything but a plain lower-case name is written as its number: sudoers has words in capitals (ALL), and characters of its own.
    """
    import grp
    import pwd

    if re.fullmatch(r"%?#[0-9]+", who):
        return who
    name = who.removeprefix("%")
    try:
        number = grp.getgrnam(name).gr_gid if who.startswith("%") else pwd.getpwnam(name).pw_uid
    except KeyError:
        raise Failure(f"there is no {'group' if who.startswith('%') else 'user'} {name!r}") from None
    return who if _PLAIN_NAME.fullmatch(name) else f"{'%' if who.startswith('%') else ''}#{number}"


def planned_files(who: str, allow: Sequence[str]) -> list[PlannedFile]:
    """The helper with its allowed addresses, and, where `who` is someone, the rule for him. Raises Failure."""
    with open(helper_source(), encoding="ascii") as file:
        helper = PlannedFile(HELPER_PATH, "755", with_addresses(file.read(), allow))
    if not who:
        return [helper]
    return [helper, PlannedFile(RULE_PATH, "440", rule_text(sudoers_name(who)))]


def rule_text(name: str) -> str:
    """The sudoers rule for one user or group, as sudoers_name() spells it."""
    with open(f"{os.path.dirname(helper_source())}/dusty", encoding="ascii") as file:
        return file.read().replace("@WHO@", name).replace("@HELPER@", HELPER_PATH)


def with_addresses(helper_text: str, allow: Sequence[str]) -> str:
    """The helper's text with these addresses allowed beside loopback and private ones. Raises Failure for what is no address."""
    import ipaddress

    addresses = set()
    for text in allow:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            raise Failure(f"{text!r} is not an IP address", f"{DUSTY} hosts install --allow 203.0.113.7") from None
        if address.is_unspecified or address.is_multicast or "%" in text:
            raise Failure(f"{text} is not a machine's address")
        addresses.add(str(address))
    literal = "".join(f'"{address}", ' for address in sorted(addresses)).rstrip()
    text, count = _EXTRA_LINE.subn(lambda found: f"EXTRA_ADDRESSES = ({literal}){found[2]}", helper_text)
    assert count == 1, "the helper has one line of extra addresses"
    return text


def needs_allowing(address: str) -> bool:
    """True for an address that the helper writes only if `hosts install --allow` named it."""
    import ipaddress

    usual = helper_module()["USUAL_ADDRESSES"]
    return not any(
        ipaddress.ip_address(address) in ipaddress.ip_network(network) for network in (*usual, *allowed_addresses())
    )


def allowed_addresses() -> list[str]:
    """The addresses baked into the installed helper."""
    found = _EXTRA_LINE.search(_text_of(HELPER_PATH) or "")
    return re.findall(r'"([0-9a-f:.]+)"', found[1]) if found else []


def refusals() -> list[str]:
    """Why nothing can be installed on this machine; empty if it can."""
    reasons = []
    if not os.access(INTERPRETER, os.X_OK):
        reasons.append(f"{INTERPRETER} is missing; the helper needs a Python that belongs to root")
    for path in (INTERPRETER, HELPER_PATH, RULE_PATH):
        if part := foreign_part(path):
            reasons.append(f"{part} does not belong to root, or may be written by others: not a safe place for {path}")
    return reasons


def install_script(files: Sequence[PlannedFile]) -> str:
    """The POSIX shell script that root runs: checks every folder, writes beside, checks the rule, then renames."""
    folders = " ".join(_folders_to(HELPER_PATH))
    puts = "".join(
        f"put {file.path} {file.mode} <<'END OF DUSTY FILE'\n{file.text}END OF DUSTY FILE\n" for file in files
    )
    moves = "".join(f"mv -f {file.path}.new {file.path}\n" for file in files)
    has_rule = any(file.path == RULE_PATH for file in files)
    before = "accepted || refuse 'visudo reports an error in the current sudoers; nothing was installed'\n"
    accepted = 'accepted() { said=$(visudo -c "$@" 2>&1); }\n'
    check = f"accepted -f {RULE_PATH}.new || {{ rm -f {RULE_PATH}.new; refuse 'visudo does not accept the rule'; }}\n"
    after = f"accepted || {{ rm -f {RULE_PATH}; refuse 'visudo reports an error in sudoers with the new rule; the rule was removed again'; }}\n"
    return f"""set -eu
umask 022
PATH=/usr/sbin:/usr/bin:/sbin:/bin
said=
refuse() {{ echo "$1" >&2; [ -z "$said" ] || printf '%s\\n' "$said" | grep -v ': parsed OK$' | sed 's/^/    /' >&2; exit 1; }}
{accepted if has_rule else ""}roots() {{ # the folder $1 and all above it are root's alone
    folder=$(cd -P -- "$1" && pwd)
    while :; do
        [ -z "$(find "$folder" -prune \\( ! -user 0 -o -perm -020 -o -perm -002 \\) -print)" ] || refuse "users other than root may write to $folder"
        [ "$folder" != / ] || return 0
        folder=$(dirname -- "$folder")
    done
}}
put() {{ # what comes on stdin to $1.new, mode $2
    roots "$(dirname -- "$1")"
    [ ! -d "$1" ] || refuse "$1 is a folder"
    rm -rf -- "$1.new"
    cat > "$1.new"
    chown 0:0 "$1.new"
    chmod "$2" "$1.new"
}}
{before if has_rule else ""}for wanted in {folders}; do
    roots "$(dirname -- "$wanted")"
    [ -d "$wanted" ] || mkdir "$wanted"
done
{puts}{check if has_rule else ""}{moves}{after if has_rule else ""}"""


def uninstall_script() -> str:
    """The POSIX shell script that takes away all that the installation and the helper left."""
    return (
        f"set -eu\nrm -f {RULE_PATH} {RULE_PATH}.new {HELPER_PATH} {HELPER_PATH}.new {LOCK_PATH}\n"
        f"rmdir {os.path.dirname(HELPER_PATH)} 2>/dev/null || true\n"
    )


def _folders_to(path: str) -> list[str]:
    parts = os.path.dirname(path).split("/")[1:]
    return ["/" + "/".join(parts[: i + 1]) for i in range(len(parts))]


def run_as_root(script: str, *, may_ask: bool, say: Callable[[str], Any]) -> None:
    """Run a shell script as root, through one sudo unless this is root. Raises Failure with what it said."""
    from dusty_tasks.effects.doors import process

    sudo = [] if os.geteuid() == 0 else ["sudo"] if may_ask else ["sudo", "-n"]
    try:
        # The script comes on stdin; sudo asks for its password on the terminal itself.
        ended = process.run([*sudo, "/bin/sh", "-s"], input=script)
    except ToolFailed as error:
        raise Failure(error.printed) from error
    if ended.out.strip():
        say(ended.out.strip())
    if ended.code:
        raise Failure(
            f"nothing was changed as root: {ended.err.strip() or f'status {ended.code}'}",
            "" if may_ask or not sudo else "run it again on a terminal, where sudo can ask for a password",
        )


def installed_paths() -> list[str]:
    """What of the installation can be seen from here; where /etc/sudoers.d is closed to all but root, the helper alone."""
    return [path for path in (HELPER_PATH, RULE_PATH) if os.path.lexists(path)]


def check_installation() -> list[Check]:
    """Everything that makes the privileged step sound: owners, modes and digest of each part, and the rule really in force."""
    from dusty_tasks.effects.machine.packages import may_sudo

    if not os.path.lexists(HELPER_PATH) and (os.geteuid() == 0 or may_sudo(may_ask=False)):
        return [Check("ok", NOT_NEEDED)]
    checks = [_check_interpreter(), _check_helper()]
    if checks[1].state != "failed":
        checks += _check_rule()
        checks.append(_check_by_deed())
    checks += [*_check_sudo_version()]
    if os.path.lexists(BACKUP_PATH):
        checks.append(
            Check(
                "warning",
                f"{BACKUP_PATH} is left from a write to {HOSTS_PATH} that was interrupted",
                f"sudo diff {BACKUP_PATH} {HOSTS_PATH}, then remove it",
            )
        )
    return checks


def _check_interpreter() -> Check:
    if not os.access(INTERPRETER, os.X_OK):
        return Check("failed", f"{INTERPRETER} is missing", "install python3")
    part = foreign_part(INTERPRETER)
    return (
        Check(
            "failed",
            f"{part}, on the way to {INTERPRETER}, may be written by users other than root",
            f"sudo chown root {part}; sudo chmod go-w {part}",
        )
        if part
        else Check("ok", f"{INTERPRETER} belongs to root, all the way")
    )


def _check_helper() -> Check:
    text = _text_of(HELPER_PATH)
    if text is None:
        return Check("failed", f"the helper {HELPER_PATH} is not installed", f"{DUSTY} hosts install")
    if part := foreign_part(HELPER_PATH):
        return Check(
            "failed",
            f"{part}, on the way to the helper, may be written by users other than root",
            f"sudo chown root {part}; sudo chmod go-w {part}",
        )
    if not stat.S_IMODE(os.stat(HELPER_PATH).st_mode) & 0o111:
        return Check("failed", f"{HELPER_PATH} is not executable", f"{DUSTY} hosts install")
    with open(helper_source(), encoding="ascii") as file:
        wanted = PlannedFile(HELPER_PATH, "755", with_addresses(file.read(), allowed_addresses()))
    digest = wanted._replace(text=text).digest
    if text != wanted.text:
        return Check(
            "warning",
            f"{HELPER_PATH} (SHA-256 {digest[:12]}) is not the helper of this Dusty ({wanted.digest[:12]})",
            f"{DUSTY} hosts install",
        )
    allowed = f", allows {', '.join(allowed_addresses())}" if allowed_addresses() else ""
    return Check("ok", f"{HELPER_PATH} belongs to root, all the way; SHA-256 {digest[:12]}{allowed}")


def _check_rule() -> list[Check]:
    """Root looks at the rule itself; for others it is out of sight, and the deed must do."""
    if os.geteuid():
        return []
    text = _text_of(RULE_PATH)
    if text is None:
        return [Check("ok", f"there is no rule {RULE_PATH}; root needs none")]
    found = os.stat(RULE_PATH)
    if found.st_uid or stat.S_IMODE(found.st_mode) != 0o440:
        return [
            Check(
                "failed",
                f"{RULE_PATH} has mode {stat.S_IMODE(found.st_mode):o} and owner {found.st_uid}, not 440 and root",
                f"{DUSTY} hosts install",
            )
        ]
    who = _RULE_LINE.search(text)
    if who is None or text != rule_text(who[1]):
        return [Check("failed", f"{RULE_PATH} is not the rule that Dusty writes", f"{DUSTY} hosts install")]
    return [Check("ok", f"{RULE_PATH} is as Dusty wrote it, for {who[1]}"), _check_visudo()]


def _check_visudo() -> Check:
    from dusty_tasks.effects.doors import process

    try:
        ended = process.run(["visudo", "-c"])
    except ToolFailed:
        return Check("warning", "visudo is not installed, so sudoers cannot be checked")
    faults = [
        line.strip()
        for line in f"{ended.err}\n{ended.out}".splitlines()
        if line.strip() and not line.endswith(": parsed OK")
    ]
    return (
        Check("ok", "visudo accepts sudoers")
        if ended.code == 0
        else Check("failed", f"visudo: {'; '.join(faults)}", "sudo visudo")
    )


def _check_by_deed() -> Check:
    """A real call that changes nothing: the only proof that the rule is in force for this user."""
    is_root = os.geteuid() == 0
    code, printed, _found = call_helper(
        [*([] if is_root else ["sudo", "-n"]), HELPER_PATH], "check", EMPTY_SECTION, read_hosts_file()
    )
    if code == 0:
        return Check(
            "ok", "the helper answers" if is_root else "the rule is in force: the helper answers without a password"
        )
    if code in HELPER_CODES:
        return Check("failed", printed.removeprefix("dusty-hosts: check: "))
    return Check(
        "failed",
        f"sudo does not let you call the helper: {words_of_sudo(printed) or f'status {code}'}",
        f"{DUSTY} hosts install",
    )


def _check_sudo_version() -> list[Check]:
    """A warning for a sudo with the host and chroot bugs of 2025, unless its package says that they are mended."""
    from dusty_tasks.effects.doors import process

    try:
        shown = process.run(["sudo", "-V"]).out.partition("\n")[0]
    except ToolFailed:
        return [Check("ok" if os.geteuid() == 0 else "warning", "sudo is not installed")]
    version = shown.rpartition(" ")[2]
    # sudo-rs is another program, with versions of its own and without these two bugs.
    if shown.startswith("sudo-rs") or parsed_version(version) >= FIXED_SUDO or "CVE-2025-32462" in _sudo_changes():
        return [Check("ok", f"sudo {version}")]
    return [
        Check(
            "warning",
            f"sudo {version} is older than 1.9.17p1: CVE-2025-32462 and CVE-2025-32463 give root to local users, "
            "unless your distribution has patched it",
            "update sudo",
        )
    ]


def parsed_version(text: str) -> tuple[int, ...]:
    """1.9.17p1 as (1, 9, 17, 1); what is no version is ()."""
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?(?:p(\d+))?", text)
    return tuple(int(part or 0) for part in found.groups()) if found else ()


def _sudo_changes() -> str:
    """What Debian and Ubuntu write beside their sudo about mended faults; '' elsewhere."""
    import gzip

    try:
        with gzip.open("/usr/share/doc/sudo/changelog.Debian.gz", "rt", errors="replace") as file:
            return file.read(20_000)
    except OSError:
        return ""


def _text_of(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None
