"""The stack that specs and settings ask for: closed, checked, with its ports."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from dusty_tasks.core.check.https import check_https
from dusty_tasks.core.check.stack import check_bound_assets, check_stack
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.specs.documents import place_of
from dusty_tasks.core.specs.model import App, Lib, Service, Specs
from dusty_tasks.core.stack.assemble import assemble
from dusty_tasks.core.stack.disabled import without
from dusty_tasks.core.stack.https import OFF
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


def with_unset_variables_refused(problems: list[Problem], specs: Specs, stack: Stack) -> list[Problem]:
    """The problems, variables without a value being errors where the stack uses them, in its own files or in those that they extend."""
    return _refused(problems, _unset_in(problems, specs, stack))


def with_unset_in_tests_refused(problems: list[Problem], specs: Specs, files: Collection[str]) -> list[Problem]:
    """The same for what a test suite uses: tests and code of apps and libs, and whole services, of these spec files."""
    services = {service.file for service in specs.services.values()}
    places = {
        place_of(file, spot)
        for file in files
        for path, spot in specs.places[file].items()
        if file in services or path[:1] in _OF_TESTS
    }
    unset = {problem for problem in problems if problem.code is Code.UNSET_VARIABLE and problem.place in places}
    return _refused(problems, unset)


_OF_TESTS = (("test",), ("repo",), ("mount",), ("assets",), ("install",))
"""What test containers have of an app or lib."""


def _refused(problems: list[Problem], unset: set[Problem]) -> list[Problem]:
    return [problem._replace(is_warning=False) if problem in unset else problem for problem in problems]


def without_unset_elsewhere(problems: list[Problem], specs: Specs, stack: Stack) -> list[Problem]:
    """The problems without those of variables that the stack does not use, which may have values in another one."""
    unset = _unset_in(problems, specs, stack)
    return [problem for problem in problems if problem.code is not Code.UNSET_VARIABLE or problem in unset]


def _unset_in(problems: list[Problem], specs: Specs, stack: Stack) -> set[Problem]:
    """Variables without a value where the stack uses them."""
    unset = [problem for problem in problems if problem.code is Code.UNSET_VARIABLE]
    if not unset:
        return set()
    used: list[App | Lib | Service] = [*stack.apps.values(), *stack.libs.values(), *stack.services.values()]
    files = [*(spec.file for spec in used), *(specs.bundles[name].file for name in stack.bundles)]
    places = {
        place_of(file, spot)
        for file in files
        for path, spot in specs.places[file].items()
        if path[:1] != ("test",)  # which `up` does not need
    }
    return {problem for problem in unset if problem.place in places}


def assemble_with_ports(
    specs: Specs, bundle_names: Iterable[str], settings: Settings, memory: Mapping[RouteKey, int]
) -> Assembled:
    """Assemble and check the stack, and give its routes their ports (none with `routing: network`)."""
    specs = without(specs, settings.disabled)
    stack, problems = assemble(specs, bundle_names)
    problems += check_stack(specs, stack)
    if settings.sync_mode == "bind":
        problems += check_bound_assets(specs, stack)
    if settings.https != OFF:
        problems += check_https(specs, stack, settings.https)
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


def clashing_pairs(
    specs: Specs, alone: Mapping[str, tuple[Stack, Sequence[Problem]]], together: Iterable[Problem], settings: Settings
) -> list[tuple[str, str]]:
    """For each error that no bundle has `alone` but all have `together`, two bundles that have it."""

    @functools.cache
    def problems_of(pair: tuple[str, str]) -> list[Problem]:
        return assemble_with_ports(specs, pair, settings, {}).problems

    known = {problem for _, problems in alone.values() for problem in problems}
    found: dict[tuple[str, str], None] = {}
    for problem in errors(together):
        is_new = problem not in known
        holders = (
            [name for name, (stack, _) in alone.items() if problem.place.file in _files_of(stack)] if is_new else []
        )
        pairs = (pair for pair in itertools.combinations(specs.bundles, 2) if pair[0] in holders or pair[1] in holders)
        found.update(
            (pair, None) for pair in itertools.islice((pair for pair in pairs if problem in problems_of(pair)), 1)
        )
    return list(found)


def _files_of(stack: Stack) -> set[str]:
    return {spec.file for specs in (stack.apps, stack.libs, stack.services) for spec in specs.values()}
