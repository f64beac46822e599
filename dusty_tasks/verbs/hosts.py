"""`dusty hosts`: the section in the hosts file, and the helper that writes it."""

from __future__ import annotations

from collections.abc import Sequence

from dusty_tasks import session
from dusty_tasks.console import confirm, may_ask, say, warn
from dusty_tasks.core.of_verbs.findings import FAILED, Finding
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import HOSTS_FILE
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.hosts import helper as helper_install
from dusty_tasks.effects.hosts import section as hosts_file
from dusty_tasks.effects.hosts.refusal import forget_refusal
from dusty_tasks.operations.machine.hosts import FILE, LOCALHOST, remember
from dusty_tasks.verbs.shared.words import action_of, exactly, misuse

ACTIONS = ("show", "diff", "apply", "undo", "check", "install", "uninstall")


def run(words: list[str], allow: Sequence[str] = (), who: str | None = None, yes: bool = False) -> int | None:
    """Show, compare, undo; or look after the helper. No word: show."""
    action, rest = action_of("hosts", words, ACTIONS, "show")
    exactly("hosts", action, rest)
    if (allow or who) and action != "install":
        raise misuse("hosts", f"--{'allow' if allow else 'who'} belongs to install, not to {action}")
    if action == "install":
        return install(allow, who, yes)
    if action == "uninstall":
        return uninstall(yes)
    return {"show": show, "diff": diff, "apply": apply, "undo": undo, "check": check}[action]()


def compiled_section() -> str:
    """The section of the last compile. Raises Failure before the first one."""
    from dusty_tasks.effects.doors.files import read_bytes

    content = read_bytes(session.paths().artifact(HOSTS_FILE))
    if content is None:
        raise Failure("nothing is compiled yet", f"{DUSTY} compile")
    from dusty_tasks.operations.worlds.others import section_of_all

    return section_of_all(content.decode())


def show() -> None:
    """Print the compiled section, as it belongs into the hosts file."""
    say(compiled_section().rstrip("\n"))


def diff() -> None:
    """Print what `up` would change in the hosts file."""
    found = hosts_file.read_hosts_file()
    section, conflicts = hosts_file.possible_section(found, compiled_section())
    for conflict in conflicts:
        warn(f"{conflict}\n    hint: {hosts_file.CONFLICT_HINT}")
    if hosts_file.section_is_in_place(found, section):
        say("the hosts section is in place")
    else:
        say(hosts_file.diff_of_section(found, section).rstrip("\n"))


def apply() -> int:
    """Write the compiled section now, whatever was answered or refused before; from then on `up` keeps it."""
    settings, section = session.settings(), compiled_section()
    if settings.hosts_mode == LOCALHOST:
        raise Failure(
            "hosts.mode is localhost: the names are under .localhost, and need no hosts file",
            f"{DUSTY} config set hosts.mode file, then {DUSTY} up",
        )
    if not settings.hosts_agreed:
        remember(FILE, "hosts apply")
    outcome = hosts_file.write_hosts_section(section, may_ask=may_ask(), say=say)
    if outcome.done:
        forget_refusal(session.home())
    return report(outcome, outcome.what)


def undo() -> int:
    """Put back the section that the last write replaced."""
    outcome = hosts_file.undo_hosts_section(may_ask=may_ask(), say=say)
    return report(outcome, f"restored the previous hosts section; the next {DUSTY} up writes the compiled one again")


def report(outcome: hosts_file.HostsOutcome, done: str) -> int:
    """Say what became of a write; its exit code."""
    for conflict in outcome.conflicts:
        warn(f"{conflict}\n    hint: {hosts_file.CONFLICT_HINT}")
    if outcome.done:
        say(done if outcome.changed else outcome.what)
        return int(bool(outcome.conflicts))
    warn(f"{outcome.what}\n    hint: {outcome.hint}" if outcome.hint else outcome.what)
    if outcome.by_hand:
        warn(f"These lines can be added to {hosts_file.HOSTS_PATH} by hand:\n{outcome.by_hand}")
    return 1


def check() -> int:
    """One line for each thing that must hold, as `doctor` says it; 1 if one does not."""
    from dusty_tasks.operations.machine.hosts_health import findings

    return say_findings(findings())


def say_findings(findings: Sequence[Finding]) -> int:
    for finding in findings:
        say(str(finding))
    return int(any(finding.state == FAILED for finding in findings))


def install(allow: Sequence[str], who: str | None, yes: bool) -> int:
    """Show what goes where, ask, and put it there with one sudo. What was allowed before stays allowed."""
    if reasons := helper_install.refusals():
        raise Failure("\n".join(reasons), f"{DUSTY} config set hosts.mode off leaves the hosts file to you")
    chosen = who or helper_install.caller_name()
    files = helper_install.planned_files(chosen, [*helper_install.allowed_addresses(), *allow])
    describe(files, chosen)
    if not confirm("Install this as root?", yes=yes):
        return 1
    helper_install.run_as_root(helper_install.install_script(files), may_ask=may_ask(), say=say)
    say("installed")
    settings = session.settings()
    if settings.is_configured and settings.hosts_mode == FILE and not settings.hosts_agreed:
        remember(FILE, "hosts install")
    forget_refusal(session.home())
    from dusty_tasks.operations.machine.hosts_health import helper_findings

    return say_findings(helper_findings()) if not who else 0


def describe(files: Sequence[helper_install.PlannedFile], who: str) -> None:
    """Print exactly what will lie where, and what it permits."""
    for file in files:
        say(f"{file.path}  root, mode 0{file.mode}, {len(file.text)} bytes, SHA-256 {file.digest}")
    say(
        f"the helper is {hosts_file.helper_source()}: it writes the marked section of {hosts_file.HOSTS_PATH} and nothing else"
    )
    if len(files) == 1:
        say("no sudoers rule: root needs none (--who names a user or %group that should have one)")
    else:
        say(f"the rule lets {who} call it without a password:\n")
        say("".join(f"    {line}\n" for line in files[1].text.splitlines()))


def uninstall(yes: bool) -> int:
    """Take away the section, the helper and the rule."""
    found = hosts_file.found_section(hosts_file.read_hosts_file())
    paths = helper_install.installed_paths()
    if not found and not paths:
        say("there is no hosts section, no helper and no rule to remove")
        return 0
    say(
        "to be removed: "
        + ", ".join(
            [
                *([f"the section in {hosts_file.HOSTS_PATH}"] if found else []),
                helper_install.RULE_PATH,
                helper_install.HELPER_PATH,
            ]
        )
    )
    if not confirm("Remove this as root?", yes=yes):
        return 1
    outcome = hosts_file.write_hosts_section(hosts_file.EMPTY_SECTION, may_ask=may_ask(), say=say)
    code = report(outcome, outcome.what)
    helper_install.run_as_root(helper_install.uninstall_script(), may_ask=may_ask(), say=say)
    say("removed the helper and its rule")
    return code
