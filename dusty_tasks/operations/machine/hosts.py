"""The hosts section in a run: written with consent, skipped without, and what was refused once is not tried at each `up`."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import HOSTS_FILE
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.hosts.refusal import digest_of, forget_refusal, note_refusal, read_refusal
from dusty_tasks.operations.machine.consent import HOSTS, Consent, Item

FILE, LOCALHOST, OFF = "file", "localhost", "off"
WAYS = {"p": FILE, "l": LOCALHOST, "s": OFF}


class Written(NamedTuple):
    """What became of the section."""

    is_done: bool
    failure: Failure | None = None
    starts_over: bool = False
    """True if the names are others now, so that all of it is to be compiled again."""


def item_of_hosts() -> list[Item]:
    """The hosts file, as something to agree to; [] where it was, where it is left alone, or where writing it was refused."""
    settings = session.settings()
    return [] if settings.hosts_mode != FILE or settings.hosts_agreed or read_refusal(session.base_home()) else [HOSTS]


def wanted_section() -> str:
    """The compiled section, as far as this hosts file can hold it."""
    from dusty_tasks.effects.doors.files import read_bytes
    from dusty_tasks.effects.hosts.section import possible_section, read_hosts_file
    from dusty_tasks.operations.worlds.others import section_of_all

    compiled = (read_bytes(session.paths().artifact(HOSTS_FILE)) or b"").decode()
    return possible_section(read_hosts_file(), section_of_all(compiled))[0]


def needs_password() -> bool:
    """True if only a person at a terminal can let the file be written."""
    from dusty_tasks.effects.hosts.section import is_installed
    from dusty_tasks.effects.machine.packages import may_sudo

    return os.geteuid() != 0 and not is_installed() and not may_sudo(may_ask=False)


def write_section(consent: Consent) -> Written:
    """Write the compiled section, if that was or is agreed to; the answer is remembered in config.yml."""
    settings = session.settings()
    way = FILE if settings.hosts_agreed else _way(consent)
    if not way:
        return Written(
            False,
            Failure(f"{_not_written('you have not agreed to change it')}", f"{DUSTY} up --yes, or {DUSTY} hosts apply"),
        )
    if not settings.hosts_agreed:
        remember(way, "up")
    if way != FILE:
        return Written(False, starts_over=way == LOCALHOST)
    return _write(consent)


def remember(way: str, verb: str) -> None:
    """Keep how names shall lead to apps, so that it is asked once."""
    from dusty_tasks.effects.home.config import change_config

    def change(config: dict[str, Any]) -> None:
        config["hosts"] = {**(config["hosts"] if isinstance(config.get("hosts"), dict) else {}), "mode": way}

    change_config(session.base_home(), f"{verb}: hosts.mode {way}, as answered", change)
    session.forget()
    if way != FILE:
        say(f"hosts.mode = {way} ({DUSTY} hosts apply writes the hosts file after all)")


def _way(consent: Consent) -> str:
    """FILE, LOCALHOST or OFF, as it was or is answered; '' where nobody can be asked."""
    if not consent.is_given and consent.may_ask and not consent.refused(HOSTS) and needs_password():
        return _asked()
    if consent.to(HOSTS):
        return FILE
    return OFF if consent.refused(HOSTS) else ""


def _asked() -> str:
    """How names shall lead to apps where sudo asks for a password; '' for no answer."""
    import shutil

    has_sudo = shutil.which("sudo") is not None
    why = "sudo asks for a password to change it" if has_sudo else "there is no sudo here to change it with"
    say(f"The names of your apps need lines in /etc/hosts, and {why}.")
    if has_sudo:
        say("  p: write them now, and whenever they change")
    say(
        "  l: names under .localhost instead, which need no file\n  s: leave the file alone; the lines to add by hand are printed"
    )
    question = f"{'[p]assword, ' if has_sudo else ''}[l]ocalhost names, [s]kip? "
    try:
        while (answer := input(question).strip().lower()[:1]) not in WAYS or (answer == "p" and not has_sudo):
            pass
    except (EOFError, KeyboardInterrupt):
        say()
        note_refusal(session.base_home(), "the question was not answered", wanted_section())
        return ""
    return WAYS[answer]


def _write(consent: Consent) -> Written:
    from dusty_tasks.effects.hosts.section import write_hosts_section

    section = wanted_section()
    try:
        outcome = write_hosts_section(section, may_ask=consent.may_ask, say=say, is_brief=True)
    except KeyboardInterrupt:
        say()
        what, is_refused, hint = "sudo was interrupted", True, ""
    else:
        if outcome.done:
            forget_refusal(session.base_home())
            return Written(True)
        what, is_refused, hint = outcome.what, outcome.is_refused, outcome.hint
    if is_refused:
        note_refusal(session.base_home(), what, section)
        hint = f"{DUSTY} hosts apply tries again; {DUSTY} hosts install asks for a password only once; {DUSTY} config set hosts.mode localhost needs none"
    return Written(False, Failure(_not_written(what), hint))


def _not_written(why: str) -> str:
    """That the section is missing, and its lines."""
    return f"the hosts file was not changed: {why}\n{by_hand(wanted_section())}"


def by_hand(section: str) -> str:
    from dusty_tasks.effects.hosts.section import HOSTS_PATH, is_empty

    if is_empty(section):
        return f"The lines between Dusty's markers in {HOSTS_PATH} can be removed by hand."
    return f"Add this to {HOSTS_PATH} by hand:\n{section.rstrip()}"


def lines_that_are_news() -> str:
    """With a refusal: the lines to add by hand, if they are others than those that were printed then."""
    section, refusal = wanted_section(), read_refusal(session.base_home())
    if refusal is None or refusal.section == digest_of(section):
        return ""
    note_refusal(session.base_home(), refusal.why, section)
    return by_hand(section)
