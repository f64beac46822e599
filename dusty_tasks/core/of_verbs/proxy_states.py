"""What the proxy's pages tell of each app: small dated files, which a verb that changed containers leaves beside the proxy's config.

The pages take them in as they are, so nothing in them may be taken for HTML, JSON or a directive of nginx's server-side includes.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dusty_tasks.core.of_verbs.redaction import Redactor
from dusty_tasks.core.plan.container_state import (
    ABSENT,
    CREATED,
    EXITED,
    FAILED,
    FINISHED,
    NOT_ANSWERING,
    STARTING,
    STOPPED,
    State,
    advice,
)
from dusty_tasks.core.plan.wanted import WantedContainer
from dusty_tasks.core.text.safe import harmless, plain_lines

DOWN = frozenset({ABSENT, CREATED, STARTING, NOT_ANSWERING, FAILED, STOPPED, FINISHED, EXITED})
"""In these states an app takes no request: one that came to nothing may be sent again."""
MAX_LINES, MAX_LINE = 20, 400


class Seen(NamedTuple):
    """Who looked, and when, in seconds since 1970."""

    by: str
    """`dusty up`"""
    at: float


def state_files(
    containers: Iterable[WantedContainer],
    states: Mapping[str, State],
    printed: Mapping[str, str],
    seen: Seen,
    secrets: Iterable[str] = (),
) -> dict[str, str]:
    """File name -> one line of text: for each container with a route a part of the waiting page, its JSON, and a word for the list of names.

    `printed` holds the last lines of those that failed, `secrets` what must not be read in them.
    """
    files: dict[str, str] = {}
    redactor = Redactor(secrets, ())
    for container in containers:
        name, state = container.name, states.get(container.name)
        if container.kind == "proxy" or not container.route_ports or state is None:
            continue
        what, lines = _sentence(name, state), _lines(printed.get(name, ""), redactor)
        files[f"{name}.html"] = (
            f'<section><p id="what">{_escaped(what)}</p><pre id="lines">{"&#10;".join(map(_escaped, lines))}</pre>'
            f"<p><small>As {_escaped(seen.by)} saw it at {_time(seen.at)}.</small></p></section>"
        )
        files[f"{name}.word"] = f"{_escaped(state.text)} at {_time(seen.at)}"
        files[f"{name}.json"] = _json(
            {
                "state": state.name,
                "what": what,
                "detail": state.detail,
                "lines": lines,
                "by": seen.by,
                "seen": _stamp(seen.at),
                "is_down": state.name in DOWN,
            }
        )
    return files


def _sentence(name: str, state: State) -> str:
    # The page names the logs in any case.
    hint = "" if state.name == NOT_ANSWERING else advice(state, name)
    return f"{name} {state.what or f'is {state.name}'}{f'; {hint}' if hint else ''}."


def _lines(printed: str, redactor: Redactor) -> list[str]:
    """The last lines, without colours and secrets, cut to a size that a page can show."""
    text = redactor.text(harmless(plain_lines(printed)))
    return [line.replace("\t", "    ")[:MAX_LINE] for line in text.splitlines()[-MAX_LINES:]]


def _time(at: float) -> str:
    return f'<time datetime="{_stamp(at)}">{_stamp(at, "%Y-%m-%d %H:%M:%S UTC")}</time><span></span>'


def _stamp(at: float, form: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).strftime(form)


def _escaped(text: str) -> str:
    """Text within HTML, on one line."""
    return html.escape(harmless(text)).replace("\n", " ").replace("\t", " ")


def _json(value: object) -> str:
    """JSON in ASCII, in which nothing looks like a tag or a directive."""
    return json.dumps(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
