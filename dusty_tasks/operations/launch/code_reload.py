"""What `reload` of a spec asks for beside a restart: a signal to the app's process, commands in its container."""

from __future__ import annotations

from collections.abc import Iterable

from dusty_tasks.core.artifacts.templates import shell_quoted
from dusty_tasks.core.code.reloading import Owed
from dusty_tasks.core.plan.wanted import WantedContainer
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine import acts
from dusty_tasks.effects.engine.http import Engine

LONGEST = 600.0
"""Seconds for the commands of `run`."""
SEND = r"""
name=$1
mine=$(readlink /proc/self/ns/mnt 2>/dev/null)
# Prints the children of $1, of this container alone: it may share its process ids with others.
children() {
    for stat in /proc/[0-9]*/stat; do
        IFS= read -r line 2>/dev/null <"$stat" || continue
        pid=${stat#/proc/} pid=${pid%/stat} rest=${line##*) }
        set -- "$1" $rest
        [ "$3" = "$1" ] && [ "$pid" != "$$" ] || continue
        [ "$(readlink "/proc/$pid/ns/mnt" 2>/dev/null)" = "$mine" ] && echo "$pid"
    done
}
# True if the process $1 has a handler of its own for the signal.
catches() {
    mask=$(sed -n 's/^SigCgt:[^0-9a-f]*//p' "/proc/$1/status" 2>/dev/null)
    [ "$(((0x0${mask#????????} >> (number - 1)) & 1))" = 1 ]
}
# The shell that runs the start script hands signals on to nobody: unless it has a trap itself, those below it are meant.
targets() {
    if ! catches "$1" && tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -q '^[^ ]*sh /command_files/start\.sh'; then
        for child in $(children "$1"); do targets "$child"; done
    else
        echo "$1"
    fi
}
number=$(kill -l "$name")
first=1
case $(cat /proc/1/comm 2>/dev/null) in docker-init | tini | dumb-init) first=$(children 1) ;; esac
sent=
for pid in $first; do
    for target in $(targets "$pid"); do
        kill -s "$name" "$target" 2>/dev/null && sent=yes
    done
done
[ -n "$sent" ] || { echo "no process of the app was found"; exit 1; }
"""
"""Word: a signal's name. Sends it to the app's process, or processes: what the start script's shell runs, or what took its place."""


def reload_code(engine: Engine, wanted: WantedContainer, container_id: str, owed: Owed) -> None:
    """Run the commands, then send the signals. Raises Failure with what was printed."""
    for lines in owed.commands:
        status, printed = acts.run_exec(engine, container_id, ["sh", "-c", commands_text(wanted.code, lines)], LONGEST)
        if status:
            raise Failure(f"`run` of reload exited with status {status}{_indented(printed)}", code=1)
    for name in owed.signals:
        status, printed = acts.run_exec(engine, container_id, ["sh", "-c", SEND, "dusty", name])
        if status:
            raise Failure(f"signal {name} of reload was not sent{_indented(printed)}", code=1)


def commands_text(code: str, lines: Iterable[str]) -> str:
    """The lines as one script: where the code lies, with what `once` exported, ending at the first that fails."""
    enter = [f"cd {shell_quoted(code)}"] if code else []
    begin = ["set -e", 'if [ -e /.dusty/env ]; then before=$(pwd); . /.dusty/env; cd "$before"; fi', *enter]
    return "\n".join([*begin, *lines]) + "\n"


def _indented(printed: str) -> str:
    lines = printed.strip().splitlines()[-10:]
    return ":" + "".join(f"\n    {line}" for line in lines) if lines else ", and printed nothing"
