"""What is taken out of what leaves this machine, or is shown of what containers printed: values that the settings, specs and assets know."""

from __future__ import annotations

import os
from typing import Any

from dusty_tasks import session
from dusty_tasks.core.of_verbs.redaction import Redactor, values_below
from dusty_tasks.core.text.paths import COMPOSE_FILE
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import read_bytes


def read_compose_file() -> Any:
    """The compiled Compose file. Raises Failure if there is none."""
    import yaml

    content = read_bytes(session.paths().artifact(COMPOSE_FILE))
    if content is None:
        raise Failure("nothing is compiled yet")
    return yaml.safe_load(content.decode("utf-8", "replace"))


def redactor() -> Redactor:
    """Knows the values of variables (set, in specs, from the caller), secrets, and the lines of assets."""
    from dusty_tasks.effects.home.assets import read_asset, set_keys
    from dusty_tasks.effects.home.config import read_config
    from dusty_tasks.effects.home.secrets import read_secrets

    home = session.base_home()
    secrets: list[str] = []
    for read in (lambda: read_config(home), read_compose_file):
        try:
            found = read()
        except (Failure, OSError, ValueError):
            continue
        secrets += values_below(found)
        secrets += [os.environ[name] for name in _names_without_value(found) if name in os.environ]
    secrets += read_secrets(home).values()
    for key in set_keys(home):
        secrets.append((read_asset(home, key) or b"").decode("utf-8", "ignore"))
    return Redactor(secrets, [os.path.expanduser("~"), os.path.realpath(os.path.expanduser("~"))])


def _names_without_value(value: Any) -> list[str]:
    """Variables that the caller of `up` fills in."""
    if isinstance(value, dict):
        mine = [
            name
            for key in ("environment", "env")
            if isinstance(value.get(key), dict)
            for name, text in value[key].items()
            if text is None
        ]
        return mine + [name for entry in value.values() for name in _names_without_value(entry)]
    return [name for entry in value for name in _names_without_value(entry)] if isinstance(value, list) else []
