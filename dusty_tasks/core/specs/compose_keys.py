"""Compose keys, version 1 or today's, as today's Compose Specification (docs/specs.md, "Services").

What comes out holds no key that Dusty sets itself. `$` stays one character here; the renderer doubles it. Paths stay as
written: joining them to a repo, the specs repo or the Docker host's root is the renderer's work, too.

More than 300 lines: a table of keys, each with how its forms are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from dusty_tasks.core.specs.build import at, mappings
from dusty_tasks.core.specs.compose_values import (
    PORT_TYPES,
    VOLUME_TYPES,
    completed,
    is_well_typed,
    named_volumes,
    of_this_machine,
    published_port,
    volume_of,
)
from dusty_tasks.core.specs.documents import Document
from dusty_tasks.core.specs.model import Reference
from dusty_tasks.core.specs.rules import NOT_INTERPOLATED_HINT, Wrong
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import KeyPath
from dusty_tasks.core.text.namespace import IN_SPECS, OWN_LABELS
from dusty_tasks.core.text.problems import Problem, nearest
from dusty_tasks.core.text.safe import shown, unsafe_part

KNOWN_KEYS = frozenset(
    """
    annotations attach blkio_config build cap_add cap_drop cgroup cgroup_parent command configs container_name cpu_count
    cpu_percent cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares cpus cpuset credential_spec depends_on deploy
    develop device_cgroup_rules devices dns dns_opt dns_search dockerfile domainname entrypoint env_file environment expose
    extends external_links extra_hosts gpus group_add healthcheck hostname image init ipc isolation label_file labels links
    log_driver log_opt logging mac_address mem_limit mem_reservation mem_swappiness memswap_limit models net network_mode
    networks oom_kill_disable oom_score_adj pid pids_limit platform ports post_start pre_stop privileged profiles provider
    pull_policy pull_refresh_after read_only restart runtime scale secrets security_opt shm_size stdin_open stop_grace_period
    stop_signal storage_opt sysctls tmpfs tty ulimits use_api_socket user userns_mode uts volume_driver volumes volumes_from
    working_dir""".split()
)
"""What some Compose version knows; held equal to schemas/compose.json by a test."""

OWN_TARGETS = {
    "app": ("/cp", "/command_files", "/dusty_assets"),
    "suite": ("/cp", "/command_files", "/dusty_assets"),
    "service": ("/cp",),
}
"""Where Dusty mounts something itself, by role."""

IGNORED_IN_APPS = {
    "container_name": f"Dusty names containers {IN_SPECS.container('<name>')}",
    "image": "write it beside compose",
    "build": "write it beside compose",
    "entrypoint": "write commands.always",
    "command": "write commands.always",
    "user": "apps run as root",
    "links": "write depends",
    "depends_on": "write depends",
    "image_requires_login": "write it beside compose",
}
"""Keys that apps cannot set, with the hint."""

_OF_THE_PROCESS = ("command", "entrypoint", "user")
"""Those of them that an app without commands may set: nothing of Dusty's runs in it."""

_IGNORED_BY_ROLE: dict[str, dict[str, str]] = {
    "app": IGNORED_IN_APPS,
    "suite": {
        **IGNORED_IN_APPS,
        "dockerfile": "a test image is built from the Dockerfile of test.build",
        "command": "write the suite's command",
        "entrypoint": "write the suite's command",
        "links": "write the suite's services",
        "depends_on": "write the suite's services",
        "net": "tests share one network with their services",
        "network_mode": "tests share one network with their services",
        "networks": "tests share one network with their services",
    },
    "service": {"container_name": IGNORED_IN_APPS["container_name"]},
}
_REFUSED = {
    "extends": (
        "extends goes at the top of a spec, not among its Compose keys",
        "extends: <another spec of this kind>",
    ),
    "profiles": ("profiles are not supported: bundles switch containers", "put the container into a bundle of its own"),
}
_REFUSED_FILES = {
    "secrets": {
        "app": "use an asset: a file that each person sets",
        "suite": "use an asset: a file that each person sets",
        "service": "use an asset, a file that each person sets, or a secret variable in environment",
    },
    "configs": {
        "app": "use an asset, or a file of the repo",
        "suite": "use an asset, or a file of the repo",
        "service": "a volume with a file of the specs repo (./conf/file:/path), or an asset",
    },
}
"""What Compose declares at its top level, by what a person may write instead in each role."""
_BESIDE_COMPOSE = ("assets", "host_forwarding", "job")
"""Keys of Dusty that stand in services among those of Compose."""
_REFUSED_IN_A_JOINED_NETWORK = ("expose", "hostname", "dns", "extra_hosts", "mac_address")
"""What the engine refuses, beside ports and links, in a container that joins another's network (measured with 20.10)."""
_KEYS_OF_APPS = {
    "compose": "a service is all Compose: write its keys at the top",
    "commands": "an app has commands; in a service write command",
    "conditional_links": "an app has conditional_links; in a service write depends_on",
    "depends": "an app has depends; in a service write depends_on",
    "mount": "an app has a mount; in a service write volumes",
    "repo": "an app has a repo",
    "scripts": "an app has scripts",
    "test": "an app or lib has tests",
}
"""Keys of apps that are no keys of Compose, with what a person may have wanted."""
_FOLDER_OF_THE_REPO = "`mount` shows folders of the app's repo; /persist/… keeps data on the Docker host; a service can mount files of the specs"
_DEVICES = ("resources", "reservations", "devices")
_READ_IN_THE_CONTAINER = (
    "command",
    "entrypoint",
    "healthcheck",
    "post_start",
    "pre_stop",
    "image",
    "volumes",
    "ports",
    "build",
)
"""Keys in which a shell of the container may expand `${NAME}`, or that refuse it themselves."""
_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::?[-+?][^}]*)?\}")
_ESCAPED = re.compile(r"\$\$(?=[A-Za-z_{(])")
"""What Compose files have for one `$` that a shell is to see."""
_ONE_OR_LIST = ("expose", "ports", "dns", "dns_search", "tmpfs", "env_file")


class Names(NamedTuple):
    """The names that all documents define, whether or not they could be read."""

    by_kind: dict[str, frozenset[str]]
    containers: frozenset[str]
    """Apps and services: what has a container."""

    @classmethod
    def of(cls, documents: Sequence[Document]) -> Names:
        by_kind = {
            kind: frozenset(document.name for document in documents if document.kind == kind)
            for kind in ("app", "lib", "service", "bundle")
        }
        return cls(by_kind, by_kind["app"] | by_kind["service"])


class Translated(NamedTuple):
    """The Compose mapping of one container as today's keys."""

    compose: dict[str, Any]
    references: list[Reference]
    problems: list[Problem]
    volume_driver: str = ""
    """Driver of the named volumes that it mounts, or ''."""
    network: str = ""
    """What replaces the project network: `service:<name>`, `container:<name>`, `host`, `none` …, or ''."""


def translate_main(document: Document, names: Names) -> Translated:
    """The container of an app or service itself."""
    if document.kind == "service":
        return _translate(document, document.value, (), "service", names)
    return _translate(document, at(document.value, "compose"), ("compose",), "app", names)


def translate_suites(document: Document, names: Names) -> list[Translated]:
    """The test containers of an app or lib, one a suite, in their order."""
    return [
        _translate(document, suite.get("compose"), (*path, "compose"), "suite", names)
        for path, suite in mappings(document.value, "test", "suites")
    ]


def _translate(document: Document, value: Any, base: KeyPath, role: str, names: Names) -> Translated:
    if not isinstance(value, dict):
        return Translated({}, [], [])
    return _Translation(document, value, base, role, names).result()


class _Translation:
    """One Compose mapping on its way: keys are taken in the order written, each by its own rule or as it is."""

    def __init__(self, document: Document, value: dict[str, Any], base: KeyPath, role: str, names: Names) -> None:
        self.document, self.value, self.base, self.role, self.names = document, value, base, role, names
        self.compose: dict[str, Any] = {}
        self.references: list[Reference] = []
        self.problems: list[Problem] = []
        self.volume_driver = self.network = ""
        self.needs: dict[str, dict[str, Any]] = {}
        """Names for `depends_on`, with what their long form says."""

    def result(self) -> Translated:
        ignored = _IGNORED_BY_ROLE[self.role]
        if self.role == "app" and not self._has_commands:
            ignored = {key: hint for key, hint in ignored.items() if key not in _OF_THE_PROCESS}
        for key, value in self.value.items():
            if key not in ignored:
                self._warn_of_dollars((*self.base, key), value, may_expand=key in _READ_IN_THE_CONTAINER)
            if key in ignored:
                self._warn(key, Code.IGNORED_KEY, f"ignored: Dusty sets {key} itself", ignored[key])
            elif key == "extends" and self.role == "service":
                self._extends(value)
            elif key in _BESIDE_COMPOSE:
                if self.role != "service":
                    self._say(
                        (key,),
                        Code.MISPLACED_KEY,
                        f"{key} is not a Compose key",
                        f"write {key} beside compose, not in it",
                    )
            elif key in _REFUSED:
                self._say((key,), Code.UNSUPPORTED_KEY, *_REFUSED[key])
            elif key in _REFUSED_FILES:
                self._say((key,), Code.UNSUPPORTED_KEY, f"{key} are not supported", _REFUSED_FILES[key][self.role])
            elif key in _ONE_OR_LIST:
                self._list(key, value)
            else:
                rule: Callable[[_Translation, Any], None] | None = _RULES.get(key)
                if rule:
                    rule(self, value)
                else:
                    self._as_it_is(key, value)
        self._finish()
        return Translated(self.compose, self.references, self.problems, self.volume_driver, self.network)

    @property
    def _has_commands(self) -> bool:
        return "commands" in self.document.value

    def _warn_of_dollars(self, path: KeyPath, value: Any, *, may_expand: bool) -> None:
        """Compose would put something in place of `${NAME}`, and one `$` for two; here they stay. `may_expand`: a shell may see `${NAME}`."""
        if isinstance(value, dict):
            for key, part in value.items():
                self._warn_of_dollars((*path, key), part, may_expand=may_expand)
        elif isinstance(value, list):
            for index, part in enumerate(value):
                self._warn_of_dollars((*path, index), part, may_expand=may_expand)
        elif not isinstance(value, str):
            return
        elif _ESCAPED.search(value):
            self._warn_of_dollar(path, "$$ stays two characters", "write one $, which needs no escaping here")
        elif not may_expand and (found := _VARIABLE.search(value)):
            hint = f"{NOT_INTERPOLATED_HINT}; `{DUSTY} env set` gives a value to one person"
            self._warn_of_dollar(path, f"{found.group()} stays as it is", hint)

    def _warn_of_dollar(self, path: KeyPath, what: str, hint: str) -> None:
        what = f"{what}: nothing is interpolated"
        self.problems.append(self.document.problem(path, Code.NOT_INTERPOLATED, what, hint, is_warning=True))

    def _finish(self) -> None:
        """What needs more than one key."""
        if self.needs:
            details = any(self.needs.values())
            self.compose["depends_on"] = (
                {name: detail or {"condition": "service_started"} for name, detail in self.needs.items()}
                if details
                else list(self.needs)
            )
        if self.network:
            self.compose.pop("networks", None)
        if has_no_network_of_its_own(self.network):
            self.compose.pop("links", None)  # the engine refuses both together
            if self.compose.get("ports"):
                self._say(
                    ("ports",),
                    Code.JOINED_NETWORK,
                    f"ports cannot be published with network_mode {self.network}",
                    owner_hint(self.network),
                )
        for key in _REFUSED_IN_A_JOINED_NETWORK if ":" in self.network else ():
            if self.compose.get(key):
                self._say(
                    (key,),
                    Code.JOINED_NETWORK,
                    f"{key} cannot be set with network_mode {self.network}",
                    owner_hint(self.network),
                )
        if self.volume_driver and not named_volumes(self.compose):
            self._warn("volume_driver", Code.VOLUME_DRIVER, "there is no named volume for this driver", "")

    def _as_it_is(self, key: str, value: Any) -> None:
        if key not in KNOWN_KEYS and not key.startswith("x-"):
            known = (*KNOWN_KEYS, *_BESIDE_COMPOSE, "image_requires_login") if self.role == "service" else KNOWN_KEYS
            guess = nearest(key, known)
            hint = f'did you mean "{guess}"?' if guess else "x-… for a note of your own"
            what = f"no Compose version knows the key {shown(key)}"
            self._say_at_key(key, Code.UNKNOWN_COMPOSE_KEY, what, _KEYS_OF_APPS.get(key, hint))
            return
        self.compose[key] = value

    def _extends(self, value: Any) -> None:
        """What is still there of `extends`: its base could not be merged, which was said unless it has Compose's form."""
        if isinstance(value, dict):
            name = value.get("service")
            self._say(
                ("extends",),
                Code.UNSUPPORTED_KEY,
                "extends names one other service, whose lists are replaced and not appended to",
                f"extends: {name if isinstance(name, str) else '<service>'}",
            )

    def _list(self, key: str, value: Any) -> None:
        """Keys that take one value or a list of them."""
        items = list(value) if isinstance(value, list) else [value] if isinstance(value, str) else []
        self.compose[key] = items
        if key != "ports":
            return
        for index, item in enumerate(items):
            if not is_well_typed(item, PORT_TYPES):
                continue
            try:
                published_port(item)
            except Wrong as wrong:
                self._say((key, index) if isinstance(value, list) else (key,), wrong.code, wrong.what, wrong.hint)

    def links(self, value: Any) -> None:
        for path, link in self._items("links", value):
            name, _, alias = link.partition(":")
            if self._refer(path, "links", name) and alias and alias != name:
                links = self.compose.setdefault("links", [])
                links += [] if f"{name}:{alias}" in links else [f"{name}:{alias}"]

    def depends_on(self, value: Any) -> None:
        if isinstance(value, dict):
            for name, detail in value.items():
                if self._refer(("depends_on", name), "depends_on", name) and isinstance(detail, dict):
                    self.needs[name] = dict(detail)
        else:
            for path, name in self._items("depends_on", value):
                self._refer(path, "depends_on", name)

    def volumes_from(self, value: Any) -> None:
        self.compose["volumes_from"] = list(dict.fromkeys(entry for _, entry in self._items("volumes_from", value)))
        for path, entry in self._items("volumes_from", value):
            if not entry.startswith("container:"):
                self._refer(path, "volumes_from", entry.partition(":")[0])

    def net(self, value: Any) -> None:
        if "network_mode" in self.value:
            self._say(("net",), Code.BOTH_GIVEN, "net and network_mode are both given", "keep network_mode")
        elif value not in ("bridge", "default"):
            self._network("net", value)

    def network_mode(self, value: Any) -> None:
        self._network("network_mode", value)

    def _network(self, key: str, value: Any) -> None:
        if not isinstance(value, str):
            return
        if unsafe := unsafe_part(value):
            self._say((key,), Code.UNSAFE_TEXT, f"{shown(value)} contains {unsafe}")
            return
        mode, _, name = value.partition(":")
        if mode == "container":
            inner = name if name in self.names.containers else IN_SPECS.part(name)
            if inner in self.names.containers:
                mode, name = "service", inner
        if mode == "service":
            self._refer((key,), "network_mode", name)
            value = f"service:{name}"
        self.network = self.compose["network_mode"] = value

    def networks(self, value: Any) -> None:
        names = value if isinstance(value, (list, dict)) else ()
        for index, name in enumerate(names):
            if name != "default":
                self._say(
                    ("networks", name if isinstance(value, dict) else index),
                    Code.UNDECLARED_NETWORK,
                    f"the network {shown(name)} is not declared",
                    "leave networks out, or write network_mode",
                )
        if isinstance(value, dict) and value.get("default"):
            self.compose["networks"] = value

    def build(self, value: Any) -> None:
        build = dict(value) if isinstance(value, dict) else {"context": value}
        if "dockerfile" in self.value:
            build["dockerfile"] = self.value["dockerfile"]
        build.setdefault("context", ".")
        if "dockerfile" in build and "dockerfile_inline" in build:
            where = ("build", "dockerfile_inline")
            self._say(where, Code.BOTH_GIVEN, "dockerfile and dockerfile_inline are both given", "keep one of them")
        self.compose["build"] = build if len(build) > 1 or isinstance(value, dict) else value

    def dockerfile(self, value: Any) -> None:
        """In a service it is taken by `build`; in an app it joins the app's own."""
        owner = self.value if self.role == "service" else self.document.value
        if "build" not in owner:
            self._say(("dockerfile",), Code.NEEDS_ANOTHER_KEY, "dockerfile without build", "build: <folder>")
        elif self.role != "service":
            if at(owner, "build", "dockerfile"):
                self._say(
                    ("dockerfile",),
                    Code.BOTH_GIVEN,
                    "dockerfile and build.dockerfile are both given",
                    "keep build.dockerfile",
                )
            self.compose["build"] = {"dockerfile": value}

    def log_driver(self, value: Any) -> None:
        self._logging("log_driver", "driver", value)

    def log_opt(self, value: Any) -> None:
        self._logging("log_opt", "options", value)

    def _logging(self, key: str, new_key: str, value: Any) -> None:
        if "logging" in self.value:
            self._say((key,), Code.BOTH_GIVEN, f"{key} and logging are both given", f"write it as logging.{new_key}")
        else:
            self.compose.setdefault("logging", {})[new_key] = value

    def volume_driver_key(self, value: Any) -> None:
        self.volume_driver = str(value)

    def volumes(self, value: Any) -> None:
        self.compose["volumes"] = entries = list(value) if isinstance(value, list) else []
        first: dict[str, int] = {}
        for index, entry in enumerate(entries):
            if not isinstance(entry, (str, dict)) or not is_well_typed(entry, VOLUME_TYPES):
                continue
            try:
                entry = self._from_the_specs(entry)
                source, target = volume_of(entry)
                if source.startswith(".") and self.role != "service":
                    raise Wrong(Code.RELATIVE_VOLUME, of_this_machine(source)[0], _FOLDER_OF_THE_REPO)
                self._check_target(target, first.setdefault(target, index), index)
                entries[index] = completed(entry) if isinstance(entry, dict) else entry
            except Wrong as wrong:
                self._say(("volumes", index), wrong.code, wrong.what, wrong.hint)

    def _from_the_specs(self, entry: Any) -> Any:
        """A volume of a service as written, its source beginning with ./ where a long form can mean nothing but a path. Raises Wrong."""
        if self.role != "service":
            return entry
        source = str(entry.get("source", "")) if isinstance(entry, dict) else entry.rpartition(":")[0].partition(":")[0]
        is_relative = "/" in source and source[0] not in "/.~" and not unsafe_part(source)
        if isinstance(entry, dict) and entry.get("type") == "bind" and source and source[0] not in "/.~":
            return {**entry, "source": f"./{source}"}
        if is_relative:
            raise Wrong(
                Code.RELATIVE_VOLUME,
                of_this_machine(source)[0],
                f"./{source} for a file of the specs repo; /persist/… keeps data on the Docker host",
            )
        return entry

    def _check_target(self, target: str, first: int, index: int) -> None:
        """Where in the container a volume may be; `first` is the index of the first volume that is there."""
        for own in OWN_TARGETS[self.role]:
            if target == own or target.startswith(own + "/"):
                raise Wrong(Code.RESERVED_PATH, f"{own} is needed by Dusty itself", "another path in the container")
        written = self.value["volumes"]
        if written[first] != written[index]:
            line = self.document.place((*self.base, "volumes", first)).line
            raise Wrong(
                Code.GIVEN_TWICE, f"{target} is given twice; first at line {line}", "another path in the container"
            )

    def environment(self, value: Any) -> None:
        variables: dict[str, Any] = {}
        for path, name, text in self._pairs("environment", value):
            if unsafe := unsafe_part(name):
                self._say(path, Code.VARIABLE_NAME, f"the name {shown(name)} contains {unsafe}")
            elif not name:
                self._say(path, Code.VARIABLE_NAME, "a variable has no name", "NAME=value")
            variables[name] = text
        self.compose["environment"] = variables

    def labels(self, value: Any) -> None:
        labels: dict[str, str] = {}
        for path, name, text in self._pairs("labels", value):
            if f"{name}.".startswith(OWN_LABELS):
                self._say(
                    path,
                    Code.OWN_LABEL,
                    f"the label {shown(name)} is Dusty's own",
                    f"a name that does not begin with {OWN_LABELS}",
                )
            labels[name] = "" if text is None else text
        self.compose["labels"] = labels

    def scale(self, value: Any) -> None:
        if str(value) != "1":
            self._say(
                ("scale",),
                Code.UNSUPPORTED_KEY,
                "scale is not supported: a spec is one container",
                "one spec for each container",
            )

    def deploy(self, value: Any) -> None:
        replicas = at(value, "replicas")
        if str(replicas).isdigit() and int(str(replicas)) > 1:
            self._say(
                ("deploy", "replicas"),
                Code.UNSUPPORTED_KEY,
                "replicas above 1 are not supported: a spec is one container",
                "one spec for each container",
            )
        for index, device in enumerate(found if isinstance(found := at(value, *_DEVICES), list) else ()):
            if isinstance(device, dict) and "count" in device and "device_ids" in device:
                self._say(
                    ("deploy", *_DEVICES, index),
                    Code.BOTH_GIVEN,
                    "count and device_ids are both given",
                    "keep one of them",
                )
        self.compose["deploy"] = value

    def namespace(self, key: str, value: Any) -> None:
        """`pid` and `ipc`: Compose itself starts another container first whose namespace this one joins."""
        mode, _, name = str(value).partition(":")
        if mode == "service":
            self.references.append(Reference((*self.base, key), key, name))
        self.compose[key] = value

    def pid(self, value: Any) -> None:
        self.namespace("pid", value)

    def ipc(self, value: Any) -> None:
        self.namespace("ipc", value)

    def read_only(self, value: Any) -> None:
        if self.role == "app" and value is True and self._has_commands:
            self._say(
                ("read_only",),
                Code.UNSUPPORTED_KEY,
                "an app cannot be read_only: what `once` did could not be remembered",
                "remove it",
            )
        else:
            self.compose["read_only"] = value

    def drop(self, value: Any) -> None:
        """Keys of Dusty among those of Compose: kept elsewhere."""

    def _items(self, key: str, value: Any) -> Iterator[tuple[KeyPath, str]]:
        """The strings of a key that takes one or a list."""
        if isinstance(value, str):
            yield (key,), value
        for index, item in enumerate(value if isinstance(value, list) else ()):
            if isinstance(item, str):
                yield (key, index), item

    def _pairs(self, key: str, value: Any) -> Iterator[tuple[KeyPath, str, str | None]]:
        """Name and value of a key that takes a map or a list of `A=1`, `B`."""
        if isinstance(value, dict):
            for name, text in value.items():
                yield (key, name), name, text if text is None or isinstance(text, str) else str(text)
        for path, item in self._items(key, value) if isinstance(value, list) else ():
            name, has_value, text = item.partition("=")
            yield path, name, text if has_value else None

    def _refer(self, path: KeyPath, key: str, name: str) -> bool:
        """Note that `name` is needed; False if no spec defines it."""
        self.references.append(Reference((*self.base, *path), key, name))
        if name in self.names.containers:
            self.needs.setdefault(name, {})
            return True
        return False

    def _say(self, path: KeyPath, code: Code, what: str, hint: str = "") -> None:
        self.problems.append(self.document.problem((*self.base, *path), code, what, hint))

    def _warn(self, key: str, code: Code, what: str, hint: str) -> None:
        self._say_at_key(key, code, what, hint, is_warning=True)

    def _say_at_key(self, key: str, code: Code, what: str, hint: str, *, is_warning: bool = False) -> None:
        path = (*self.base, key)
        problem = self.document.problem(path, code, what, hint, is_warning=is_warning)
        self.problems.append(problem._replace(place=self.document.key_place(path)))


_RULES: dict[str, Callable[[_Translation, Any], None]] = {
    "links": _Translation.links,
    "depends_on": _Translation.depends_on,
    "volumes_from": _Translation.volumes_from,
    "net": _Translation.net,
    "network_mode": _Translation.network_mode,
    "networks": _Translation.networks,
    "build": _Translation.build,
    "dockerfile": _Translation.dockerfile,
    "log_driver": _Translation.log_driver,
    "log_opt": _Translation.log_opt,
    "volume_driver": _Translation.volume_driver_key,
    "volumes": _Translation.volumes,
    "environment": _Translation.environment,
    "labels": _Translation.labels,
    "scale": _Translation.scale,
    "pid": _Translation.pid,
    "ipc": _Translation.ipc,
    "deploy": _Translation.deploy,
    "read_only": _Translation.read_only,
    "image_requires_login": _Translation.drop,
}


def has_no_network_of_its_own(network: str) -> bool:
    """True for a `network_mode` with which the engine publishes no ports."""
    return network in ("host", "none") or network.startswith(("service:", "container:"))


def owner_hint(network: str) -> str:
    """Where ports belong when a container has no network of its own."""
    mode, _, name = network.partition(":")
    if name:
        return f"put it on {shown(name)}"
    return "the ports of a container in the host's network are open already" if mode == "host" else "remove one of them"
