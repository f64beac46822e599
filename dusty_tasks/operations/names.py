"""Names of apps and services as people type them: which the stack has, and the failure for one that it does not have."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable

from dusty_tasks import session
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.namespace import PROXY
from dusty_tasks.core.text.problems import did_you_mean
from dusty_tasks.effects.doors.failures import Failure


def compiled_names() -> list[str]:
    """The names of the stack's containers as last compiled, dependencies first; before that those of the specs, if they can be used."""
    try:
        return [container.name for container in session.wanted().containers]
    except Failure:
        pass
    try:
        stack = session.stack()
    except Failure:
        return []
    return sorted({*stack.apps, *stack.services})


def stack_names() -> set[str]:
    """The names of the stack as the specs here have it now, the proxy's too; on a first run those of the examples.

    Empty where nothing can be known yet: the specs are not cloned, or cannot be used.
    """
    from dusty_tasks.operations.machine.first_run import is_configured

    if not is_configured():
        from dusty_tasks.effects.specs.examples import spec_names

        return spec_names()
    try:
        stack = session.stack()
    except Failure:
        return set()
    return {*stack.apps, *stack.services, PROXY}


def refuse_unknown(names: Iterable[str], known: Collection[str]) -> None:
    """Raises Failure for the first of `names` that is not `known`."""
    for name in names:
        if name not in known:
            raise not_in_the_stack(name, known)


def not_in_the_stack(name: str, known: Iterable[str]) -> Failure:
    """The failure for a name without a container: of one that is to have it, that is not active, else that nobody knows."""
    no_container = Failure(f"{name} has no container", f"{DUSTY} up creates it")
    if name in compiled_names():
        return no_container
    try:
        specs, stack = session.specs(), session.stack()
    except Failure:
        return _unknown(name, known)
    if name in stack.apps or name in stack.services:
        return no_container
    if name not in specs.apps and name not in specs.services:
        return _unknown(name, known)
    if name in session.settings().disabled:
        return Failure(f"{name} is disabled on this machine", f"{DUSTY} enable {shlex.quote(name)}")
    bundle_names = [bundle.name for bundle in specs.bundles.values() if name in (*bundle.apps, *bundle.services)]
    return Failure(
        f"{name} is not in the stack: no active bundle needs it",
        f"{DUSTY} bundles activate {shlex.quote(bundle_names[0])}" if bundle_names else "",
    )


def _unknown(name: str, known: Iterable[str]) -> Failure:
    return Failure(f'no app or service named "{name}"', did_you_mean(name, known))
