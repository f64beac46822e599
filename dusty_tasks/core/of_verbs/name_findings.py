"""Do the stack's names lead to the proxy, whichever way a program looks them up, and what is in the way? Pure.

Programs of this machine ask the system (getaddrinfo), browsers and curl lead names below .localhost to loopback by themselves
(RFC 6761, section 6.3), and containers ask the engine's name server.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from dusty_tasks.core.of_verbs.findings import FAILED, OK, WARNING, Finding
from dusty_tasks.core.of_verbs.name_answers import NO_REPLY
from dusty_tasks.core.text.alike import SHORT_LIST, subject
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.wording import counted

HERE, BROWSERS, INSIDE = "host names", "host names in browsers", "host names in containers"
_VPN = re.compile(r"(tun|tap|wg|ppp|utun|ipsec|tailscale|zt|nordlynx|proton|cscotun|gpd)[\w-]*")


class Server(NamedTuple):
    """A name server that this machine asks."""

    address: str
    interface: str
    """On the way to it; '' where nobody knows."""
    said: Mapping[str, str]
    """Name -> an address, or what it said in place of one."""

    def __str__(self) -> str:
        vpn = ", which looks like a VPN" if _VPN.fullmatch(self.interface) else ""
        way = f" (over {self.interface}{vpn})" if self.interface else ""
        return f"the name server {self.address}{way}"


class Names(NamedTuple):
    """What was found of the names that are typed into URLs."""

    mode: str
    """The setting hosts.mode."""
    addresses: tuple[str, ...]
    """Where the proxy listens."""
    here: Mapping[str, tuple[str, ...]]
    """Name -> what getaddrinfo gives."""
    in_hosts_file: Mapping[str, tuple[str, ...]] = {}
    order: tuple[str, ...] = ()
    """Where the system looks up names: `files`, `dns`."""
    servers: Sequence[Server] = ()
    """Asked for the names that do not lead to the proxy."""


def programs(names: Names) -> list[Finding]:
    """What programs of this machine find that ask the system."""
    wrong = {name: found for name, found in names.here.items() if not set(found) & set(names.addresses)}
    also = [name for name, found in names.here.items() if name not in wrong and not _are_ours(found, names.addresses)]
    if not names.here:
        return [Finding(HERE, OK, "none")]
    found = []
    if len(wrong) < len(names.here):
        right = [name for name in names.here if name not in wrong]
        found.append(Finding(HERE, OK, f"{len(right)} resolve to {names.addresses[0]}"))
    if also:
        found.append(_elsewhere_too(also, names))
    if wrong and names.mode == "localhost" and not any(wrong.values()):
        found.append(_not_below_localhost(list(wrong), names))
        return found
    reasons: dict[tuple[str, str], list[str]] = {}
    for name in wrong:
        reasons.setdefault(_reason(name, names), []).append(name)
    for (why, mend), those in reasons.items():
        listed = "; ".join(f"{name} is {' and '.join(wrong[name]) or 'unknown'}" for name in those[:5])
        more = " …" if len(those) > 5 else ""
        fix = "hosts" if mend == _WRITE else ""
        found.append(
            Finding(
                HERE, WARNING, f"{listed}{more}; expected {names.addresses[0]}{f': {why}' if why else ''}", mend, fix
            )
        )
    return found


_WRITE = f"{DUSTY} up writes the hosts section; {DUSTY} hosts diff shows it"
_INTO_FILE = f"{DUSTY} config set hosts.mode file, then {DUSTY} up: no name server is asked for names of the hosts file"


def _are_ours(found: Sequence[str], addresses: Sequence[str]) -> bool:
    return set(found) <= set(addresses)


def _elsewhere_too(also: Sequence[str], names: Names) -> Finding:
    others = dict.fromkeys(each for name in also for each in names.here[name] if each not in names.addresses)
    what = f"{_each(also)} leads to {', '.join(others)} as well, where the proxy does not listen"
    if list(others) == ["::1"]:
        return Finding(HERE, WARNING, what, f"{DUSTY} config set hosts.ipv6 true, then {DUSTY} up")
    return Finding(
        HERE, WARNING, what, "remove the other lines from the hosts file, or the other addresses from the name server"
    )


def _not_below_localhost(unknown: Sequence[str], names: Names) -> Finding:
    said = [f"{server} answers {server.said[unknown[0]]}" for server in names.servers if unknown[0] in server.said]
    what = (
        f"programs that ask the system (Python, Node, Java) do not find {_all(unknown)}; browsers and curl do"
        f"{': ' if said else ''}{'; '.join(said)}"
    )
    return Finding(
        HERE, WARNING, what, f"install libnss-myhostname (Debian, Ubuntu), or {DUSTY} config set hosts.mode file"
    )


def _reason(name: str, names: Names) -> tuple[str, str]:
    """Why a name does not lead to the proxy, and what mends it."""
    if set(names.in_hosts_file.get(name, ())) & set(names.addresses):
        return _overruled(names)
    if names.in_hosts_file.get(name):
        return "a line of your own in the hosts file", f"remove your line, then {DUSTY} up"
    why = "; ".join(_of_servers(name, names))
    return why, _WRITE if names.mode == "file" else _INTO_FILE


def _overruled(names: Names) -> tuple[str, str]:
    """The hosts file has the name, and something else was believed."""
    if names.order and "files" not in names.order:
        return "/etc/nsswitch.conf does not name the hosts file", "write `hosts: files dns` there"
    if "files" in names.order and names.order.index("files") > 0:
        first = names.order[: names.order.index("files")]
        return f"/etc/nsswitch.conf asks {', '.join(first)} before the hosts file", "write `files` first there"
    return "the hosts file has it, so a cache still holds the former answer", "resolvectl flush-caches, or restart nscd"


def _of_servers(name: str, names: Names) -> Iterator[str]:
    """What each name server said, and what that means."""
    said = [(server, server.said[name]) for server in names.servers if name in server.said]
    right = [(server, what) for server, what in said if what in names.addresses]
    for server, what in said:
        if what not in names.addresses:
            yield f"{server} {'does not reply' if what == NO_REPLY else f'answers {what}'}"
    filtered = [what for _, what in said if what != NO_REPLY and what not in names.addresses and not _is_address(what)]
    if right and filtered:
        server, what = right[0]
        yield f"{server} answers {what}, so the other filters addresses of this machine (DNS rebinding protection, or a VPN)"
    elif filtered:
        yield "DNS rebinding protection and VPNs answer so for names that lead to this machine"


def _all(names: Sequence[str]) -> str:
    more = len(names) - SHORT_LIST
    return (
        f"{', '.join(names[:SHORT_LIST])} and {more} more"
        if more > 0
        else " and ".join([*([", ".join(names[:-1])] if names[1:] else []), names[-1]])
    )


def _each(names: Sequence[str]) -> str:
    return subject(names) if len(names) <= SHORT_LIST else f"each of {_all(names)}"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def browsers(mode: str, strangers: Mapping[int, str]) -> list[Finding]:
    """What a browser does with names below .localhost; `strangers` are other programs that listen on a port of the proxy's on ::1."""
    if mode != "localhost":
        return []
    held = [f"port {port} is held by {holder}" for port, holder in strangers.items()]
    if held:
        what = f"browsers lead names below .localhost to ::1 as well, where something else answers: {'; '.join(held)}"
        return [Finding(BROWSERS, FAILED, what, "stop that program")]
    return [Finding(BROWSERS, OK, "names below .localhost lead to this machine by themselves")]


def containers(
    inside: Mapping[str, Mapping[str, tuple[str, ...]] | None], proxy: Sequence[str], count: int
) -> list[Finding]:
    """`inside`: container -> name -> addresses, None where nobody can look; `proxy`: where the proxy is on the stack's network."""
    if not inside or not proxy:
        return []
    wrong: dict[tuple[str, str], list[str]] = {}
    for container, found in inside.items():
        for name, addresses in (found or {}).items():
            if not set(addresses) & set(proxy):
                wrong.setdefault((name, " and ".join(addresses) or "unknown"), []).append(container)
    blind = [container for container, found in inside.items() if found is None]
    looked = [
        container
        for container in inside
        if container not in blind and not any(container in each for each in wrong.values())
    ]
    findings = [_inside(name, where, those) for (name, where), those in list(wrong.items())[:5]]
    if looked:
        findings.insert(
            0,
            Finding(
                INSIDE,
                OK,
                f"{counted(count, 'name')} {'leads' if count == 1 else 'lead'} to the proxy in {_all(looked)}",
            ),
        )
    if blind:
        what = f"{_each(blind)} has neither getent nor nslookup, so how names resolve there is unknown"
        findings.append(Finding(INSIDE, OK, what))
    return findings


def _inside(name: str, where: str, those: Sequence[str]) -> Finding:
    what = f"{name} is {where} in {_all(those)}, not the proxy"
    if name.endswith(".localhost") and where in ("127.0.0.1", "::1", "127.0.0.1 and ::1", "::1 and 127.0.0.1"):
        short = name.removesuffix(".localhost")
        return Finding(
            INSIDE,
            WARNING,
            f"{what}: the image leads names below .localhost to the container itself",
            f"use {short} there",
        )
    if where == "unknown":
        return Finding(
            INSIDE,
            FAILED,
            f"{what}: the engine's name server does not know it",
            f"{DUSTY} up connects the proxy under its names",
        )
    return Finding(
        INSIDE,
        FAILED,
        f"{what}: extra_hosts, links or another container's alias have that name",
        "remove it from the spec",
    )
