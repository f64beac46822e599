"""Before a run: what the machine lacks is named, brought after asking, or refused with the commands to type."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from dusty_tasks import session
from dusty_tasks.core.of_verbs import provision
from dusty_tasks.core.of_verbs.provision import Machine, Provision, Step
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.operations.machine.consent import Consent, Item, listing

Say = Callable[[str], None]
A_DAY = 24 * 3600


def ensure_tools(
    consent: Consent,
    say: Say,
    *,
    home: str | None = None,
    engine_here: bool = True,
    also: Sequence[Item] = (),
    may_become: bool = True,
) -> int:
    """See to it that docker, an engine, Compose v2, rsync and git are there: exit code 0, 1 (mend it and come again) or 2.

    What is missing is brought with consent, else the commands are shown and the code is 1. `also` is what the run will do
    to this machine beside that: one question covers it. `engine_here=False` is for a Docker host that is another machine.
    `may_become` lets this process become the same command with the group docker, where the account has just come into it.
    Where all is there it starts no process and asks nothing.
    """
    from dusty_tasks.effects.machine import packages

    missing = packages.read_missing(engine_here=engine_here)
    if not missing:
        return 0
    if missing == [provision.ACCESS] and packages.is_in_docker_group():
        return _go_on_in_the_group(consent, say, may_become, is_news=False)
    machine = packages.read_machine(home or session.home())
    plan = provision.plan_provision(machine, missing)
    say(f"Missing on this machine: {', '.join(missing)}.")
    if plan.unmet:
        return _refuse(plan, machine, say, also)
    items = [Item(step.what, step.what) for step in plan.steps if step.what]
    consent.to(*items, *also)
    if not consent.to(*items):
        return _refuse(plan, machine, say, also)
    if (
        not machine.is_root
        and any(step.needs_root for step in plan.steps)
        and not packages.may_sudo(may_ask=consent.may_ask)
    ):
        say("sudo may not be used here, or would ask for a password that cannot be typed here")
        by_user = [step for step in plan.steps if step.what and not step.needs_root]
        code = _bring(by_user, machine, say)
        return (
            _refuse(plan._replace(steps=tuple(step for step in plan.steps if step not in by_user)), machine, say)
            or code
        )
    return _bring(plan.steps, machine, say) or _check_again(consent, machine, missing, say, engine_here, may_become)


def join_docker_group() -> None:
    """Where the engine is closed to this session, and the account has come into the group docker since it began: become
    the same command with that group. Returns where there is nothing to gain, or no `sg`; the verb then says what is closed.
    """
    from dusty_tasks.effects.docker_host.engine_address import engine_address
    from dusty_tasks.effects.machine import packages

    if packages.read_engine_trouble(engine_address(os.environ)) == provision.ACCESS and packages.is_in_docker_group():
        sys.stdout.flush()
        packages.rerun_in_docker_group(sys.orig_argv)


def renew_stand_ins(say: Say, env: Mapping[str, str]) -> None:
    """Once a day, in a run that changes something anyway: real images in place of stand-ins, if a registry answers by now."""
    import time

    from dusty_tasks.effects.doors.files import write_atomically
    from dusty_tasks.effects.engine.images import replace_stand_ins

    record = session.paths().kept("stand-ins-tried")
    if not os.path.exists(record) or time.time() - os.path.getmtime(record) > A_DAY:
        replace_stand_ins(say, env)
        write_atomically(record, b"")


def _refuse(plan: Provision, machine: Machine, say: Say, also: Sequence[Item] = ()) -> int:
    for sentence in plan.unmet:
        say(f"  {sentence}")
    if plan.steps:
        say(f"To install it, run these commands, or `{DUSTY} up --yes`, which runs them:")
        for line in provision.shown(plan, machine):
            say(f"    {line}")
        if also:
            say(listing("`up` then also does this:", also))
    return 1


def _bring(steps: Iterable[Step], machine: Machine, say: Say) -> int:
    """Run the steps; after one of root's that failed, those that need no root all the same."""
    from dusty_tasks.effects.doors.failures import ToolFailed
    from dusty_tasks.effects.machine import packages

    code = 0
    for step in steps:
        if code and (step.needs_root or not step.what):
            continue
        if step.what:
            say(f"going to {step.what}")
        try:
            packages.run_step(step, machine, partial(_show_progress, step.what, say))
        except ToolFailed as failure:
            say(str(failure))
            code = 2
    return code


def _show_progress(what: str, say: Say, line: str) -> None:
    """Of all that apt-get prints, the packages that the step names: the thirty that they bring along tell nobody anything."""
    if line.startswith("Setting up ") and line.split()[2] in what.replace(",", "").split():
        say(f"  set up {line.split()[2]}")


def _check_again(
    consent: Consent, machine: Machine, missing: list[str], say: Say, engine_here: bool, may_become: bool
) -> int:
    from dusty_tasks.effects.machine import packages

    if {provision.ENGINE, provision.STOPPED} & set(missing):
        say("waiting for the Docker Engine to answer")
        trouble = packages.wait_for_engine(machine.home)
        if trouble not in ("", provision.ACCESS):
            say(f"The Docker Engine was started but does not answer:\n{trouble}")
            return 2
    still = packages.read_missing(engine_here=engine_here)
    if provision.GIT in missing and provision.GIT not in still:
        _complete_examples(say)
    if still == [provision.ACCESS]:
        return _go_on_in_the_group(consent, say, may_become, is_news=True)
    if still:
        say(f"Still missing after that: {', '.join(still)}.")
    return 2 if still else 0


def _complete_examples(say: Say) -> None:
    """The example's repos could not be made before there was a git."""
    from dusty_tasks.effects.specs.examples import example_folder, write_examples

    if example_folder(session.home()).exists():
        write_examples(session.home(), say)


def _go_on_in_the_group(consent: Consent, say: Say, may_become: bool, *, is_news: bool) -> int:
    """A session learns of a new group at the next login; `sg docker` gives it to this command now."""
    from dusty_tasks.effects.machine import packages

    if may_become:
        if is_news:
            say("continuing with the group docker (`sg docker`), which this session does not have yet")
        consent.hand_on()
        sys.stdout.flush()
        packages.rerun_in_docker_group(sys.orig_argv)
    say("the group docker could not be taken on: log out and in again, then run this again")
    return 1
