"""One service of a Compose file as an app or a service of Dusty, key by key, with what became of each key. Pure.

More than 300 lines: a table of keys, each with how it is written in specs.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from dusty_tasks.core.importing.binds import Bind, Binds, Kind
from dusty_tasks.core.importing.compose_yaml import Node, plain, text_of
from dusty_tasks.core.importing.files_of_variables import Copied, copied
from dusty_tasks.core.importing.proxy_labels import forwardings_of
from dusty_tasks.core.importing.reading import Project, evaluated_node
from dusty_tasks.core.importing.relative_paths import is_relative
from dusty_tasks.core.importing.report import Outcome, Report
from dusty_tasks.core.importing.short_forms import plain_text, split_colons
from dusty_tasks.core.importing.surroundings import Surroundings
from dusty_tasks.core.importing.variables import OF_MACHINES, Variables, uses_variables
from dusty_tasks.core.plan.conditions import COMPLETED, HEALTHY, STARTED
from dusty_tasks.core.specs.compose_values import local_folder
from dusty_tasks.core.text.called import DUSTY

SAME, OWN, BENT, LOST = Outcome
_UNTIL = {STARTED: "started", HEALTHY: "ready", COMPLETED: "ended"}
_NOT_IN_KEYS = re.compile(r"[^A-Za-z0-9_]+")


def port_of(item: Any) -> str:
    """The port of this machine that an item of `ports` publishes, '' for none of its own."""
    if isinstance(item, dict):
        return text_of(item.get("published", ""))
    parts = split_colons(text_of(item).replace("$", "$$").partition("/")[0])
    return parts[-2] if len(parts) > 1 else ""


class Spec:
    """A spec in the making."""

    def __init__(self, kind: str, name: str, source: str) -> None:
        self.kind, self.name = kind, name
        self.source = source
        """The name of the service in the Compose file."""
        self.top: dict[str, Any] = {}
        """Keys of an app, or of Dusty in a service."""
        self.compose: dict[str, Any] = {}
        self.aliases: list[str] = []
        """Further names by which other containers find it."""

    def value(self) -> dict[str, Any]:
        """The spec as its file has it."""
        compose = {key: value for key, value in self.compose.items() if value not in ({}, [])}
        top = {key: value for key, value in self.top.items() if value not in ({}, [])}
        if self.aliases and "network_mode" not in compose:
            networks = dict(compose.get("networks") or {})
            default = dict(networks.get("default") or {})
            names = [*default.get("aliases", ()), *self.aliases]
            default["aliases"] = list(dict.fromkeys(name for name in names if name != self.name))
            compose["networks"] = {**networks, "default": default}
        if self.kind == "app":
            return {**top, **({"compose": compose} if compose else {})}
        return {**compose, **top}


class Stack(NamedTuple):
    """What the conversion of one service may know of all."""

    project: Project
    variables: Variables
    binds: Binds
    around: Surroundings
    report: Report
    names: Mapping[str, str]
    """Name in the Compose file -> name of the spec."""
    kinds: Mapping[str, str]
    """Name in the Compose file -> app or service."""
    repos: Mapping[str, Any]
    """Name in the Compose file -> the checkout of an app."""
    libs: dict[str, dict[str, Any]]
    assets: dict[str, str]
    """Key of an asset -> what it is in the Compose file."""
    env_copies: dict[str, Copied]
    texts: dict[str, str]
    """Files of the specs that are written from text of the Compose file."""
    links: dict[str, list[str]]
    """Name in the Compose file -> further names by which its links find it."""
    used: set[str]
    """Copies that specs need, by their path below the specs."""
    routed: frozenset[str]
    """Ports of this machine that Dusty's proxy has."""


def find_binds(node: Node, stack: Stack | Any, name: str) -> list[tuple[int, Bind, str]]:
    """The binds of a service: the index of the volume, where its source belongs, and its target."""
    found = []
    volumes = node.value.get("volumes")
    for index, item in enumerate(volumes.value if volumes is not None and isinstance(volumes.value, list) else ()):
        parts = bind_parts(item, stack.variables)
        if parts:
            source, written, target = parts
            found.append((index, stack.binds.find(source, written), target))
    return found


def bind_parts(item: Node, variables: Variables) -> tuple[str, str, str] | None:
    """Source as it comes to, source as written, and target of a volume that binds; None for another volume."""
    if isinstance(item.value, dict):
        words = {key: child for key, child in item.value.items() if not isinstance(child.value, (dict, list))}
        kind = plain_text(words["type"], variables.values) if "type" in words else "volume"
        if kind != "bind" or "source" not in words or "target" not in words:
            return None
        return (
            plain_text(words["source"], variables.values),
            text_of(words["source"].value),
            plain_text(words["target"], variables.values),
        )
    if not isinstance(item.value, str):
        return None
    parts = split_colons(item.value)
    if len(parts) < 2:
        return None
    source, target = (plain_text(Node(part, item.place), variables.values) for part in parts[:2])
    if not (source.startswith(("/", "~")) or is_relative(source)):
        return None
    return source, parts[0], target


class Conversion:
    """One service on its way to a spec."""

    def __init__(self, stack: Stack, name: str, node: Node) -> None:
        self.stack, self.source, self.node = stack, name, node
        self.spec = Spec(stack.kinds[name], stack.names[name], name)
        self.seen = evaluated_node(node, stack.variables.values)
        self.is_app = self.spec.kind == "app"

    def spec_of(self) -> Spec:
        """The spec; what became of each key is in the report."""
        report = self.stack.report
        for key, node in self.node.value.items():
            report.begin(self.source, key, node.place)
        if self.source in self.stack.project.extended:
            report.begin(self.source, "extends", self.stack.project.extended[self.source].place)
            self.own("extends", "extends", "written out, or shared as a template")
        if self.is_app:
            self.code()
        for key, node in self.node.value.items():
            if node.value is None:
                continue
            if uses_variables(node):
                self.own(key, "variables")
            rule: Callable[[Conversion, Node], None] | None = _RULES.get(key)
            if rule:
                rule(self, node)
            else:
                self.spec.compose[key] = self.symbolic(node)
        if self.source in self.stack.links:
            self.spec.aliases += self.stack.links[self.source]
        if self.spec.name != self.source and "network_mode" not in self.node.value:
            self.spec.aliases.append(self.source)
        return self.spec

    # --- helpers --------------------------------------------------------------------------------------------------

    def own(self, key: str, rule: str, why: str = "") -> None:
        self.stack.report.say(self.source, key, OWN, rule, why)

    def bent(self, key: str, rule: str, why: str, hint: str = "") -> None:
        self.stack.report.say(self.source, key, BENT, rule, why, hint)

    def lost(self, key: str, why: str, hint: str = "") -> None:
        self.stack.report.say(self.source, key, LOST, "", why, hint)

    def symbolic(self, node: Node) -> Any:
        """The value as a spec has it, with `${{NAME}}` for variables."""
        if isinstance(node.value, dict):
            return {key: self.symbolic(child) for key, child in node.value.items()}
        if isinstance(node.value, list):
            return [self.symbolic(child) for child in node.value]
        return self.text(node) if isinstance(node.value, str) else node.value

    def text(self, node: Node) -> str:
        return self.stack.variables.text(node)

    def part(self, text: str, like: Node) -> str:
        """A piece of a short form as a spec has it."""
        return self.text(Node(text, like.place))

    def plain(self, text: str, like: Node) -> str:
        return plain_text(Node(text, like.place), self.stack.variables.values)

    def renamed(self, name: str) -> str:
        return self.stack.names.get(name, name)

    # --- code -----------------------------------------------------------------------------------------------------

    def code(self) -> None:
        """`repo` and `mount`: what the container has of the checkout."""
        owned = self.stack.around.own.get(self.source)
        checkout = self.stack.repos[self.source]
        self.spec.top["repo"] = checkout.repo
        mounts: dict[str, str] = {}
        for _, bind, target in find_binds(self.node, self.stack, self.source):
            if self.is_code(bind) and not (owned and target.rstrip("/") == owned.mount.rstrip("/")):
                mounts.setdefault(bind.path, target)
        if owned:
            mounts = {".": owned.mount, **{path: target for path, target in mounts.items() if path != "."}}
        if not mounts:
            build = self.seen.get("build") or {}
            dockerfile = posixpath.dirname(str(build.get("dockerfile") or ""))
            context = self.context(build)
            folder = posixpath.normpath(posixpath.join(context, dockerfile))
            folder = "." if folder.startswith("..") else folder
            mounts = {folder: f"/repo/{posixpath.basename(checkout.folder)}" + ("" if folder == "." else f"/{folder}")}
            self.own("build", "code", f"an app shows its code in the container, here at {mounts[folder]}")
        self.spec.top["mount"] = next(iter(mounts.values())) if list(mounts) == ["."] else mounts

    def is_code(self, bind: Bind) -> bool:
        checkout = self.stack.repos.get(self.source)
        return bool(self.is_app and bind.checkout and checkout and bind.checkout.repo == checkout.repo)

    def context(self, build: Mapping[str, Any]) -> str:
        """The build context, from the top of the checkout on."""
        where = posixpath.normpath(posixpath.join(self.stack.project.folder, str(build.get("context", "."))))
        checkout = self.stack.repos[self.source]
        if where == checkout.folder or where.startswith(checkout.folder + "/"):
            return posixpath.relpath(where, checkout.folder)
        bind = self.stack.binds.find(f"./{posixpath.relpath(where, self.stack.project.folder)}", "")
        return bind.path if bind.kind is Kind.CODE else "."

    # --- keys -----------------------------------------------------------------------------------------------------

    def image(self, node: Node) -> None:
        if self.is_app and self.node.value.get("build") is not None:
            self.own("image", "images", "an image that an app builds is named by Dusty")
            return
        (self.spec.top if self.is_app else self.spec.compose)["image"] = self.text(node)

    def build(self, node: Node) -> None:
        if not isinstance(node.value, dict):
            return
        folder = self.stack.project.folder
        build = {key: self.symbolic(child) for key, child in node.value.items() if key not in ("context", "secrets")}
        context_node = node.value.get("context") or Node(".", node.place)
        context = plain_text(context_node, self.stack.variables.values)
        args = build.get("args")
        if isinstance(args, dict):
            build["args"] = {
                name: self.stack.variables.named(name) if text is None and name in self.stack.variables.values else text
                for name, text in args.items()
            }
        contexts = build.get("additional_contexts")
        if isinstance(contexts, dict):
            build["additional_contexts"] = {
                name: self._path_from_here(str(text)) if local_folder(str(text)) == text else text
                for name, text in contexts.items()
            }
        if "secrets" in node.value:
            build["secrets"] = self._build_secrets(node.value["secrets"])
        if build.get("dockerfile") == "Dockerfile":
            del build["dockerfile"]
        if not local_folder(context):
            where = self.text(context_node)
        elif self.is_app:
            where = self.context(self.seen["build"])
            self.own("build", "code", "the build is a folder of the repo")
        else:
            where = posixpath.relpath(posixpath.join(folder, context), self.stack.around.specs)
            if where != context:
                self.own("build", "paths", "the path starts at the specs")
        value = {"context": where, **build} if build else where
        (self.spec.top if self.is_app else self.spec.compose)["build"] = value

    def _path_from_here(self, path: str) -> str:
        """A path of the project's folder as a spec has it: from the repo, or from the specs."""
        whole = posixpath.normpath(posixpath.join(self.stack.project.folder, path))
        start = self.stack.repos[self.source].folder if self.is_app else self.stack.around.specs
        return posixpath.relpath(whole, start)

    def _build_secrets(self, node: Node) -> list[Any]:
        found: list[Any] = []
        for item in node.value if isinstance(node.value, list) else []:
            words = evaluated_node(item, self.stack.variables.values)
            source = words.get("source") if isinstance(words, dict) else words
            key = self._asset_key("secret", str(source))
            found.append({**words, "source": key} if isinstance(words, dict) else key)
            if isinstance(words, str) and key != words:
                found[-1] = {"source": key, "target": words}
        self.own("build", "assets", f"each person sets the secrets of the build: {DUSTY} assets set")
        return found

    def container_name(self, node: Node) -> None:
        name = self.text(node)
        self.own("container_name", "names", "Dusty names containers; other containers find it by this name")
        self.spec.aliases.append(name)

    def profiles(self, node: Node) -> None:
        self.own("profiles", "bundles")

    def networks(self, node: Node) -> None:
        aliases: list[str] = []
        kept: dict[str, Any] = {}
        for network, options in (node.value or {}).items():
            for key, child in (options.value or {}).items() if isinstance(options.value, dict) else ():
                if key == "aliases":
                    aliases += [self.text(item) for item in child.value or ()]
                elif network == "default" or key in ("priority", "gw_priority"):
                    kept[key] = self.symbolic(child)
                else:
                    self.lost("networks", f"{key} in the network {network}", "containers find one another by name")
        default = {**({"aliases": list(dict.fromkeys(aliases))} if aliases else {}), **kept}
        if default:
            self.spec.compose["networks"] = {"default": default}
        if list(node.value or {}) != ["default"]:
            self.own("networks", "network", "all containers of a stack share one network")

    def depends_on(self, node: Node) -> None:
        written: dict[str, Any] = {}
        for name, child in (node.value or {}).items():
            if name not in self.stack.kinds:
                self.own("depends_on", "absent", f"the service {name} is left out")
                continue
            words = evaluated_node(child, self.stack.variables.values)
            words = {str(key): value for key, value in words.items()} if isinstance(words, dict) else {}
            if text_of(words.get("required", True)) != "false":
                words.pop("required", None)
            if text_of(words.get("restart", False)) == "false":
                words.pop("restart", None)
            words.setdefault("condition", STARTED)
            written[name] = words
        if self.is_app:
            for name, words in written.items():
                self._depend(name, words)
            return
        if all(words == {"condition": STARTED} and not self._has_check(name) for name, words in written.items()):
            self.spec.compose["depends_on"] = [self.renamed(name) for name in written]
        else:
            self.spec.compose["depends_on"] = {self.renamed(name): words for name, words in written.items()}

    def _has_check(self, name: str) -> bool:
        """True where Dusty may wait for health if nothing is said."""
        return "healthcheck" in self.stack.project.services[name].value

    def _depend(self, name: str, words: Mapping[str, Any]) -> None:
        kind = f"{self.stack.kinds[name]}s"
        needed = self.renamed(name)
        if "required" in words:
            links = self.spec.top.setdefault("conditional_links", {})
            links.setdefault(kind, []).append(needed)
            waits_for = HEALTHY if self._has_check(name) else STARTED
            if words["condition"] != waits_for:
                self.bent("depends_on", "depends", f"{name} is waited for until it is {_UNTIL[waits_for]}")
            else:
                self.own("depends_on", "depends", f"{name} is a conditional link")
            return
        condition = str(words["condition"])
        if condition not in _UNTIL:
            self.lost("depends_on", f'the condition "{condition}" of {name}')
            return
        depends = self.spec.top.setdefault("depends", {})
        usual = condition == STARTED and not self._has_check(name)
        depends.setdefault(kind, []).append(needed if usual else {"name": needed, "until": _UNTIL[condition]})
        self.own("depends_on", "depends")
        if "restart" in words:
            self.bent("depends_on", "depends", f"a restart of {name} does not restart this app")

    def links(self, node: Node) -> None:
        for item in node.value or ():
            name, _, alias = plain_text(item, self.stack.variables.values).partition(":")
            if name not in self.stack.kinds:
                self.own("links", "absent", f"the service {name} is left out")
                continue
            if self.is_app:
                known = self.seen.get("depends_on") or {}
                if name not in known:
                    self._depend(name, {"condition": STARTED})
                self.own("links", "links", f"{name} is found by {alias or name}")
            else:
                self.spec.compose.setdefault("links", []).append(
                    f"{self.renamed(name)}:{alias}" if alias else self.renamed(name)
                )
                self.own("links", "links")

    def of_another(self, node: Node, key: str) -> None:
        """Keys that may name another service."""

        def one(item: Node) -> Any:
            text = self.text(item)
            mode, colon, name = text.partition(":")
            if key == "volumes_from":
                return text if mode == "container" else f"{self.renamed(mode)}{colon}{name}"
            return f"{mode}:{self.renamed(name)}" if mode == "service" else text

        value = node.value
        self.spec.compose[key] = [one(item) for item in value] if isinstance(value, list) else one(node)

    def environment(self, node: Node) -> None:
        found: dict[str, Any] = dict(self.spec.compose.get("environment") or {})
        for name, child in (node.value or {}).items() if isinstance(node.value, dict) else ():
            found.pop(name, None)
            if child.value is None and name in self.stack.variables.values and name not in OF_MACHINES:
                found[name] = self.stack.variables.named(name)
            elif isinstance(child.value, (dict, list)):
                self.lost("environment", f"the value of {name} is no text")
            else:
                found[name] = None if child.value is None else self.text(child)
        self.spec.compose["environment"] = found
        self._forward("environment")

    def env_file(self, node: Node) -> None:
        stack, entries, moved = self.stack, [], {}
        overridden = set((self.seen.get("environment") or {}) if isinstance(self.seen.get("environment"), dict) else ())
        for item in node.value if isinstance(node.value, list) else [node]:
            words = evaluated_node(item, stack.variables.values)
            words = dict(words) if isinstance(words, dict) else {"path": words}
            path = posixpath.normpath(posixpath.join(stack.project.folder, str(words.get("path", ""))))
            is_raw = words.get("format") == "raw"
            if path not in stack.env_copies:
                stack.env_copies[path] = copied(path, is_raw, stack.around, stack.project.folder, stack.variables)
            copy = stack.env_copies[path]
            words["path"] = copy.path
            if copy.is_absent:
                if text_of(words.get("required", True)) == "false":
                    self.own("env_file", "files", f"{path} is not there")
                else:
                    words["required"] = False
                    self.bent("env_file", "files", f"{path} is not there", f"put it at {copy.path} of the specs")
            elif copy.path != item.value:
                self.own("env_file", "files", "copied into the specs" if copy.text is not None else "")
            if copy.secrets:
                self.own("env_file", "secrets", f"each person sets {', '.join(copy.secrets)}")
            moved.update({name: text for name, text in copy.secrets.items() if name not in overridden})
            entries.append(words["path"] if list(words) == ["path"] else words)
        self.spec.compose["env_file"] = entries
        if moved:
            self.spec.compose["environment"] = {**moved, **(self.spec.compose.get("environment") or {})}

    def label_file(self, node: Node) -> None:
        entries = []
        for item in node.value if isinstance(node.value, list) else [node]:
            path = posixpath.normpath(
                posixpath.join(self.stack.project.folder, plain_text(item, self.stack.variables.values))
            )
            bind = self.stack.binds.find(f"./{posixpath.relpath(path, self.stack.project.folder)}", "")
            if bind.kind in (Kind.COPY, Kind.SPECS):
                self.stack.used.add(bind.path)
                entries.append(bind.path)
                self.own("label_file", "files", "copied into the specs" if bind.kind is Kind.COPY else "")
            elif bind.kind is Kind.CODE:
                entries.append(posixpath.relpath(path, self.stack.around.specs))
                self.own("label_file", "paths", "the path starts at the specs")
            else:
                self.lost("label_file", f"{path} is not there", "put its labels into labels")
        self.spec.compose["label_file"] = entries

    def labels(self, node: Node) -> None:
        self.spec.compose["labels"] = {
            name: "" if child.value is None else self.symbolic(child) for name, child in (node.value or {}).items()
        }
        self._forward("labels")

    def _forward(self, key: str) -> None:
        """Names of a proxy's labels or variables, as this service's host_forwarding."""
        found = forwardings_of(self.seen)
        if found.key != key or "host_forwarding" in self.spec.top:
            return
        if found.forwardings:
            self.spec.top["host_forwarding"] = [dict(one) for one in found.forwardings]
            self.own(key, "proxy", "host_forwarding leads its names here")
        for why in found.notes:
            self.bent(key, "proxy", why)

    def ports(self, node: Node) -> None:
        found = []
        for item in node.value if isinstance(node.value, list) else [node]:
            published = {port_of(evaluated_node(item, self.stack.variables.values))}
            if published & self.stack.routed:
                self.own("ports", "proxy", f"port {published.pop()} is that of Dusty's proxy")
            else:
                found.append(self.symbolic(item))
        self.spec.compose["ports"] = found

    def volumes(self, node: Node) -> None:
        binds = {index: (bind, target) for index, bind, target in find_binds(self.node, self.stack, self.source)}
        found: list[Any] = list(self.spec.compose.get("volumes") or ())
        for index, item in enumerate(node.value if isinstance(node.value, list) else ()):
            if index not in binds:
                entry = self._other_volume(item)
            else:
                entry = self._bind(item, *binds[index])
            if entry is not None:
                found.append(entry)
        self.spec.compose["volumes"] = found

    def _other_volume(self, item: Node) -> Any:
        entry = self.symbolic(item)
        if isinstance(item.value, dict):
            source, kind = entry.get("source"), entry.get("type")
            if kind == "bind" and source is None:
                self.lost("volumes", "a bind without a source")
                return None
            name = plain_text(item.value["source"], self.stack.variables.values) if "source" in item.value else ""
        else:
            parts = split_colons(str(item.value))
            name = self.plain(parts[0], item) if len(parts) > 1 else ""
            source = self.part(parts[0], item)
        device = self._device_of(name)
        if device:
            bind = self.stack.binds.find(device, device)
            return self._bind(item, bind, "")
        return entry

    def _device_of(self, name: str) -> str:
        """The folder that a named volume stands for by its driver_opts, '' for a volume of its own."""
        node = self.stack.project.named.get("volumes", {}).get(name)
        options = evaluated_node(node, self.stack.variables.values) if node is not None else None
        opts = options.get("driver_opts") if isinstance(options, dict) else None
        if isinstance(opts, dict) and "bind" in str(opts.get("o", "")).split(",") and opts.get("device"):
            device = str(opts["device"])
            return device if device.startswith("/") else f"./{device.removeprefix('./')}"
        return ""

    def _bind(self, item: Node, bind: Bind, target: str) -> Any:
        if self.is_app and (self.is_code(bind) or self._is_owned(target)):
            self._of_code(item, bind, target)
            return None
        if bind.kind is Kind.CODE and self.is_app and bind.checkout and bind.path == ".":
            name = self._lib(bind, target)
            self.spec.top.setdefault("depends", {}).setdefault("libs", []).append(name)
            self.own("volumes", "code", f"{bind.origin} is the lib {name}")
            return None
        if bind.kind is Kind.CODE:
            self.lost("volumes", f"{bind.origin} is of another repo than the app's", "a lib mounts a whole repo")
            return None
        if bind.kind is Kind.HOST:
            return self._with_source(item, self._host_source(item, bind))
        if bind.kind is Kind.PERSIST:
            absent = " (not there now)" if bind.is_absent else ""
            self.own("volumes", "persist", f"{bind.origin}{absent} is /persist/{bind.path}")
            return self._with_source(item, f"/persist/{bind.path}")
        if self.is_app:
            key = self._asset_key("file", bind.origin)
            self._asset(key, target)
            self.own("volumes", "assets", f"each person sets {bind.origin}: {DUSTY} assets set {key} {bind.origin}")
            return None
        if bind.kind is Kind.COPY:
            self.stack.used.add(bind.path)
            self.own("volumes", "files", f"{bind.origin} is copied into the specs")
        else:
            self.own("volumes", "paths", "the path starts at the specs")
        return self._with_source(item, f"./{bind.path}")

    def _of_code(self, item: Node, bind: Bind, target: str) -> None:
        mount = self.spec.top["mount"]
        targets = [mount] if isinstance(mount, str) else list(mount.values())
        if target not in targets and not self._is_owned(target):
            self.lost("volumes", f"{bind.path} of the repo is mounted twice", "one place for each folder of the repo")
            return
        entry = plain(item)
        options = (
            ":".join(split_colons(str(entry))[2:])
            if isinstance(entry, str)
            else ("ro" if entry.get("read_only") else "")
        )
        note = ", which the container may change without changing the repo" if "ro" in options.split(",") else ""
        self.own("volumes", "code", f"a copy of the repo{note}")

    def _is_owned(self, target: str) -> bool:
        owned = self.stack.around.own.get(self.source)
        return bool(owned and target and target.rstrip("/") == owned.mount.rstrip("/"))

    def _lib(self, bind: Bind, target: str) -> str:
        assert bind.checkout
        name = re.sub(r"[^a-z0-9._-]+", "-", posixpath.basename(bind.checkout.folder).lower()).strip("._-") or "code"
        number, found = 1, name
        value = {"repo": bind.checkout.repo, "mount": target}
        while self.stack.libs.setdefault(found, value) != value:
            number += 1
            found = f"{name}-{number}"
        return found

    def _host_source(self, item: Node, bind: Bind) -> str:
        written = (
            item.value["source"] if isinstance(item.value, dict) else Node(split_colons(str(item.value))[0], item.place)
        )
        text = self.text(written)
        if bind.path.startswith("~"):
            self.own("volumes", "variables", "each person sets HOME")
            return self.stack.variables.named("HOME") + bind.path[1:]
        return text if bind.path.startswith("/") and not bind.origin.startswith("~") else bind.path

    def _with_source(self, item: Node, source: str) -> Any:
        if isinstance(item.value, dict):
            entry = {**self.symbolic(item), "type": "bind", "source": source}
            entry.pop("volume", None)
            bind = entry.get("bind")
            return (
                entry if bind or "bind" not in entry else {key: value for key, value in entry.items() if key != "bind"}
            )
        parts = [self.part(part, item) for part in split_colons(str(item.value))[1:]]
        return ":".join([source, *parts])

    def secrets(self, node: Node) -> None:
        for item in node.value or ():
            words = evaluated_node(item, self.stack.variables.values)
            words = words if isinstance(words, dict) else {"source": words}
            source = text_of(words.get("source"))
            target = text_of(words.get("target") or source)
            target = target if target.startswith("/") else f"/run/secrets/{target}"
            key = self._asset_key("secret", source)
            self._asset(key, target)
            self.own("secrets", "assets", f"each person sets {source}: {DUSTY} assets set {key} FILE")
            if extra := [word for word in ("uid", "gid", "mode") if word in words]:
                self.bent("secrets", "assets", f"{', '.join(extra)} of {source}: an asset is root's, with mode 0600")

    def configs(self, node: Node) -> None:
        for item in node.value or ():
            words = evaluated_node(item, self.stack.variables.values)
            words = words if isinstance(words, dict) else {"source": words}
            source = text_of(words.get("source"))
            target = text_of(words.get("target") or f"/{source}")
            self._config(source, target)
            if extra := [word for word in ("uid", "gid", "mode") if word in words]:
                self.bent("configs", "files", f"{', '.join(extra)} of {source}")

    def _config(self, source: str, target: str) -> None:
        declared = self.stack.project.named.get("configs", {}).get(source)
        value = evaluated_node(declared, self.stack.variables.values) if declared is not None else None
        value = value if isinstance(value, dict) else {}
        volumes = self.spec.compose.setdefault("volumes", [])
        if "content" in value and not self.is_app:
            path = f"configs/{source}"
            self.stack.texts[path] = text_of(value["content"])
            volumes.append(f"./{path}:{target}:ro")
            self.own("configs", "files", f"{source} is a file of the specs")
            return
        if "file" in value and not self.is_app:
            file = str(value["file"])
            bind = self.stack.binds.find(file if file.startswith("/") else f"./{file.removeprefix('./')}", "")
            if bind.kind in (Kind.COPY, Kind.SPECS):
                self.stack.used.add(bind.path)
                volumes.append(f"./{bind.path}:{target}:ro")
                self.own("configs", "files", f"{bind.origin} is a file of the specs")
                return
            if bind.kind is Kind.PERSIST:
                volumes.append(f"/persist/{bind.path}:{target}:ro")
                self.own("configs", "persist", f"{bind.origin} (not there now) is /persist/{bind.path}")
                return
            if bind.kind is Kind.HOST:
                volumes.append(f"{bind.path}:{target}:ro")
                self.own("configs", "files")
                return
        key = self._asset_key("config", source)
        self._asset(key, target)
        self.own("configs", "assets", f"each person sets {source}: {DUSTY} assets set {key} FILE")

    def _asset_key(self, kind: str, source: str) -> str:
        name = posixpath.basename(source) if kind == "file" else source
        key = _NOT_IN_KEYS.sub("_", name).strip("_").upper() or "FILE"
        key = key if not key[0].isdigit() else f"_{key}"
        number, found = 1, key
        while self.stack.assets.setdefault(found, f"{kind}:{source}") != f"{kind}:{source}":
            number += 1
            found = f"{key}_{number}"
        return found

    def _asset(self, key: str, target: str) -> None:
        self.spec.top.setdefault("assets", []).append({"name": key, "path": target})

    def scale(self, node: Node) -> None:
        self._replicas("scale", plain_text(node, self.stack.variables.values))

    def deploy(self, node: Node) -> None:
        value = self.symbolic(node)
        if isinstance(value, dict) and "replicas" in value:
            replicas = plain_text(node.value["replicas"], self.stack.variables.values)
            del value["replicas"]
            if replicas not in ("", "1"):
                self._replicas("deploy", replicas)
        if value:
            self.spec.compose["deploy"] = value

    def _replicas(self, key: str, count: str) -> None:
        if count == "0":
            self.own(key, "bundles", "no bundle starts it but one of its own name")
        elif count != "1":
            self.bent(key, "one container", f"one container instead of {count}", "one spec for each container")
        else:
            self.own(key, "one container")

    def develop(self, node: Node) -> None:
        value = self.symbolic(node)
        for rule in value.get("watch") or () if isinstance(value, dict) else ():
            if isinstance(rule, dict) and isinstance(rule.get("path"), str):
                whole = posixpath.normpath(posixpath.join(self.stack.project.folder, rule["path"]))
                rule["path"] = posixpath.relpath(whole, self.stack.around.specs)
        self.own("develop", "paths", "the paths start at the specs")
        self.spec.compose["develop"] = value

    def no_provider(self, node: Node) -> None:
        self.lost("provider", "Dusty runs containers only", "an image that offers the same")


_RULES: dict[str, Callable[[Conversion, Node], None]] = {
    "image": Conversion.image,
    "build": Conversion.build,
    "container_name": Conversion.container_name,
    "profiles": Conversion.profiles,
    "networks": Conversion.networks,
    "depends_on": Conversion.depends_on,
    "links": Conversion.links,
    "environment": Conversion.environment,
    "env_file": Conversion.env_file,
    "label_file": Conversion.label_file,
    "labels": Conversion.labels,
    "volumes": Conversion.volumes,
    "ports": Conversion.ports,
    "secrets": Conversion.secrets,
    "configs": Conversion.configs,
    "scale": Conversion.scale,
    "deploy": Conversion.deploy,
    "develop": Conversion.develop,
    "provider": Conversion.no_provider,
    **{key: partial(Conversion.of_another, key=key) for key in ("network_mode", "pid", "ipc", "volumes_from")},
}
