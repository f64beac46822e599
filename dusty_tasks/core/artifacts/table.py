"""All that compile writes, each written once: a row says what it is called, where it lies, what of the settings it may see, and who makes it.

The table is read in each run, also in one that finds nothing to do, so it imports no renderer before one is asked for.
A new artifact is its renderer, with the slice that it is made of, its row, and its template; containers that mount it get it by operations/launch/pushes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from dusty_tasks.core.plan.given_values import FOLDER
from dusty_tasks.core.settings.model import ContainerSettings
from dusty_tasks.core.settings.slices import (
    CommandSettings,
    HostsSettings,
    ProxySettings,
    StackSettings,
    ValueSettings,
)
from dusty_tasks.core.text.memo import digest
from dusty_tasks.core.text.paths import COMMAND_FILES, COMPOSE_FILE, HOSTS_FILE, ORIGINS_FILE, PROXY_FILE, STACK_FILE
from dusty_tasks.core.text.value import cut

if TYPE_CHECKING:
    from dusty_tasks.core.artifacts.templates import Templates
    from dusty_tasks.core.artifacts.traced import Artifact
    from dusty_tasks.core.settings.model import Settings
    from dusty_tasks.core.stack.model import Stack


class Form(Enum):
    """In which way what a row stands for is made and kept."""

    STACK = "the specs, closed over what is active, as they are read again by all others"
    FILES = "files that are each made of a slice, and made anew if the digest of that is another"
    CONTAINERS = (
        "a file with a part for each container, which is kept from run to run by the digest of its slice (rendering)"
    )
    VALUES = "files for their owner alone"
    ORIGINS = "where the lines of all others come from"


class Whole(NamedTuple):
    """All that there is to make artifacts of. Rows cut slices out of it; renderers never see it."""

    stack: Stack
    settings: Settings
    specs_root: str


class Made(NamedTuple):
    """Files that are made together, of one slice."""

    paths: tuple[str, ...]
    """Below build/."""
    slice: tuple[Any, ...]
    """A NamedTuple."""
    render: Callable[[Any, Templates], Mapping[str, Artifact]]
    """The files by path, of the slice and nothing else."""

    @property
    def key(self) -> str:
        """A digest of all that they are made of: with the same templates and code, the same files have the same."""
        return digest(self.slice)


class Row(NamedTuple):
    """One artifact, or the files of one folder."""

    name: str
    """Of its step, and of what is remembered of it."""
    doc: str
    path: str
    """Below build/; a folder ends with `/`."""
    settings: type[Any]
    """The slice of the settings that it may see."""
    form: Form
    files: Callable[[Whole], Iterable[Made]] = lambda whole: ()
    """The files of a row of that form."""
    in_state: bool = False
    """It lies below state/, being no artifact that anybody else reads."""
    is_pushed: bool = False
    """The run phase reads it: for the hosts file, or for what containers mount."""


def _hosts(whole: Whole) -> Iterable[Made]:
    from dusty_tasks.core.artifacts.hosts import HostName, HostsSlice, render_hosts
    from dusty_tasks.core.stack.model import file_of

    stack = whole.stack
    called = whole.settings.namespace.host_name
    names = [HostName(called(route.host_name), file_of(stack, route.app_name), route.index) for route in stack.routes]
    of = HostsSlice(tuple(names), cut(HostsSettings, whole.settings))
    return [Made((HOSTS_FILE,), of, lambda of, templates: {HOSTS_FILE: render_hosts(of, templates)})]


def _nginx(whole: Whole) -> Iterable[Made]:
    from dusty_tasks.core.artifacts.nginx import ProxySlice, render_nginx
    from dusty_tasks.core.stack.model import file_of

    files = {route.app_name: file_of(whole.stack, route.app_name) for route in whole.stack.routes}
    of = ProxySlice(whole.stack.routes, files, cut(ProxySettings, whole.settings))
    return [Made((PROXY_FILE,), of, lambda of, templates: {PROXY_FILE: render_nginx(of, templates)})]


def _commands(whole: Whole) -> Iterable[Made]:
    from dusty_tasks.core.artifacts import commands
    from dusty_tasks.core.stack.https import OFF

    stack, settings = whole.stack, cut(CommandSettings, whole.settings)
    is_bound, believes = settings.sync_mode == "bind", settings.https != OFF

    def made(name: str, paths: Iterable[str], of: tuple[Any, ...], render: Callable[..., Any]) -> Made:
        folder = f"{COMMAND_FILES}{name}/"
        return Made(
            tuple(f"{folder}{path}" for path in paths),
            of,
            lambda of, templates: {f"{folder}{path}": file for path, file in render(of, templates).items()},
        )

    for app in stack.apps.values():
        libs = [stack.libs[name] for name in stack.lib_order[app.name]]
        of = commands.app_slice(app, libs, is_bound, believes)
        yield made(app.name, commands.app_paths(app), of, commands.render_app)
    for lib in stack.libs.values():
        if lib.tests:
            libs = [stack.libs[name] for name in stack.lib_order[f"lib/{lib.name}"]]
            yield made(
                lib.name, commands.suite_paths(lib), commands.suite_slice(lib, libs, is_bound), commands.render_suites
            )


ARTIFACTS = (
    Row("stack", "check the specs, close them over what is active", STACK_FILE, StackSettings, Form.STACK),
    Row("hosts", "the section of the hosts file", HOSTS_FILE, HostsSettings, Form.FILES, _hosts, is_pushed=True),
    Row("nginx", "the proxy's config", PROXY_FILE, ProxySettings, Form.FILES, _nginx, is_pushed=True),
    Row("compose", "the Compose file", COMPOSE_FILE, ContainerSettings, Form.CONTAINERS),
    Row(
        "env",
        "the values of variables that were set, for Compose alone",
        f"{FOLDER}/",
        ValueSettings,
        Form.VALUES,
        in_state=True,
    ),
    Row("commands", "what containers run", COMMAND_FILES, CommandSettings, Form.FILES, _commands, is_pushed=True),
    Row(
        "wanted", "what should run, for the run phase", "wanted.json", ContainerSettings, Form.CONTAINERS, in_state=True
    ),
    Row("origins", "which spec line put what where", ORIGINS_FILE, ContainerSettings, Form.ORIGINS),
)
"""In an order in which they can be made."""


def rows(form: Form) -> list[Row]:
    """The rows of one form."""
    return [row for row in ARTIFACTS if row.form is form]
