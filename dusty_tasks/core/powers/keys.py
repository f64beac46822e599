"""One rule a Compose key: which powers its value asks for. A key without a rule gives none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dusty_tasks.core.powers.folders import is_plain_variable, is_within, whole_image_name
from dusty_tasks.core.powers.model import Power, sent_variable
from dusty_tasks.core.powers.mounts import meaning_of_mount
from dusty_tasks.core.specs.compose_values import joined, local_folder, pairs_of, volumes
from dusty_tasks.core.text.key_path import KeyPath
from dusty_tasks.core.text.safe import printable

if TYPE_CHECKING:
    from dusty_tasks.core.powers.rules import Around
    from dusty_tasks.core.specs.model import Origin

LONGEST_VALUE = 160
OWN_LOGS = ("", "json-file", "local", "none")
"""Log drivers that keep a log where the engine keeps its own."""
OWN_NETWORKS = ("", "bridge", "default", "none", "private")
"""Networks in which a container meets no other stack's that did not choose to be met."""


def value_text(value: Any) -> str:
    """A value of a spec as one readable line."""
    text = printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))
    if len(text) <= LONGEST_VALUE:
        return text
    return f"{text[:LONGEST_VALUE]}… ({hashlib.sha256(text.encode()).hexdigest()[:16]})"


class Container:
    """One container on its way through the rules."""

    def __init__(
        self, around: Around, holder: str, origin: Origin, name: str, context: str = "", root: str | None = None
    ) -> None:
        self.root = around.specs_root if root is None else root
        """Where relative paths start."""
        self.around, self.holder, self.name, self.context = around, holder, name, context
        self.file, self.base = origin

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
                and (meaning := meaning_of_mount(volume.source, self.around.shared)) is not None
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
                    "gives what it builds the name of an image that others run, so that they would run this one",
                    path,
                )

    def logging(self, key: str, value: Any) -> Iterator[Power]:
        driver = str(value.get("driver") or "") if isinstance(value, Mapping) else ""
        if driver not in OWN_LOGS:
            yield self.power(
                f"{key}.driver",
                driver,
                "makes the engine forward its logs, with the rights and credentials of the Docker host",
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
                    key, hook, "runs a command with full rights on the Docker host", (*self.base, key, index)
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
            yield self.power(
                key, value, "is spared when the Docker host runs out of memory, so that others are killed instead"
            )

    def of_folder(self, key: str, path: str, folder: str, at: KeyPath, does: str = "builds from") -> Iterator[Power]:
        """A path of this machine that is read, relative to `folder`; nothing where the stack may read it anyway."""
        whole = joined(folder, path)
        if path and whole.startswith("/") and not is_within(whole, self.around.readable):
            yield self.power(
                key, whole, f"{does} {whole} of this machine, outside the specs and repos of the stack", at
            )


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
    "privileged": "runs with full rights on the Docker host: as good as root there",
    "use_api_socket": "gets the engine's socket: as good as root on the Docker host",
    "cap_add": "gets a root capability that containers do not have by default",
    "security_opt": "weakens the isolation of the container from the Docker host",
    "devices": _DEVICES,
    "gpus": _DEVICES,
    "device_cgroup_rules": "may create and use device files of the Docker host",
    "runtime": "runs under another runtime of the Docker host",
    "cgroup_parent": "leaves the control group that containers run in",
    "credential_spec": "reads a credential file of the Docker host",
    "provider": "runs a program of this machine instead of a container",
    "volumes_from": "mounts what a container outside the stack mounts",
    "oom_kill_disable": "is spared when the Docker host runs out of memory, so that others are killed instead",
    "build.ssh": "uses the keys of your ssh agent while it builds",
    "build.privileged": "builds with full rights on the Docker host",
    "build.entitlements": "builds with more rights than builds have by default",
}
RULES: dict[str, Callable[[Container, str, Any], Iterator[Power]]] = {
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
        Container.always,
    ),
    **dict.fromkeys(("cap_add", "security_opt", "devices", "device_cgroup_rules", "volumes_from"), Container.each),
    **dict.fromkeys(_NAMESPACES, Container.namespace),
    **dict.fromkeys(("env_file", "label_file"), Container.files),
    "volumes": Container.volumes,
    "environment": Container.environment,
    "extra_hosts": Container.extra_hosts,
    "build": Container.build,
    "logging": Container.logging,
    "post_start": Container.hooks,
    "pre_stop": Container.hooks,
    "deploy": Container.deploy,
    "oom_score_adj": Container.score,
}
"""Compose keys that can hold a power; what is not here gives none."""
