"""`dusty bundles`: list bundles, switch them on and off."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

from dusty_tasks import session
from dusty_tasks.console import say, table_within, warn, width
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.verbs.shared.words import action_of, exactly, misuse, say_json, unknown


def run(words: list[str], only: bool = False, json: bool = False) -> int | None:
    """List, activate or deactivate; no container changes until `up`."""
    action, names = action_of("bundles", words, ("list", "activate", "deactivate"))
    if only and action != "activate":
        raise misuse("bundles", f"--only belongs to activate, not to {action}")
    if action == "list":
        exactly("bundles", "list", names)
        list_bundles(json)
        return None
    if not names:
        raise misuse("bundles", f"bundles {action} needs the name of a bundle")
    names = list(dict.fromkeys(unicodedata.normalize("NFC", name) for name in names))
    if action == "activate":
        activate(names, only)
    else:
        deactivate(names)
    return None


def rows() -> list[dict[str, Any]]:
    """All bundles by name: those of the specs, and active ones that the specs no longer have."""
    known, active = session.specs().bundles, set(session.active_bundles())
    return [
        {
            "name": name,
            "description": known[name].description if name in known else "",
            "active": name in active,
            "in_specs": name in known,
        }
        for name in sorted(active | set(known))
    ]


def list_bundles(as_json: bool) -> None:
    """Print a table, or JSON."""
    found = rows()
    if as_json:
        say_json(found)
        return
    say(
        table_within(
            width(),
            ("bundle", "active", "description"),
            [
                (
                    row["name"],
                    "yes" if row["active"] else "",
                    row["description"] if row["in_specs"] else "(no longer in the specs)",
                )
                for row in found
            ],
        )
    )


def activate(names: list[str], only: bool) -> None:
    """Switch bundles on: all names are checked before anything changes."""
    known = session.specs().bundles
    for name in names:
        if name not in known:
            raise unknown("bundle", name, known)
    before, after = save(
        f"bundles activate {'--only ' if only else ''}{' '.join(names)}",
        lambda active: names if only else list(dict.fromkeys([*active, *names])),
    )
    for name in names:
        say(f"{'already active' if name in before else 'activated'}: {name}")
    for name in before:
        if name not in after:
            say(f"deactivated: {name}")


def deactivate(names: list[str]) -> None:
    """Switch bundles off; one that is known but not active is only said to be so."""
    active = session.settings().bundles
    if not set(names) <= set(active):
        known = {*session.specs().bundles, *active}
        for name in names:
            if name not in known:
                raise unknown("bundle", name, known)
    before, after = save(
        f"bundles deactivate {' '.join(names)}", lambda active: [name for name in active if name not in names]
    )
    for name in names:
        say(f"{'deactivated' if name in before else 'not active'}: {name}")
    if before and not after:
        warn(f"no bundle is active now; {DUSTY} bundles activate <name> chooses one")


def save(what: str, choose: Callable[[list[str]], list[str]]) -> tuple[list[str], list[str]]:
    """Store the active bundles as `choose` makes them of those at that moment; what they were and are."""
    from dusty_tasks.effects.home.config import change_config

    seen: list[list[str]] = []

    def change(config: dict[str, Any]) -> None:
        active = [unicodedata.normalize("NFC", name) for name in config.get("bundles") or ()]
        config["bundles"] = choose(active)
        seen[:] = [active, config["bundles"]]
        if not config["bundles"]:
            del config["bundles"]

    change_config(session.home(), what, change, warn)
    session.forget()
    return seen[0], seen[1]
