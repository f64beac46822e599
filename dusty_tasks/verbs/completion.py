"""`dusty completion`: the completion script of a shell, and the offers it asks for (`completion complete <words…>`)."""

from __future__ import annotations

from collections.abc import Iterable

from dusty_tasks import resources, session
from dusty_tasks.console import say
from dusty_tasks.core.text.namespace import PROXY
from dusty_tasks.verbs.shared.words import action_of, exactly
from dusty_tasks.verbs.table import ALIASES, VERBS

SHELLS = ("bash", "zsh", "fish")


def run(words: list[str]) -> int | None:
    """Print the script of a shell, to be sourced by it."""
    if words[:1] == ["complete"]:
        complete(words[1:])
        return None
    exactly("completion", "", words, "the name of a shell")
    shell, _ = action_of("completion", words, SHELLS)
    say((resources.folder("templates") / "completion" / shell).read_text(encoding="utf-8").rstrip("\n"))
    return None


def complete(typed: list[str]) -> None:
    """Print what fits the last of `typed`, a line each: the word, a tab, what it means. `:path` stands for files."""
    from dusty_tasks.core.of_verbs.completion import offers

    for word, description in offers(typed, VERBS, ALIASES, names):
        say(f"{word}\t{description}" if description else word)


def names(kind: str, words: tuple[str, ...]) -> Iterable[str]:
    """All names of a kind of word (verbs/declared.Verb.words); `words` are those of the verb so far."""
    from dusty_tasks.effects.home.known_names import read_known_names

    if kind == "key":
        from dusty_tasks.core.settings.keys import KEYS

        return [key.name for key in KEYS.values() if not key.verb or words[:1] == ("get",)]
    if kind == "value":
        from dusty_tasks.core.settings.keys import KEYS

        return KEYS[words[-1]].values if words[:1] == ("set",) and words[-1] in KEYS else ()
    if kind == "disabled":
        return session.settings().disabled
    if kind == "code":
        from dusty_tasks.core.text.codes import Code

        return list(map(str, Code))
    known = read_known_names(session.home())
    of_kind = {
        "bundle": known.bundles,
        "app": known.apps,
        "lib": known.libs,
        "service": known.services,
        "container": (*known.apps, *known.services, PROXY),
        "part": (*known.apps, *known.libs, *known.services, PROXY),
        "repo": known.repos,
        "asset": known.assets,
        "script": known.scripts.get(words[-1] if words else "", ()),
        "suite": (*known.suites.get(words[-1] if words else "", ()), "all"),
    }
    return sorted(set(of_kind[kind]))
