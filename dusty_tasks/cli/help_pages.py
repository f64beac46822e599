"""The pages that help prints."""

from __future__ import annotations

from dusty_tasks.cli.parsing import GLOBAL
from dusty_tasks.console import warn
from dusty_tasks.core.text.called import DUSTY, in_called_name
from dusty_tasks.verbs.table import ALIASES, ANSWERS, BY_NAME, VERBS, Verb

WIDTH = 79
"""Columns of a help page."""


def page(verb: Verb) -> str:
    """The help page of one verb, for a terminal of 80 columns."""
    from textwrap import fill

    from dusty_tasks.verbs.help_texts import DETAILS

    lines = [
        fill(f"usage: {DUSTY} {verb.name} {verb.usage}".rstrip(), WIDTH, subsequent_indent=" " * 9),
        "",
        fill(f"{verb.summary[0].upper()}{verb.summary[1:]}.", WIDTH),
    ]
    for paragraph in filter(None, in_called_name(DETAILS.get(verb.name, "")).split("\n\n")):
        lines += ["", paragraph if paragraph.startswith(" ") else fill(paragraph, WIDTH)]
    lines += ["", "Options:"]
    flags = [
        (
            ", ".join(
                filter(None, (f"-{o.short}" if o.short else "", f"--{o.long}{' ' + o.metavar if o.metavar else ''}"))
            ),
            o.help,
        )
        for o in (*verb.options, *GLOBAL)
    ]
    width = max(len(flag) for flag, _help in flags)
    return "\n".join(
        lines
        + [fill(f"  {flag.ljust(width)}  {text}", WIDTH, subsequent_indent=" " * (width + 4)) for flag, text in flags]
    )


def overview() -> str:
    """The page of `dusty`, `dusty help` and a bare `doit`: verbs in groups, one line each."""
    lines = [
        "Dusty launches your team's whole local environment with one command.",
        "",
        f"usage: {DUSTY} <command> [arguments] [options]",
        "",
    ]
    width = max(len(verb.name) for verb in VERBS)
    for group in dict.fromkeys(verb.group for verb in VERBS):
        lines.append(f"{group}:")
        lines += [f"  {verb.name.ljust(width)}  {verb.summary}" for verb in VERBS if verb.group == group]
        lines.append("")
    lines.append(f"`{DUSTY} <command> --help` says more. Start with: {DUSTY} up")
    return "\n".join(lines)


def unknown_verb(word: str) -> int:
    """What to say to a word that is no verb; exit code 1."""
    from dusty_tasks.core.text.problems import edit_distance, nearest

    if word in ANSWERS:
        warn(f'there is no command "{word}"\n    hint: {DUSTY} {ANSWERS[word]}')
        return 1
    guess = nearest(word, {*BY_NAME, *ALIASES})
    # Half of a short word changed is another word: "top" was not meant to be "stop", nor "mv" to be "up".
    if edit_distance(word, guess) <= 2 and 3 * edit_distance(word, guess) >= len(word):
        guess = ""
    did_you_mean = f" (did you mean {guess}?)" if guess else ""
    warn(f'there is no command "{word}"{did_you_mean}\n    hint: `{DUSTY} help` lists all of them')
    return 1
