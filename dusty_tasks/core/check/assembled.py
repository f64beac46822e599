"""The stack that specs and settings ask for: closed, checked, with its ports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from dusty_tasks.core.check.stack import check_bound_assets, check_stack
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.specs.model import Specs
from dusty_tasks.core.stack.assemble import assemble
from dusty_tasks.core.stack.disabled import without
from dusty_tasks.core.stack.model import Stack
from dusty_tasks.core.stack.ports import PortMemory, RouteKey, TooManyRoutes, assign_ports
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import CONFIG_FILE
from dusty_tasks.core.text.problems import Place, Problem, errors


def nothing_active() -> tuple[str, str]:
    """What is said where no bundle is active, and how to mend it."""
    return (
        "No bundles are activated",
        f"{DUSTY} bundles activate <name>; `{DUSTY} bundles` lists them",
    )


class Assembled(NamedTuple):
    """The stack with its ports, all ports to remember, and every problem; with an error among them it is not to be used."""

    stack: Stack
    ports: PortMemory
    problems: list[Problem]


def assemble_with_ports(
    specs: Specs, bundle_names: Iterable[str], settings: Settings, memory: Mapping[RouteKey, int]
) -> Assembled:
    """Assemble and check the stack, and give its routes their ports (none with `routing: network`)."""
    specs = without(specs, settings.disabled)
    stack, problems = assemble(specs, bundle_names)
    problems += check_stack(specs, stack)
    if settings.sync_mode == "bind":
        problems += check_bound_assets(specs, stack)
    if stack.routes and not settings.hosts_address:
        problems.append(
            Problem(
                Place(CONFIG_FILE),
                "host.address",
                Code.NO_ADDRESS,
                "the address of the ssh Docker host is not known yet",
                f"{DUSTY} config set host.address <address>; `{DUSTY} setup` and `{DUSTY} start` find it",
            )
        )
    if settings.routing == "network" or errors(problems):
        return Assembled(stack, dict(memory), problems)
    try:
        routes, ports = assign_ports(stack, memory)
    except TooManyRoutes as error:
        problem = Problem(
            Place(CONFIG_FILE),
            "routing",
            Code.TOO_MANY_ROUTES,
            str(error),
            f"{DUSTY} config set routing network, or fewer bundles",
        )
        return Assembled(stack, dict(memory), [*problems, problem])
    return Assembled(replace(stack, routes=routes), ports, problems)
