"""Taking secrets out of what goes into a bug report: values that are known, and forms that give secrets away."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

REDACTED = "<redacted>"
SHORTEST = 4
"""Shorter values are taken out where they stand as values, but not wherever their letters occur in a log."""
BORING = frozenset(
    {"true", "false", "none", "null", "root", "localhost", "production", "development", "debug", "info", "test"}
)
"""Too common to be secret; taking them out everywhere would make logs unreadable."""

# What is kept of a match need not be in it: a pattern that begins with any word looks at a line of n letters n times.
_IN_URL = re.compile(r"(?P<scheme>[A-Za-z0-9+.-]://)[^\s/@:'\"]*:[^\s/@'\"]+@")
_TOKENS = re.compile(
    r"""
    gh[pousr]_[A-Za-z0-9]{20,} | github_pat_[A-Za-z0-9_]{20,} | glpat-[A-Za-z0-9_-]{16,} | xox[abprs]-[A-Za-z0-9-]{10,}
    | (?:AKIA|ASIA)[A-Z0-9]{16} | sk-[A-Za-z0-9_-]{20,} | eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*
    | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----(?s:.)*?(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z)
    """,
    re.VERBOSE,
)
_AFTER_A_NAME = re.compile(r"""(?ix)
    (?P<name>(?:passw(?:or)?d|passphrase|requirepass|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)[\w.-]{0,200}+["']?
        (?:\s*[=:]\s*|\s+))
    (?P<value>"[^"]*"|'[^']*'|[^\s,;"']+)""")
_AUTHORIZATION = re.compile(r"(?i)(authorization\s*[:=]\s*(?:basic|bearer|token)\s+|bearer\s+)[^\s'\"]+")


class Redactor:
    """Takes known values, telling forms and the caller's home folder out of texts."""

    def __init__(self, secrets: Iterable[str], homes: Iterable[str]) -> None:
        self._homes = sorted({home.rstrip("/") for home in homes if len(home.rstrip("/")) > 1}, key=len, reverse=True)
        known = {part for secret in secrets for part in _parts(secret)}
        # The longest first: a secret may hold another one.
        ordered = sorted(known, key=lambda secret: (-len(secret), secret))
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, text: str) -> str:
        """`text` without secrets."""
        if self._known:
            text = self._known.sub(REDACTED, text)
        text = _IN_URL.sub(rf"\g<scheme>{REDACTED}@", text)
        text = _TOKENS.sub(REDACTED, text)
        text = _AUTHORIZATION.sub(rf"\g<1>{REDACTED}", text)
        text = _AFTER_A_NAME.sub(rf"\g<name>{REDACTED}", text)
        for home in self._homes:
            text = re.sub(rf"{re.escape(home)}(?![\w.-])", "~", text)
        return text


def without_credentials(text: str) -> str:
    """`text` without the passwords of URLs and without what has the form of a token: for what other programs printed."""
    return _TOKENS.sub(REDACTED, _IN_URL.sub(rf"\g<scheme>{REDACTED}@", text))


def _parts(secret: str) -> list[str]:
    """A value, and the lines of one with several, each as it stands in texts and as JSON and YAML write it."""
    lines = [line.strip() for line in secret.splitlines()]
    found = []
    for part in {secret.strip(), *lines}:
        if len(part) >= SHORTEST and part.lower() not in BORING and not (part.isdigit() and len(part) < 6):
            found += [
                part,
                part.replace("\\", "\\\\").replace('"', '\\"'),
                part.replace("'", "''"),
                part.replace("$", "$$"),
            ]
    return found


def without_values(value: Any, keys: frozenset[str] = frozenset({"env", "environment", "args"})) -> Any:
    """A config or Compose file with every value below `keys` redacted, whatever it is; names stay."""
    if isinstance(value, dict):
        return {key: _emptied(entry) if key in keys else without_values(entry, keys) for key, entry in value.items()}
    if isinstance(value, list):
        return [without_values(entry, keys) for entry in value]
    return value


def _emptied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _emptied(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [f"{str(entry).partition('=')[0]}={REDACTED}" if "=" in str(entry) else REDACTED for entry in value]
    return None if value is None else REDACTED


def values_below(value: Any, keys: frozenset[str] = frozenset({"env", "environment", "args"})) -> list[str]:
    """All values below `keys`: what a Redactor must know to take them out of logs as well."""
    if isinstance(value, dict):
        return [
            found
            for key, entry in value.items()
            for found in (_leaves(entry) if key in keys else values_below(entry, keys))
        ]
    if isinstance(value, list):
        return [found for entry in value for found in values_below(entry, keys)]
    return []


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [found for entry in value.values() for found in _leaves(entry)]
    if isinstance(value, list):
        return [str(entry).partition("=")[2] or str(entry) for entry in value]
    return [] if value is None else [str(value)]
