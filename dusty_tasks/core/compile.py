"""The whole compile phase as one pure function: specs and settings in, bytes out (spec-language section 4).

The doit steps call the same parts one by one, so that only what changed is rendered anew.
"""
from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from dusty_tasks.core.check_stack import check_stack
from dusty_tasks.core.compose import compose_file, render_compose
from dusty_tasks.core.graph import assemble
from dusty_tasks.core.hosts import render_hosts
from dusty_tasks.core.nginx import render_nginx
from dusty_tasks.core.origins import origins_json
from dusty_tasks.core.problems import Place, Problem, errors
from dusty_tasks.core.routes import PortMemory, RouteKey, TooManyRoutes, assign_ports
from dusty_tasks.core.scripts import render_commands
from dusty_tasks.core.settings import CONFIG_FILE, Settings
from dusty_tasks.core.specs import Specs
from dusty_tasks.core.stack import Stack
from dusty_tasks.core.stack_file import stack_json
from dusty_tasks.core.templating import Templates
from dusty_tasks.core.traced import Artifact
from dusty_tasks.core.wanted import to_json
from dusty_tasks.core.wanted_stack import wanted_of

HOSTS, NGINX, COMPOSE = "hosts", "nginx/dustyNginx.conf", "docker-compose.yml"
STACK, ORIGINS, COMMANDS = "stack.json", "origins.json", "commands"


class Assembled(NamedTuple):
    """The stack with its ports, all ports to remember, and every problem; with an error among them it is not to be used."""

    stack: Stack
    ports: PortMemory
    problems: list[Problem]


def assembled(specs: Specs, bundle_names: Iterable[str], settings: Settings,
              memory: Mapping[RouteKey, int]) -> Assembled:
    """Assemble and check the stack, and give its routes their ports (none with `routing: network`)."""
    stack, problems = assemble(specs, bundle_names)
    problems += check_stack(specs, stack)
    if stack.routes and not settings.hosts_address:
        problems.append(Problem(Place(CONFIG_FILE), "host.address", "the address of the ssh Docker host is not known yet",
                                "dusty config set host.address <address>; `dusty setup` and `dusty start` find it"))
    if settings.routing == "network" or errors(problems):
        return Assembled(stack, dict(memory), problems)
    try:
        routes, ports = assign_ports(stack, memory)
    except TooManyRoutes as error:
        problem = Problem(Place(CONFIG_FILE), "routing", str(error), "dusty config set routing network, or fewer bundles")
        return Assembled(stack, dict(memory), [*problems, problem])
    return Assembled(replace(stack, routes=routes), ports, problems)


def render_artifacts(stack: Stack, settings: Settings, specs_root: str, templates: Templates) -> dict[str, Artifact]:
    """Path below build/ -> artifact, for all that a Docker host or this machine reads."""
    commands = render_commands(stack, templates)
    return {HOSTS: render_hosts(stack, settings.hosts_address),
            NGINX: render_nginx(stack, settings, templates),
            COMPOSE: render_compose(compose_file(stack, settings, specs_root)),
            **{f"{COMMANDS}/{path}": artifact for path, artifact in commands.items()}}


def compile_all(specs: Specs, made: Assembled, settings: Settings, specs_root: str, templates: Templates) -> dict[str, bytes]:
    """Path below build/ -> bytes: everything that compile writes there."""
    artifacts = render_artifacts(made.stack, settings, specs_root, templates)
    texts = {path: artifact.text for path, artifact in artifacts.items()}
    texts[STACK] = stack_json(made.stack, made.ports)
    texts[ORIGINS] = origins_json(artifacts, specs.places)
    return {path: text.encode() for path, text in texts.items()}


def wanted_json(stack: Stack, settings: Settings, specs_root: str) -> bytes:
    """state/wanted.json."""
    mapping = compose_file(stack, settings, specs_root).mapping
    wanted = wanted_of(stack, settings, specs_root, mapping)
    return (json.dumps(to_json(wanted), ensure_ascii=False) + "\n").encode()
