"""What the server of `dusty ui` answers, and to whom: who may ask, and which command each button stands for. Values in, values out."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, NamedTuple

from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.worlds.model import BASE

NAME = "dusty.localhost"
"""The page's own name: browsers resolve names below localhost to loopback (RFC 6761, 6.3), and no app of a stack has it."""
TOKEN_HEADER = "x-dusty-token"
API = "/api/"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""With every response."""


def authority(port: int) -> str:
    """The page's name and port as browsers write them: without the port that http has anyway."""
    return NAME if port == 80 else f"{NAME}:{port}"


class Refusal(NamedTuple):
    """Why a request is not answered."""

    status: int
    what: str


def refusal_of(method: str, path: str, headers: Mapping[str, str], port: int, token: str) -> Refusal | None:
    """None for a request that may be answered. `headers` have lower-case names.

    Another Host means a page of a stranger's whose name resolves to this machine (DNS rebinding). The token is in a header, never in
    a cookie: a cookie would go to every port of the name, and along with requests that other pages make. Only the page itself may be
    reached from elsewhere, by a link in a tab of its own: it holds nothing, and the file that hands over the token is such a place.
    """
    own = authority(port)
    if headers.get("host", "") != own:
        return Refusal(421, f"this server answers only to http://{own}/")
    if method not in ("GET", "POST"):
        return Refusal(405, "only GET and POST are answered")
    if headers.get("origin", f"http://{own}") != f"http://{own}":
        return Refusal(403, "this request comes from another page")
    is_link = not path.startswith(API) and headers.get("sec-fetch-mode") == "navigate"
    is_link = is_link and headers.get("sec-fetch-dest") == "document"
    if not is_link and headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return Refusal(403, "this request comes from another page")
    if not path.startswith(API):
        return None if method == "GET" else Refusal(405, "pages are read with GET")
    if not hmac.compare_digest(headers.get(TOKEN_HEADER, "").encode(), token.encode()):
        return Refusal(401, f"the token is missing or wrong: open the address that `{DUSTY} ui` printed")
    return None


class Action(NamedTuple):
    """A button: the command that it stands for, and how many names it takes."""

    words: tuple[str, ...]
    least: int
    most: int


ACTIONS = {
    "up": Action(("up",), 0, 1),
    "plan": Action(("plan",), 0, 0),
    "sync": Action(("sync",), 0, 1),
    "restart": Action(("restart",), 1, 1),
    "stop": Action(("stop",), 0, 1),
    "script": Action(("scripts",), 2, 2),
    "test": Action(("test",), 2, 2),
}


def command_of(asked: Any) -> list[str]:
    """The words after `dusty` that a button stands for: {"action": "restart", "names": ["web"]}. Raises ValueError for anything else.

    A name can be no option: it does not begin with a dash.
    """
    if not isinstance(asked, dict) or not isinstance(asked.get("action"), str):
        raise ValueError("an action is a mapping with action and names")
    action, names = ACTIONS.get(asked["action"]), asked.get("names", [])
    if action is None:
        raise ValueError(f"unknown action {asked['action']!r}; known: {', '.join(ACTIONS)}")
    if not isinstance(names, list) or not action.least <= len(names) <= action.most:
        raise ValueError(f"{asked['action']} takes {action.least} to {action.most} names")
    return [*action.words, *map(checked_name, names)]


def world_of(asked: Any) -> str:
    """The world that a page shows, or is to show; the base where it names none. Raises ValueError for what is no name."""
    if not isinstance(asked, dict):
        raise ValueError("a request is a mapping")
    return checked_name(asked.get("world", BASE))


def checked_name(name: Any) -> str:
    """The name of something, as an argument. Raises ValueError for what is none."""
    if not isinstance(name, str) or not name or name.startswith("-") or not name.isprintable():
        raise ValueError(f"{name!r} is not a name")
    return name
