"""The certificate authority and the machine's stores: what believes it, and the commands that change that, each shown and agreed to first."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from glob import glob
from typing import NamedTuple

from dusty_tasks import session
from dusty_tasks.console import confirm, may_ask, say, warn
from dusty_tasks.core.of_verbs.trust_stores import KNOWN_FOLDERS, Looked, Store, as_one_command, stores
from dusty_tasks.core.stack.https import OFF
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import AUTHORITY_FILE, HOSTS_FILE
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import read_bytes
from dusty_tasks.effects.home.certificates import Authority, read_notes
from dusty_tasks.effects.hosts import section as hosts_file

PATIENCE = 60.0
DATABASES = (
    "~/.pki/nssdb",
    "~/snap/chromium/current/.pki/nssdb",
    "~/.mozilla/firefox/*",
    "~/snap/firefox/common/.mozilla/firefox/*",
    "~/.var/app/org.mozilla.firefox/.mozilla/firefox/*",
)
"""Where Chromium and Firefox keep whom they believe on Linux: folders with a cert9.db."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "firefox", "firefox-esr")


class Place(NamedTuple):
    store: Store
    state: str
    """`trusted`, `outdated` (another certificate of this authority) or `missing`."""


def authority() -> Authority:
    """What is noted of the authority. Raises Failure if there is none."""
    found = read_notes(session.paths().https).authority
    if found is None:
        raise Failure("there is no certificate authority yet", f"{DUSTY} config set https on && {DUSTY} up")
    return found


def places() -> list[Place]:
    """Every store of this machine, with what it says of the authority. Raises Failure if there is none."""
    path = f"{session.paths().https}/{AUTHORITY_FILE}"
    own = _body(read_bytes(path) or b"")
    return [Place(store, _state(store, own)) for store in stores(_looked(), path, authority().key_digest[:8])]


def lacks_certutil() -> bool:
    """True if a browser is here whose store cannot be reached without certutil."""
    return not shutil.which("certutil") and any(map(shutil.which, BROWSERS))


def install(*, yes: bool, as_user: bool = False) -> int:
    """Put the authority, made where there is none, into every store that does not have it as it is; how many were changed.

    `as_user` leaves out the stores that need root.

    A hosts section that is to be written goes along, so that both take one sudo. Raises Failure for what is refused or fails.
    """
    _ensure_made(yes)
    due = [place.store for place in places() if place.state != "trusted" and not (as_user and place.store.needs_root)]
    # A store may hold the certificate of before.
    outdated = {place.store.name for place in places() if place.state == "outdated" and place.store.name != "system"}
    steps = [(store, (*(store.remove if store.name in outdated else ()), *store.add)) for store in due]
    section = pending_section() if any(store.needs_root for store in due) else ""
    return _change(steps, "trust", yes=yes, section=section)


def _ensure_made(yes: bool) -> None:
    """Make the authority and the first certificates before `up` does, where https is on. Raises Failure."""
    folder = session.paths().https
    if read_notes(folder).authority or session.settings().https == OFF:
        return
    from dusty_tasks.operations.launch.certificates import ensure_library, make
    from dusty_tasks.operations.look import compiled_now
    from dusty_tasks.operations.machine import trust
    from dusty_tasks.operations.machine.consent import Consent

    wanted = compiled_now().wanted
    trust.require(wanted)
    ensure_library(Consent(yes=yes))
    make(folder, wanted.https or {}, [AUTHORITY_FILE, *(wanted.https or {})])


def pending_section() -> str:
    """The hosts section of the specs as they are, if `up` would write it; ''."""
    from dusty_tasks.operations.look import compiled_now
    from dusty_tasks.operations.machine.hosts import item_of_hosts
    from dusty_tasks.operations.worlds.others import section_of_all

    settings = session.settings()
    if settings.hosts_mode != "file" or not (settings.hosts_agreed or item_of_hosts()):
        return ""
    try:
        text = compiled_now().artifacts[HOSTS_FILE].decode()
    except Failure:
        return ""
    found = hosts_file.read_hosts_file()
    section, _conflicts = hosts_file.possible_section(found, section_of_all(text))
    is_done = hosts_file.is_empty(section) or hosts_file.section_is_in_place(found, section)
    return "" if is_done else section


def uninstall(*, yes: bool) -> int:
    """Take the authority out of every store that has it. Raises Failure for what is refused or fails."""
    return _change([(each.store, each.store.remove) for each in places() if each.state != "missing"], "forget", yes=yes)


def _change(steps: Sequence[tuple[Store, Sequence[Sequence[str]]]], word: str, *, yes: bool, section: str = "") -> int:
    """Run the commands of each store, those of root as one, after showing them; how many stores were changed."""
    of_root = [command for store, commands in steps if store.needs_root for command in commands]
    own = [list(command) for store, commands in steps if not store.needs_root for command in commands]
    if not steps:
        return 0
    as_root = as_one_command(of_root) if of_root else []
    if as_root and os.geteuid() == 0:
        as_root = as_root[1:]
    if section:
        as_root = [*hosts_file.commands(may_ask(), of_root)[0], "apply"]
        say(hosts_file.diff_of_section(hosts_file.read_hosts_file(), section).rstrip("\n"))
    every = [*([as_root] if as_root else []), *own]
    shown = "".join(f"\n    {shlex.join(command)}" for command in every)
    say(
        f"to {word} the certificate authority of {session.home()}{' and write the hosts section' if section else ''}:{shown}"
    )
    if not yes and not may_ask():
        verb = "install" if word == "trust" else "uninstall"
        hint = f"run these, or: {DUSTY} trust {verb} --yes"
        raise Failure("there is no terminal to ask on, so nothing was changed", hint)
    if not yes and not confirm("Run this?"):
        raise Failure("nothing was changed")
    if section:
        _write_along(section, of_root)
    elif as_root and process.run_attached(as_root):
        raise _failed()
    for command in own:
        process.run(command, timeout=PATIENCE, check=True)
    return len(steps)


def _write_along(section: str, of_root: Sequence[Sequence[str]]) -> None:
    """The stores of root's and the hosts section, by one sudo. Raises Failure; what only the section lacks is said."""
    from dusty_tasks.effects.hosts.refusal import forget_refusal
    from dusty_tasks.operations.machine.hosts import remember

    outcome = hosts_file.write_hosts_section(section, may_ask=may_ask(), say=say, is_brief=True, along=of_root)
    if outcome.is_refused:
        raise _failed()
    if not outcome.done:
        warn(f"{outcome.what}\n    hint: {outcome.hint}")
        return
    if not session.settings().hosts_agreed:
        remember("file", "trust install")
    forget_refusal(session.home())
    say(outcome.what)


def _failed() -> Failure:
    return Failure("the command above failed, so the system's store may be unchanged", "run it by hand", code=2)


def _looked() -> Looked:
    keytool = shutil.which("keytool") or ""
    java_home = os.environ.get("JAVA_HOME", "")
    if java_home and os.access(f"{java_home}/bin/keytool", os.X_OK):
        keytool = f"{java_home}/bin/keytool"
    databases = [
        folder
        for pattern in DATABASES
        for folder in sorted(glob(os.path.expanduser(pattern)))
        if os.path.isfile(f"{folder}/cert9.db")
    ]
    folders = [folder for folder in KNOWN_FOLDERS if os.path.isdir(folder)]
    return Looked(sys.platform, folders, databases, shutil.which("certutil") is not None, keytool)


def _state(store: Store, own: str) -> str:
    if store.file:
        found = _body(read_bytes(store.file) or b"")
    elif store.look:
        done = process.run(store.look, timeout=PATIENCE)
        found = _body(done.out.encode()) if done.code == 0 else ""
    else:
        return "unknown"
    return "trusted" if found == own else "outdated" if found else "missing"


def _body(pem: bytes) -> str:
    """What is between the lines of a PEM file, without line ends: stores wrap it in ways of their own."""
    text = pem.decode("ascii", "replace").partition("-----BEGIN CERTIFICATE-----")[2]
    return "".join(text.partition("-----END CERTIFICATE-----")[0].split())
