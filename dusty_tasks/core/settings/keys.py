"""The keys of config.yml: a table that checking, `config list` and schemas/config.json have in common (docs/specs.md, "Settings").

More than 300 lines: it is a table.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from dusty_tasks.core.settings.host_kinds import HOST_KINDS
from dusty_tasks.core.settings.model import MAX_UPLOAD, NGINX_IMAGE
from dusty_tasks.core.specs.rules import Wrong, check_image, check_repo, check_size
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.safe import in_yaml, shown, unsafe_part

MAX_JOBS = 64

_SSH = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]*@)?[A-Za-z0-9][A-Za-z0-9._-]*(?::[0-9]{1,5})?")


class Key(NamedTuple):
    """One key of config.yml."""

    name: str
    """Dotted: `host.kind` is `host: {kind: …}` in the file."""
    kind: str
    """`string`, `integer`, `number`, `size`, `boolean`, `strings` (a list) or `mapping`."""
    description: str
    default: Any = None
    """None: no default, or one that depends (see the description)."""
    values: dict[str, str] = {}
    """For keys with fixed values: each with what it means, the default first."""
    rule: Callable[[Any], None] | None = None
    """Raises Wrong for a value that the key's kind allows and the key does not."""
    verb: str = ""
    """The verb that changes this key, if `config set` does not."""
    gone: dict[str, str] = {}
    """Values that the key had in earlier releases -> what takes their place."""


def _check_address(value: str) -> None:
    import ipaddress

    try:
        ipaddress.ip_address(value)
    except ValueError:
        raise Wrong(
            Code.SETTING,
            f"{shown(value)} is not an IP address",
            "a hosts file needs an address, for example 192.168.64.2",
        ) from None


def _check_bridge(value: str) -> None:
    import ipaddress

    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        raise Wrong(Code.SETTING, f"{shown(value)} is not an IPv4 address", "for example 172.17.0.1") from None


def _check_networks(value: list[str]) -> None:
    import ipaddress

    for text in value:
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise Wrong(
                Code.SETTING, f"{shown(text)} is not an address or network", "for example 10.0.0.5 or 10.0.0.0/8"
            ) from None


def _check_ssh(value: str) -> None:
    if not _SSH.fullmatch(value):
        raise Wrong(Code.SETTING, f"{shown(value)} is not [user@]name[:port]", "for example dev@buildbox:22")


def check_folder(value: str) -> None:
    """An absolute folder that may become part of a mount."""
    if any(ord(character) < 32 for character in value) or ":" in value:
        raise Wrong(
            Code.SETTING,
            f"{shown(value)} contains {unsafe_part(value) if ':' not in value else chr(34) + ':' + chr(34)}",
        )
    if not value.startswith("/"):
        raise Wrong(Code.SETTING, f"{shown(value)} is not an absolute path")


def _check_root(value: str) -> None:
    check_folder(value)
    if ".." in value.split("/"):
        raise Wrong(Code.SETTING, f'{shown(value)} contains a ".." component')


def _at_least(least: float, most: float) -> Callable[[Any], None]:
    def check(value: float) -> None:
        if not least <= value <= most:
            raise Wrong(Code.SETTING, f"{value} is out of range ({least:g} to {most:g})")

    return check


def _check_pattern(value: list[str]) -> None:
    for pattern in value:
        if not pattern.strip() or "\n" in pattern:
            raise Wrong(
                Code.SETTING, f"{shown(pattern)} is not a pattern", "an rsync pattern, for example node_modules/"
            )


_PRESETS = {
    "none": "the commands below, unchanged",
    "lima": "a Lima VM",
    "colima": "a Colima VM",
    "multipass": "a Multipass VM",
    "qemu": "a VM started by qemu itself",
}
_GONE_PRESETS = {
    name: f"{name} is no longer maintained: host.preset lima or colima take its place; or host.kind ssh with commands of your own"
    for name in ("boot2docker", "docker-machine")
}

KEYS: dict[str, Key] = {
    key.name: key
    for key in (
        Key(
            "specs_repo",
            "string",
            "The repo of the specs: a repo string, or the absolute path of a folder.",
            rule=check_repo,
        ),
        Key("bundles", "strings", "The active bundles.", [], verb="bundles"),
        Key("disabled", "strings", "Apps and services that this machine leaves out of the stack.", [], verb="disable"),
        Key("repo_overrides", "mapping", "Repos that are used from folders of your own.", {}, verb="repos"),
        Key("repo_branches", "mapping", "Repos that follow a branch other than their default.", {}, verb="repos"),
        Key("vars", "mapping", "Values of variables of the specs (since 0.2).", {}, verb="vars"),
        Key("env", "mapping", "Environment variables by app or service, beyond those of the specs.", {}, verb="env"),
        Key(
            "assets",
            "mapping",
            "Commands whose output is an asset, by its key: {KEY: {from: [program, word]}}; `up` runs one when it is not set, changed, "
            "or a day old (since 0.2).",
            {},
        ),
        Key(
            "host.kind",
            "string",
            "Which Docker host.",
            next(iter(HOST_KINDS)),
            {name: kind.meaning for name, kind in HOST_KINDS.items()},
        ),
        Key(
            "host.preset",
            "string",
            "What kind of VM the Docker host is; fills in the commands below.",
            "none",
            _PRESETS,
            gone=_GONE_PRESETS,
        ),
        Key("host.ssh", "string", "Where ssh finds the Docker host: [user@]name[:port].", rule=_check_ssh),
        Key(
            "host.address",
            "string",
            "The Docker host's address in the hosts section; `setup` and `start` find it.",
            rule=_check_address,
        ),
        Key(
            "host.root",
            "string",
            "Folder on the Docker host above persist, command_files and cp "
            "(default: $DUSTY_HOME/host for local, / for ssh).",
            rule=_check_root,
        ),
        Key("host.start", "strings", "The command that starts the VM, as a list of arguments (default: the preset's)."),
        Key("host.stop", "strings", "The command that stops the VM (default: the preset's)."),
        Key("host.status", "strings", "The command that tells whether the VM is running (default: the preset's)."),
        Key(
            "host.ssh_config", "strings", "The command that prints the VM's ssh configuration (default: the preset's)."
        ),
        Key("host.memory", "number", "Memory of the VM in GiB (default: the preset's).", rule=_at_least(0.25, 4096)),
        Key("host.ncpu", "integer", "CPUs of the VM (default: the preset's).", rule=_at_least(1, 1024)),
        Key(
            "host.disk",
            "number",
            "Disk of the VM in GiB, when it is created (default: the preset's; since 0.2).",
            rule=_at_least(1, 1 << 16),
        ),
        Key("host.wait", "number", "Seconds to wait for the Docker host to answer.", 120, rule=_at_least(0, 86400)),
        Key(
            "host.daemon",
            "mapping",
            "Content of /etc/docker/daemon.json of an ssh Docker host; the previous file is kept.",
        ),
        Key(
            "sync.mode",
            "string",
            "How code gets into containers.",
            "rsync",
            {
                "rsync": "copied to the Docker host",
                "bind": "the working tree itself is mounted; local Docker hosts only",
            },
        ),
        Key("sync.exclude", "strings", "rsync patterns of what is neither sent nor deleted.", [], rule=_check_pattern),
        Key(
            "sync.delete",
            "string",
            "Which files that the source does not have a sync deletes from the copy.",
            "unignored",
            {
                "unignored": "everything but what the repo's own .gitignore files ignore",
                "all": "everything",
                "sent": "only what an earlier sync sent",
            },
        ),
        Key("sync.jobs", "integer", "Syncs at a time.", 4, rule=_at_least(1, MAX_JOBS)),
        Key(
            "repos.pull",
            "string",
            "When `up` fetches managed repos.",
            "always",
            {"always": "every time", "daily": "once a day", "never": "only `repos update` does"},
        ),
        Key(
            "repos.jobs",
            "integer",
            "Fetches at a time (default: the number of CPUs, at most 8).",
            rule=_at_least(1, MAX_JOBS),
        ),
        Key("repos.submodules", "boolean", "Fetch the submodules of managed repos.", True),
        Key(
            "repos.lfs",
            "boolean",
            "Fetch the files that managed repos keep in Git LFS, where git-lfs is installed.",
            True,
        ),
        Key(
            "routing",
            "string",
            "How nginx reaches an app's container.",
            "published",
            {
                "published": "a port from 65000 up on the engine's bridge address",
                "network": "the Compose network itself; no published ports",
            },
        ),
        Key(
            "bridge_ip",
            "string",
            "Address of the engine's bridge, where apps' ports are published.",
            "172.17.0.1",
            rule=_check_bridge,
        ),
        Key("external_bind", "boolean", "Let other machines reach the proxy of a local Docker host.", False),
        Key(
            "hosts.mode",
            "string",
            "What happens to the hosts section.",
            "file",
            {
                "file": "written to the hosts file, through the sudo helper; `up` asks once, unless this is set",
                "localhost": "names under .localhost; no file is touched",
                "off": "only printed",
            },
        ),
        Key(
            "hosts.ipv6",
            "boolean",
            "Let names lead to ::1 as well: the proxy of a local Docker host listens there, and the hosts section has a line for it "
            "(default: true with hosts.mode localhost, where browsers try ::1, else false).",
        ),
        Key(
            "https",
            "string",
            "Whether the proxy answers https, with certificates of this machine's own authority (see the command trust).",
            "off",
            {
                "on": "every http route also on port 443",
                "only": "and http requests are redirected there",
                "off": "http alone",
            },
        ),
        Key("nginx_image", "string", "Image of the proxy.", NGINX_IMAGE, rule=check_image),
        Key(
            "proxy.max_upload",
            "size",
            "The largest upload allowed where a forwarding has no max_upload of its own; 0: no limit.",
            MAX_UPLOAD,
            rule=check_size,
        ),
        Key(
            "proxy.trusted",
            "strings",
            "Addresses or networks of outer proxies whose X-Forwarded-For, -Host, -Proto and -Port are trusted; "
            "127.0.0.1 stands for what runs on the Docker host.",
            [],
            rule=_check_networks,
        ),
        Key("up.wait", "number", "Seconds that `up` waits for an app to answer.", 60, rule=_at_least(0, 86400)),
        Key(
            "data.keep",
            "number",
            "How much all snapshots of `data` may take, in GiB (default: no limit).",
            rule=_at_least(0, 1 << 20),
        ),
        Key("trust", "mapping", "Powers over this machine that you allowed to specs, by specs repo.", {}, verb="trust"),
    )
}
"""By dotted name, in the order that `config list` prints."""

_EXPECTED = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "size": "a size",
    "strings": "a list of strings",
    "mapping": "a mapping",
}


def check_value(key: Key, value: Any) -> None:
    """Raise Wrong if `value` is none that `key` may have."""
    if not _is_of_kind(key.kind, value):
        raise Wrong(Code.SETTING, f"must be {_EXPECTED[key.kind]}, not {_found(value)}", _right_form(key, value))
    if isinstance(value, str) and value in key.gone:
        raise Wrong(Code.SETTING, f"{shown(value)} is no longer one of {', '.join(key.values)}", key.gone[value])
    if key.values and value not in key.values:
        from dusty_tasks.core.text.problems import did_you_mean

        raise Wrong(
            Code.SETTING, f"{shown(value)} is not one of {', '.join(key.values)}", did_you_mean(value, key.values)
        )
    if key.rule:
        key.rule(value)


def value_of_text(key: Key, text: str) -> Any:
    """What `config set` stores for a typed `text`: a number or boolean where the key has one, else the text itself."""
    from dusty_tasks.core.specs.yaml_scalars import typed

    types = {"integer": "integer", "number": "number", "boolean": "boolean"}.get(key.kind, "string")
    return typed(text.strip() if types != "string" else text, types)


def _is_of_kind(kind: str, value: Any) -> bool:
    if kind == "strings":
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if kind == "size":
        return isinstance(value, (str, int)) and not isinstance(value, bool)
    if kind in ("integer", "number"):
        return isinstance(value, int if kind == "integer" else (int, float)) and not isinstance(value, bool)
    return isinstance(value, {"string": str, "boolean": bool, "mapping": dict}[kind])


def _found(value: Any) -> str:
    if isinstance(value, list):
        return "a list"
    return {dict: "a mapping", type(None): "nothing"}.get(type(value), shown(value))


def _right_form(key: Key, value: Any) -> str:
    from dusty_tasks.core.specs.yaml_scalars import typed

    last = key.name.rsplit(".", 1)[-1]
    if key.kind == "strings" and isinstance(value, str):
        return f"{last}: [{in_yaml(value)}]"
    if isinstance(value, str) and typed(value, key.kind) != value:
        return f"write {value} without quotes"
    return ""
