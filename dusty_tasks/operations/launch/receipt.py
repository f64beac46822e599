"""The end of `up`: what was done and why, what is left to people, and one line of sums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dusty_tasks import session
from dusty_tasks.console import say, warn
from dusty_tasks.core.plan.change import CREATE, HOSTS
from dusty_tasks.core.text.paths import HOSTS_FILE
from dusty_tasks.operations.launch.reporter import Outcome

if TYPE_CHECKING:
    from dusty_tasks.core.plan.wanted import WantedContainer


def print_receipt(outcome: Outcome) -> None:
    """All of it, for a person: changes to stdout, what went wrong to stderr."""
    view, done = outcome.view, outcome.done
    assert view, "a whole run has looked"
    for change in done:
        say(change.done)
    for change in view.plan.pending:
        say(f"pending {change}")
    if view.found.hosts_refused:
        from dusty_tasks.operations.machine.hosts import lines_that_are_news

        if news := lines_that_are_news():
            say(news)
    made = {change.name for change in done if change.kind == CREATE} - outcome.troubles.keys()
    for line in where_they_answer(
        [container for container in view.wanted.containers if container.name in made and container.http_urls]
    ):
        say(line)
    if done and (by_hand := hosts_section_by_hand()):
        say(f"hosts.mode is {session.settings().hosts_mode}; these lines belong into the hosts file:\n{by_hand}")
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
    say(outcome.sums.text(outcome.seconds, is_idle=is_idle))


def where_they_answer(containers: Sequence[WantedContainer]) -> Iterator[str]:
    """A line for each of these apps, which the proxy reaches: the URLs whose names lead to it. Names below .localhost are left to browsers."""
    if not containers:
        return
    from dusty_tasks.core.plan.hops import answering, host_name_of
    from dusty_tasks.effects.machine.resolving import read_addresses

    settings = session.settings()
    names = [host_name_of(url) for container in containers for url in container.http_urls]
    leads_to = read_addresses(names) if settings.hosts_mode != "localhost" else {}
    for container in containers:
        yield answering(container.name, container.http_urls, leads_to, settings.hosts_address)


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
