"""`dusty wait`: until parts of the stack are ready, or done; for scripts and agents."""

from __future__ import annotations

from dusty_tasks import session
from dusty_tasks.console import say, warn
from dusty_tasks.core.plan.conditions import jobs_in
from dusty_tasks.core.plan.container_state import why_it_serves
from dusty_tasks.core.plan.wanted import WantedContainer
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.verbs.shared.running import not_in_the_stack, spec_name
from dusty_tasks.verbs.shared.words import misuse, say_json

READY, DONE = "ready", "done"


def run(words: list[str], json: bool = False, timeout: int | None = None, **options: str | None) -> int | None:
    """Wait for the named parts, or for all (`--for done`: all jobs); 1 with the reason where they are not ready or done in time."""
    goal = options.get("for") or READY
    if goal not in (READY, DONE):
        raise misuse("wait", f"--for takes {READY} or {DONE}")
    if timeout is not None and timeout < 1:
        raise Failure("--timeout must be at least 1")
    seconds = session.settings().up_wait if timeout is None else timeout
    asked = chosen(words, goal)
    from dusty_tasks.operations.waiting import wait_until_done, wait_until_up

    def tell(text: str) -> None:
        if not json:
            say(f"waiting until {goal}: {text}")

    wait = wait_until_done if goal == DONE else wait_until_up
    waited = wait(Engine(session.docker_host()), asked, seconds, tell)
    if json:
        say_json({goal: waited.reached, "late": [late._asdict() for late in waited.late]})
    else:
        if waited.reached:
            say(f"{goal}: {', '.join(waited.reached)}")
        for late in waited.late:
            hint = f"\n  hint: {late.hint}" if late.hint else ""
            warn(f"{late.name} {late.why}{hint}")
    return 1 if waited.late else 0


def chosen(words: list[str], goal: str) -> list[WantedContainer]:
    """What is waited for. Raises Failure for a name that the stack does not have, and for one that is never done."""
    wanted = session.wanted()
    by_name = {container.name: container for container in wanted.containers}
    if not words:
        jobs = jobs_in(wanted)
        return [container for name, container in by_name.items() if goal == READY or name in jobs]
    names = list(dict.fromkeys(spec_name(word) for word in words))
    for name in names:
        if name not in by_name:
            raise not_in_the_stack(name, by_name)
        reason = why_it_serves(by_name[name])
        if goal == DONE and reason:
            raise Failure(f"{name} will never be done: {reason}")
    return [by_name[name] for name in names]
