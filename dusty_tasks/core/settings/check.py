"""config.yml as checked settings: every problem at once, a wrong key keeps its default (docs/specs.md, "Settings").

More than 300 lines: a check a key, in the order of the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dusty_tasks.core.settings.host_kinds import HOST_KINDS
from dusty_tasks.core.settings.keys import KEYS, Key, check_folder, check_value
from dusty_tasks.core.settings.model import HostSettings, Settings
from dusty_tasks.core.specs.repo_ids import repo_of
from dusty_tasks.core.specs.rules import Wrong, check_asset_key
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import CONFIG_FILE, path_text
from dusty_tasks.core.text.paths import Paths
from dusty_tasks.core.text.problems import Place, Problem, did_you_mean
from dusty_tasks.core.text.safe import shown

if TYPE_CHECKING:
    from dusty_tasks.core.text.key_path import KeyPath

ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/@+=-]*")

Marks = Mapping["KeyPath", tuple[int, int, int, int]]
"""Key path -> line and column of the value, then of the key."""


def settings_of(
    value: dict[str, Any], marks: Marks, home: str, environ: Mapping[str, str] | None = None, cpus: int = 4
) -> tuple[Settings, list[Problem]]:
    """The settings that a config.yml holds, and every problem in it; a wrong key keeps its default.

    `marks` may be empty: then everything is at 1:1; `environ` gives HOME for paths that begin
    with `~`; `cpus` bounds the default of `repos.jobs`. Pure.
    """
    reading = _Reading(value, marks, (environ or {}).get("HOME", ""))
    found = reading.found
    kind = found["host.kind"]
    root = HOST_KINDS[kind].root or Paths(home).host
    settings = Settings(
        home=home,
        specs_repo=found["specs_repo"] or "",
        bundles=tuple(dict.fromkeys(found["bundles"])),
        disabled=tuple(sorted(set(found["disabled"]))),
        repo_overrides=reading.overrides(),
        repo_branches=reading.branches(),
        vars=reading.vars(),
        env=reading.env(),
        host=HostSettings(
            kind=kind,
            preset=found["host.preset"],
            ssh=found["host.ssh"] or "",
            address=found["host.address"] or "",
            root=found["host.root"] or root,
            start=tuple(found["host.start"] or ()),
            stop=tuple(found["host.stop"] or ()),
            status=tuple(found["host.status"] or ()),
            ssh_config=tuple(found["host.ssh_config"] or ()),
            memory=found["host.memory"],
            ncpu=found["host.ncpu"],
            disk=found["host.disk"],
            wait=found["host.wait"],
            daemon=found["host.daemon"],
        ),
        sync_mode=found["sync.mode"],
        sync_exclude=tuple(found["sync.exclude"]),
        sync_delete=found["sync.delete"],
        sync_jobs=found["sync.jobs"],
        repos_pull=found["repos.pull"],
        repos_jobs=found["repos.jobs"] or min(cpus, 8),
        repos_submodules=found["repos.submodules"],
        repos_lfs=found["repos.lfs"],
        routing=found["routing"],
        bridge_ip=found["bridge_ip"],
        external_bind=found["external_bind"],
        hosts_mode=found["hosts.mode"],
        hosts_ipv6=found["hosts.mode"] == "localhost" if found["hosts.ipv6"] is None else found["hosts.ipv6"],
        hosts_agreed="hosts.mode" in reading.written and found["hosts.mode"] == "file",
        nginx_image=found["nginx_image"],
        https=found["https"],
        proxy_max_upload=str(found["proxy.max_upload"]),
        proxy_trusted=tuple(found["proxy.trusted"]),
        up_wait=found["up.wait"],
        data_keep=found["data.keep"],
        trust=reading.trust(),
        asset_commands=reading.asset_commands(),
    )
    reading.check_together(settings)
    return settings, sorted(reading.problems)


class _Reading:
    """One pass over the mapping: `found` is dotted key -> value or default."""

    def __init__(self, value: dict[str, Any], marks: Marks, user_home: str) -> None:
        self.marks, self.user_home = marks, user_home
        self.problems: list[Problem] = []
        self.written = dict(self._flat(value))
        self.found = {name: self._checked(key, self.written) for name, key in KEYS.items()}

    def _flat(self, value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        """Dotted key and value of all that is written; what is no key is a problem."""
        groups = {name.split(".")[0] for name in KEYS if "." in name}
        for key, below in value.items():
            if key in KEYS and "." not in key:
                yield key, below
            elif key in groups and isinstance(below, dict):
                yield from self._flat_group(key, below)
            elif key in groups:
                self._say((key,), Code.SETTING, "must be a mapping", f"{key}: {{{_members(key)[0]}: …}}")
            else:
                hint = f"{key.split('.')[0]}: {{{key.split('.', 1)[1]}: …}}" if key in KEYS else ""
                self._say(
                    (key,),
                    Code.UNKNOWN_KEY,
                    f"unknown key {shown(key)}",
                    hint or did_you_mean(key, {*groups, *_top_level()}),
                    (),
                )

    def _flat_group(self, group: str, value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        for key, below in value.items():
            if f"{group}.{key}" in KEYS:
                yield f"{group}.{key}", below
            else:
                self._say(
                    (group, key),
                    Code.UNKNOWN_KEY,
                    f"unknown key {shown(key)}",
                    did_you_mean(key, _members(group)),
                    (group,),
                )

    def _checked(self, key: Key, written: dict[str, Any]) -> Any:
        value = written.get(key.name)
        if value is None:
            return key.default
        if key.name in ("specs_repo", "host.root") and isinstance(value, str):
            value = self._at_home(value)
        try:
            check_value(key, value)
        except Wrong as wrong:
            self._say(tuple(key.name.split(".")), wrong.code, wrong.what, wrong.hint)
            return key.default
        return value

    def overrides(self) -> dict[str, str]:
        """Repo id -> folder."""
        overrides = {}
        for written, folder in self.found["repo_overrides"].items():
            path = ("repo_overrides", written)
            repo_id = self._repo_id(path, written)
            folder = self._at_home(folder) if isinstance(folder, str) else folder
            try:
                if not isinstance(folder, str):
                    raise Wrong(Code.SETTING, "must be the absolute path of a folder")
                check_folder(folder)
            except Wrong as wrong:
                self._say(path, wrong.code, wrong.what, wrong.hint)
                continue
            if repo_id:
                overrides[repo_id] = folder.rstrip("/") or "/"
        return overrides

    def branches(self) -> dict[str, str]:
        """Repo id -> branch."""
        branches = {}
        for written, branch in self.found["repo_branches"].items():
            path = ("repo_branches", written)
            repo_id = self._repo_id(path, written)
            if (
                not isinstance(branch, str)
                or not _BRANCH.fullmatch(branch)
                or ".." in branch
                or branch.endswith((".lock", "/"))
            ):
                self._say(path, Code.SETTING, f"{shown(branch)} is not a branch")
            elif repo_id:
                branches[repo_id] = branch
        return branches

    def vars(self) -> dict[str, str]:
        """Variable of the specs -> value."""
        found: dict[str, str] = {}
        for name, text in self.found["vars"].items():
            if not ENV_NAME.fullmatch(name):
                self._say(
                    ("vars", name),
                    Code.SETTING,
                    f"{shown(name)} is not a variable name",
                    "letters, digits and _ only, not starting with a digit",
                )
            elif not isinstance(text, str):
                self._say(("vars", name), Code.SETTING, "must be a string", "put quotes around it")
            else:
                found[name] = text
        return found

    def env(self) -> dict[str, dict[str, str | None]]:
        """App or service -> variable -> value; None is "from the caller of `up`"."""
        env: dict[str, dict[str, str | None]] = {}
        for name, variables in self.found["env"].items():
            if not isinstance(variables, dict):
                self._say(("env", name), Code.SETTING, "must be a mapping", "env: {web: {VARIABLE: value}}")
                continue
            for variable, text in variables.items():
                if not ENV_NAME.fullmatch(variable):
                    self._say(
                        ("env", name, variable),
                        Code.SETTING,
                        f"{shown(variable)} is not a variable name",
                        "letters, digits and _ only, not starting with a digit",
                    )
                elif text is not None and not isinstance(text, str):
                    self._say(("env", name, variable), Code.SETTING, "must be a string", "put quotes around it")
                else:
                    env.setdefault(name, {})[variable] = text
        return env

    def trust(self) -> dict[str, tuple[str, ...]]:
        """Specs repo -> powers that were allowed."""
        trust = {}
        for repo, powers in self.found["trust"].items():
            if isinstance(powers, list) and all(isinstance(power, str) for power in powers):
                trust[repo] = tuple(powers)
            else:
                self._say(
                    ("trust", repo), Code.SETTING, "must be a list of strings", f"{DUSTY} trust specs allow writes it"
                )
        return trust

    def asset_commands(self) -> dict[str, tuple[str, ...]]:
        """Asset key -> the command that makes it."""
        commands = {}
        for key, written in self.found["assets"].items():
            path = ("assets", key)
            command = written.get("from") if isinstance(written, dict) else None
            try:
                check_asset_key(key)
            except Wrong as wrong:
                self._say(path, wrong.code, wrong.what, wrong.hint)
                continue
            words = command if isinstance(command, list) and list(written) == ["from"] else []
            if words and words[0] and all(isinstance(word, str) for word in words):
                commands[key] = tuple(words)
            else:
                hint = f'assets: {{{key}: {{from: [op, read, "op://vault/item/field"]}}}}'
                self._say(path, Code.SETTING, "must be a command, as a list of arguments below `from`", hint)
        return commands

    def check_together(self, settings: Settings) -> None:
        """Keys that are fine alone and wrong together, or with DUSTY_HOME."""
        if ":" in settings.host.root:
            self._say(
                ("host", "root"),
                Code.SETTINGS_TOGETHER,
                f'{shown(settings.host.root)}, the default, contains ":", which a volume path cannot contain',
                "host: {root: /a/folder}, or another DUSTY_HOME",
            )
        if settings.host.is_elsewhere:
            if settings.sync_mode == "bind":
                self._say(
                    ("sync", "mode"),
                    Code.SETTINGS_TOGETHER,
                    "bind works for host.kind local only",
                    "sync: {mode: rsync}",
                )
            if settings.hosts_mode == "localhost":
                self._say(
                    ("hosts", "mode"),
                    Code.SETTINGS_TOGETHER,
                    "localhost works for host.kind local only",
                    "hosts: {mode: file}",
                )
            elif settings.hosts_ipv6:
                self._say(
                    ("hosts", "ipv6"),
                    Code.SETTINGS_TOGETHER,
                    "true works for host.kind local only",
                    "hosts: {ipv6: false}",
                )

    def _repo_id(self, path: KeyPath, written: str) -> str:
        try:
            return repo_of(self._at_home(written)).id
        except ValueError as error:
            self._say(
                path,
                Code.REPO,
                f"{shown(written)} {error}",
                "a repo as the specs write it, for example github.com/org/name",
            )
            return ""

    def _at_home(self, path: str) -> str:
        return self.user_home + path[1:] if path.startswith("~/") and self.user_home else path

    def _say(self, path: KeyPath, code: Code, what: str, hint: str = "", shown_path: KeyPath | None = None) -> None:
        mark = self.marks.get(path, self.marks.get(path[:1], (1, 1, 1, 1)))
        place = Place(CONFIG_FILE, *(mark[:2] if shown_path is None else mark[2:]))
        self.problems.append(Problem(place, path_text(path if shown_path is None else shown_path), code, what, hint))


def _members(group: str) -> list[str]:
    return [name.split(".", 1)[1] for name in KEYS if name.startswith(group + ".")]


def _top_level() -> list[str]:
    return [name for name in KEYS if "." not in name]
