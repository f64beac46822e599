"""The key `reload` of apps and libs: what changed code calls for in a running container (docs/specs.md, "What changed code does"). Pure.

Tolerant as core/specs/build is: what is wrong was said by the checks (core/check/reload), and counts as a restart, which is always right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

NONE, SIGNAL, RUN, RESTART, RECREATE = "none", "signal", "run", "restart", "recreate"
STRENGTH = (NONE, SIGNAL, RUN, RESTART, RECREATE)
"""The kinds of action; where several are called for, the last one does what those before it would have done, too."""
WORDS = (NONE, RESTART, RECREATE)
"""What is written as a word alone."""
SIGNALS = frozenset("ABRT ALRM CONT HUP INT KILL PIPE QUIT STOP TERM TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH".split())


class Action(NamedTuple):
    """What is done in a container."""

    kind: str = RESTART
    """One of STRENGTH."""
    signal: str = ""
    """`HUP`, for SIGNAL."""
    lines: tuple[str, ...] = ()
    """Shell lines, for RUN."""


class ReloadRule(NamedTuple):
    """What a change calls for; the first rule that is about a path decides for it."""

    paths: tuple[str, ...] = ()
    """Globs from the top of the repo; none: every path."""
    action: Action = Action()


def rules_of(value: Any) -> tuple[ReloadRule, ...]:
    """The rules that `reload: <value>` means; () for what restarts at every change, as an app without the key does."""
    if value is None:
        return ()
    rules = [_rule(item) for item in value] if isinstance(value, list) else [ReloadRule((), action_of(value))]
    return () if all(rule.action == Action() for rule in rules) else tuple(rules)


def seen_rules(rules: tuple[ReloadRule, ...], folders: Sequence[str]) -> tuple[ReloadRule, ...]:
    """The rules of a container that has some folders or files of a repo alone: what it does not see calls for nothing."""
    if not folders or "" in folders:
        return rules
    seen = [rule if rule.paths else rule._replace(paths=tuple(folders)) for rule in rules]
    return (*seen, ReloadRule(tuple(folders)), ReloadRule((), Action(NONE)))


def _rule(item: Any) -> ReloadRule:
    item = item if isinstance(item, dict) else {}
    written = item.get("paths")
    paths = tuple([path for path in written if isinstance(path, str)]) if isinstance(written, list) else ()
    return ReloadRule(paths, action_of(item.get("do")))


def action_of(value: Any) -> Action:
    """The action that a word or a mapping stands for."""
    if isinstance(value, str) and value in WORDS:
        return Action(value)
    if isinstance(value, dict) and (name := signal_name(value.get("signal"))):
        return Action(SIGNAL, signal=name)
    lines = value.get("run") if isinstance(value, dict) else None
    if isinstance(lines, list) and lines:
        return Action(RUN, lines=tuple([line for line in lines if isinstance(line, str)]))
    return Action()


def signal_name(written: Any) -> str:
    """`HUP` for `HUP`, `SIGHUP` and `hup`; '' for what is not a signal."""
    name = written.upper().removeprefix("SIG") if isinstance(written, str) else ""
    return name if name in SIGNALS else ""


def rules_from_json(data: Any) -> tuple[ReloadRule, ...]:
    """Rules as JSON has them: tuples as lists. Raises TypeError or ValueError on another form."""
    return tuple(
        ReloadRule(tuple(paths), Action(kind, signal, tuple(lines))) for paths, (kind, signal, lines) in data or ()
    )
