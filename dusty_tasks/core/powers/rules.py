"""Which powers the specs of a stack ask for (core/powers): one rule a Compose key, and what is read on this machine.

A key without a rule gives no power. What leads out by a link is not seen here: core/powers/links asks for that.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from dusty_tasks.core.powers.model import Power, sent_variable
from dusty_tasks.core.settings.model import ContainerSettings
from dusty_tasks.core.specs.compose_values import is_persistent, joined, local_folder, pairs_of, volumes
from dusty_tasks.core.specs.model import App, Lib, Origin, Service, Specs, Tests
from dusty_tasks.core.specs.repo_ids import Repo
from dusty_tasks.core.specs.sources import Places, source_place
from dusty_tasks.core.stack.model import Stack
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import CONFIG_FILE, KeyPath, path_text
from dusty_tasks.core.text.paths import PERSIST
from dusty_tasks.core.text.problems import Place, Problem
from dusty_tasks.core.text.safe import printable

LONGEST_VALUE = 160
OWN_FOLDERS = (".dusty", "repos", "dustyNginx", "dusty_assets", "worlds", ".snapshots")
"""Below /persist, but Dusty's own: records, the code and the assets of every app."""
SYSTEM_FOLDERS = (
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/proc",
    "/run",
    "/sbin",
    "/sys",
    "/var/lib",
    "/var/log",
    "/var/run",
    "/var/spool",
)
HOMES = ("/root", "/home", "/Users", "/var", "/usr")
"""Fine above a checkout, but not the checkout itself."""
OWN_LOGS = ("", "json-file", "local", "none")
"""Log drivers that keep a log where the engine keeps its own."""
OWN_NETWORKS = ("", "bridge", "default", "none", "private")
"""Networks in which a container meets no other stack's that did not choose to be met."""
ENGINE_SOCKETS = ("docker.sock", "containerd.sock", "podman.sock", "dockerd.sock")
PLAIN_VARIABLES = frozenset("TERM COLORTERM TZ LANG LANGUAGE USER UID GID COLUMNS LINES".split())
"""Variables that tell nothing worth keeping from a container."""


def powers_of(stack: Stack, settings: ContainerSettings, specs_root: str) -> list[Power]:
    """All powers that the specs of `stack` ask for, by container, in the order of the specs' keys."""
    around = _Around(stack, settings, specs_root)
    found: list[Power] = []
    for app in stack.apps.values():
        found += around.of_app(app)
    for service in stack.services.values():
        found += around.of_service(service)
    for lib in stack.libs.values():
        found += around.of_tests(lib, lib.tests)
    found += around.of_repos()
    return found


def powers_of_tests(owner: App | Lib, specs: Specs, settings: ContainerSettings, specs_root: str) -> list[Power]:
    """The powers of what `dusty test` runs for an app or lib, active or not: test image, suites, and their services."""
    suites = owner.tests.suites if owner.tests else ()
    services = {name: specs.services[name] for suite in suites for name in suite.services if name in specs.services}
    repos = {owner.repo.id: owner.repo} if owner.repo else {}
    around = _Around(Stack(services=services, repos=repos), settings, specs_root)
    found = list(around.of_tests(owner, owner.tests))
    for service in services.values():
        found += around.of_service(service)
    return found


def power_warnings(powers: Iterable[Power], places: Places) -> list[Problem]:
    """Powers in the form of problems, each at its place: what CI prints."""
    return [
        Problem(
            source_place(Origin(power.file, power.path), places) if power.file else Place(CONFIG_FILE),
            path_text(power.path),
            Code.NEEDS_CONSENT,
            f"needs consent: {power.holder}: {power.value}: {power.meaning}",
            is_warning=True,
        )
        for power in powers
    ]


def moving_image(image: str) -> bool:
    """True for an image without a tag or digest, or with one that is made to move (`latest`, `edge` …)."""
    if "@" in image:
        return False
    _, colon, tag = image.rpartition("/")[2].partition(":")
    return not colon or tag in ("latest", "edge", "main", "master", "nightly", "dev", "stable")


def whole_image_name(image: str) -> str:
    """The one spelling of an image's name: without the registry that goes without saying, with a tag."""
    name = image.removeprefix("docker.io/").removeprefix("index.docker.io/").removeprefix("library/")
    return name if "@" in name or ":" in name.rpartition("/")[2] else f"{name}:latest"


def is_plain_variable(name: str) -> bool:
    """True for a variable that tells nothing worth keeping."""
    return name in PLAIN_VARIABLES or name.startswith("LC_")


def _local_folder_of(repo: Repo) -> str:
    """The folder of this machine that a repo is, or is cloned from; '' for one elsewhere."""
    if repo.url.lower().startswith("file://"):
        return posixpath.normpath(f"/{unquote(repo.url[len('file://') :].partition('/')[2])}")
    return repo.local_path


def private_folder(path: str, home: str) -> str:
    """Why `path` looks like no checkout that specs would name: '' if it does not. `home` is DUSTY_HOME."""
    if is_within(path, [home]):
        return ""
    if any(part.startswith(".") for part in path.split("/")):
        return "it is, or lies in, a hidden folder"
    if posixpath.normpath(path) in HOMES or is_within(path, SYSTEM_FOLDERS):
        return "it belongs to the system"
    return ""


def readable_folders(settings: ContainerSettings, specs_root: str, repos: Iterable[tuple[str, str]]) -> list[str]:
    """What a stack may read on this machine without consent; `repos` are ids with local paths ('' for none)."""
    return [
        specs_root,
        settings.paths.assets,
        settings.paths.example,
        f"{settings.host.root}/{PERSIST}",
        *(settings.path_of(repo_id, local_path) for repo_id, local_path in repos),
    ]


def is_within(path: str, folders: Iterable[str]) -> bool:
    """True for one of `folders` or anything below one; by names alone, links are not followed."""
    path = posixpath.normpath(path)
    return any(
        path == folder or path.startswith(folder.rstrip("/") + "/") for folder in map(posixpath.normpath, folders)
    )


def value_text(value: Any) -> str:
    """A value of a spec as one readable line."""
    text = printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))
    if len(text) <= LONGEST_VALUE:
        return text
    return f"{text[:LONGEST_VALUE]}… ({hashlib.sha256(text.encode()).hexdigest()[:16]})"


class _Around:
    """What a container's powers are judged by: where the specs and the stack's repos lie, and which names the stack has."""

    def __init__(self, stack: Stack, settings: ContainerSettings, specs_root: str) -> None:
        self.stack, self.settings, self.specs_root = stack, settings, specs_root
        self.readable = readable_folders(
            settings, specs_root, ((repo.id, repo.local_path) for repo in stack.repos.values())
        )
        self.images = {
            whole_image_name(name)
            for name in (
                settings.nginx_image,
                *(app.image for app in stack.apps.values() if app.image),
                *(
                    str(service.compose["image"])
                    for service in stack.services.values()
                    if service.compose.get("image") and not service.compose.get("build")
                ),
            )
        }
        """Those that containers run and do not build themselves."""
        self.shared = _written_below_persist(stack)
        self.names = {*stack.apps, *stack.services, *(route.host_name for route in stack.routes)}

    def of_app(self, app: App) -> Iterator[Power]:
        context = joined(self._repo_folder(app), app.build) if app.build is not None else ""
        container = _Container(self, f"app {app.name}", app.file, ("compose",), app.name, context)
        if context:
            yield from container.of_folder("build", context, "/", ("build",))
        if app.build_options:
            builder = _Container(self, f"app {app.name}", app.file, (), app.name, context, self._repo_folder(app))
            yield from builder.powers({"build": app.build_options})
        yield from container.powers(app.compose)
        yield from self.of_tests(app, app.tests)

    def of_service(self, service: Service) -> Iterator[Power]:
        container = _Container(self, f"service {service.name}", service.file, (), service.name)
        yield from container.powers(service.compose)
        if service.compose.get("build") and service.compose.get("image"):
            yield from container.image_names([service.compose["image"]], ("image",))

    def of_tests(self, owner: App | Lib, tests: Tests | None) -> Iterator[Power]:
        """Of the test image and the suites of an app or lib."""
        if tests is None:
            return
        if tests.build is not None:
            container = _Container(self, f"tests of {owner.name}", owner.file, ("test",), owner.name)
            yield from container.of_folder("build", tests.build, self._repo_folder(owner), ("test", "build"))
        for index, suite in enumerate(tests.suites):
            container = _Container(
                self,
                f"suite {suite.name} of {owner.name}",
                owner.file,
                ("test", "suites", index, "compose"),
                owner.name,
            )
            yield from container.powers(suite.compose)

    def of_repos(self) -> Iterator[Power]:
        """Local folders that specs name as repos, where they look like anything but code; an override is the user's own word."""
        holders: list[App | Lib] = [*self.stack.apps.values(), *self.stack.libs.values()]
        for holder in holders:
            repo = holder.repo
            folder = _local_folder_of(repo) if repo else ""
            if (
                repo is None
                or not folder
                or repo.id in self.settings.repo_overrides
                or is_within(folder, [self.specs_root])
            ):
                continue
            if why := private_folder(folder, self.settings.home):
                yield Power(
                    f"repo {repo.id}",
                    "repo",
                    folder,
                    f"copies {folder} into a container; {why}",
                    holder.file,
                    ("repo",),
                )

    def _repo_folder(self, holder: App | Lib) -> str:
        return self.settings.path_of(holder.repo.id, holder.repo.local_path) if holder.repo else "/"


class _Container:
    """One container on its way through the rules."""

    def __init__(
        self,
        around: _Around,
        holder: str,
        file: str,
        base: KeyPath,
        name: str,
        context: str = "",
        root: str | None = None,
    ) -> None:
        self.root = around.specs_root if root is None else root
        """Where relative paths start."""
        self.around, self.holder, self.file, self.base, self.name, self.context = (
            around,
            holder,
            file,
            base,
            name,
            context,
        )

    def powers(self, compose: Mapping[str, Any]) -> Iterator[Power]:
        """Those that its translated Compose keys ask for."""
        for key, value in compose.items():
            rule = RULES.get(key)
            if rule and value is not None and value is not False:
                yield from rule(self, key, value)

    def power(self, key: str, value: Any, meaning: str, path: KeyPath | None = None) -> Power:
        return Power(
            self.holder, key, value_text(value), meaning, self.file, (*self.base, key) if path is None else path
        )

    # One rule a key

    def always(self, key: str, value: Any) -> Iterator[Power]:
        yield self.power(key, value, _MEANINGS[key])

    def each(self, key: str, value: Any) -> Iterator[Power]:
        for index, item in enumerate(value if isinstance(value, (list, tuple)) else [value]):
            if key == "security_opt" and str(item).replace("=", ":").startswith("no-new-privileges"):
                continue
            if key == "volumes_from" and not str(item).startswith("container:"):
                continue
            yield self.power(key, item, _MEANINGS[key], (*self.base, key, index))

    def namespace(self, key: str, value: Any) -> Iterator[Power]:
        if value == "host":
            yield self.power(key, value, f"shares the {_NAMESPACES[key]} of the Docker host")
        elif isinstance(value, str) and value.startswith("container:"):
            yield self.power(key, value, f"shares the {_NAMESPACES[key]} of a container that is not the stack's")
        elif key == "network_mode" and value not in OWN_NETWORKS and not str(value).startswith("service:"):
            yield self.power(key, value, f"joins the network {value}, which is not the stack's")

    def volumes(self, key: str, value: Any) -> Iterator[Power]:
        for index, volume in volumes({"volumes": value}):
            if (
                volume.source.startswith("/")
                and (meaning := _meaning_of_mount(volume.source, self.around.shared)) is not None
            ):
                yield self.power(
                    key,
                    value[index],
                    f"mounts {volume.source} of the Docker host at {volume.target}{meaning}",
                    (*self.base, key, index),
                )

    def files(self, key: str, value: Any) -> Iterator[Power]:
        for index, item in enumerate(value if isinstance(value, (list, tuple)) else [value]):
            path = str(item["path"] if isinstance(item, Mapping) and "path" in item else item)
            yield from self.of_folder(key, path, self.around.specs_root, (*self.base, key, index), "reads")

    def environment(self, key: str, value: Any) -> Iterator[Power]:
        """A variable without a value is the caller's; with an ssh Docker host it leaves this machine."""
        given = self.around.settings.env.get(self.name, {})
        yield from self.callers_variables(
            key,
            {name: text for name, text in value.items() if name not in given} if isinstance(value, Mapping) else {},
            (*self.base, key),
        )

    def callers_variables(self, key: str, value: Any, path: KeyPath) -> Iterator[Power]:
        """Those of a map, or a list of `NAME` and `NAME=value`, that have no value."""
        if not self.around.settings.host.is_elsewhere:
            return
        named = (
            [name for name, text in value.items() if text is None]
            if isinstance(value, Mapping)
            else [str(item) for item in value or () if "=" not in str(item)]
        )
        for variable in named:
            if not is_plain_variable(variable):
                yield self.power(
                    key, variable, sent_variable(variable), (*path, variable) if isinstance(value, Mapping) else path
                )

    def image_names(self, names: Iterable[Any], path: KeyPath) -> Iterator[Power]:
        """Names that a built image gets, and by which others on the engine would then run it."""
        for name in map(str, names):
            if whole_image_name(name) in self.around.images:
                yield self.power(
                    "build.tags",
                    name,
                    "gives what it builds the name of an image that others run: they run this one then",
                    path,
                )

    def logging(self, key: str, value: Any) -> Iterator[Power]:
        driver = str(value.get("driver") or "") if isinstance(value, Mapping) else ""
        if driver not in OWN_LOGS:
            yield self.power(
                f"{key}.driver",
                driver,
                "has the engine send its log on, with the rights and credentials of the Docker host",
                (*self.base, key),
            )

    def extra_hosts(self, key: str, value: Any) -> Iterator[Power]:
        items = (
            [(name, address) for name, address in value.items()]
            if isinstance(value, Mapping)
            else [
                (str(item).replace("=", ":", 1).partition(":")[0], str(item))
                for item in (value if isinstance(value, (list, tuple)) else [])
            ]
        )
        for name, shown in items:
            if name.lower() in self.around.names:
                yield self.power(key, shown, f"sends {name}, a name of this stack, to another address")

    def build(self, key: str, value: Any) -> Iterator[Power]:
        build = value if isinstance(value, Mapping) else {"context": value}
        base = (*self.base, key)
        # An app's own `build` names the context, and was judged with it.
        context = self.context or joined(self.around.specs_root, str(build.get("context", ".")))
        if not self.context:
            yield from self.of_folder("build.context", context, "/", (*base, "context"))
        if "dockerfile" in build:
            yield from self.of_folder(
                "build.dockerfile", str(build["dockerfile"]), context, (*base, "dockerfile"), "reads"
            )
        for name, path in pairs_of(build.get("additional_contexts")):
            yield from self.of_folder(
                f"build.additional_contexts.{name}",
                local_folder(path),
                self.root,
                (*base, "additional_contexts", name),
            )
        yield from self.callers_variables("build.args", build.get("args"), (*base, "args"))
        yield from self.image_names(build.get("tags") or (), (*base, "tags"))
        for name in ("ssh", "privileged", "entitlements"):
            if build.get(name):
                yield self.power(f"build.{name}", build[name], _MEANINGS[f"build.{name}"], (*base, name))
        network = str(build.get("network") or "")
        if network == "host" or network.startswith("container:"):
            where = "the Docker host" if network == "host" else "a container that is not the stack's"
            yield self.power("build.network", network, f"builds in the network of {where}", (*base, "network"))
        for name in ("cache_from", "cache_to"):
            for cache in build.get(name) or ():
                if "type=local" in str(cache):
                    yield self.power(
                        f"build.{name}",
                        cache,
                        "reads or writes a folder of this machine while it builds",
                        (*base, name),
                    )

    def hooks(self, key: str, value: Any) -> Iterator[Power]:
        for index, hook in enumerate(value if isinstance(value, (list, tuple)) else ()):
            if isinstance(hook, Mapping) and hook.get("privileged"):
                yield self.power(
                    key, hook, "runs a command with all rights of the Docker host", (*self.base, key, index)
                )

    def deploy(self, key: str, value: Any) -> Iterator[Power]:
        resources = value.get("resources") if isinstance(value, Mapping) else None
        reserved = resources.get("reservations") if isinstance(resources, Mapping) else None
        if isinstance(reserved, Mapping) and reserved.get("devices"):
            yield self.power(
                "deploy.resources.reservations.devices", reserved["devices"], _MEANINGS["devices"], (*self.base, key)
            )

    def score(self, key: str, value: Any) -> Iterator[Power]:
        if isinstance(value, (int, str)) and str(value).startswith("-"):
            yield self.power(key, value, "is spared when the Docker host runs out of memory, so that others are killed")

    def of_folder(self, key: str, path: str, folder: str, at: KeyPath, does: str = "builds from") -> Iterator[Power]:
        """A path of this machine that is read, relative to `folder`; nothing where the stack may read it anyway."""
        whole = joined(folder, path)
        if path and whole.startswith("/") and not is_within(whole, self.around.readable):
            yield self.power(
                key, whole, f"{does} {whole} of this machine, outside the specs and repos of the stack", at
            )


def _written_below_persist(stack: Stack) -> set[str]:
    """The folders below /persist into which containers of the stack may write, and so put links there; all of /persist is a power by itself."""
    specs: list[App | Service] = [*stack.apps.values(), *stack.services.values()]
    return {
        posixpath.normpath(volume.source)
        for spec in specs
        for index, volume in volumes(spec.compose)
        if volume.source.startswith("/persist/")
        and posixpath.normpath(volume.source) != "/persist"
        and not _is_read_only(spec.compose["volumes"][index])
    }


def _is_read_only(entry: Any) -> bool:
    return bool(entry.get("read_only")) if isinstance(entry, Mapping) else "ro" in str(entry).split(":")[2:3]


def _meaning_of_mount(source: str, shared: Collection[str]) -> str | None:
    """What a mount of this path of the Docker host means beyond itself, None for one that needs no consent.

    `shared` are the folders below /persist that containers may write into.
    """
    path = posixpath.normpath("/" + source.lstrip("/"))
    if path == "/persist":
        return ": the data, code and assets of all apps"
    if path.startswith("/persist/") and is_persistent(source):
        own = path.split("/")[2]
        if own in OWN_FOLDERS or own.startswith(".restore"):
            return f": {own} is Dusty's own"
        above = next((folder for folder in sorted(shared) if path.startswith(f"{folder}/")), "")
        return (
            f": a container that writes in {above} can put a link in its place, to any folder there" if above else None
        )
    if posixpath.basename(path) in ENGINE_SOCKETS or path in ("/", "/run", "/var", "/var/run"):
        return ": whoever holds the engine's socket is root there"
    return ""


_NAMESPACES = {
    "pid": "processes",
    "ipc": "shared memory",
    "uts": "host name",
    "userns_mode": "users",
    "cgroup": "control groups",
    "network_mode": "network",
}
_DEVICES = "gets devices of the Docker host"
_MEANINGS = {
    "privileged": "runs with all rights of the Docker host: as good as root there",
    "use_api_socket": "gets the engine's socket: as good as root on the Docker host",
    "cap_add": "gets a right of root that containers do not have by default",
    "security_opt": "loosens what keeps a container away from the Docker host",
    "devices": _DEVICES,
    "gpus": _DEVICES,
    "device_cgroup_rules": "may make and use device files of the Docker host",
    "runtime": "runs under another runtime of the Docker host",
    "cgroup_parent": "leaves the control group that containers run in",
    "credential_spec": "reads a credential file of the Docker host",
    "provider": "runs a program of this machine instead of a container",
    "volumes_from": "mounts what a container outside the stack mounts",
    "oom_kill_disable": "is spared when the Docker host runs out of memory, so that others are killed",
    "build.ssh": "uses the keys of your ssh agent while it builds",
    "build.privileged": "builds with all rights of the Docker host",
    "build.entitlements": "builds with more rights than builds have by default",
}
RULES: dict[str, Callable[[_Container, str, Any], Iterator[Power]]] = {
    **dict.fromkeys(
        (
            "privileged",
            "use_api_socket",
            "gpus",
            "runtime",
            "cgroup_parent",
            "credential_spec",
            "provider",
            "oom_kill_disable",
        ),
        _Container.always,
    ),
    **dict.fromkeys(("cap_add", "security_opt", "devices", "device_cgroup_rules", "volumes_from"), _Container.each),
    **dict.fromkeys(_NAMESPACES, _Container.namespace),
    **dict.fromkeys(("env_file", "label_file"), _Container.files),
    "volumes": _Container.volumes,
    "environment": _Container.environment,
    "extra_hosts": _Container.extra_hosts,
    "build": _Container.build,
    "logging": _Container.logging,
    "post_start": _Container.hooks,
    "pre_stop": _Container.hooks,
    "deploy": _Container.deploy,
    "oom_score_adj": _Container.score,
}
"""Compose keys that can hold a power; what is not here gives none."""
