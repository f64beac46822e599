"""The whole compile phase as one pure function: specs and settings in, bytes out (spec-language section 4).

The doit steps call the same parts one by one, so that only what changed is rendered anew.
"""
from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from dusty_tasks.core.check_stack import check_stack
from dusty_tasks.core.compose import ComposeFile, compose_file, render_compose
from dusty_tasks.core.graph import assemble
from dusty_tasks.core.hosts import render_hosts
from dusty_tasks.core.nginx import render_nginx
from dusty_tasks.core.origins import origins_json
from dusty_tasks.core.problems import Place, Problem, errors
from dusty_tasks.core.routes import PortMemory, RouteKey, TooManyRoutes, assign_ports
from dusty_tasks.core.scripts import command_files
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
NOTHING_ACTIVE = ("No bundles are activated: there is no active bundle to work on", "dusty bundles activate <name>; `dusty bundles` lists them")
"""What is said, and how to mend it."""


class Assembled(NamedTuple):
    """The stack with its ports, all ports to remember, and every problem; with an error among them it is not to be used."""

    stack: Stack
    ports: PortMemory
    problems: list[Problem]


def assemble_with_ports(specs: Specs, bundle_names: Iterable[str], settings: Settings,
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


class Rendering:
    """The artifacts of one stack by their path below build/, each rendered when it is asked for, at most once."""

    def __init__(self, stack: Stack, settings: Settings, specs_root: str, templates: Templates) -> None:
        self.stack, self.settings, self.specs_root, self.templates = stack, settings, specs_root, templates

    @cached_property
    def hosts(self) -> dict[str, Artifact]:
        return {HOSTS: render_hosts(self.stack, self.settings.hosts_address)}

    @cached_property
    def nginx(self) -> dict[str, Artifact]:
        return {NGINX: render_nginx(self.stack, self.settings, self.templates)}

    @cached_property
    def compose_file(self) -> ComposeFile:
        return compose_file(self.stack, self.settings, self.specs_root)

    @cached_property
    def compose(self) -> dict[str, Artifact]:
        return {COMPOSE: render_compose(self.compose_file)}

    @cached_property
    def commands(self) -> dict[str, Artifact]:
        return {f"{COMMANDS}/{files.folder}/{path}": artifact for files in command_files(self.stack)
                for path, artifact in files.render(self.templates).items()}

    def origins(self, specs: Specs) -> bytes:
        """build/origins.json."""
        traced = {**self.hosts, **self.nginx, **self.compose, **self.commands}
        return origins_json({path: artifact.spans for path, artifact in traced.items()}, specs.places).encode()

    def wanted(self) -> bytes:
        """state/wanted.json."""
        wanted = wanted_of(self.stack, self.settings, self.specs_root, self.compose_file.mapping)
        return (json.dumps(to_json(wanted), ensure_ascii=False) + "\n").encode()


def compile_all(specs: Specs, made: Assembled, settings: Settings, specs_root: str, templates: Templates) -> dict[str, bytes]:
    """Path below build/ -> bytes: everything that compile writes there."""
    rendering = Rendering(made.stack, settings, specs_root, templates)
    artifacts = {**rendering.hosts, **rendering.nginx, **rendering.compose, **rendering.commands}
    return {**bytes_of(artifacts), STACK: stack_json(made.stack, made.ports).encode(), ORIGINS: rendering.origins(specs)}


def bytes_of(artifacts: Mapping[str, Artifact]) -> dict[str, bytes]:
    """The artifacts as files hold them."""
    return {path: artifact.text.encode() for path, artifact in artifacts.items()}
