"""`dusty completion`: the completion script of a shell, and the offers it asks for (`completion complete <words…>`)."""

from __future__ import annotations

from collections.abc import Iterable

from dusty_tasks import resources, session
from dusty_tasks.console import confirm, say
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.namespace import PROXY
from dusty_tasks.core.text.wording import counted
from dusty_tasks.verbs.shared.words import action_of, exactly
from dusty_tasks.verbs.table import ALIASES, VERBS

SHELLS = ("bash", "zsh", "fish")


def run(words: list[str], yes: bool = False) -> int | None:
    """Print the script of a shell, to be sourced by it, or install it."""
    if words[:1] == ["complete"]:
        complete(words[1:])
        return None
    if words[:1] == ["install"]:
        shell = [word for word in words[1:] if word not in ("-y", "--yes")]
        exactly("completion", "install", shell, *("the name of a shell",) * bool(shell))
        return install(shell[0] if shell else "", yes=yes or len(shell) < len(words) - 1)
    exactly("completion", "", words, "the name of a shell")
    name, _ = action_of("completion", words, SHELLS)
    say((resources.folder("templates") / "completion" / name).read_text(encoding="utf-8").rstrip("\n"))
    return None


def install(shell: str, *, yes: bool) -> int | None:
    """Say which files get what, ask, and write them. Raises Failure."""
    from dusty_tasks.effects.machine.user_shell import completion_setup, set_up_shell

    setup = completion_setup(shell)
    if not setup.writes:
        say(f"{setup.shell} completes the words of {DUSTY} already, or has a completion that is not Dusty's")
        return None
    say("\n".join(f"  {path}" for path, _text in setup.writes))
    if not confirm(f"Write the completion of {setup.shell} into {counted(len(setup.writes), 'file')}?", yes=yes):
        return 1
    say("\n".join(set_up_shell(setup)))
    say(f"a new {setup.shell} completes; {DUSTY} uninstall removes it")
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
    if kind == "world":
        from dusty_tasks.effects.home.worlds import names_of_worlds

        return names_of_worlds(session.base_home())
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
