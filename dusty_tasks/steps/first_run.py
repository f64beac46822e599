"""The first `up` on a machine without a config.yml: the example specs, their bundle activated, saved and said."""
from __future__ import annotations

import os
from typing import Any

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.called import DUSTY


def is_configured() -> bool:
    """True once there is a config.yml, or where the current folder is the specs repo (design.md section 9, 11 and 12)."""
    return os.path.exists(os.path.join(session.home(), "config.yml")) or session.local_specs_root() is not None


def choose_examples() -> None:
    """Write the examples out, make them the configured specs repo and activate their bundle. Raises Failure."""
    from dusty_tasks.effects.example_specs import BUNDLE, write_examples
    from dusty_tasks.effects.store import change_config

    folder = write_examples(session.home(), say)

    def choose(config: dict[str, Any]) -> None:
        config.update(specs_repo=str(folder), bundles=[BUNDLE])
    change_config(session.home(), "first run: the example specs", choose)
    say(f'no config.yml yet: chose the example specs and activated the bundle "{BUNDLE}" ({DUSTY} setup chooses others)')
    session.forget()
