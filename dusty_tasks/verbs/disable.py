"""`dusty disable` and `dusty enable`: leave apps and services out of the stack on this machine, and take them in again."""

from __future__ import annotations

from typing import Any

from dusty_tasks import session
from dusty_tasks.console import say, warn
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.verbs.shared.words import misuse, unknown


def run(words: list[str], **_options: object) -> int | None:
    """Without names: what is disabled. No container changes until `up`. Raises Failure for a name that no spec has."""
    if not words:
        say("\n".join(session.settings().disabled) or "nothing is disabled")
        return None
    specs = session.specs()
    known = {*specs.apps, *specs.services}
    names = [session.settings().namespace.part(word) for word in dict.fromkeys(words)]
    for name in names:
        if name not in known:
            raise unknown("app or service", name, known)
    before = change("disable", names, lambda disabled: {*disabled, *names})
    for name in names:
        say(f"{name} was already disabled" if name in before else f"disabled {name}")
    if not set(names) <= before:
        say(f"`{DUSTY} up` removes the containers; `{DUSTY} enable` puts them back")
    return None


def enable(words: list[str]) -> int | None:
    """The names of `words` again; one that no spec has any more is taken off the list, too. Raises Failure for one that is unknown."""
    if not words:
        raise misuse("enable", "enable needs the name of an app or service")
    names = [session.settings().namespace.part(word) for word in dict.fromkeys(words)]
    disabled = session.settings().disabled
    if not set(names) <= set(disabled):
        specs = session.specs()
        known = {*specs.apps, *specs.services, *disabled}
        for name in names:
            if name not in known:
                raise unknown("app or service", name, known)
    before = change("enable", names, lambda found: found - set(names))
    for name in names:
        say(f"enabled {name}" if name in before else f"{name} was not disabled")
    if before & set(names):
        say(f"`{DUSTY} up` starts what the active bundles need of it")
    return None


def change(verb_name: str, names: list[str], choose: Any) -> set[str]:
    """Store what `choose` makes of the names that are disabled at that moment; what they were."""
    from dusty_tasks.effects.home.config import change_config

    before: set[str] = set()

    def changed(config: dict[str, Any]) -> None:
        before.update(config.get("disabled") or ())
        config["disabled"] = sorted(choose(set(before)))
        if not config["disabled"]:
            del config["disabled"]

    change_config(session.home(), f"{verb_name} {' '.join(names)}", changed, warn)
    session.forget()
    return before
