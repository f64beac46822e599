"""The end of `up`: what is left to people, what failed, one line with the sums, and what a person wants to know: where it answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dusty_tasks import session
from dusty_tasks.console import say, warn, width
from dusty_tasks.core.plan.change import CREATE, HOSTS, STARTING
from dusty_tasks.core.plan.container_state import RUNNING
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.looks import Tone, painted, wrapped
from dusty_tasks.core.text.paths import HOSTS_FILE
from dusty_tasks.core.text.wording import counted
from dusty_tasks.operations.launch.reporter import Outcome
from dusty_tasks.operations.look import View

if TYPE_CHECKING:
    from dusty_tasks.core.plan.wanted import WantedContainer

LISTED = 10
"""Up to so many URLs, or failures, are listed; the others are counted."""


def print_receipt(outcome: Outcome, *, verbose: bool = False) -> None:
    """All of it, for a person: to stdout, what went wrong to stderr. What was done has been said as it was done."""
    view, done = outcome.view, outcome.done
    assert view, "a whole run has looked"
    for change in view.plan.pending:
        say(painted(f"pending {change}", Tone.BUSY))
    if view.found.hosts_refused:
        from dusty_tasks.operations.machine.hosts import lines_that_are_news

        if news := lines_that_are_news():
            say(news)
    made = {change.name for change in done if change.kind == CREATE} - outcome.troubles.keys()
    for line in names_that_lead_elsewhere([each for each in view.wanted.containers if each.name in made]):
        warn(line)
    if done and (by_hand := hosts_section_by_hand()):
        say(f"hosts.mode is {session.settings().hosts_mode}; add these lines to your hosts file:\n{by_hand}")
    if made:
        from dusty_tasks.operations.code.bound import told_of_root

        if told := told_of_root(session.settings()):
            say(told)
    for warning in outcome.warnings:
        warn(f"warning: {warning}")
    for failure in outcome.failures:
        warn(str(failure))
    # A hosts section that was refused is nobody's work any more.
    is_idle = not done and not outcome.failures and all(change.kind == HOSTS for change in view.plan.pending)
    if is_idle or verbose:
        say(outcome.sums.text(outcome.seconds, is_idle=is_idle))
    else:
        say(f"{counted(len(done), 'change')}, {outcome.seconds:.1f} s")
    columns = width()
    for line in listed(urls_of_what_is_up(outcome, view)):
        say(wrapped(line, columns, "    ") if columns else line)
    for line in listed(list(failed_names(outcome))):
        warn(painted(line, Tone.BAD))


def listed(lines: Sequence[str]) -> Iterator[str]:
    """The first of them, and how many there are beside those."""
    yield from lines[:LISTED]
    if len(lines) > LISTED:
        yield f"and {len(lines) - LISTED} more: {DUSTY} status"


def failed_names(outcome: Outcome) -> Iterator[str]:
    """`FAILED worker (exit 1): dusty logs worker`, a line for each container that is not up."""
    for name, what in outcome.troubles.items():
        yield f"FAILED {name} ({short_trouble(what)}): {DUSTY} logs {name}"
    done = {change.name for change in outcome.done}
    for change in outcome.plan.of(*STARTING):
        if change.name not in done and change.name not in outcome.troubles and outcome.failures:
            yield f"FAILED {change.name} (not started): {DUSTY} why {change.name}"


def short_trouble(what: str) -> str:
    """`exited with status 1, and a route points to it` -> `exit 1`; of other troubles the first words."""
    ended = re.match(r"(?:ended|exited) with status (\d+)", what)
    return f"exit {ended[1]}" if ended else re.split(r"[:;,]", what.replace(" at http", ", at http"))[0].split("\n")[0]


def urls_of_what_is_up(outcome: Outcome, view: View) -> list[str]:
    """`board  http://board.example.test/`, a line for each container with URLs that runs by now."""
    up = names_of_what_is_up(outcome, view)
    room = max(map(len, up), default=0)
    return [f"{name.ljust(room)}  {' '.join(outcome.urls[name])}" for name in up]


def names_of_what_is_up(outcome: Outcome, view: View) -> list[str]:
    """The containers with URLs that run by now."""
    ours = {change.name for change in outcome.plan.of(*STARTING)}
    started = {change.name for change in outcome.done if change.kind in STARTING}
    return [
        name
        for name in outcome.urls
        if name not in outcome.troubles
        and (name in started or (name not in ours and name in view.states and view.states[name].name == RUNNING))
    ]


def names_that_lead_elsewhere(containers: Sequence[WantedContainer]) -> Iterator[str]:
    """A line for each of these apps whose names do not lead to the proxy from here. Names below .localhost are left to browsers."""
    settings = session.settings()
    asked = [container for container in containers if container.http_urls]
    if not asked or settings.hosts_mode == "localhost":
        return
    from dusty_tasks.core.plan.hops import answering, host_name_of
    from dusty_tasks.effects.machine.resolving import read_addresses

    leads_to = read_addresses([host_name_of(url) for container in asked for url in container.http_urls])
    for container in asked:
        line = answering(container.name, container.http_urls, leads_to, settings.hosts_address)
        if "; " in line:
            yield line


def hosts_section_by_hand() -> str:
    """With `hosts.mode: off`, the section that the hosts file lacks; '' if nothing is to be done by hand."""
    from dusty_tasks.effects.doors.files import read_bytes

    settings = session.settings()
    section = (read_bytes(settings.paths.artifact(HOSTS_FILE)) or b"").decode() if settings.hosts_mode == "off" else ""
    if not section:
        return ""
    from dusty_tasks.effects.hosts.section import is_empty, possible_section, read_hosts_file, section_is_in_place

    found = read_hosts_file()
    section, _conflicts = possible_section(found, section)
    return "" if is_empty(section) or section_is_in_place(found, section) else section.rstrip()
