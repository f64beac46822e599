"""Where the way to an app ends: proxy -> bridge -> the app in its container, judged by what was seen at each hop.

The hop before these is from the name to the proxy: routes are asked at the proxy's own address, and names are looked up apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.stack.ports import FIRST_PORT, LAST_PORT
from dusty_tasks.core.text import namespace
from dusty_tasks.core.text.called import DUSTY

PROXY, BRIDGE, APP = "proxy", "bridge", "app"

REFUSED, SILENT, BROKEN, LATE, UNREACHABLE = "refused", "silent", "broken", "late", "unreachable"
"""nginx's own answers, by its header X-Dusty-Saw (templates/nginx): no connection; one that ended without a byte; an answer that it
cannot pass on; none for a day; nothing to its attempt to connect."""
NO_PROXY, NO_ANSWER = "no proxy", "no answer"
"""Nobody took the connection where the proxy should; it was taken, and nothing came back while somebody waited."""

OWN_TROUBLE = 500
"""From this status on, an answer of the app's own is worth a word."""


class Answer(NamedTuple):
    """What came back for one request through the proxy."""

    saw: str = ""
    """'' for an answer of the app's own, else one of the words above."""
    status: int = 0

    @property
    def is_the_apps(self) -> bool:
        return not self.saw

    @property
    def may_have_arrived(self) -> bool:
        """True if the app may have got the request."""
        return self.saw not in (REFUSED, UNREACHABLE, NO_PROXY)


class Verdict(NamedTuple):
    """Which hop fails."""

    hop: str
    what: str
    """A sentence's end, after the app's name and where it does not answer."""
    mend: str = ""


def judge(answer: Answer, closed: str | None, settings: Settings, container_port: int, subnet: str = "") -> Verdict:
    """Why a route is not answered.

    `closed` says why nothing can answer in the container, by what listens there ('' if its port is listened on, None if nobody could
    look); `subnet` is that of the project's network.
    """
    if answer.saw == NO_PROXY:
        return Verdict(
            PROXY,
            "nothing accepts connections where the proxy should",
            f"{DUSTY} up; {DUSTY} logs {namespace.PROXY} shows why it does not run",
        )
    if closed and answer.saw in (REFUSED, SILENT, UNREACHABLE):
        return Verdict(APP, closed)
    if answer.saw == UNREACHABLE:
        return _unreachable(closed, settings, container_port, subnet)
    if answer.saw == REFUSED:
        return _refused(closed, settings, container_port)
    return Verdict(
        APP,
        {
            SILENT: f"the connection to its port {container_port} accepts connections, then closes them without an answer",
            BROKEN: "it answers, but nginx cannot pass the answer on: its header is longer than 256 KB, or it is not HTTP",
            LATE: "it accepted the request but did not answer within a day",
            NO_ANSWER: "it accepted the request but has not answered yet",
        }.get(answer.saw, f"nginx answers with status {answer.status} itself"),
        f"{DUSTY} logs {namespace.PROXY}" if answer.saw == BROKEN else "",
    )


def is_final(answer: Answer, closed: str | None) -> bool:
    """True for what waiting does not mend: a firewall between the proxy and an app that listens, an answer that cannot be passed on."""
    return answer.saw == BROKEN or (answer.saw == UNREACHABLE and closed == "")


def _unreachable(closed: str | None, settings: Settings, container_port: int, subnet: str) -> Verdict:
    listens = f"it listens on {container_port} in its container, and " if closed == "" else ""
    if settings.routing == "network":
        return Verdict(
            BRIDGE,
            f"{listens}nothing comes back when the proxy connects to it on the Compose network: something between containers drops it",
        )
    what = f"{listens}nothing comes back when the proxy connects to {settings.bridge_ip}, where its port is published: a firewall on the Docker host drops it"
    return Verdict(
        BRIDGE,
        what,
        f"{DUSTY} config set routing network, then {DUSTY} up; or allow it: {firewall_rule(settings.bridge_ip, subnet)}",
    )


def _refused(closed: str | None, settings: Settings, container_port: int) -> Verdict:
    if closed is None:
        return Verdict(APP, f"nothing accepts connections on its port {container_port}")
    if settings.routing == "network":
        return Verdict(
            BRIDGE,
            f"it listens on {container_port} in its container, but the proxy cannot reach it on the Compose network",
            f"{DUSTY} up",
        )
    return Verdict(
        BRIDGE,
        f"it listens on {container_port} in its container, but nothing accepts connections for it at {settings.bridge_ip}, where its "
        "port is published",
        "restart the engine, which publishes it again",
    )


def firewall_rule(bridge_ip: str, subnet: str) -> str:
    """The command that lets containers through to published ports."""
    source = f"-s {subnet} " if subnet else ""
    return f"sudo iptables -I INPUT {source}-d {bridge_ip} -p tcp --dport {FIRST_PORT}:{LAST_PORT} -j ACCEPT"


def answering(name: str, urls: Sequence[str], leads_to: Mapping[str, str], address: str) -> str:
    """Where an app that the proxy reaches is found: by which URLs, and through the proxy alone where a name leads elsewhere.

    `leads_to` is host_name -> the address that it leads to here, '' for none; names that nobody looked up are left out.
    """
    wrong = {url: leads_to[host_name_of(url)] for url in urls if leads_to.get(host_name_of(url), address) != address}
    right = [url for url in urls if url not in wrong]
    by_name = f"{name} answers at {' and '.join(right)}" if right else f"{name} answers through the proxy"
    return "; ".join(
        [
            by_name,
            *(
                f"{host_name_of(url)} resolves to {found or 'nothing'} here, not to {address}"
                for url, found in wrong.items()
            ),
        ]
    )


def host_name_of(url: str) -> str:
    """The name in an http URL."""
    return url.partition("://")[2].rstrip("/").partition(":")[0]
