"""Compose keys by which a container finds others, waits for them, or shares their namespaces; and its network. Pure."""

from __future__ import annotations

from typing import Any

from dusty_tasks.core.specs.compose_keys.translation import Rule, Translation
from dusty_tasks.core.specs.model import Reference
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.namespace import IN_SPECS
from dusty_tasks.core.text.safe import shown, unsafe_part

_REFUSED_IN_A_JOINED_NETWORK = ("expose", "hostname", "dns", "extra_hosts", "mac_address")
"""What the engine refuses, beside ports and links, in a container that joins another's network (measured with 20.10)."""


def _links(translation: Translation, value: Any) -> None:
    for path, link in translation.items("links", value):
        name, _, alias = link.partition(":")
        if translation.refer(path, "links", name) and alias and alias != name:
            links = translation.compose.setdefault("links", [])
            links += [] if f"{name}:{alias}" in links else [f"{name}:{alias}"]


def _depends_on(translation: Translation, value: Any) -> None:
    if isinstance(value, dict):
        for name, detail in value.items():
            if translation.refer(("depends_on", name), "depends_on", name) and isinstance(detail, dict):
                translation.needs[name] = dict(detail)
    else:
        for path, name in translation.items("depends_on", value):
            translation.refer(path, "depends_on", name)


def _volumes_from(translation: Translation, value: Any) -> None:
    translation.compose["volumes_from"] = list(
        dict.fromkeys(entry for _, entry in translation.items("volumes_from", value))
    )
    for path, entry in translation.items("volumes_from", value):
        if not entry.startswith("container:"):
            translation.refer(path, "volumes_from", entry.partition(":")[0])


def _net(translation: Translation, value: Any) -> None:
    if "network_mode" in translation.value:
        translation.say(("net",), Code.BOTH_GIVEN, "net and network_mode are both given", "keep network_mode")
    elif value not in ("bridge", "default"):
        _network(translation, "net", value)


def _network_mode(translation: Translation, value: Any) -> None:
    _network(translation, "network_mode", value)


def _network(translation: Translation, key: str, value: Any) -> None:
    if not isinstance(value, str):
        return
    if unsafe := unsafe_part(value):
        translation.say((key,), Code.UNSAFE_TEXT, f"{shown(value)} contains {unsafe}")
        return
    mode, _, name = value.partition(":")
    if mode == "container":
        inner = name if name in translation.names.containers else IN_SPECS.part(name)
        if inner in translation.names.containers:
            mode, name = "service", inner
    if mode == "service":
        translation.refer((key,), "network_mode", name)
        value = f"service:{name}"
    translation.network = translation.compose["network_mode"] = value


def _networks(translation: Translation, value: Any) -> None:
    names = value if isinstance(value, (list, dict)) else ()
    for index, name in enumerate(names):
        if name != "default":
            translation.say(
                ("networks", name if isinstance(value, dict) else index),
                Code.UNDECLARED_NETWORK,
                f"the network {shown(name)} is not declared",
                "leave networks out, or write network_mode",
            )
    if isinstance(value, dict) and value.get("default"):
        translation.compose["networks"] = value


def _namespace(translation: Translation, key: str, value: Any) -> None:
    """`pid` and `ipc`: Compose itself starts another container first whose namespace this one joins."""
    mode, _, name = str(value).partition(":")
    if mode == "service":
        translation.references.append(Reference((*translation.base, key), key, name))
    translation.compose[key] = value


def _pid(translation: Translation, value: Any) -> None:
    _namespace(translation, "pid", value)


def _ipc(translation: Translation, value: Any) -> None:
    _namespace(translation, "ipc", value)


def finish(translation: Translation) -> None:
    """What needs more than one key: `depends_on`, and what the engine refuses beside the network."""
    if translation.needs:
        details = any(translation.needs.values())
        translation.compose["depends_on"] = (
            {name: detail or {"condition": "service_started"} for name, detail in translation.needs.items()}
            if details
            else list(translation.needs)
        )
    if translation.network:
        translation.compose.pop("networks", None)
    if has_no_network_of_its_own(translation.network):
        translation.compose.pop("links", None)  # the engine refuses both together
        if translation.compose.get("ports"):
            translation.say(
                ("ports",),
                Code.JOINED_NETWORK,
                f"ports cannot be published with network_mode {translation.network}",
                owner_hint(translation.network),
            )
    for key in _REFUSED_IN_A_JOINED_NETWORK if ":" in translation.network else ():
        if translation.compose.get(key):
            translation.say(
                (key,),
                Code.JOINED_NETWORK,
                f"{key} cannot be set with network_mode {translation.network}",
                owner_hint(translation.network),
            )


def has_no_network_of_its_own(network: str) -> bool:
    """True for a `network_mode` with which the engine publishes no ports."""
    return network in ("host", "none") or network.startswith(("service:", "container:"))


def owner_hint(network: str) -> str:
    """Where ports belong when a container has no network of its own."""
    mode, _, name = network.partition(":")
    if name:
        return f"put it on {shown(name)}"
    return "the ports of a container in the host's network are open already" if mode == "host" else "remove one of them"


RULES: dict[str, Rule] = {
    "links": _links,
    "depends_on": _depends_on,
    "volumes_from": _volumes_from,
    "net": _net,
    "network_mode": _network_mode,
    "networks": _networks,
    "pid": _pid,
    "ipc": _ipc,
}
