"""What the TAB key offers for the words of a command line (pure). The shells' own scripts are in templates/completion/."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from dusty_tasks.core.settings.host_kinds import HOST_KINDS

PATHS = ":path"
"""Stands in the offers where the shell is to offer files."""
ALL_NAMES = "names…", "repos…", "NAMES…"
"""In a usage: the last kind of word may be given again and again."""


class Offer(NamedTuple):
    word: str
    description: str = ""


NO_COLOR = Offer("--no-color", "no colours and no links")
GLOBAL = (Offer("--help", "this page"), NO_COLOR)
"""The options of every verb."""


class Line(NamedTuple):
    """What is before the cursor, read by the table of verbs."""

    verb: Any
    words: tuple[str, ...]
    """The words after the verb that are complete, without options."""
    option: Any = None
    """The option whose value is being typed."""
    is_verbatim: bool = False
    """True where words belong to another program."""
    options_ended: bool = False
    """True after `--`."""


def offers(
    typed: Sequence[str],
    verbs: Sequence[Any],
    aliases: dict[str, str],
    names: Callable[[str, tuple[str, ...]], Iterable[str]],
) -> list[Offer]:
    """What fits the last word of `typed` (the words after `dusty`, the last one being typed, perhaps '').

    `verbs` and `aliases` are those of verbs/table; `names(kind, words)` gives the names of a kind, where `words` are the
    verb's words (the scripts of which app). Offers that do not begin with the last word are left out.
    """
    *before, last = typed or [""]
    while before[:1] == [NO_COLOR.word]:
        del before[0]
    if not before:
        found = [Offer(verb.name, verb.summary) for verb in verbs] + [Offer("help", "this page, or that of a command")]
        found += [Offer(alias, f"the same as {name}") for alias, name in aliases.items() if alias[0] != "-" and last]
        found += GLOBAL if last.startswith("-") else ()
    elif before == ["help"]:
        found = [Offer(verb.name, verb.summary) for verb in verbs]
    else:
        by_name = {verb.name: verb for verb in verbs}
        verb = by_name.get(aliases.get(before[0], before[0]).split()[0] if before[0] else "")
        found = _offers_of(_line(verb, before[1:]), last, names) if verb else []
    return [offer for offer in found if offer.word.startswith(last) or offer.word == PATHS]


def _line(verb: Any, before: Sequence[str]) -> Line:
    """Tell words from options, as far as the cursor."""
    by_flag = {flag: option for option in verb.options for flag in (f"--{option.long}", f"-{option.short}")}
    words: list[str] = []
    rest = list(before)
    while rest:
        word = rest.pop(0)
        option = by_flag.get(word)
        if option and option.type is not bool:
            if not rest:
                return Line(verb, tuple(words), option=option)
            rest.pop(0)
        elif word == "--":
            return Line(verb, (*words, *rest), options_ended=True)
        elif not word.startswith("-") or word == "-":
            words.append(word)
        if len(words) == verb.verbatim_after:
            return Line(verb, (*words, *rest), is_verbatim=True)
    return Line(verb, tuple(words))


def _offers_of(line: Line, last: str, names: Callable[[str, tuple[str, ...]], Iterable[str]]) -> list[Offer]:
    if line.option:
        return _values(line.option, line.words, names)
    if line.is_verbatim:
        return [Offer(PATHS)]
    if last.startswith("-") and not line.options_ended:
        found = [Offer(f"--{option.long}", option.help) for option in line.verb.options]
        return [*found, *GLOBAL]
    kind = _kind_of_next(line)
    return [Offer(word) for part in kind.split("|") if part for word in _named(part, line.words, names)]


def _values(option: Any, words: tuple[str, ...], names: Callable[[str, tuple[str, ...]], Iterable[str]]) -> list[Offer]:
    if option.long in ("world", "own", "share", "bundle"):
        kind = {"world": "world|base", "bundle": "bundle"}.get(option.long, "container")
        return [Offer(word) for part in kind.split("|") for word in _named(part, words, names)]
    kind = {"R": "repo", "F": "path", "DIR": "path", "PATH": "path", "KIND": option.long, "STATE": "ready|done"}.get(
        option.metavar, ""
    )
    return [Offer(word) for part in kind.split("|") if part for word in _named(part, words, names)]


def _kind_of_next(line: Line) -> str:
    kinds, position = line.verb.words, len(line.words)
    after = line.verb.after.get(line.words[0]) if line.words else None
    if after is not None:
        kinds, position = after, position - 1
    if position < len(kinds):
        return str(kinds[position])
    return str(kinds[-1]) if kinds and any(word in line.verb.usage for word in ALL_NAMES) else ""


def _named(kind: str, words: tuple[str, ...], names: Callable[[str, tuple[str, ...]], Iterable[str]]) -> Iterable[str]:
    """The names of a kind; a word that is no kind stands for itself."""
    literals = {"schema": ("app", "lib", "service", "bundle", "config"), "host": tuple(HOST_KINDS)}
    kinds = (
        "bundle",
        "app",
        "lib",
        "service",
        "container",
        "part",
        "repo",
        "script",
        "suite",
        "asset",
        "key",
        "value",
        "world",
    )
    if kind == "path":
        return (PATHS,)
    return names(kind, words) if kind in kinds else literals.get(kind, (kind,))
