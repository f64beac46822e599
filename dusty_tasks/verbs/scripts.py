"""`dusty scripts`: list the scripts of an app, or run one in its container."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from dusty_tasks import session
from dusty_tasks.console import say, table_within, warn, width
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import COMMANDS_THERE, STACK_FILE
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import read_bytes
from dusty_tasks.verbs.shared.aside import aside
from dusty_tasks.verbs.shared.printed import Printed
from dusty_tasks.verbs.shared.running import running
from dusty_tasks.verbs.shared.words import misuse, say_json, unknown
from dusty_tasks.verbs.shell import execute

if TYPE_CHECKING:
    from dusty_tasks.core.specs.model import App


class ScriptInfo(NamedTuple):
    name: str
    description: str


def run(words: list[str], json: bool = False) -> int | None:
    """A table, or the script with its arguments exactly as given; its exit status is ours.

    With `json`, a list, or one document on how the script ended.
    """
    if not words:
        raise misuse("scripts", "scripts needs the name of an app")
    app_name, *rest = words
    known = scripts_of(app_name)
    if not rest and json:
        say_json([script._asdict() for script in known])
        return None
    if not rest:
        say(table_within(width(), ("script", "description"), known) if known else f"no scripts for {app_name}")
        return None
    script_name, *arguments = rest
    if script_name not in {script.name for script in known}:
        raise unknown(f"script of {app_name}", script_name, [script.name for script in known])
    if json:
        return told_in_json(app_name, script_name, arguments)
    return run_script(app_name, script_name, arguments)


def run_script(app_name: str, script_name: str, arguments: list[str], printed: Printed | None = None) -> int:
    """Its exit status. Raises Failure if the app does not run."""
    container = running(app_name)
    warn_if_pending(app_name, script_name)
    return execute(container, ["sh", f"/command_files/scripts/{script_name}.sh", *arguments], printed)


def told_in_json(app_name: str, script_name: str, arguments: list[str]) -> int:
    """Run it; what it prints goes to stderr, and how it ended to stdout, as in schemas/output/scripts.json."""
    printed, began = Printed(), time.monotonic()
    with aside() as heard:
        code = run_script(app_name, script_name, arguments, printed)
    say_json(
        {
            "ok": code == 0,
            "exit_code": code,
            "app": app_name,
            "script": script_name,
            "seconds": round(time.monotonic() - began, 2),
            "printed": printed.lines,
            "warnings": heard.warnings,
        }
    )
    return code


def scripts_of(app_name: str) -> list[ScriptInfo]:
    """The scripts of an app by name: of the specs, or, while those are broken, of the stack as last compiled. Raises Failure."""
    try:
        apps = session.specs().apps
    except Failure:
        apps = compiled_apps()
        if not apps:
            raise
    if app_name not in apps:
        raise unknown("app", app_name, apps)
    return sorted(ScriptInfo(script.name, script.description) for script in apps[app_name].scripts)


def compiled_apps() -> dict[str, App]:
    """The apps of build/stack.json; {} if there is none."""
    from dusty_tasks.core.stack.json_form import stack_from_json

    try:
        return stack_from_json(read_bytes(session.paths().artifact(STACK_FILE)) or b"").apps
    except (ValueError, KeyError, TypeError):
        return {}


def warn_if_pending(app_name: str, script_name: str) -> None:
    """Say so if the compiled script is not what lies on the Docker host."""
    relative = f"{app_name}/scripts/{script_name}.sh"
    host = session.docker_host()
    there = host.run(["cat", host.path(COMMANDS_THERE, relative)])
    here = (read_bytes(session.paths().artifact(f"commands/{relative}")) or b"").decode("utf-8", "replace")
    if there.code or there.out != here:
        warn(f"script {script_name} of {app_name} has pending changes: run {DUSTY} up")
