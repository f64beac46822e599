"""Which way nginx reaches apps, where the machine leaves no choice."""

from __future__ import annotations

import sys

from dusty_tasks import session
from dusty_tasks.console import say, warn
from dusty_tasks.effects.doors.failures import Failure


def choose_routing(verb: str) -> None:
    """Where this machine cannot bind the engine's bridge, store `routing: network`; an engine that does not answer tells later."""
    from dusty_tasks.core.plan.engine_kind import hidden_bridge
    from dusty_tasks.effects.engine.http import Engine
    from dusty_tasks.effects.engine.reads import read_info
    from dusty_tasks.effects.home.config import change_config

    if session.settings().routing != "published" or session.settings().host.is_elsewhere:
        return
    try:
        reason = hidden_bridge(read_info(Engine(session.docker_host())), sys.platform == "darwin")
    except Failure:
        return
    if reason:
        change_config(session.home(), f"{verb}: {reason}", lambda config: config.update(routing="network"), warn)
        session.forget()
        say(f"routing: network ({reason}, so ports cannot be published on its bridge)")
