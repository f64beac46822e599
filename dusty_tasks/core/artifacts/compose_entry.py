"""One container's entry in the Compose file, filled key by key, each with its origin."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

from dusty_tasks.core.artifacts.traced import Origins
from dusty_tasks.core.plan.given_values import file_of, given_values
from dusty_tasks.core.settings.model import HostSettings
from dusty_tasks.core.specs.compose_values import is_persistent, joined
from dusty_tasks.core.specs.model import Origin
from dusty_tasks.core.specs.secret_values import templates_in
from dusty_tasks.core.text.key_path import KeyPath
from dusty_tasks.core.text.paths import PERSIST, SPEC_FILES


class Entry:
    """A Compose mapping in the making. Paths are those of the spec `file`; `base` is where it holds Compose keys."""

    def __init__(self, file: str, base: KeyPath) -> None:
        self.file, self.base = file, base
        self.mapping: dict[str, Any] = {}
        self.origins: Origins = {"": Origin(file)}

    def put(self, key: str, value: Any, path: KeyPath) -> None:
        """Set `key`, put there by the spec's `path`."""
        self.mapping[key] = value
        self.origins[key] = Origin(self.file, path)

    def add(self, key: str, item: Any, path: KeyPath, file: str | None = None) -> None:
        """Append to the list `key`; `file` if another spec put the item there."""
        items = self.mapping.setdefault(key, [])
        origin = Origin(self.file if file is None else file, path)
        # The list is there for its first item.
        self.origins.setdefault(key, origin._replace(path=path[:-1]) if path and isinstance(path[-1], int) else origin)
        self.origins[f"{key}[{len(items)}]"] = origin
        items.append(item)

    def environment(
        self,
        written: Mapping[str, Any],
        by_bundle: Mapping[str, tuple[str, str]],
        overrides: Mapping[str, str | None],
        name: str,
        home: str,
    ) -> None:
        """The spec's variables in its order, then those that active bundles have `by_bundle` (value and file), which win.

        Those of `dusty env` for `name` win over both: their values come from a file, as do those that hold secrets.
        """
        secret = templates_in(written, by_bundle)
        written = {**written, **{variable: value for variable, (value, _) in by_bundle.items()}}
        given = given_values({name: overrides}, name)
        from_caller = {variable: None for variable, text in overrides.items() if text is None}
        kept = {
            variable: text for variable, text in written.items() if variable not in given and variable not in secret
        }
        if kept or from_caller:
            self.put("environment", {**kept, **from_caller}, (*self.base, "environment"))
            if not kept:
                self.origins["environment"] = Origin("", ("env", name))
            for variable in by_bundle.keys() & kept.keys():
                self.origins[f"environment.{variable}"] = Origin(by_bundle[variable][1], ("env", name, variable))
            for variable in from_caller:
                self.origins[f"environment.{variable}"] = Origin("", ("env", name, variable))
        if secret:
            first = next(iter(secret))
            file, path = (
                (by_bundle[first][1], ("env", name, first))
                if first in by_bundle
                else (self.file, (*self.base, "environment", first))
            )
            self.add("env_file", file_of(home, name), path, file)
        elif given:
            self.add("env_file", file_of(home, name), ("env", name), "")

    def env_files(self, files: Sequence[Any], specs_root: str) -> None:
        """Files of variables; a relative path starts at the root of the specs repo."""
        for index, file in enumerate(env_files(files, specs_root)):
            self.add("env_file", file, (*self.base, "env_file", index))

    def label_files(self, written: Any, specs_root: str) -> None:
        """Files of labels; a relative path starts at the root of the specs repo."""
        for index, file in enumerate([written] if isinstance(written, str) else written or ()):
            self.add("label_file", joined(specs_root, str(file)), (*self.base, "label_file", index))

    def develop(self, written: Any, root: str) -> None:
        """What `docker compose watch` does; a relative path starts at `root`: the app's repo, else the specs repo."""
        if not isinstance(written, Mapping):
            return
        rules = [
            {**rule, "path": joined(root, str(rule["path"]))} if isinstance(rule, Mapping) and "path" in rule else rule
            for rule in written.get("watch") or ()
        ]
        self.put("develop", {**written, "watch": rules} if rules else dict(written), (*self.base, "develop"))

    def labels(self, written: Mapping[str, Any] | None, own: Mapping[str, str], path: KeyPath = ()) -> None:
        """The spec's labels, then Dusty's."""
        self.put("labels", {**(written or {}), **own}, (*self.base, "labels") if written else path)
        for label in own:
            self.origins[f"labels.{label}"] = Origin(self.file, path)

    def networks(self, written: Any, guests: Sequence[str]) -> None:
        """The project network as the spec has it, with the names of those who join this container's network."""
        default = dict((written or {}).get("default") or {}) if isinstance(written, Mapping) else {}
        if guests:
            default["aliases"] = list(dict.fromkeys([*(default.get("aliases") or ()), *guests]))
        if default:
            self.put("networks", {"default": default}, (*self.base, "networks"))

    def pass_through(self, compose: Mapping[str, Any], handled: Sequence[str]) -> None:
        """All other Compose keys of the spec, in its order."""
        for key, value in compose.items():
            if key not in handled:
                self.put(key, value, (*self.base, key))


def env_files(files: Sequence[Any], specs_root: str) -> list[Any]:
    """Files of variables, relative paths joined to the root of the specs repo."""
    return [
        {**file, "path": joined(specs_root, str(file["path"]))}
        if isinstance(file, Mapping)
        else joined(specs_root, str(file))
        for file in files
    ]


def host_path(root: str, *parts: str) -> str:
    """A path below host.root on the Docker host."""
    return posixpath.join(root, *parts)


def spec_volume(volume: Any, host: HostSettings) -> Any:
    """A volume of a spec, `/persist/…` being where the Docker host keeps it (1.5), `./…` a copy of what the specs repo has there."""
    if isinstance(volume, Mapping):
        return {**volume, "source": _persistent(str(volume["source"]), host)} if "source" in volume else dict(volume)
    source, colon, rest = str(volume).partition(":")
    return f"{_persistent(source, host)}:{rest}" if colon else source


def _persistent(source: str, host: HostSettings) -> str:
    if source.startswith("."):
        return posixpath.normpath(host_path(host.root, SPEC_FILES, source))
    return host_path(host.root, host.data + source.removeprefix(f"/{PERSIST}")) if is_persistent(source) else source
