"""docs/verbs.md, made from the table of verbs: `python -m dusty_tasks.cli.doc_pages` rewrites it, a test compares."""

from __future__ import annotations

from pathlib import Path

from dusty_tasks.cli.parsing import HELP
from dusty_tasks.core.text.called import in_called_name
from dusty_tasks.resources import PACKAGE
from dusty_tasks.verbs.help_texts import DETAILS
from dusty_tasks.verbs.table import ALIASES, VERBS, Option, Verb

PATH = PACKAGE.parent / "docs" / "verbs.md"
HEAD = """\
# Commands

<!-- Made by `python -m dusty_tasks.cli.doc_pages` from dusty_tasks/verbs/table.py and explained.py; a test fails when they differ. -->

`dusty <command>` and `doit <command>` are the same, but for the repos of `sync`, which doit takes as `doit sync:<repo>`. Options may
stand before or after the arguments; `--` ends them. What follows the name of a script (`scripts`), a suite (`test`) or a
container (`shell`) goes there untouched, dashes included.

On a terminal states and severities have colours; where the terminal knows links (OSC 8), URLs and places in specs are links. Neither is
printed with `--no-color`, which every command takes and which may stand before the command too, with `NO_COLOR` or `TERM=dumb` in the
environment, or in a pipe. `FORCE_HYPERLINK=1` or `0` decides on links where Dusty judges a terminal wrongly.

Exit codes: 0 fine, 1 something you can fix, 2 a program or Docker failed, 3 a bug in Dusty (a log file is named), 130
interrupted. `shell`, `scripts`, `logs` and `test <target> <suite>` exit with the status of what they ran.

With `--json` a command that fails prints `{"ok": false, "problems": [...]}`, each problem with `file`, `line`, `column`, `path`,
`what`, `hint` and `warning`; what has no place has an empty file. Unknown arguments or options are reported on stderr only.
"""


def document() -> str:
    """The whole of docs/verbs.md."""
    groups = dict.fromkeys(verb.group for verb in VERBS)
    parts = [HEAD, *(_contents(group) for group in groups)]
    for group in groups:
        parts.append(f"## {group}\n")
        parts += [section(verb) for verb in VERBS if verb.group == group]
    return "\n".join(parts)


def _contents(group: str) -> str:
    links = ", ".join(f"[{verb.name}](#{verb.name})" for verb in VERBS if verb.group == group)
    return f"* {group}: {links}" + ("\n" if group == VERBS[-1].group else "")


def section(verb: Verb) -> str:
    """One verb: usage, what it does, its options."""
    lines = [
        f"### {verb.name}",
        "",
        f"    dusty {verb.name} {verb.usage}".rstrip(),
        "",
        f"{verb.summary[0].upper()}{verb.summary[1:]}.",
    ]
    names = {alias: name.split()[1:] for alias, name in ALIASES.items() if name.split()[0] == verb.name}
    if names:
        also = [
            f"`dusty {name}`{f' (with {chr(96)}{options[0]}{chr(96)})' if options else ''}"
            for name, options in names.items()
        ]
        lines += ["", f"Also as {' and '.join(also)}."]
    if verb.name in DETAILS:
        lines += ["", in_called_name(DETAILS[verb.name])]
    lines += ["", "| option | |", "| --- | --- |", *(_row(option) for option in (*verb.options, HELP))]
    return "\n".join(lines) + "\n"


def _row(option: Option) -> str:
    flags = [f"`-{option.short}`"] if option.short else []
    flags.append(f"`--{option.long}{' ' + option.metavar if option.metavar else ''}`")
    return f"| {', '.join(flags)} | {option.help.replace('|', chr(92) + '|')} |"


def main(path: Path = PATH) -> None:
    """Write the document."""
    path.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
