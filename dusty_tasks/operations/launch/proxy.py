"""The proxy's config: pushed beside the one in use, tested by nginx in its own container, only then put in place and loaded."""

from __future__ import annotations

import re
import time

from dusty_tasks.core.plan.batches import APP_STOP_SECONDS
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.text.paths import PROXY_FILE, PROXY_THERE
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import read_bytes
from dusty_tasks.effects.engine import acts
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.observe.docker_host import NGINX_CONFIG

RELOAD_SECONDS = 5
"""nginx takes some milliseconds; where this is not enough, the run goes on, and its wait for readiness is all there is."""
CANDIDATE = f"{PROXY_THERE}/candidate.conf"
IN_CONTAINER = "/etc/nginx/conf.d"


class ConfigRefused(Failure):
    """nginx does not take the config that Dusty wrote: our bug, exit 3; the former config stays in use."""

    code = 3


def push_config(engine: Engine, settings: Settings, proxy_id: str) -> bool:
    """Put the compiled config on the Docker host; tested first if a proxy runs (`proxy_id`). Raises ConfigRefused.

    False if that proxy does not see the folder: it was made again since the proxy started, or is another one's.
    """
    text = read_bytes(settings.paths.artifact(PROXY_FILE)) or b""
    engine.host.files.write(CANDIDATE, text)
    code, printed = (
        acts.run_exec(engine, proxy_id, ["nginx", "-t", "-c", f"{IN_CONTAINER}/candidate.conf"])
        if proxy_id
        else (0, "")
    )
    is_seen = not (code and "candidate.conf" in printed and "No such file" in printed)
    if code and is_seen:
        engine.host.files.remove(CANDIDATE)
        raise ConfigRefused(
            f"nginx refuses the new config, so the previous one stays:{indented(printed)}{origin_of_line(settings, printed)}",
            f"the config is {settings.paths.artifact(PROXY_FILE)}",
        )
    engine.host.files.move(CANDIDATE, NGINX_CONFIG)
    return is_seen


def origin_of_line(settings: Settings, printed: str) -> str:
    """The spec line behind the line that nginx complains of, below its own words."""
    from dusty_tasks.operations.places import origin_of

    found = re.search(r"\.conf:(\d+)", printed)
    source = origin_of(settings, PROXY_FILE, int(found[1])) if found else None
    return f"\n    that line comes from {source}" if source else ""


def load_config(engine: Engine, proxy_id: str, *, is_seen: bool = True) -> None:
    """Have nginx load its config anew, and wait until it has; requests under way are finished by the former workers.

    Where the proxy does not see the folder, only a restart mounts it.
    """
    if not is_seen:
        acts.run_restart(engine, proxy_id, APP_STOP_SECONDS)
        return
    former = serving_workers(engine, proxy_id)
    acts.run_signal(engine, proxy_id, "HUP")
    give_up = time.monotonic() + RELOAD_SECONDS
    while former and time.monotonic() < give_up:
        now = serving_workers(engine, proxy_id)
        if now and not now & former:
            return
        time.sleep(0.02)


def serving_workers(engine: Engine, proxy_id: str) -> set[str]:
    """Process ids of nginx's workers that still take connections: after a reload the former ones say that they are shutting down."""
    listing = engine.get(f"/containers/{proxy_id}/top?ps_args=-eo%20pid,args") or {}
    rows = [(row[0], row[-1]) for row in listing.get("Processes") or []]
    return {pid for pid, title in rows if "worker process" in title and "shutting down" not in title}


def indented(text: str) -> str:
    """Lines of another program below our own sentence."""
    return "".join(f"\n    {line}" for line in text.strip().splitlines())
