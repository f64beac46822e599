"""The hosts file as `doctor` and `hosts check` judge it: helper, rule, section, and where the names really lead."""

from __future__ import annotations

from dusty_tasks import session
from dusty_tasks.core.of_verbs.findings import FAILED, OK, WARNING, Finding
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import HOSTS_FILE
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.machine import names_health


def findings() -> list[Finding]:
    """All of it."""
    chosen, section = session.settings(), _compiled_section()
    is_kept = chosen.hosts_mode == "file"
    found = (
        helper_findings()
        if is_kept
        else [Finding("hosts", OK, f"hosts.mode is {chosen.hosts_mode}: the hosts file is not touched")]
    )
    if section is None:
        return [
            *found,
            *([Finding("hosts section", WARNING, "nothing is compiled yet", f"{DUSTY} up")] if is_kept else []),
        ]
    if is_kept:
        section, of_section = _section_findings(section)
        found += of_section
    lines = [line for line in section.splitlines() if line and not line.startswith("#")]
    return [*found, *names_health.findings(list(dict.fromkeys(line.split()[1] for line in lines)))]


def helper_findings() -> list[Finding]:
    """The helper and its rule."""
    from dusty_tasks.effects.hosts.helper import check_installation

    return [Finding("hosts helper", check.state, check.what, check.hint) for check in check_installation()]


def _section_findings(section: str) -> tuple[str, list[Finding]]:
    """The section as this hosts file can hold it, and whether it does."""
    from dusty_tasks.effects.hosts.section import CONFLICT_HINT, possible_section, read_hosts_file, section_is_in_place
    from dusty_tasks.operations.look import why_it_is_left
    from dusty_tasks.operations.worlds.others import section_of_all

    content = read_hosts_file()
    of_all, conflicts = possible_section(content, section_of_all(section))
    section, _ = possible_section(content, section)
    found = [Finding("hosts section", FAILED, str(conflict), CONFLICT_HINT) for conflict in conflicts]
    if section_is_in_place(content, of_all):
        return section, [*found, Finding("hosts section", OK, "in place")]
    if refused := why_it_is_left(session.home()):
        return section, [*found, Finding("hosts section", WARNING, f"not in the hosts file: {refused}")]
    missing = Finding(
        "hosts section",
        FAILED,
        "the hosts file does not hold the compiled section",
        f"{DUSTY} up; {DUSTY} hosts diff shows it",
        "hosts",
    )
    return section, [*found, missing]


def _compiled_section() -> str | None:
    from dusty_tasks.effects.doors.files import read_bytes

    content = read_bytes(session.paths().artifact(HOSTS_FILE))
    return content.decode() if content is not None else None


def repair() -> None:
    """Write the section, where that was agreed to. Raises Failure."""
    from dusty_tasks.console import may_ask, say
    from dusty_tasks.effects.hosts.refusal import forget_refusal
    from dusty_tasks.effects.hosts.section import write_hosts_section

    if not session.settings().hosts_agreed:
        raise Failure("you have not agreed to change the hosts file yet", f"{DUSTY} hosts apply")
    outcome = write_hosts_section(_compiled_section() or "", may_ask=may_ask(), say=say)
    if not outcome.done:
        raise Failure(outcome.what, outcome.hint)
    forget_refusal(session.home())
    say(outcome.what)
